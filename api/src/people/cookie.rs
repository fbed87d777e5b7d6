//! The refresh token of pages: a cookie that no script reads, sent only to where it is used and only
//! from our own pages.
//!
//! A cookie counts only beside `X-Requested-With`, which another site's form can't send and another
//! site's script may not: so nobody can use it on a person's behalf.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use domain::time::SECOND;
use secrecy::{ExposeSecret, SecretString};
use store::people::sessions::IDLE;

const NAME: &str = "api_pool_refresh";
const PATH: &str = "/api/admin";
const REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

/// Whether one of our pages asks, and what its cookie holds.
#[derive(Debug)]
pub struct Page {
    /// One of our pages.
    pub is_ours: bool,
    /// Its refresh token.
    pub token: Option<SecretString>,
    /// What the browser calls itself.
    pub user_agent: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let is_ours = parts.headers.contains_key(REQUESTED_WITH);
        let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(text);
        let token = if is_ours { token(&parts.headers) } else { None };
        Ok(Self { is_ours, token, user_agent })
    }
}

fn token(headers: &HeaderMap) -> Option<SecretString> {
    let sent = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut cookies = sent.flat_map(Cookie::split_parse).filter_map(Result::ok);
    cookies.find(|cookie| cookie.name() == NAME).map(|cookie| SecretString::from(cookie.value()))
}

/// An answer that gives or takes the cookie.
pub fn with_cookie(answer: impl IntoResponse, token: Option<&SecretString>, secure: bool) -> Response {
    let cookie = Cookie::build((NAME, token.map_or("", ExposeSecret::expose_secret)))
        .path(PATH)
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(secure)
        .max_age(Duration::seconds(if token.is_some() { IDLE / SECOND } else { 0 }))
        .build();
    let mut response = answer.into_response();
    if let Ok(mut value) = HeaderValue::from_str(&cookie.to_string()) {
        // Never in a log of headers.
        value.set_sensitive(true);
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}
