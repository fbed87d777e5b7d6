//! The OpenAPI document, made from the code, and the page that shows it. Nothing is loaded from
//! outside.

use axum::Router;
use axum::http::header;
use axum::routing::get;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi};
use utoipa::openapi::{SecurityRequirement, Tag};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{Sealed, endpoints};

/// The whole document.
pub fn document() -> OpenApi {
    let (_, mut document) = endpoints().split_for_parts();
    document.info = InfoBuilder::new()
        .title("API Pool")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Keeps an organisation's Telegram application credentials, hands one to each account that logs in, and \
             learns from what happens. Failures are RFC 9457 problems; retry 429 and 503 after `Retry-After`.",
        ))
        .build();
    let components = document.components.get_or_insert_with(|| ComponentsBuilder::new().build());
    components.add_security_scheme("person", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    components.add_security_scheme(
        "service",
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-Service-Token"))),
    );
    let any = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
    document.security = Some(vec![any("person"), any("service")]);
    document.tags = Some(
        ["allocation", "credentials", "groups", "pool", "history", "people", "tokens", "system"].map(Tag::new).into(),
    );
    document
}

/// `/api/openapi.json` and `/docs`.
pub(crate) fn pages() -> Router<Sealed> {
    let text = document().to_json().unwrap_or_else(|e| format!("{{\"error\":\"{e}\"}}"));
    let json = get(move || async move { ([(header::CONTENT_TYPE, "application/json")], text) });
    let docs: Router<Sealed> = SwaggerUi::new("/docs").config(Config::from("/api/openapi.json")).into();
    Router::new().route("/api/openapi.json", json).merge(docs)
}
