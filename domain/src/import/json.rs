//! JSON documents: a list of objects, an object that holds one, or one object a line.

use super::credential::Draft;
use super::fields::{Columns, Field};
use super::{LineError, ParsedLine, is_skipped, text};
use serde_json::{Map, Value};

/// Where an object keeps its list: our own request and export, and what other tools write.
const LISTS: [&str; 5] = ["apis", "items", "credentials", "data", "results"];

pub(super) fn parse(data: &str, columns: &Columns) -> Vec<ParsedLine> {
    match serde_json::from_str::<Value>(data) {
        Ok(document) => match list(document, columns, 2) {
            Some(items) => (1..).zip(items).map(|(place, item)| entry(place, item, columns)).collect(),
            None => vec![ParsedLine::refused(1, LineError::new("data", "holds no list of credentials"))],
        },
        Err(error) => by_line(data, columns).unwrap_or_else(|| {
            let message = format!("is not JSON: line {}, column {}", error.line(), error.column());
            vec![ParsedLine::refused(error.line().max(1), LineError::new("data", message))]
        }),
    }
}

/// One object a line, if the first line is one.
fn by_line(data: &str, columns: &Columns) -> Option<Vec<ParsedLine>> {
    let lines = || (1..).zip(data.lines()).filter(|(_, line): &(usize, &str)| !is_skipped(line));
    let (_, first) = lines().next()?;
    serde_json::from_str::<Map<String, Value>>(first).ok()?;
    lines().nth(1)?;
    let read = |(number, line): (usize, &str)| match serde_json::from_str(line) {
        Ok(item) => entry(number, item, columns),
        Err(error) => {
            let message = format!("is not JSON: column {}", error.column());
            ParsedLine::refused(number, LineError::new("line", message))
        }
    };
    Some(lines().map(read).collect())
}

/// The list in a document; a lone credential is a list of one.
fn list(document: Value, columns: &Columns, depth: usize) -> Option<Vec<Value>> {
    match document {
        Value::Array(items) => Some(items),
        Value::Object(mut object) => {
            let holds = |key: &&str| object.get(*key).is_some_and(|value| value.is_array() || value.is_object());
            if let Some(key) = LISTS.into_iter().find(holds) {
                return list(object.remove(key)?, columns, depth.checked_sub(1)?);
            }
            let layout = columns.keyed(object.keys().map(String::as_str));
            let is_credential = layout.iter().flatten().any(|field| matches!(field, Field::ApiId | Field::ApiHash));
            is_credential.then(|| vec![Value::Object(object)])
        }
        _ => None,
    }
}

fn entry(place: usize, item: Value, columns: &Columns) -> ParsedLine {
    let mut draft = Draft::default();
    match item {
        Value::Object(object) => {
            let layout = columns.keyed(object.keys().map(String::as_str));
            fill(&mut draft, layout, object.into_iter().map(|(_, value)| value));
        }
        Value::Array(cells) => fill(&mut draft, columns.positional(cells.len()), cells.into_iter()),
        Value::String(line) => return text::parse_line(place, &line, columns),
        _ => draft.refuse("line", "must be an object with api_id and api_hash"),
    }
    draft.finish(place)
}

fn fill(draft: &mut Draft, layout: Vec<Option<Field>>, values: impl Iterator<Item = Value>) {
    for (field, value) in layout.into_iter().zip(values) {
        let Some(field) = field else { continue };
        match (field, value) {
            (_, Value::Null) => {}
            (_, Value::String(cell)) => draft.put(field, &cell),
            (Field::Tags, Value::Array(tags)) => match tags.into_iter().map(tag).collect() {
                Some(tags) => draft.put_tags(tags),
                None => draft.refuse("tags", "must be a list of words"),
            },
            (Field::ApiHash, _) => draft.refuse("api_hash", "must be text"),
            (_, Value::Number(number)) => draft.put(field, &number.to_string()),
            (Field::IsPremium, Value::Bool(flag)) => draft.put(field, if flag { "true" } else { "false" }),
            _ => draft.refuse(field.to_string(), "has a value of the wrong kind"),
        }
    }
}

fn tag(value: Value) -> Option<String> {
    match value {
        Value::String(tag) => Some(tag),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
