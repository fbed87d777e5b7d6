//! The wire contract, endpoint by endpoint: fields, types, envelopes, failures.

mod audit;
mod bulk;
mod callers;
mod credentials;
mod database;
mod edges;
mod errors;
mod fields;
mod forged;
mod groups;
mod hangup;
mod hostile;
mod hot;
mod imports;
mod lists;
mod log;
mod once;
mod pages;
mod people;
mod records;
mod reports;
mod rules;
mod secrets;
mod sessions;
mod settings;
mod stale;
mod system;
mod trend;
mod users;
mod views;

use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

pub use fields::{has_shape, is_time};

pub const POOL: &str = "/api/admin/api-pool";

/// A path of the pool.
pub fn pool(rest: &str) -> String {
    format!("{POOL}/{rest}")
}

/// An answer with everything that the contract speaks of.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Reply {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The `data` of a success with the envelope of the contract.
    #[track_caller]
    pub fn data(&self) -> &Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.text);
        let meta = json!({ "request_id": "text", "timestamp": "time" });
        has_shape(&self.json, &json!({ "success": "true", "data": "any", "message?": "text", "meta": meta }));
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.json["meta"]["request_id"], self.header("x-request-id"));
        &self.json["data"]
    }

    /// A failure as the contract words it; its `error`.
    #[track_caller]
    pub fn problem(&self, status: u16, number: u16, slug: &str) -> &Value {
        assert_eq!(
            (self.status, self.json["error"]["number"].as_u64()),
            (status, Some(number.into())),
            "{}",
            self.text
        );
        assert_eq!(self.json["error"]["code"], slug);
        assert_problem(self);
        &self.json["error"]
    }

    /// A failure that names one field as wrong.
    #[track_caller]
    pub fn wrong(&self, field: &str) {
        let error = self.problem(422, 2001, "invalid_parameter");
        let named = error["details"].as_array().is_some_and(|all| all.iter().any(|one| one["field"] == field));
        assert!(named, "{field}: {}", self.text);
    }

    /// All the fields that a failure names as wrong.
    #[track_caller]
    pub fn wrong_fields(&self) -> Vec<&str> {
        let error = self.problem(422, 2001, "invalid_parameter");
        error["details"].as_array().unwrap().iter().map(|one| one["field"].as_str().unwrap()).collect()
    }
}

/// Whatever the failure: RFC 9457, and the older clients' `error`.
#[track_caller]
pub fn assert_problem(reply: &Reply) {
    let error = json!({
        "code": "text", "number": "int", "message": "text", "details?": [{ "field": "text", "message": "text" }],
        "reasons?": "object", "retry_after?": "int",
    });
    let shape = json!({
        "type": "text", "title": "text", "status": "int", "detail": "text", "instance": "text", "request_id": "text",
        "success": "false", "error": error,
    });
    assert_eq!(reply.header("content-type"), "application/problem+json", "{} {}", reply.status, reply.text);
    has_shape(&reply.json, &shape);
    assert_eq!(reply.json["status"], reply.status);
    assert_eq!(reply.json["request_id"], reply.header("x-request-id"));
    assert_eq!(reply.json["detail"], reply.json["error"]["message"]);
    let seconds = reply.json["error"]["retry_after"].as_u64();
    assert_eq!(reply.header("retry-after").parse::<u64>().ok(), seconds, "{}", reply.text);
    assert_eq!(reply.header("www-authenticate") == "Bearer", reply.status == 401);
}

/// Sends and takes everything in.
pub async fn ask(request: RequestBuilder) -> Reply {
    try_ask(request).await.unwrap()
}

/// The same, where it may be that nobody answers.
pub async fn try_ask(request: RequestBuilder) -> reqwest::Result<Reply> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await?;
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Reply { status, headers, text, json })
}

impl crate::harness::Api {
    /// Sends JSON (`Null` sends no body) and takes everything in.
    pub async fn ask(&self, method: &str, path: &str, body: Value) -> Reply {
        let request = self.request(method, path);
        ask(if body.is_null() { request } else { request.json(&body) }).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, Value::Null).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.ask("POST", path, body).await
    }
}
