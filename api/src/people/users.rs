//! Users: who there is, and what they are.

use domain::Timestamp;
use domain::access::Role;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use store::people::User;
use store::people::users::{UserPatch, check_user};
use utoipa::ToSchema;

use crate::answer::{Answer, List};
use crate::error::{ApiError, Result, Wrong};
use crate::extract::{Cursor, Id, IfMatch, May, Query, Strict, rights};
use crate::fields::{Moment, choice, needed, nullable, words};

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserView {
    id: String,
    username: String,
    #[schema(schema_with = words::<Role>)]
    role: Role,
    /// Locked after failed logins until then.
    locked_until: Option<Moment>,
    last_login_at: Option<Moment>,
    created_at: Moment,
    updated_at: Moment,
    version: i64,
}

impl UserView {
    fn of(user: User, now: Timestamp) -> Self {
        Self {
            id: user.id,
            username: user.username,
            role: user.role,
            locked_until: user.locked_until.filter(|until| *until > now).map(Moment),
            last_login_at: user.last_login_at.map(Moment),
            created_at: Moment(user.created_at),
            updated_at: Moment(user.updated_at),
            version: user.version,
        }
    }
}

/// Lists users, the newest first.
#[utoipa::path(
    get, path = "/api/admin/users", tag = "people",
    params(
        ("q" = Option<String>, Query, description = "Part of the name"),
        ("sort" = Option<String>, Query),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 500),
        ("cursor" = Option<String>, Query),
    ),
    responses((status = 200, description = "A page", body = Answer<List<UserView>>))
)]
pub async fn list(may: May<rights::ReadUsers>, mut query: Query) -> Result<Answer<List<UserView>>> {
    let slice = query.slice();
    query.end()?;
    let (store, tenant) = (&may.app.store, &may.caller.tenant);
    let users = store.users(tenant, &slice).await?;
    let total = store.count_users(tenant, &slice).await?;
    let now = store.now();
    let view = |user| UserView::of(user, now);
    Ok(Answer::new(List::page(users, slice.limit, total, |last| Cursor::write(&last.id), view)))
}

/// A new user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// 1 to 64 ASCII letters, digits or any of `. _ - @ +`, unique in the installation.
    username: String,
    /// At least 10 characters.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
    /// `owner`, `admin`, `operator` or `auditor`.
    role: String,
}

/// Adds a user.
#[utoipa::path(
    post, path = "/api/admin/users", tag = "people", request_body = NewUser,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, description = "Added", body = Answer<UserView>))
)]
pub async fn add(may: May<rights::ManageUsers>, Strict(new): Strict<NewUser>) -> Result<Answer<UserView>> {
    let mut wrong = Wrong::default();
    wrong.note(check_user(&new.username, &new.password));
    let role = choice("role", Some(&new.role));
    let role = wrong.note(role.and_then(|role| role.ok_or_else(|| ApiError::field("role", "is required"))));
    let role = wrong.all(role)?;
    let (store, caller) = (&may.app.store, &may.caller);
    let id = store.add_user(&caller.tenant, &caller.origin, &new.username, &new.password, role).await?;
    one(&may.app, &caller.tenant, &id).await
}

async fn one(app: &crate::AppState, tenant: &domain::TenantId, id: &str) -> Result<Answer<UserView>> {
    let user = app.store.user(tenant, id).await?;
    let version = user.version;
    Ok(Answer::new(UserView::of(user, app.store.now())).etag(version))
}

/// One user.
#[utoipa::path(
    get, path = "/api/admin/users/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 200, description = "The user", body = Answer<UserView>))
)]
pub async fn get(may: May<rights::ReadUsers>, Id(id): Id) -> Result<Answer<UserView>> {
    one(&may.app, &may.caller.tenant, &id).await
}

/// A change: what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(clippy::option_option, reason = "absent, null and a value are three things")]
pub struct UserChange {
    /// Can't be cleared.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = String)]
    username: Option<Option<String>>,
    /// Can't be cleared.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = String)]
    role: Option<Option<String>>,
}

/// Changes a user's name or role, which holds at once. The last owner stays one.
#[utoipa::path(
    put, path = "/api/admin/users/{id}", tag = "people", request_body = UserChange,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "Changed", body = Answer<UserView>),
        (status = 409, description = "The name is taken, or they are the last owner"),
    )
)]
pub async fn update(
    may: May<rights::ManageUsers>,
    Id(id): Id,
    IfMatch(expected): IfMatch,
    Strict(change): Strict<UserChange>,
) -> Result<Answer<UserView>> {
    let mut wrong = Wrong::default();
    let patch = UserPatch {
        username: wrong.or(None, needed("username", change.username)),
        role: wrong.or(None, needed("role", change.role).and_then(|text| choice("role", text.as_deref()))),
    };
    wrong.note(patch.check());
    wrong.end()?;
    let caller = &may.caller;
    may.app.store.update_user(&caller.tenant, &caller.origin, &id, &patch, expected).await?;
    one(&may.app, &caller.tenant, &id).await
}

/// What was removed.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemovedUser {
    id: String,
}

/// Removes a user; their sessions end at once. Not the last owner.
#[utoipa::path(
    delete, path = "/api/admin/users/{id}", tag = "people",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "Removed", body = Answer<RemovedUser>),
        (status = 409, description = "They are the last owner"),
    )
)]
pub async fn delete(
    may: May<rights::ManageUsers>,
    Id(id): Id,
    IfMatch(expected): IfMatch,
) -> Result<Answer<RemovedUser>> {
    let caller = &may.caller;
    may.app.store.delete_user(&caller.tenant, &caller.origin, &id, expected).await?;
    Ok(Answer::new(RemovedUser { id }))
}

/// A new password for somebody.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordReset {
    /// At least 10 characters; without one, a random one is made and answered once.
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<SecretString>,
}

/// What was reset.
#[derive(Serialize, ToSchema)]
pub struct ResetView {
    id: String,
    /// The one that was made: only here, only once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    password: Option<String>,
}

/// Sets somebody's password, unlocks them, and ends their sessions.
#[utoipa::path(
    post, path = "/api/admin/users/{id}/reset-password", tag = "people", request_body = PasswordReset,
    params(("id" = String, Path)),
    responses((status = 200, description = "Reset", body = Answer<ResetView>))
)]
pub async fn reset_password(
    may: May<rights::ManageUsers>,
    Id(id): Id,
    Strict(reset): Strict<PasswordReset>,
) -> Result<Answer<ResetView>> {
    let (store, caller) = (&may.app.store, &may.caller);
    let user = store.user(&caller.tenant, &id).await?;
    let made = reset.password.is_none();
    let password = reset.password.unwrap_or_else(|| store.random_password());
    store.set_password(&caller.origin, &user, &password).await?;
    Ok(Answer::new(ResetView { id, password: made.then(|| password.expose_secret().to_owned()) }))
}
