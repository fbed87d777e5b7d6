//! Query strings: every parameter is known or refused, and lists share their grammar.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{AccountKey, ApiId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use store::Slice;
use strum::IntoEnumIterator;

use crate::error::{ApiError, Result, Wrong};
use crate::fields::whole_of;

/// Rows on a page when nobody says otherwise.
const DEFAULT_LIMIT: usize = 50;
/// The most rows on a page.
const MAX_LIMIT: usize = 500;
/// The longest value of a parameter, in bytes.
const MAX_VALUE: usize = 2_048;

/// The orders of a short list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::EnumString, strum::Display, strum::EnumIter)]
pub enum SliceSort {
    /// By the moment of their making, backwards.
    #[default]
    #[strum(serialize = "-created_at")]
    NewestFirst,
    /// By the moment of their making.
    #[strum(serialize = "created_at")]
    OldestFirst,
}

/// The parameters, decoded. A handler takes what it knows, and ends with [`Query::end`], which tells
/// all that was wrong: until then a wrong value counts as absent.
#[derive(Debug, Default)]
pub struct Query {
    given: BTreeMap<String, Vec<String>>,
    wrong: Wrong,
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let mut query = Self::default();
        for (name, value) in form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
            query.given.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        Ok(query)
    }
}

impl Query {
    /// The same parameters as a JSON object: texts, numbers, truths, and lists of texts.
    pub fn of(object: Map<String, Value>) -> Self {
        let mut query = Self::default();
        for (name, value) in object {
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text,
                Value::Bool(_) => value.to_string(),
                // JSON has one kind of number: 5.0 is 5.
                Value::Number(number) => {
                    let whole = number.as_f64().filter(|_| number.is_f64()).and_then(whole_of);
                    whole.map_or_else(|| number.to_string(), |whole| whole.to_string())
                }
                Value::Array(list) if list.iter().all(Value::is_string) => {
                    list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
                }
                _ => {
                    query.refuse(&name, "must be a text or a list of texts");
                    continue;
                }
            };
            query.given.insert(name, vec![text]);
        }
        query
    }

    /// Takes what was read of a parameter, or notes why it can't be.
    pub fn note<T>(&mut self, read: Result<T, impl Into<ApiError>>) -> Option<T> {
        self.wrong.note(read)
    }

    /// Notes that a parameter breaks a rule.
    pub fn refuse(&mut self, name: &str, rule: impl Into<String>) {
        self.wrong.refuse(ApiError::field(name, rule));
    }

    /// A text; an empty one counts as absent.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let mut values = self.given.remove(name)?;
        let value = values.pop()?;
        if !values.is_empty() {
            self.refuse(name, "must be given once");
        } else if value.len() > MAX_VALUE {
            self.refuse(name, "must be at most 2048 bytes");
        } else if value.chars().any(char::is_control) || value.contains(char::REPLACEMENT_CHARACTER) {
            self.refuse(name, "must be UTF-8 without control characters");
        } else if !value.is_empty() {
            return Some(value);
        }
        None
    }

    /// What a text comes to; `None` breaks `rule`.
    fn read<T>(&mut self, name: &str, rule: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name)?;
        self.note(read(&text).ok_or_else(|| ApiError::field(name, rule)))
    }

    /// An account's key under any of its three names.
    pub fn account(&mut self) -> Option<AccountKey> {
        let given = ["phone", "account_phone", "account_id"].map(|name| self.text(name).map(|value| (name, value)));
        let (name, value) = given.into_iter().flatten().next()?;
        self.note(AccountKey::parse(name, &plus(&value)))
    }

    /// `field=a,b`
    pub fn texts(&mut self, name: &str) -> Vec<String> {
        self.text(name).map(|v| v.split(',').map(|part| part.trim().to_owned()).collect()).unwrap_or_default()
    }

    /// Values out of a known set.
    pub fn choices<T: FromStr + ToString + IntoEnumIterator>(&mut self, name: &str) -> Vec<T> {
        let all = |text: &str| text.split(',').map(|part| part.trim().parse().ok()).collect();
        self.read(name, &one_of::<T>(), all).unwrap_or_default()
    }

    /// One value out of a known set.
    pub fn choice<T: FromStr + ToString + IntoEnumIterator>(&mut self, name: &str) -> Option<T> {
        self.read(name, &one_of::<T>(), |text| text.parse().ok())
    }

    /// A whole number within bounds.
    pub fn number(&mut self, name: &str, least: i64, most: i64) -> Option<i64> {
        let number = |text: &str| text.parse().ok().filter(|n| (least..=most).contains(n));
        self.read(name, &format!("must be a whole number from {least} to {most}"), number)
    }

    /// `true` or `false`
    pub fn flag(&mut self, name: &str) -> bool {
        self.optional_flag(name).unwrap_or(false)
    }

    /// `true`, `false`, or not said.
    pub fn optional_flag(&mut self, name: &str) -> Option<bool> {
        self.read(name, "must be true or false", |text| match text {
            "false" | "0" => Some(false),
            "true" | "1" => Some(true),
            _ => None,
        })
    }

    /// `from`: RFC 3339, or a date, from whose beginning on.
    pub fn from(&mut self) -> Option<Timestamp> {
        self.read("from", MOMENT, Timestamp::parse)
    }

    /// `to`: RFC 3339, or a date, to whose end.
    pub fn to(&mut self) -> Option<Timestamp> {
        self.read("to", MOMENT, Timestamp::parse_end)
    }

    /// Of which account or which credential: by name, or as `q`, where a whole number is an `api_id`.
    pub fn account_or_api_id(&mut self) -> (Option<AccountKey>, Option<ApiId>) {
        let mut account = self.account();
        let mut api_id = self.read("api_id", API_ID, api_id_of);
        if let Some(q) = self.text("q") {
            match api_id_of(&q) {
                Some(id) if api_id.is_none_or(|named| named == id) => api_id = Some(id),
                // No account's key is empty: two that differ find nothing.
                Some(_) => account = Some(AccountKey::stored(String::new())),
                None => {
                    let sought = self.note(AccountKey::parse("q", &plus(&q)));
                    let differ = account.is_some() && account != sought;
                    account = if differ { Some(AccountKey::stored(String::new())) } else { sought };
                }
            }
        }
        (account, api_id)
    }

    /// Telegram's ids: `field=1,2`
    pub fn api_ids(&mut self, name: &str) -> Vec<ApiId> {
        self.read(name, API_ID, |text| text.split(',').map(|part| api_id_of(part.trim())).collect()).unwrap_or_default()
    }

    /// How many rows.
    pub fn limit(&mut self) -> usize {
        self.number("limit", 1, MAX_LIMIT as i64).map_or(DEFAULT_LIMIT, |n| n as usize)
    }

    /// `q`, `sort`, `limit` and `cursor` of a short list.
    pub fn slice(&mut self) -> Slice {
        let sort = self.choice::<SliceSort>("sort").unwrap_or_default();
        Slice {
            q: self.text("q").unwrap_or_default().trim().to_owned(),
            newest_first: sort == SliceSort::NewestFirst,
            after: self.cursor(),
            limit: self.limit(),
        }
    }

    /// Where the page starts.
    pub fn cursor<T: DeserializeOwned>(&mut self) -> Option<T> {
        self.read("cursor", "must be one that we have answered", Cursor::read)
    }

    /// Fails when something was wrong, with all of that; also with what nobody has taken.
    pub fn end(mut self) -> Result<()> {
        for name in std::mem::take(&mut self.given).into_keys() {
            self.refuse(&name, "is not a parameter of this request");
        }
        self.end_leniently()
    }

    /// The same, where older clients send more than we know.
    pub fn end_leniently(self) -> Result<()> {
        self.wrong.end()
    }
}

/// What a moment must be.
const MOMENT: &str = "must be an RFC 3339 date and time, or a date";

/// What an `api_id` must be.
const API_ID: &str = "must be a whole number from 1 to 2147483647";

fn api_id_of(text: &str) -> Option<ApiId> {
    text.parse().ok().and_then(ApiId::new)
}

/// An unescaped `+` in front of an account's key has become a space.
fn plus(key: &str) -> Cow<'_, str> {
    key.strip_prefix(' ').map_or(Cow::Borrowed(key), |rest| Cow::Owned(format!("+{rest}")))
}

pub(crate) fn one_of<T: ToString + IntoEnumIterator>() -> String {
    let names: Vec<String> = T::iter().map(|v| v.to_string()).collect();
    format!("must be one of {}", names.join(", "))
}

/// Cursors are opaque: base64 of JSON.
#[derive(Debug)]
pub struct Cursor;

impl Cursor {
    /// Writes one.
    pub fn write(value: &impl Serialize) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).unwrap_or_default())
    }

    fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
        let json = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        // We never write escapes; a forged cursor must not smuggle NUL into a statement.
        if json.contains("\\u") { None } else { serde_json::from_str(&json).ok() }
    }
}
