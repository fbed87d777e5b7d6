//! People: sign in, who am I, change my password, and the table of permissions.

use std::collections::BTreeMap;

use domain::access::{Permission, Role};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::people::SignInError;
use strum::IntoEnumIterator;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::Answer;
use crate::error::{ApiError, Code, Result};
use crate::extract::{Anyone, May, Strict, rights};
use crate::fields::{Moment, word_list, words};
use crate::{Sealed, context};

pub(crate) fn router() -> OpenApiRouter<Sealed> {
    OpenApiRouter::new()
        .routes(routes!(login))
        .routes(routes!(me))
        .routes(routes!(change_password))
        .routes(routes!(permissions))
}

/// Name and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    username: String,
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

/// A short token for the calls that follow.
#[derive(Serialize, ToSchema)]
pub struct LoginAnswer {
    /// Send it as `Authorization: Bearer …`.
    token: String,
    expires_at: Moment,
    user: UserView,
}

/// Who signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserView {
    id: String,
    username: String,
    #[schema(schema_with = words::<Role>)]
    role: Role,
    tenant_id: String,
}

/// Signs in. Five failures lock an account for 15 minutes.
#[utoipa::path(
    post, path = "/api/admin/login", tag = "people", request_body = LoginRequest, security(),
    responses(
        (status = 200, description = "Signed in", body = Answer<LoginAnswer>),
        (status = 401, description = "Wrong name or password", body = crate::error::Problem, content_type = "application/problem+json"),
        (status = 423, description = "Locked", body = crate::error::Problem, content_type = "application/problem+json"),
    )
)]
pub async fn login(anyone: Anyone, Strict(request): Strict<LoginRequest>) -> Result<Answer<LoginAnswer>> {
    if request.username.len() > 256 || request.username.chars().any(char::is_control) {
        return Err(ApiError::field("username", "must be at most 256 bytes without control characters"));
    }
    let user = anyone.app.store.sign_in(&anyone.origin, &request.username, &request.password).await.map_err(refused)?;
    let (token, expires_at) = anyone.app.signer.sign(&user, anyone.app.store.now())?;
    let view =
        UserView { id: user.id, username: user.username, role: user.role, tenant_id: user.tenant.as_str().to_owned() };
    Ok(Answer::new(LoginAnswer { token, expires_at: Moment(expires_at), user: view }))
}

fn refused(error: SignInError) -> ApiError {
    match error {
        SignInError::Wrong => ApiError::new(Code::Unauthenticated, "wrong name or password"),
        SignInError::Locked(until) => {
            ApiError::new(Code::AccountLocked, "too many failed attempts; try later").until(until, context::now())
        }
        SignInError::Store(error) => error.into(),
    }
}

/// Who asks, and what they may.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeView {
    #[serde(flatten)]
    user: UserView,
    #[schema(schema_with = word_list::<Permission>)]
    permissions: Vec<Permission>,
}

/// Who am I?
#[utoipa::path(
    get, path = "/api/admin/me", tag = "people",
    responses((status = 200, description = "You", body = Answer<MeView>))
)]
pub async fn me(may: May<rights::SignedIn>) -> Result<Answer<MeView>> {
    let claims = may.caller.person()?;
    let user = UserView {
        id: claims.sub.clone(),
        username: claims.name.clone(),
        role: claims.role,
        tenant_id: claims.tenant.clone(),
    };
    Ok(Answer::new(MeView { user, permissions: claims.role.permissions().into_iter().collect() }))
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

/// Changes one's own password.
#[utoipa::path(
    post, path = "/api/admin/change-password", tag = "people", request_body = PasswordChange,
    responses((status = 200, description = "Changed", body = Answer<Option<String>>))
)]
pub async fn change_password(
    may: May<rights::SignedIn>,
    Strict(change): Strict<PasswordChange>,
) -> Result<Answer<Option<String>>> {
    let name = may.caller.person()?.name.clone();
    let origin = &may.caller.origin;
    let changed = may.app.store.change_password(origin, &name, &change.old_password, &change.new_password).await;
    changed.map_err(|error| match error {
        // Not 401: the token is good, and pages would take them for signed out.
        SignInError::Wrong => ApiError::field("old_password", "is wrong"),
        other => refused(other),
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
pub async fn permissions(may: May<rights::SignedIn>) -> Result<Answer<PermissionsView>> {
    may.caller.person()?;
    let names = |role: Role| role.permissions().iter().map(ToString::to_string).collect();
    Ok(Answer::new(PermissionsView {
        roles: Role::iter().map(|role| (role.to_string(), names(role))).collect(),
        permissions: Permission::iter().map(|p| p.to_string()).collect(),
    }))
}
