//! What parameters may hold, by name: the same name means the same everywhere.

use domain::account::ACCOUNT_KEY_BYTES;
use domain::event::{Action, Outcome};
use domain::health::Grade;
use domain::{MemberLevel, Status};
use serde_json::{Value, json};
use store::credentials::Sort;
use strum::IntoEnumIterator;

use super::{members, say};
use crate::allocations::AllocationStatus;
use crate::extract::SliceSort;
use crate::fields::API_ID;
use crate::journal::JournalSort;
use crate::rules::RuleSort;

/// One line of UTF-8.
pub(super) const LINE_OF_QUERY: &str = r"^[^\u0000-\u001f\u007f-\u009f\ufffd]*$";

/// 1 to 255 printable characters; spaces around them are nobody's.
const KEY: &str = "^[!-~](?:[ -~]{0,253}[!-~])?$";

/// Says of an operation's parameters what they may be.
pub(super) fn complete(path: &str, operation: &mut Value) {
    for parameter in members(operation, "parameters") {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        if let Some(description) = usual(&name).filter(|_| parameter["description"].is_null()) {
            parameter["description"] = json!(description);
        }
        let schema = match parameter["in"].as_str() {
            Some("path") => json!({ "pattern": "^[0-9A-Za-z_-]{1,64}$" }),
            Some("query") => {
                // An empty one counts as absent.
                parameter["allowEmptyValue"] = json!(true);
                rule(path, name.trim_end_matches('!'), &parameter["schema"])
            }
            // A header has no `null`.
            _ if name == "Idempotency-Key" => json!({ "type": "string", "pattern": KEY }),
            _ => json!({ "type": "string" }),
        };
        say(&mut parameter["schema"], schema);
    }
}

/// What needs no other words.
fn usual(name: &str) -> Option<&'static str> {
    Some(match name {
        "limit" => "Rows on a page; 50 when absent",
        "cursor" => "The `next_cursor` of the page before",
        "Idempotency-Key" => "The same key and body have the same answer for 24 hours",
        "If-Match" => "The ETag that you have seen",
        "format" => "The form of the answer",
        _ => return None,
    })
}

/// Words by comma; an empty text is none of them.
pub(super) fn by_comma(words: &[String]) -> String {
    let word = words.join("|").replace('.', r"\.");
    format!("^(?:(?:{word})(?:,(?:{word}))*)?$")
}

/// Telegram's ids by comma; an empty text is none of them.
pub(super) fn api_ids_by_comma() -> String {
    format!("^(?:(?:{API_ID})(?:,(?:{API_ID}))*)?$")
}

fn some<T: ToString + IntoEnumIterator>(these: impl Fn(&T) -> bool) -> Value {
    let words: Vec<String> = T::iter().filter(these).map(|word| word.to_string()).collect();
    json!({ "pattern": by_comma(&words) })
}

/// An empty text counts as absent.
fn words_or_none<T: ToString + IntoEnumIterator>() -> Vec<String> {
    T::iter().map(|word| word.to_string()).chain([String::new()]).collect()
}

fn rule(path: &str, name: &str, schema: &Value) -> Value {
    match name {
        "status" if path.ends_with("/allocations") => some::<AllocationStatus>(|_| true),
        "status" => some::<Status>(|_| true),
        "health_grade" => some::<Grade>(|_| true),
        "min_member_level" => some::<MemberLevel>(|_| true),
        "action" if path.ends_with("/history") => some::<Action>(|action| action.is_pool_history()),
        "action" => some::<Action>(|_| true),
        "outcome" => some::<Outcome>(|_| true),
        "sort" if path.ends_with("/api-pool/") => {
            let fields: Vec<String> = Sort::iter().map(|field| field.to_string()).collect();
            json!({ "pattern": format!("^(?:-?(?:{}))?$", fields.join("|")) })
        }
        "sort" if path.ends_with("/rules") => json!({ "enum": words_or_none::<RuleSort>() }),
        "sort" if ["/allocations", "/history", "/audit-logs"].iter().any(|list| path.ends_with(list)) => {
            json!({ "enum": words_or_none::<JournalSort>() })
        }
        "sort" => json!({ "enum": words_or_none::<SliceSort>() }),
        "format" => json!({ "enum": ["csv", "json", ""] }),
        // Of credentials there may be several.
        "api_id" if path.ends_with("/api-pool/") || path.ends_with("/export") => {
            json!({ "pattern": api_ids_by_comma() })
        }
        "api_id" => json!({ "pattern": format!("^(?:{API_ID})?$") }),
        "account_id" | "phone" | "account_phone" => json!({ "pattern": LINE_OF_QUERY, "maxLength": ACCOUNT_KEY_BYTES }),
        "from" | "to" => {
            let moments = json!([{ "type": "string", "format": "date-time" }, { "type": "string", "format": "date" }]);
            json!({ "type": null, "anyOf": moments })
        }
        _ if schema["type"] == "string" => json!({ "pattern": LINE_OF_QUERY, "maxLength": 2048 }),
        _ => json!({}),
    }
}
