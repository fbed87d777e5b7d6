//! Bad input on every operation of the served document, so that a new endpoint is covered as soon
//! as it is documented. Nothing answers 5xx, nothing that was sent comes back, and afterwards the
//! server is alive and the database sound.

mod bodies;
mod parameters;
mod wire;

use futures::StreamExt;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::forged::lasting;
use super::{POOL, Reply, ask, assert_problem};
use crate::harness::{Api, Kind, Place};
use crate::on_both;

/// Stands wherever a value is wrong; it might have been a secret, so no answer repeats it.
pub const MARK: &str = "5ecret-that-was-sent";
/// Bodies of these ignore fields that they do not know; all others refuse them.
const LENIENT: [&str; 6] = ["allocate", "allocate/batch", "allocate/preview", "release", "result", "results"];

/// One operation of the document.
#[derive(Clone, Debug)]
pub struct Operation {
    pub method: String,
    pub path: String,
    /// The schema of its body, with references resolved.
    pub body: Option<Value>,
    /// Its parameters in the query: name and schema.
    pub query: Vec<(String, Value)>,
    /// Who may call it, as the document says.
    pub security: Value,
    /// Anybody may.
    pub is_open: bool,
}

impl Operation {
    /// Every operation that the document has.
    pub fn all(document: &Value) -> Vec<Self> {
        let mut all = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, told) in methods.as_object().unwrap() {
                let parameters = told["parameters"].as_array().cloned().unwrap_or_default();
                let query = parameters.iter().filter(|one| one["in"] == "query");
                let body = &told["requestBody"]["content"]["application/json"]["schema"];
                all.push(Self {
                    method: method.to_uppercase(),
                    path: path.clone(),
                    body: (!body.is_null()).then(|| resolve(document, body)),
                    query: query.map(|one| (one["name"].as_str().unwrap().to_owned(), one["schema"].clone())).collect(),
                    security: told["security"].clone(),
                    is_open: told["security"] == json!([]),
                });
            }
        }
        assert!(all.len() > 60, "the document is whole");
        all
    }

    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub fn is_lenient(&self) -> bool {
        self.path.strip_prefix(POOL).is_some_and(|rest| LENIENT.contains(&rest.trim_start_matches('/')))
    }

    /// The path with this in the place of its id.
    pub fn at(&self, id: &str) -> String {
        self.path.replace("{id}", id)
    }

    /// A body that is understood, whatever becomes of it.
    pub fn sample(&self) -> Value {
        // Settings are a map, and may be none.
        let is_map = self.path == "/api/admin/settings";
        self.body.as_ref().map_or(Value::Null, |body| if is_map { json!({}) } else { sample(body) })
    }

    /// Sends this text as JSON.
    pub fn send(&self, api: &Api, id: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        api.request(&self.method, &self.at(id)).header("content-type", "application/json").body(body)
    }
}

/// Puts what a reference points at in its place.
fn resolve(document: &Value, schema: &Value) -> Value {
    if let Some(pointer) = schema["$ref"].as_str() {
        return resolve(document, document.pointer(pointer.trim_start_matches('#')).unwrap());
    }
    match schema {
        Value::Object(fields) => fields.iter().map(|(name, inner)| (name.clone(), resolve(document, inner))).collect(),
        Value::Array(members) => members.iter().map(|inner| resolve(document, inner)).collect(),
        other => other.clone(),
    }
}

/// The JSON types that a schema allows.
pub fn types(schema: &Value) -> Vec<String> {
    let mut found: Vec<String> = match &schema["type"] {
        Value::String(one) => vec![one.clone()],
        Value::Array(several) => several.iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
        _ => Vec::new(),
    };
    for word in ["anyOf", "oneOf", "allOf"] {
        found.extend(schema[word].as_array().into_iter().flatten().flat_map(types));
    }
    found
}

/// What the endpoints that take everything as optional need all the same.
const NEEDED: [&str; 8] = ["account_id", "api_id", "success", "ttl_seconds", "data", "ids", "action", "refresh_token"];

fn sample(schema: &Value) -> Value {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let fields = schema["properties"].as_object().cloned().unwrap_or_default();
    let is_new = fields.contains_key("strategy") && fields.contains_key("fresh");
    fields
        .iter()
        .filter(|(name, _)| required.contains(&name.as_str()) || NEEDED.contains(&name.as_str()))
        .filter(|(name, _)| !(is_new && matches!(name.as_str(), "api_id" | "ttl_seconds")))
        .map(|(name, schema)| (name.clone(), value_of(name, schema)))
        .collect()
}

fn value_of(name: &str, schema: &Value) -> Value {
    match name {
        "api_id" => json!(1_000_001),
        "scopes" => json!(["credpool:account"]),
        "strategy" => json!("balanced"),
        "product" => json!("it"),
        "account_ids" => json!(["a"]),
        "data" => json!("1000009,x"),
        "ids" => json!(["01J0000000000000000000000"]),
        "action" => json!("enable"),
        "effect" => json!("deny"),
        "role" => json!("operator"),
        "request" => json!({ "account_id": "a" }),
        "old_password" | "new_password" | "password" | "refresh_token" => json!(MARK),
        _ => match types(schema).first().map(String::as_str) {
            Some("integer") => json!(60),
            Some("boolean") => json!(true),
            Some("array") if schema["items"]["properties"].is_object() => json!([sample(&schema["items"])]),
            Some("array") => json!([]),
            Some("object") if schema["properties"].is_object() => sample(schema),
            Some("object") => json!({}),
            _ => json!("hostile"),
        },
    }
}

