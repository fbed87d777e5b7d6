//! Signing in, staying signed in, signing out.

use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use store::people::User;
use store::people::sessions::{Opened, RefreshError};
use utoipa::ToSchema;

use super::cookie::{Page, with_cookie};
use super::{PersonView, refused};
use crate::answer::Answer;
use crate::end::to_its_end;
use crate::error::{ApiError, Code, Result};
use crate::extract::{Anyone, May, Small, rights};
use crate::fields::Moment;
use crate::{AppState, context};

/// Name and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    username: String,
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

/// A short token for the calls that follow, and how to get the next one.
#[derive(Serialize, ToSchema)]
pub struct LoginAnswer {
    /// Send it as `Authorization: Bearer …`.
    token: String,
    expires_at: Moment,
    /// Good for one `/refresh`. Pages (with `X-Requested-With`) get it as a cookie instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refresh_token: Option<String>,
    user: PersonView,
}

/// Signs in. Five failures lock an account for 15 minutes.
#[utoipa::path(
    post, path = "/api/admin/login", tag = "people", request_body = LoginRequest,
    params(("X-Requested-With" = Option<String>, Header, description = "Sent by pages: the refresh token comes as a cookie only")),
    responses(
        (status = 200, description = "Signed in", body = Answer<LoginAnswer>),
        (status = 401, description = "Wrong name or password"),
        (status = 423, description = "Locked"),
    )
)]
pub async fn login(anyone: Anyone, page: Page, Small(request): Small<LoginRequest>) -> Result<Response> {
    if request.username.len() > 256 || request.username.chars().any(char::is_control) {
        return Err(ApiError::field("username", "must be at most 256 bytes without control characters"));
    }
    let (store, origin, agent) = (anyone.app.store.clone(), anyone.origin, page.user_agent);
    let LoginRequest { username, password } = request;
    // A guess counts, also one whose answer nobody waits for.
    let signing_in = async move { store.sign_in(&origin, &username, &password, agent.as_deref()).await };
    let signed_in = to_its_end(signing_in).await?;
    let (user, opened) = signed_in.map_err(|error| refused(error, anyone.app.store.now()))?;
    answer(&anyone.app, user, &opened, page.is_ours)
}

fn answer(app: &AppState, user: User, opened: &Opened, is_ours: bool) -> Result<Response> {
    context::asked_by(&format!("user:{}", user.username).into());
    let (token, expires_at) = app.signer.sign(&user, &opened.session_id, app.store.now())?;
    let refresh_token = (!is_ours).then(|| opened.refresh_token.expose_secret().to_owned());
    let body = LoginAnswer { token, expires_at: Moment(expires_at), refresh_token, user: user.into() };
    let answer = Answer::new(body);
    if is_ours {
        return Ok(with_cookie(answer, Some(&opened.refresh_token), app.config.secure_cookies));
    }
    Ok(answer.into_response())
}

/// The refresh token of a program.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    /// Not from pages: they have a cookie.
    #[schema(value_type = Option<String>)]
    refresh_token: Option<SecretString>,
}

impl RefreshRequest {
    /// The page's, else the body's.
    fn token(self, page: &mut Page) -> Option<SecretString> {
        if page.is_ours { page.token.take() } else { self.refresh_token }
    }
}

/// Takes a refresh token and answers the next one. One that was used before ends the session, but for
/// 30 seconds after its first use.
#[utoipa::path(
    post, path = "/api/admin/refresh", tag = "people", request_body = RefreshRequest,
    params(("X-Requested-With" = Option<String>, Header, description = "Sent by pages: the token is in a cookie")),
    responses(
        (status = 200, description = "Signed in for longer", body = Answer<LoginAnswer>),
        (status = 401, description = "The session has ended"),
    )
)]
pub async fn refresh(anyone: Anyone, mut page: Page, Small(request): Small<RefreshRequest>) -> Result<Response> {
    let (app, is_ours) = (&anyone.app, page.is_ours);
    let Some(token) = request.token(&mut page) else {
        if is_ours {
            return Err(over());
        }
        return Err(ApiError::field("refresh_token", "is required"));
    };
    match app.store.refresh_session(&anyone.origin, &token).await {
        Ok((user, opened)) => answer(app, user, &opened, is_ours),
        Err(RefreshError::Refused) if is_ours => Ok(with_cookie(over(), None, app.config.secure_cookies)),
        Err(RefreshError::Refused) => Err(over()),
        Err(RefreshError::Store(error)) => Err(error.into()),
    }
}

fn over() -> ApiError {
    ApiError::new(Code::Unauthenticated, "the session has ended; sign in again")
}

/// Which sessions end.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogoutRequest {
    /// All sessions of this person, on every device.
    everywhere: Option<bool>,
    /// Says whose session, when the short token has ended. Not from pages: they have a cookie.
    #[schema(value_type = Option<String>)]
    refresh_token: Option<SecretString>,
}

/// What has ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedOut {
    /// How many sessions.
    sessions_ended: u64,
}

/// Ends the session, or all of one's sessions, on every process within a second. When the short
/// token has ended, the refresh token does as well.
#[utoipa::path(
    post, path = "/api/admin/logout", tag = "people", request_body = LogoutRequest,
    params(("X-Requested-With" = Option<String>, Header, description = "Sent by pages: the cookie is taken back")),
    responses((status = 200, description = "Signed out", body = Answer<SignedOut>))
)]
pub async fn logout(
    may: Result<May<rights::Person>>,
    anyone: Anyone,
    mut page: Page,
    request: Result<Small<LogoutRequest>>,
) -> Result<Response> {
    let (store, is_ours) = (&anyone.app.store, page.is_ours);
    let (who, request) = match may {
        Ok(may) => {
            let claims = may.caller.person()?;
            let who = Signed { user_id: claims.sub.clone(), session_id: claims.sid.clone() };
            ((may.caller.tenant, may.caller.origin, who), request?.0)
        }
        Err(refused) => {
            let Ok(Small(mut request)) = request else { return Err(refused) };
            let token = if is_ours { page.token.take() } else { request.refresh_token.take() };
            let Some(token) = token else { return Err(refused) };
            let Some((user, session_id)) = store.session_of_refresh_token(&token).await? else { return Err(refused) };
            let origin = user.origin(&anyone.origin);
            context::asked_by(&origin.actor);
            ((user.tenant, origin, Signed { user_id: user.id, session_id }), request)
        }
    };
    let (tenant, origin, Signed { user_id, session_id }) = who;
    let sessions_ended = if request.everywhere == Some(true) {
        store.sign_out_everywhere(&tenant, &origin, &user_id).await?
    } else {
        u64::from(store.sign_out(&tenant, &origin, &session_id).await?)
    };
    let answer = Answer::new(SignedOut { sessions_ended });
    Ok(if is_ours { with_cookie(answer, None, anyone.app.config.secure_cookies) } else { answer.into_response() })
}

/// Who signs out, and of which session.
struct Signed {
    user_id: String,
    session_id: String,
}
