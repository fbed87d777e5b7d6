//! What comes back: which fields are always there, which failures an operation has, which headers.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use strum::IntoEnumIterator;

use super::{fields, referred, say};
use crate::error::Code;

/// In an answer, what may be `null` is there all the same: what is left out instead says
/// `nullable = false`.
pub(super) fn complete(schema: &mut Value) {
    let mut always = Vec::new();
    for (name, property) in fields(schema, "properties") {
        if is_nullable(property) {
            always.push(json!(name));
        }
    }
    if !always.is_empty() {
        let mut required = schema["required"].as_array().cloned().unwrap_or_default();
        required.extend(always.into_iter().filter(|name| !required.contains(name)).collect::<Vec<_>>());
        schema["required"] = json!(required);
    }
    match schema {
        Value::Object(inner) => inner.values_mut().for_each(complete),
        Value::Array(inner) => inner.iter_mut().for_each(complete),
        _ => {}
    }
}

fn is_nullable(schema: &Value) -> bool {
    let is_null = |kind: &Value| kind == "null";
    let among = |word: &str| schema[word].as_array().is_some_and(|all| all.iter().any(|one| is_null(&one["type"])));
    schema["type"].as_array().is_some_and(|types| types.iter().any(is_null)) || among("oneOf") || among("anyOf")
}

/// The failures of the contract's table, by status.
pub(super) fn failures() -> Value {
    let mut by_status: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for (status, number, slug, _) in Code::iter().map(Code::row) {
        by_status.entry(status.as_u16()).or_default().push(format!("`{slug}` ({number})"));
    }
    let all = by_status.into_iter().map(|(status, words)| (name_of(status), failure(status, &words.join(", "))));
    Value::Object(all.collect())
}

fn name_of(status: u16) -> String {
    format!("Problem{status}")
}

fn failure(status: u16, description: &str) -> Value {
    let problem = json!({ "schema": { "$ref": "#/components/schemas/Problem" } });
    let mut response = json!({
        "description": description,
        "content": { "application/problem+json": problem },
        "headers": { "X-Request-Id": request_id(), "traceparent": trace() },
    });
    let retry = |required: bool| {
        let seconds = json!({ "type": "integer", "minimum": 1 });
        json!({ "description": "Seconds after which a retry is worth it", "required": required, "schema": seconds })
    };
    let headers = &mut response["headers"];
    match status {
        401 => {
            headers["WWW-Authenticate"] =
                json!({ "required": true, "schema": { "type": "string", "const": "Bearer" } });
        }
        // Of a full pool, and of an account that is cooling.
        409 => headers["Retry-After"] = retry(false),
        423 | 503 => headers["Retry-After"] = retry(true),
        _ => {}
    }
    response
}

fn request_id() -> Value {
    json!({
        "description": "Finds the request in the log; a sane one of the request's is kept",
        "required": true,
        "schema": { "type": "string", "pattern": "^[0-9A-Za-z._-]{1,64}$" },
    })
}

fn trace() -> Value {
    let trace = json!({ "type": "string", "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$" });
    json!({ "description": "The request's trace, when it came with one", "schema": trace })
}

/// The answers of an operation: those that its handler names, and those that follow from what it
/// takes.
pub(super) fn respond(operation: &mut Value, schemas: &Value) {
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let takes = |name: &str| parameters.iter().any(|one| one["name"] == name);
    let any_in = |place: &str| parameters.iter().any(|one| one["in"] == place);
    let has_body = operation["requestBody"].is_object();
    let is_guarded = operation["security"].as_array().is_some_and(|all| !all.is_empty());
    let follows = [
        (400, has_body),
        (401, is_guarded),
        (403, is_guarded),
        // A key that was used for something that has been removed since finds nothing.
        (404, any_in("path") || takes("Idempotency-Key")),
        (409, takes("Idempotency-Key")),
        (412, takes("If-Match")),
        (413, has_body),
        (415, has_body),
        (422, has_body || any_in("query")),
        (500, true),
        (503, true),
    ];
    let sets_cookie = takes("X-Requested-With");
    for (status, response) in fields(operation, "responses") {
        match status.parse() {
            Ok(status @ 400..) => *response = failure(status, response["description"].as_str().unwrap_or_default()),
            _ => succeed(response, sets_cookie, schemas),
        }
    }
    for (status, _) in follows.into_iter().filter(|(_, comes)| *comes) {
        let place = &mut operation["responses"][status.to_string()];
        if place.is_null() {
            *place = json!({ "$ref": format!("#/components/responses/{}", name_of(status)) });
        }
    }
}

/// The headers of a success.
fn succeed(response: &mut Value, sets_cookie: bool, schemas: &Value) {
    let text = || json!({ "type": "string" });
    let mut headers = json!({ "X-Request-Id": request_id(), "traceparent": trace() });
    let content = &response["content"];
    let answer = referred(&content["application/json"]["schema"]).map(|name| &schemas[name]);
    // What has a version is a resource by itself.
    if answer.is_some_and(|answer| answer["properties"]["data"]["properties"]["version"].is_object()) {
        let etag = json!({ "type": "string", "pattern": "^\"[0-9]+\"$" });
        headers["ETag"] = json!({ "description": "For `If-Match`", "required": true, "schema": etag });
    }
    if content["text/csv"].is_object() {
        let is_always_a_file = answer.is_none();
        headers["Content-Disposition"] =
            json!({ "description": "The file's name", "required": is_always_a_file, "schema": text() });
    }
    if sets_cookie {
        headers["Set-Cookie"] = json!({ "description": "For pages: the refresh token", "schema": text() });
    }
    say(response, json!({ "headers": headers }));
}
