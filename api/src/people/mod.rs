//! People: signing in and out, who am I, users and their sessions, and the table of permissions.

mod account;
mod cookie;
mod session;
mod sessions;
mod users;

use domain::Timestamp;
use domain::access::Role;
use serde::Serialize;
use store::people::{SignInError, User};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::Sealed;
use crate::door::doors;
use crate::error::{ApiError, Code};
use crate::fields::words;

pub(crate) fn router() -> OpenApiRouter<Sealed> {
    OpenApiRouter::new()
        .routes(doors!(session::login))
        .routes(doors!(session::refresh))
        .routes(doors!(session::logout))
        .routes(doors!(account::me))
        .routes(doors!(account::change_password))
        .routes(doors!(account::permissions))
        .routes(doors!(users::list, users::add))
        .routes(doors!(users::get, users::update, users::delete))
        .routes(doors!(users::reset_password))
        .routes(doors!(sessions::of_user))
        .routes(doors!(sessions::revoke))
}

/// Who signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonView {
    id: String,
    username: String,
    #[schema(schema_with = words::<Role>)]
    role: Role,
    tenant_id: String,
}

impl From<User> for PersonView {
    fn from(user: User) -> Self {
        Self { id: user.id, username: user.username, role: user.role, tenant_id: user.tenant.as_str().to_owned() }
    }
}

fn refused(error: SignInError, now: Timestamp) -> ApiError {
    match error {
        SignInError::Wrong => ApiError::new(Code::Unauthenticated, "wrong name or password"),
        SignInError::Locked(until) => {
            ApiError::new(Code::AccountLocked, "too many failed attempts; try later").until(until, now)
        }
        SignInError::Store(error) => error.into(),
    }
}
