//! JSON bodies: their size, their type, and errors that name the field and the rule.

use std::fmt;
use std::marker::PhantomData;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value, json};

use crate::error::{ApiError, Code, Result, Wrong};

/// The largest body, in bytes.
const LIMIT: usize = 1 << 20;
/// The largest body of somebody who need not be known, in bytes.
const SMALL_LIMIT: usize = 8 << 10;
/// The largest import, in bytes.
pub(crate) const UPLOAD_LIMIT: usize = 16 << 20;

/// A body of an endpoint that older clients call: its type ignores fields that it does not know.
#[derive(Debug)]
pub struct Lenient<T>(pub T);

/// A body whose type refuses fields that it does not know.
#[derive(Debug)]
pub struct Strict<T>(pub T);

/// A small [`Strict`] body: where anybody may send one.
#[derive(Debug)]
pub struct Small<T>(pub T);

/// A large [`Strict`] body.
#[derive(Debug)]
pub struct Upload<T>(pub T);

/// A JSON object. By itself, serde takes an array for a struct too, field by field.
#[derive(Clone, Debug)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// A member of a batch. One that can't be read is that member's own failure.
#[derive(Debug)]
pub struct Member<T>(pub Result<T>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Member<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(Self(take::<T>(&value).map_err(|first| all_faults::<T>(value, &first))))
    }
}

macro_rules! from_request {
    ($name:ident, $limit:expr) => {
        impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for $name<T> {
            type Rejection = ApiError;

            async fn from_request(request: Request, _: &S) -> Result<Self> {
                read(request, $limit).await.map(Self)
            }
        }
    };
}

from_request!(Lenient, LIMIT);
from_request!(Strict, LIMIT);
from_request!(Small, SMALL_LIMIT);
from_request!(Upload, UPLOAD_LIMIT);

async fn read<T: DeserializeOwned>(request: Request, limit: usize) -> Result<T> {
    let typed = check_type(&request);
    let body = to_bytes(request.into_body(), limit).await.map_err(|error| {
        // The limit's own error hides behind axum's.
        if std::error::Error::source(&error).is_some_and(|e| e.to_string().contains("length limit")) {
            let most = if limit < 1 << 20 { format!("{} KiB", limit >> 10) } else { format!("{} MiB", limit >> 20) };
            ApiError::new(Code::TooLarge, format!("the body must be at most {most}"))
        } else {
            ApiError::new(Code::Malformed, "the body did not arrive whole")
        }
    })?;
    if body.iter().all(u8::is_ascii_whitespace) {
        // Nothing is of no type, whatever a client says of it.
        return parse(b"{}");
    }
    typed?;
    parse(&body)
}

/// A missing type counts as JSON.
fn check_type(request: &Request) -> Result<()> {
    let Some(value) = request.headers().get(header::CONTENT_TYPE) else { return Ok(()) };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
        Ok(())
    } else {
        Err(ApiError::new(Code::UnsupportedMediaType, "the body must be application/json"))
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    let text = std::str::from_utf8(body).map_err(|_| ApiError::new(Code::Malformed, "the body is not UTF-8"))?;
    let mut json = serde_json::Deserializer::from_str(text);
    let Object(parsed) = serde_path_to_error::deserialize(&mut json).map_err(|e| match as_json(text) {
        Ok(value) => all_faults::<T>(value, &Fault::from(e)),
        Err(malformed) => malformed,
    })?;
    json.end().map_err(|_| ApiError::new(Code::Malformed, "the body must be one JSON value"))?;
    Ok(parsed)
}

/// A body that can't be read is malformed, also when a wrong field stands before the fault.
fn as_json(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        ApiError::new(Code::Malformed, format!("the body is not JSON ({place})"))
    })
}

/// Where serde stopped, and what it said.
type Fault = serde_path_to_error::Error<serde_json::Error>;

fn take<T: DeserializeOwned>(value: &Value) -> Result<T, Fault> {
    serde_path_to_error::deserialize(value).map(|Object(taken)| taken)
}

/// Every wrong field of an object, where serde stops at the first: each is asked about alone, then
/// each that is missing, while stand-ins take the places of those before it.
fn all_faults<T: DeserializeOwned>(body: Value, first: &Fault) -> ApiError {
    let mut wrong = Wrong::default();
    if let Value::Object(given) = body {
        let mut sound = Map::new();
        for (name, value) in given {
            match fault_in::<T>(&name, &value) {
                Some(fault) => wrong.refuse(explain(&fault.path().to_string(), fault.inner())),
                None => drop(sound.insert(name, value)),
            }
        }
        while let Some((name, fault)) = take::<T>(&Value::Object(sound.clone())).err().and_then(missing) {
            wrong.refuse(explain(".", fault.inner()));
            let stand_ins = [json!("1"), json!(1), json!(true), json!([]), json!({})];
            match stand_ins.into_iter().find(|value| fault_in::<T>(&name, value).is_none()) {
                Some(value) => sound.insert(name, value),
                None => break,
            };
        }
    }
    wrong.end().err().unwrap_or_else(|| explain(&first.path().to_string(), first.inner()))
}

