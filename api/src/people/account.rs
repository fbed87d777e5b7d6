//! Oneself: who am I, what may I, and my password.

use std::collections::BTreeMap;

use domain::access::{Permission, Role};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::people::SignInError;
use strum::IntoEnumIterator;
use utoipa::ToSchema;

use super::{PersonView, refused};
use crate::answer::Answer;
use crate::end::to_its_end;
use crate::error::{ApiError, Result};
use crate::extract::{May, Strict, rights};
use crate::fields::word_list;

/// Who asks, and what they may.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeView {
    #[serde(flatten)]
    user: PersonView,
    /// The session that this token is of.
    session_id: String,
    #[schema(schema_with = word_list::<Permission>)]
    permissions: Vec<Permission>,
}

/// Who am I?
#[utoipa::path(
    get, path = "/api/admin/me", tag = "people",
    responses((status = 200, description = "You", body = Answer<MeView>))
)]
pub async fn me(may: May<rights::Person>) -> Result<Answer<MeView>> {
    let claims = may.caller.person()?;
    let user = PersonView {
        id: claims.sub.clone(),
        username: claims.name.clone(),
        role: claims.role,
        tenant_id: claims.tenant.clone(),
    };
    let permissions = claims.role.permissions().into_iter().collect();
    Ok(Answer::new(MeView { user, session_id: claims.sid.clone(), permissions }))
}

/// The old password and the new.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    #[schema(value_type = String, format = Password)]
    old_password: SecretString,
    /// At least 10 characters.
    #[schema(value_type = String, format = Password)]
    new_password: SecretString,
}

/// Changes one's own password. All other sessions end.
#[utoipa::path(
    post, path = "/api/admin/change-password", tag = "people", request_body = PasswordChange,
    responses(
        (status = 200, description = "Changed", body = Answer<Option<String>>),
        (status = 423, description = "Too many wrong passwords"),
    )
)]
pub async fn change_password(
    may: May<rights::Person>,
    Strict(change): Strict<PasswordChange>,
) -> Result<Answer<Option<String>>> {
    let (claims, origin, store) = (may.caller.person()?.clone(), may.caller.origin.clone(), may.app.store.clone());
    let PasswordChange { old_password: old, new_password: new } = change;
    // A guess counts, also one whose answer nobody waits for.
    let changing = async move { store.change_password(&origin, &claims.name, &claims.sid, &old, &new).await };
    to_its_end(changing).await?.map_err(|error| match error {
        // Not 401: the token is good, and pages would take them for signed out.
        SignInError::Wrong => ApiError::field("old_password", "is wrong"),
        other => refused(other, may.app.store.now()),
    })?;
    Ok(Answer::new(None).message("the password was changed"))
}

/// The table of permissions × roles.
#[derive(Debug, Serialize, ToSchema)]
pub struct PermissionsView {
    /// What each role may.
    roles: BTreeMap<String, Vec<String>>,
    /// Every permission there is.
    permissions: Vec<String>,
}

/// The table of permissions × roles.
#[utoipa::path(
    get, path = "/api/admin/permissions", tag = "people",
    responses((status = 200, description = "The table", body = Answer<PermissionsView>))
)]
pub async fn permissions(_may: May<rights::Person>) -> Result<Answer<PermissionsView>> {
    let names = |role: Role| role.permissions().iter().map(ToString::to_string).collect();
    Ok(Answer::new(PermissionsView {
        roles: Role::iter().map(|role| (role.to_string(), names(role))).collect(),
        permissions: Permission::iter().map(|p| p.to_string()).collect(),
    }))
}
