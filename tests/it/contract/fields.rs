//! Answers have exactly the fields of the contract, each of its kind.

use chrono::DateTime;
use serde_json::Value;

/// Exactly these fields. A kind is a word, with `?` when it may be null; a list of one shape for
/// every member; or an object of shapes. A name that ends in `?` may be absent.
#[track_caller]
pub fn has_shape(value: &Value, shape: &Value) {
    if let Err(problem) = check(value, shape, "answer") {
        panic!("{problem}\n{value:#}");
    }
}

fn check(value: &Value, shape: &Value, at: &str) -> Result<(), String> {
    match shape {
        Value::String(kind) => {
            let fits = match kind.strip_suffix('?') {
                Some(kind) => value.is_null() || is(value, kind),
                None => is(value, kind),
            };
            if fits { Ok(()) } else { Err(format!("{at} is not {kind}: {value}")) }
        }
        Value::Array(shapes) => {
            let members = value.as_array().ok_or_else(|| format!("{at} is no list"))?;
            members
                .iter()
                .enumerate()
                .try_for_each(|(index, member)| check(member, &shapes[0], &format!("{at}[{index}]")))
        }
        Value::Object(fields) => {
            let object = value.as_object().ok_or_else(|| format!("{at} is no object: {value}"))?;
            for (name, shape) in fields {
                match (object.get(name.trim_end_matches('?')), name.ends_with('?')) {
                    (Some(value), _) => check(value, shape, &format!("{at}.{name}"))?,
                    (None, true) => {}
                    (None, false) => return Err(format!("{at}.{name} is missing")),
                }
            }
            match object.keys().find(|name| !fields.contains_key(*name) && !fields.contains_key(&format!("{name}?"))) {
                Some(surplus) => Err(format!("{at}.{surplus} is not in the contract")),
                None => Ok(()),
            }
        }
        other => Err(format!("no shape: {other}")),
    }
}

fn is(value: &Value, kind: &str) -> bool {
    let text = || value.as_str().unwrap_or_default();
    match kind {
        "any" => true,
        "true" => *value == Value::Bool(true),
        "false" => *value == Value::Bool(false),
        "bool" => value.is_boolean(),
        "int" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "object" => value.is_object(),
        "text" => !text().is_empty(),
        "digits" => !text().is_empty() && text().bytes().all(|b| b.is_ascii_digit()),
        "ulid" => text().len() == 26 && text().bytes().all(|b| b.is_ascii_alphanumeric()),
        "time" => is_time(text()),
        words => words.contains('|') && words.split('|').any(|word| word == text()),
    }
}

/// RFC 3339 in UTC with milliseconds.
pub fn is_time(text: &str) -> bool {
    text.len() == 24 && text.ends_with('Z') && DateTime::parse_from_rfc3339(text).is_ok()
}

/// A credential, as the contract lists it.
pub fn credential() -> Value {
    serde_json::json!({
        "id": "ulid", "api_id": "digits", "api_hash_masked": "text", "name": "text",
        "status": "available|in_use|disabled|banned", "max_accounts": "int", "current_accounts": "int",
        "free_slots": "int", "success_count": "int", "fail_count": "int", "consecutive_failures": "int",
        "group_id": "ulid?", "group_name": "text?", "priority": "int", "is_premium": "bool",
        "min_member_level": "free|bronze|silver|gold|diamond|star|king", "tags": ["text"],
        "source_phone_masked": "text?", "note": "text?", "cooldown_until": "time?", "health_score": "int",
        "health_grade": "excellent|good|fair|poor|critical", "ban_reason": "text?", "last_allocated_at": "time?",
        "last_failure_at": "time?", "created_at": "time", "updated_at": "time", "version": "int",
    })
}

/// A page of such items.
pub fn page(item: &Value) -> Value {
    serde_json::json!({ "items": [item], "total": "int", "total_is_capped?": "true", "next_cursor": "text?" })
}