/// What is wrong with one field, whatever else is missing.
fn fault_in<T: DeserializeOwned>(name: &str, value: &Value) -> Option<Fault> {
    let fault = take::<T>(&json!({ name: value })).err()?;
    let is_its_own = fault.path().iter().next().is_some_and(|segment| segment.to_string() == name);
    is_its_own.then_some(fault)
}

/// The name of the field that is missing, when that is the fault.
fn missing(fault: Fault) -> Option<(String, Fault)> {
    let text = fault.inner().to_string();
    let name = text.strip_prefix("missing field `")?.split('`').next()?.to_owned();
    fault.path().iter().next().is_none().then_some((name, fault))
}

/// What serde says of a body that is JSON, without the value: that may be a secret.
fn explain(path: &str, error: &serde_json::Error) -> ApiError {
    if !error.is_data() {
        return ApiError::field(path, "has a value of the wrong kind");
    }
    let text = error.to_string();
    let named = |prefix: &str| text.strip_prefix(prefix).and_then(|rest| rest.split('`').next());
    let inside = |name: &str| if path == "." { name.to_owned() } else { format!("{path}.{name}") };
    if let Some(name) = named("missing field `") {
        return ApiError::field(&inside(name), "is required");
    }
    if text.starts_with("unknown field `") {
        // The path ends in the unknown field itself.
        return ApiError::field(path, "is not a field of this request");
    }
    if let Some(name) = named("duplicate field `") {
        return ApiError::field(if path == "." { name } else { path }, "must be given once");
    }
    let expected = text.rsplit_once("expected ").map(|(_, rest)| rest.split(" at line ").next().unwrap_or(rest));
    let rule = match expected {
        Some(expected) => format!("must be {}", in_words(expected)),
        None => text.split(" at line ").next().unwrap_or("is not valid").to_owned(),
    };
    ApiError::field(if path == "." { "body" } else { path }, rule)
}

/// serde names some kinds as Rust does.
fn in_words(expected: &str) -> &str {
    match expected {
        "i64" | "u32" | "usize" => "a whole number",
        "a sequence" => "a list",
        "a map" => "an object",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[allow(dead_code)]
        name: String,
        #[serde(default)]
        #[allow(dead_code)]
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[allow(dead_code)]
        number: i64,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Many {
        a: String,
        b: crate::fields::ApiIdField,
        c: bool,
        e: Inner,
    }

    fn complaint(body: &str) -> (String, String) {
        let problem = serde_json::to_value(parse::<Body>(body.as_bytes()).unwrap_err().body()).unwrap();
        let field = problem["details"][0]["field"].as_str().unwrap_or_default().to_owned();
        (field, problem["message"].as_str().unwrap_or_default().to_owned())
    }

    #[test]
    fn errors_name_the_field_and_never_the_value() {
        assert_eq!(complaint("{}"), ("name".into(), "name is required".into()));
        assert_eq!(complaint(r#"{"name":"x","secret":1}"#).0, "secret");
        assert_eq!(complaint(r#"{"name":7}"#), ("name".into(), "name must be a string".into()));
        assert_eq!(complaint(r#"{"name":"x","inner":{}}"#).0, "inner.number");
        let (field, message) = complaint(r#"{"name":"x","inner":{"number":"hunter2"}}"#);
        assert_eq!(field, "inner.number");
        assert!(!message.contains("hunter2"), "{message}");
        assert!(complaint("{").1.contains("not JSON"));
        assert_eq!(message, "inner.number must be a whole number");
        // All of them are told at once, the given ones first.
        let problem = parse::<Many>(br#"{"c":"x","d":[],"e":{"number":"x"}}"#).unwrap_err().body();
        let problem = serde_json::to_value(problem).unwrap();
        let fields: Vec<_> = problem["details"].as_array().unwrap().iter().map(|d| &d["field"]).collect();
        assert_eq!(fields, ["c", "d", "e.number", "a", "b"]);
        for not_an_object in ["[]", r#"["x"]"#, "7", "null"] {
            assert_eq!(complaint(not_an_object), ("body".into(), "body must be an object".into()));
        }
    }
}
