//! What request bodies may hold. Bounds of numbers and lists stand at the fields; here are the
//! texts, whose kinds repeat, and what no field says by itself.

use domain::access::{Role, Scope};
use domain::account::ACCOUNT_KEY_BYTES;
use domain::credential::MAX_TAGS;
use domain::health::Grade;
use domain::import::ImportFormat;
use domain::invalid::{LONG_TEXT, SHORT_TEXT};
use domain::rule::Effect;
use domain::{MemberLevel, Status, Strategy};
use serde_json::{Map, Value, json};
use store::people::{MAX_PASSWORD, MIN_PASSWORD};
use strum::IntoEnumIterator;

use super::parameters::{LINE_OF_QUERY, api_ids_by_comma, by_comma};
use super::{fields, members, referred, say};
use crate::fields::API_ID;

/// One line, which may be blank.
const LINE: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";
/// One line with at least one character that shows.
const FILLED: &str = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$";
/// Many lines.
const LINES: &str = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$";
/// An id of ours; an empty one counts as absent.
const ID: &str = "^[0-9A-Za-z]{0,64}$";
/// An address of IPv4, or a network.
const NETWORK_4: &str =
    r"^(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?:/(?:3[0-2]|[12]?[0-9]))?$";
/// A network of IPv6 as it is usually written: `2001:db8::/32`.
const NETWORK_6: &str = "^(?:[0-9A-Fa-f]{1,4}:){1,7}:/(?:12[0-8]|1[01][0-9]|[1-9]?[0-9])$";

/// Says of a body's schema which values its fields take, and which of them belong together.
pub(super) fn complete(name: &str, schema: &mut Value) {
    for (field, property) in fields(schema, "properties") {
        let mut more = rule(name, field);
        if let Some(Value::Array(words)) = more.get_mut("enum").filter(|_| is_nullable(property)) {
            words.push(Value::Null);
        }
        say(property, more);
    }
    // A type that takes another's fields in is a list of both.
    for part in members(schema, "allOf") {
        complete(name, part);
    }
    if schema["properties"].is_object() {
        say(schema, together(name));
    }
}

/// A body without a field that is needed may come without a body.
pub(super) fn may_be_absent(operation: &mut Value, schemas: &Value) {
    let Some(body) = operation.get_mut("requestBody") else { return };
    let Some(name) = referred(&body["content"]["application/json"]["schema"]) else { return };
    let needs = ["required", "anyOf", "oneOf", "allOf"].iter().any(|word| !schemas[name][word].is_null());
    body["required"] = json!(needs);
}

fn is_nullable(schema: &Value) -> bool {
    schema["type"].as_array().is_some_and(|types| types.contains(&json!("null")))
}

fn words<T: ToString + IntoEnumIterator>() -> Value {
    json!({ "enum": all_of::<T>() })
}

/// An empty word counts as absent.
fn choice<T: ToString + IntoEnumIterator>() -> Value {
    json!({ "enum": all_of::<T>().into_iter().chain([String::new()]).collect::<Vec<_>>() })
}

fn text(pattern: &str, least: usize, most: usize) -> Value {
    json!({ "pattern": pattern, "minLength": (least > 0).then_some(least), "maxLength": most })
}

