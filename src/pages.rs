//! The dashboard, embedded in the program at build time.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "web/dist"]
struct Dist;

/// Only what we serve ourselves may run, show or be talked to.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; style-src 'self'; img-src 'self' data:; \
    object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The compressed siblings that the build has made, the best first.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// Answers every path that is no endpoint.
pub fn router() -> Router {
    Router::new().fallback(page)
}

async fn page(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let is_api = ["api", "ws", "docs"].contains(&path.split('/').next().unwrap_or_default());
    if is_api || !matches!(method, Method::GET | Method::HEAD) {
        return api::unknown().await;
    }
    // Compressed siblings are chosen by a header, never named.
    if ENCODINGS.iter().all(|(_, ending)| !path.ends_with(ending))
        && let Some(response) = file(path, &headers)
    {
        return response;
    }
    // A missing asset is missing: an open page then knows that there is a newer version. Any other
    // path is the application's own.
    if path.starts_with("assets/") {
        return api::unknown().await;
    }
    match file("index.html", &headers) {
        Some(page) => page,
        None => api::unknown().await,
    }
}

fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    let plain = Dist::get(path)?;
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let (encoding, file) = ENCODINGS
        .iter()
        .filter(|(name, _)| accepts(accepted, name))
        .find_map(|(name, ending)| Some((Some(*name), Dist::get(&format!("{path}{ending}"))?)))
        .unwrap_or((None, plain));
    let etag = etag(&file);
    let hashed = path.starts_with("assets/");
    let unchanged = headers.get(header::IF_NONE_MATCH).is_some_and(|v| v.as_bytes() == etag.as_bytes());
    let mut response = Response::builder()
        .header(header::CONTENT_TYPE, content_type(path))
        .header(header::CACHE_CONTROL, if hashed { "public, max-age=31536000, immutable" } else { "no-cache" })
        .header(header::ETAG, etag)
        .header(header::VARY, "accept-encoding")
        .header(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    if let Some(encoding) = encoding {
        response = response.header(header::CONTENT_ENCODING, encoding);
    }
    let (status, body) =
        if unchanged { (StatusCode::NOT_MODIFIED, Body::empty()) } else { (StatusCode::OK, Body::from(file.data)) };
    response.status(status).body(body).ok()
}

/// Whether an `Accept-Encoding` names this one, and not with `q=0`.
fn accepts(accepted: &str, encoding: &str) -> bool {
    accepted.split(',').any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let refused = |part: &str| part.strip_prefix("q=").is_some_and(|q| q.bytes().all(|b| b"0.".contains(&b)));
        parts.next() == Some(encoding) && !parts.any(refused)
    })
}

fn content_type(path: &str) -> String {
    let mime = mime_guess::from_path(path).first_or_octet_stream();
    if mime.type_() == "text" { format!("{mime}; charset=utf-8") } else { mime.to_string() }
}

fn etag(file: &EmbeddedFile) -> String {
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&file.metadata.sha256_hash()[..12]))
}