/// What an answer must be.
#[derive(Clone, Debug)]
pub enum Expected {
    /// This failure.
    Failure(u16, u16, &'static str),
    /// 422, naming this field or something inside it.
    Field(String),
    /// A failure of the caller's making.
    Refused,
    /// Anything but a failure of ours.
    NoHarm,
    /// Understood: neither malformed nor a wrong field of this name.
    Ignored(String),
}

/// One request and what must come of it.
pub struct Case {
    pub name: String,
    pub request: RequestBuilder,
    pub expected: Expected,
}

impl Case {
    pub fn new(name: impl Into<String>, request: RequestBuilder, expected: Expected) -> Self {
        Self { name: name.into(), request, expected }
    }

    async fn check(self) {
        let Self { name, request, expected } = self;
        let reply = ask(request).await;
        let is_ours = reply.status >= 500 || reply.text.contains("\"number\":5001");
        assert!(!is_ours, "{name}: {} {}", reply.status, reply.text);
        let is_failure = reply.status >= 400;
        if is_failure {
            assert_problem(&reply);
            assert!(!reply.text.contains(MARK), "{name} repeats what was sent: {}", reply.text);
        }
        let number = reply.json["error"]["number"].as_u64().unwrap_or_default();
        match &expected {
            Expected::Failure(status, expected, slug) => {
                let got = (reply.status, number, reply.json["error"]["code"].as_str().unwrap_or_default());
                assert_eq!(got, (*status, u64::from(*expected), *slug), "{name}: {}", reply.text);
            }
            Expected::Field(field) => assert!(names(&reply, field), "{name} must name {field}: {}", reply.text),
            Expected::Refused => assert!(is_failure, "{name}: {}", reply.text),
            Expected::NoHarm => {}
            Expected::Ignored(field) => assert!(number != 2000 && !names(&reply, field), "{name}: {}", reply.text),
        }
    }
}

fn names(reply: &Reply, field: &str) -> bool {
    // A member of a batch has its own outcome, and names its own fields.
    let member = &reply.json["data"]["results"][0]["error"];
    let (error, field) = match field.split_once("[0].") {
        _ if member.is_null() => (&reply.json["error"], field),
        Some((_, inside)) => (member, inside),
        None => (member, "body"),
    };
    let details = error["details"].as_array().cloned().unwrap_or_default();
    let is_named = |one: &Value| {
        let rest = one["field"].as_str().unwrap_or_default().strip_prefix(field);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
    };
    error["number"] == 2001 && details.iter().any(is_named)
}

/// Sends all of it, several at a time.
pub async fn run(cases: Vec<Case>) {
    futures::stream::iter(cases).for_each_concurrent(12, Case::check).await;
}

/// What the operations work on: one of each kind.
pub struct Ground {
    pub owner: Api,
    pub operations: Vec<Operation>,
    credential: String,
    group: String,
    rule: String,
    view: String,
    user: String,
}

impl Ground {
    async fn prepare(server: &crate::harness::Server) -> Self {
        // Among all that is sent is a request to sign out, which must not end the test.
        let owner = lasting(server, &server.owner().await);
        let add = async |path: &str, body: Value| owner.ok("POST", path, body).await["id"].as_str().unwrap().to_owned();
        let body = json!({ "api_id": 1_000_001, "api_hash": "x", "name": "ground", "max_accounts": 100_000 });
        let credential = add(POOL, body).await;
        let group = add(&format!("{POOL}/groups"), json!({ "name": "ground" })).await;
        let rule = json!({ "name": "ground", "effect": "deny", "match": { "account": "nobody" } });
        let rule = add(&format!("{POOL}/rules"), rule).await;
        let view = add("/api/admin/views", json!({ "page": "p", "name": "ground", "definition": {} })).await;
        let user = json!({ "username": "ground", "password": "long enough it is", "role": "auditor" });
        let user = add("/api/admin/users", user).await;
        let document = server.anonymous().get("/api/openapi.json").await.json;
        let operations = Operation::all(&document);
        Self { owner, operations, credential, group, rule, view, user }
    }

    /// An id that exists where a body is looked at only after its owner was found.
    pub fn id(&self, operation: &Operation) -> &str {
        let kinds =
            [("/groups/", &self.group), ("/rules/", &self.rule), ("/views/", &self.view), ("/users/", &self.user)];
        kinds.iter().find(|(part, _)| operation.path.contains(part)).map_or(&self.credential, |(_, id)| id)
    }
}

async fn survives(kind: Kind, cases: impl FnOnce(&Ground) -> Vec<Case>) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let ground = Ground::prepare(&server).await;
    let cases = cases(&ground);
    assert!(cases.len() > 40, "{}", cases.len());
    run(cases).await;
    let health = server.anonymous().get("/api/ready").await;
    assert_eq!(health.status, 200, "{}", health.text);
    let log = server.logged();
    assert!(!log.contains(MARK) && !log.contains("panicked") && !log.contains(" ERROR "), "{log}");
    server.stop().await;
    place.assert_sound();
}

async fn wrong_bodies(kind: Kind) {
    survives(kind, bodies::cases).await;
}

async fn wrong_values(kind: Kind) {
    survives(kind, bodies::values).await;
}

async fn wrong_parameters(kind: Kind) {
    survives(kind, parameters::cases).await;
}

async fn wrong_methods_types_and_sizes(kind: Kind) {
    survives(kind, wire::cases).await;
}

on_both!(wrong_bodies, wrong_values, wrong_parameters, wrong_methods_types_and_sizes);
