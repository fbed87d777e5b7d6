//! Sessions: where somebody is signed in. One's own, or with the permission, anybody's.

use domain::Timestamp;
use domain::access::Permission;
use serde::Serialize;
use store::people::sessions::Session;
use utoipa::ToSchema;

use crate::answer::{Answer, List};
use crate::error::{ApiError, Result};
use crate::extract::{Cursor, Id, May, Query, rights};
use crate::fields::Moment;

/// A session.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    id: String,
    /// From where it was opened.
    ip: Option<String>,
    user_agent: Option<String>,
    created_at: Moment,
    last_used_at: Moment,
    /// Unless it is used before.
    expires_at: Moment,
    /// The one that asks.
    current: bool,
}

impl SessionView {
    fn of(session: Session, current: &str) -> Self {
        let moment = |millis| Moment(Timestamp::from_millis(millis));
        Self {
            current: session.id == current,
            id: session.id,
            ip: session.ip,
            user_agent: session.user_agent,
            created_at: moment(session.created_at),
            last_used_at: moment(session.used_at),
            expires_at: moment(session.expires_at),
        }
    }
}

/// Lists a user's live sessions, the newest first. Those of others need `users:read`.
#[utoipa::path(
    get, path = "/api/admin/users/{id}/sessions", tag = "people",
    params(
        ("id" = String, Path),
        ("q" = Option<String>, Query, description = "Part of the user agent"),
        ("sort" = Option<String>, Query),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 500),
        ("cursor" = Option<String>, Query),
    ),
    responses((status = 200, description = "A page", body = Answer<List<SessionView>>))
)]
pub async fn of_user(may: May<rights::Person>, Id(id): Id, mut query: Query) -> Result<Answer<List<SessionView>>> {
    let slice = query.slice();
    query.end()?;
    let claims = may.caller.person()?;
    if id != claims.sub {
        may.require(Permission::ReadUsers).await?;
        may.app.store.user(&may.caller.tenant, &id).await?;
    }
    let store = &may.app.store;
    let sessions = store.sessions(&id, &slice).await?;
    let total = store.count_sessions(&id, &slice).await?;
    let view = |session| SessionView::of(session, &claims.sid);
    Ok(Answer::new(List::page(sessions, slice.limit, total, |last| Cursor::write(&last.id), view)))
}

/// What was revoked.
#[derive(Debug, Serialize, ToSchema)]
pub struct RevokedSession {
    id: String,
}

/// Ends a session, on every process within a second. Those of others need `users:manage`.
#[utoipa::path(
    delete, path = "/api/admin/users/sessions/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 200, description = "It has ended", body = Answer<RevokedSession>))
)]
pub async fn revoke(may: May<rights::Person>, Id(id): Id) -> Result<Answer<RevokedSession>> {
    let (store, caller) = (&may.app.store, &may.caller);
    let owner = store.session_user(&caller.tenant, &id).await?;
    if owner.as_deref() != Some(&caller.person()?.sub) {
        // Asked before it is told whether there is such a session.
        may.require(Permission::ManageUsers).await?;
    }
    if owner.is_none() {
        return Err(ApiError::not_found("session"));
    }
    store.revoke_session(&caller.tenant, &caller.origin, &id).await?;
    Ok(Answer::new(RevokedSession { id }))
}
