//! The OpenAPI document, made from the code, and the page that shows it. Nothing is loaded from
//! outside.

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, Ref, RefOr, ResponseBuilder, Tag};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::door::operations;
use crate::{Sealed, endpoints, unknown};

/// The whole document.
pub fn document() -> OpenApi {
    let (_, mut document) = endpoints().split_for_parts();
    name_operations(&mut document);
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
    components
        .add_security_scheme("service", SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-Service-Token"))));
    document.tags = Some(
        [
            "allocation",
            "credentials",
            "groups",
            "rules",
            "pool",
            "history",
            "people",
            "tokens",
            "settings",
            "views",
            "system",
        ]
        .map(Tag::new)
        .into(),
    );
    document
}

/// `list` of `groups` becomes `groups_list`: ids are unique in the document, and good names for
/// generated clients.
fn name_operations(document: &mut OpenApi) {
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
        let name = operation.operation_id.take().unwrap_or_default();
        operation.operation_id = Some(format!("{tag}_{name}"));
        operation.responses.responses.entry("default".to_owned()).or_insert_with(failure);
    }
}

/// What any operation may answer instead.
fn failure() -> RefOr<utoipa::openapi::Response> {
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let failure = ResponseBuilder::new()
        .description("Refused, not understood, or failed: `error.number` says which")
        .content("application/problem+json", problem);
    failure.build().into()
}

/// The page's own scripts only; it writes styles into its elements.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
     frame-ancestors 'none'",
);

/// A file that the page does not have is missing as everything else is.
async fn finish(mut response: Response) -> Response {
    if response.status() == StatusCode::NOT_FOUND {
        return unknown().await;
    }
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    response
}

/// `/api/openapi.json` and `/docs`.
pub(crate) fn pages() -> Router<Sealed> {
    let text = document().to_json().unwrap_or_else(|e| format!("{{\"error\":\"{e}\"}}"));
    let json = get(move || async move { ([(header::CONTENT_TYPE, "application/json")], text) });
    // The validator's badge would ask somebody else's server.
    let config = Config::from("/api/openapi.json").validator_url("none");
    let docs: Router<Sealed> = SwaggerUi::new("/docs").config(config).into();
    Router::new().route("/api/openapi.json", json).merge(docs.layer(map_response(finish)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn operations_have_unique_ids() {
        let document = serde_json::to_value(super::document()).unwrap();
        let mut seen = HashSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let Some(id) = operation["operationId"].as_str() else { continue };
                assert!(seen.insert(id.to_owned()), "{method} {path}: {id} is used twice");
            }
        }
        assert!(seen.len() > 40);
    }
}
