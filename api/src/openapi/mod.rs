//! The OpenAPI document, made from the code, and the page that shows it. Nothing is loaded from
//! outside.
//!
//! Types and paths come from the handlers. What repeats is added in one pass: [`bodies`] says which
//! texts are taken, [`parameters`] what a query may hold, [`answers`] what comes back.

mod answers;
mod bodies;
mod parameters;

use std::collections::BTreeSet;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Map, Value, json};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, Tag};
use utoipa::{PartialSchema, ToSchema};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::door::operations;
use crate::error::Problem;
use crate::{Sealed, endpoints, unknown};

/// The whole document.
pub fn document() -> Value {
    let mut document = json!(from_handlers());
    without_null_defaults(&mut document);
    let schemas = document["components"]["schemas"].take();
    let asked = schemas_of_requests(&document, &schemas);
    document["components"]["schemas"] = schemas;
    for (name, schema) in fields(&mut document["components"], "schemas") {
        if asked.contains(name) { bodies::complete(name, schema) } else { answers::complete(schema) }
    }
    let schemas = document["components"]["schemas"].clone();
    for (path, item) in fields(&mut document, "paths") {
        let members = item.as_object_mut().into_iter().flat_map(Map::values_mut);
        for operation in members.filter(|one| one["responses"].is_object()) {
            bodies::may_be_absent(operation, &schemas);
            parameters::complete(path, operation);
            answers::respond(operation, &schemas);
        }
    }
    document["components"]["responses"] = answers::failures();
    document
}

/// What the handlers say by themselves.
fn from_handlers() -> OpenApi {
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
    let mut problem = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut problem);
    components.schemas.extend(problem);
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
    }
}

/// The fields of the object `name` in another.
fn fields<'a>(value: &'a mut Value, name: &str) -> impl Iterator<Item = (&'a String, &'a mut Value)> {
    value.get_mut(name).and_then(Value::as_object_mut).into_iter().flatten()
}

/// The members of the list `name` in an object.
fn members<'a>(value: &'a mut Value, name: &str) -> impl Iterator<Item = &'a mut Value> {
    value.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten()
}

/// Says more of a schema: what it says already of the same gives way, and `null` leaves it unsaid.
fn say(schema: &mut Value, more: Value) {
    if let (Some(schema), Value::Object(more)) = (schema.as_object_mut(), more) {
        schema.extend(more);
        schema.retain(|_, said| !said.is_null());
    }
}

/// An absent field is not `null`: generators make what has a default a field that is always there.
fn without_null_defaults(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.get("default").is_some_and(Value::is_null) {
                fields.remove("default");
            }
            fields.values_mut().for_each(without_null_defaults);
        }
        Value::Array(list) => list.iter_mut().for_each(without_null_defaults),
        _ => {}
    }
}

/// The schemas that some request body uses; all others are of answers.
fn schemas_of_requests(document: &Value, schemas: &Value) -> BTreeSet<String> {
    let items = document["paths"].as_object().into_iter().flat_map(Map::values);
    let operations = items.filter_map(Value::as_object).flat_map(Map::values);
    let mut found = BTreeSet::new();
    for operation in operations {
        collect(&operation["requestBody"], schemas, &mut found);
    }
    found
}

fn collect(value: &Value, schemas: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(name) = referred(value).filter(|name| found.insert((*name).to_owned())) {
                collect(&schemas[name], schemas, found);
            }
            fields.values().for_each(|inner| collect(inner, schemas, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| collect(inner, schemas, found)),
        _ => {}
    }
}

/// The name of the schema that a reference points at.
fn referred(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
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
    let text = document().to_string();
    let json = get(move || async move { ([(header::CONTENT_TYPE, "application/json")], text) });
    // The validator's badge would ask somebody else's server.
    let config = Config::from("/api/openapi.json").validator_url("none");
    let docs: Router<Sealed> = SwaggerUi::new("/docs").config(config).into();
    Router::new().route("/api/openapi.json", json).merge(docs.layer(map_response(finish)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::{Value, json};

    fn operations(document: &Value) -> Vec<(String, Value)> {
        let paths = document["paths"].as_object().unwrap();
        let of = |(path, item): (&String, &Value)| {
            let methods = item.as_object().unwrap().clone();
            methods.into_iter().map(|(method, one)| (format!("{method} {path}"), one)).collect::<Vec<_>>()
        };
        paths.iter().flat_map(of).collect()
    }

    #[test]
    fn operations_have_unique_ids() {
        let mut seen = HashSet::new();
        for (name, operation) in operations(&super::document()) {
            let Some(id) = operation["operationId"].as_str() else { continue };
            assert!(seen.insert(id.to_owned()), "{name}: {id} is used twice");
        }
        assert!(seen.len() > 40);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn check(value: &Value, document: &Value) {
            if let Some(reference) = value["$ref"].as_str() {
                assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
            }
            let inner: Vec<&Value> = match value {
                Value::Object(fields) => fields.values().collect(),
                Value::Array(list) => list.iter().collect(),
                _ => Vec::new(),
            };
            for one in inner {
                check(one, document);
            }
        }
        let document = super::document();
        check(&document, &document);
    }

    #[test]
    fn says_what_may_be_absent_and_what_may_be_null() {
        let document = super::document();
        let schema = |name: &str| document["components"]["schemas"][name].clone();
        let operation = |path: &str, method: &str| document["paths"][path][method].clone();
        assert_eq!(operation("/api/admin/api-pool/{id}/enable", "post")["requestBody"]["required"], json!(false));
        assert_eq!(operation("/api/admin/login", "post")["requestBody"]["required"], json!(true));
        let required = |name: &str| schema(name)["required"].clone();
        assert_eq!(required("RenewRequest"), json!(["ttl_seconds"]));
        assert_eq!(required("MatchView"), Value::Null);
        assert!(required("CredentialView").as_array().unwrap().contains(&json!("ban_reason")));
        assert!(!required("Allocation").as_array().unwrap().contains(&json!("account_cooldown_until")));
        assert_eq!(schema("CredentialChange")["properties"]["name"]["type"], json!("string"));
        assert_eq!(schema("CredentialChange")["properties"]["note"]["type"], json!(["string", "null"]));
    }
}