/// What the code takes, by schema and field.
fn rule(schema: &str, field: &str) -> Value {
    match (schema, field) {
        // Says it all itself.
        ("SettingsChange", _) => json!({}),
        ("StrategyChange", "strategy") => words::<Strategy>(),
        (_, "strategy") => choice::<Strategy>(),
        (_, "member_level" | "min_member_level") => choice::<MemberLevel>(),
        ("UserChange", "role") => choice::<Role>(),
        (_, "role") => words::<Role>(),
        (_, "effect") => words::<Effect>(),
        (_, "format") => words::<ImportFormat>(),
        (_, "scopes") => json!({ "items": typed(words::<Scope>()), "minItems": 1 }),

        (_, "account_ids") => json!({ "items": typed(text(LINE, 1, ACCOUNT_KEY_BYTES)) }),
        ("MatchBody", "account" | "operator") => text(LINE, 1, ACCOUNT_KEY_BYTES),
        (_, "proxy_id") => text("^[0-9A-Za-z_.:-]*$", 0, 128),
        (_, "result_id") => text(LINE, 0, 128),
        (_, "error") => json!({ "maxLength": 16_384 }),
        (_, "at" | "expires_at") => any_of([of_format("date-time"), of_format("date"), empty()]),

        (_, "name" | "page" | "reason") => text(FILLED, 1, SHORT_TEXT),
        ("LoginRequest", "username") => text(LINE, 0, 256),
        (_, "username") => text("^[A-Za-z0-9._@+-]+$", 1, 64),
        ("NewUser" | "PasswordReset", "password") | (_, "new_password") => {
            json!({ "minLength": MIN_PASSWORD, "maxLength": MAX_PASSWORD })
        }
        (_, "product") => text("^[a-z0-9-]*$", 1, 32),
        ("NewToken", "note") => text(LINE, 0, SHORT_TEXT),
        (_, "note" | "description") => text(LINES, 0, LONG_TEXT),
        (_, "color") => json!({ "pattern": "^#[0-9A-Fa-f]{6}$" }),
        (_, "source_phone") | ("AllocateRequest", "group_id") => text(LINE, 0, 64),
        (_, "tags") => json!({ "items": typed(text(FILLED, 1, 64)), "maxItems": MAX_TAGS }),
        // Not `*`, nor the other signs of a mask.
        (_, "api_hash") => text("^[!-)+-~]*$", 1, 256),

        ("TargetBody", "group_id") | ("MatchBody", "group") => json!({ "minLength": 1, "maxLength": 64 }),
        (_, "group_id") => json!({ "pattern": ID }),
        (_, "ids") => json!({ "items": typed(text(ID, 1, 64)) }),
        (_, "expected") => json!({ "minimum": i64::MIN, "maximum": i64::MAX }),
        (_, "filter") => filter(),
        ("MatchBody", "level") => {
            let levels = all_of::<MemberLevel>().join("|");
            json!({ "pattern": format!("^(?:{levels})(?:,(?:{levels}))*$") })
        }
        ("MatchBody", "ip") => any_of([text_like(NETWORK_4), of_format("ipv6"), text_like(NETWORK_6)]),
        ("TrialRequest", "ip") => any_of([of_format("ipv4"), of_format("ipv6"), empty()]),
        _ => json!({}),
    }
}

fn all_of<T: ToString + IntoEnumIterator>() -> Vec<String> {
    T::iter().map(|word| word.to_string()).collect()
}

/// The schema of a text with such rules.
fn typed(mut rules: Value) -> Value {
    rules["type"] = json!("string");
    rules
}

fn text_like(pattern: &str) -> Value {
    typed(json!({ "pattern": pattern }))
}

fn of_format(format: &str) -> Value {
    typed(json!({ "format": format }))
}

/// An empty text counts as absent.
fn empty() -> Value {
    typed(json!({ "enum": [""] }))
}

/// One of these, or `null`, in the place of what the field says itself.
fn any_of<const N: usize>(texts: [Value; N]) -> Value {
    let all: Vec<Value> = texts.into_iter().chain([json!({ "type": "null" })]).collect();
    json!({ "type": null, "format": null, "anyOf": all })
}

/// The filters of the list of credentials, as JSON: values as text, numbers, truths or lists of
/// texts.
fn filter() -> Value {
    let line = json!({
        "type": ["string", "number", "boolean", "array", "null"],
        "pattern": LINE_OF_QUERY, "items": text_like(LINE_OF_QUERY),
    });
    let some = |words: Vec<String>| {
        let items = typed(json!({ "enum": words }));
        json!({ "type": ["string", "array", "null"], "pattern": by_comma(&words), "items": items })
    };
    let (statuses, grades) = (some(all_of::<Status>()), some(all_of::<Grade>()));
    let levels = some(all_of::<MemberLevel>());
    let id = typed(json!({ "pattern": format!("^(?:{API_ID})$") }));
    let api_ids = json!({
        "type": ["string", "integer", "array", "null"],
        "pattern": api_ids_by_comma(), "minimum": 1, "maximum": i32::MAX, "items": id,
    });
    let truth = json!([true, false, "true", "false", "1", "0", 1, 0, "", null]);
    json!({
        "properties": {
            "q": line, "tags": line, "tags!": line, "group_id": line, "group_id!": line,
            "status": statuses, "status!": statuses,
            "health_grade": grades, "health_grade!": grades,
            "min_member_level": levels, "min_member_level!": levels,
            "api_id": api_ids,
            "is_premium": { "type": ["boolean", "string", "integer", "null"], "enum": truth },
        },
        "additionalProperties": false,
    })
}

/// The names of an account's key. The first that is not empty counts, and nothing is asked of those
/// behind it.
const ACCOUNT: [&str; 3] = ["phone", "account_phone", "account_id"];

/// The ways to name an account.
fn accounts() -> Vec<Value> {
    let way = |(place, name): (usize, &&str)| {
        let mut way = nobody(&ACCOUNT[..place]);
        way["properties"][name] = typed(text(LINE, 1, ACCOUNT_KEY_BYTES));
        way["required"] = json!([name]);
        way
    };
    ACCOUNT.iter().enumerate().map(way).collect()
}

/// None of these names says anything.
fn nobody(names: &[&str]) -> Value {
    let nothing = names.iter().map(|name| ((*name).to_owned(), json!({ "enum": ["", null] })));
    json!({ "properties": nothing.collect::<Map<_, _>>() })
}

/// Which fields need each other, or shut each other out.
fn together(schema: &str) -> Value {
    let named = |field: &str, schema: Value| json!({ "required": [field], "properties": { field: schema } });
    // One of two, and not the other.
    let one_of = |a: (&str, Value), b: (&str, Value)| {
        let but = |field: &str| (field.to_owned(), json!({ "type": "null" }));
        let only = |(field, schema): (&str, Value), other: &str| {
            let properties: Map<String, Value> = [(field.to_owned(), schema), but(other)].into_iter().collect();
            json!({ "required": [field], "properties": properties })
        };
        let (first, second) = (a.0.to_owned(), b.0.to_owned());
        json!({ "oneOf": [only(a, &second), only(b, &first)] })
    };
    match schema {
        "AllocateRequest" | "RenewRequest" => json!({ "anyOf": accounts() }),
        "ReportRequest" => json!({ "anyOf": accounts().into_iter().chain([nobody(&ACCOUNT)]).collect::<Vec<_>>() }),
        "ReleaseRequest" => {
            let mut allocation = nobody(&ACCOUNT);
            allocation["properties"]["allocation_id"] = text_like("^[0-9A-Za-z]{1,64}$");
            allocation["required"] = json!(["allocation_id"]);
            json!({ "anyOf": accounts().into_iter().chain([allocation]).collect::<Vec<_>>() })
        }
        "ImportRequest" => one_of(("data", json!({ "type": "string" })), ("apis", json!({ "type": "array" }))),
        "TargetBody" => {
            let api_id = json!({ "$ref": "#/components/schemas/ApiIdField" });
            one_of(("api_id", api_id), ("group_id", json!({ "type": "string" })))
        }
        "NewRule" => {
            let deny = json!({ "properties": { "effect": { "const": "deny" } } });
            json!({ "anyOf": [deny, named("target", json!({ "type": "object" }))] })
        }
        "BulkRequest" => {
            let mut both = one_of(("ids", json!({ "type": "array" })), ("filter", json!({ "type": "object" })));
            let [named, seen] = [0, 1].map(|way| both["oneOf"][way].clone());
            let (mut named, mut seen, mut dry) = (named, seen.clone(), seen);
            named["properties"]["expected"] = json!({ "type": "null" });
            seen["required"] = json!(["filter", "expected"]);
            seen["properties"]["expected"] = json!({ "type": "integer" });
            dry["required"] = json!(["filter", "dry_run"]);
            dry["properties"]["expected"] = json!({ "type": "null" });
            dry["properties"]["dry_run"] = json!({ "const": true });
            both["oneOf"] = json!([named, seen, dry]);
            let moves = json!({ "properties": { "action": { "const": "assign_group" } } });
            let keeps = json!({ "properties": { "group_id": { "type": "null" } } });
            both["anyOf"] = json!([moves, keeps]);
            both
        }
        _ => json!({}),
    }
}
