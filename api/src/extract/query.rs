//! Query strings: every parameter is known or refused, and lists share their grammar.

use std::collections::BTreeMap;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{ApiId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use store::Slice;

use crate::error::{ApiError, Result};

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

/// The parameters, decoded. A handler takes what it knows; [`Query::end`] refuses the rest.
#[derive(Debug)]
pub struct Query {
    given: BTreeMap<String, String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let mut query = Self { given: BTreeMap::new() };
        for (name, value) in form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
            query.take_in(&name, value.into_owned())?;
        }
        Ok(query)
    }
}

impl Query {
    /// The same parameters as a JSON object: texts, numbers, truths, and lists of texts.
    pub fn of(object: Map<String, Value>) -> Result<Self> {
        let mut query = Self { given: BTreeMap::new() };
        for (name, value) in object {
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text,
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                Value::Array(list) if list.iter().all(Value::is_string) => {
                    list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
                }
                _ => return Err(ApiError::field(&name, "must be a text or a list of texts")),
            };
            query.take_in(&name, text)?;
        }
        Ok(query)
    }

    fn take_in(&mut self, name: &str, value: String) -> Result<()> {
        if value.len() > MAX_VALUE {
            return Err(ApiError::field(name, "must be at most 2048 bytes"));
        }
        if value.chars().any(char::is_control) || value.contains(char::REPLACEMENT_CHARACTER) {
            return Err(ApiError::field(name, "must be UTF-8 without control characters"));
        }
        match self.given.insert(name.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(ApiError::field(name, "must be given once")),
        }
    }

    /// A text; an empty one counts as absent.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.given.remove(name).filter(|value| !value.is_empty())
    }

    /// An account's key. An unescaped `+` has become a space.
    pub fn account(&mut self, name: &str) -> Option<String> {
        let value = self.text(name)?;
        Some(value.strip_prefix(' ').map_or(value.clone(), |rest| format!("+{rest}")))
    }

    /// `field=a,b`
    pub fn texts(&mut self, name: &str) -> Vec<String> {
        self.text(name).map(|v| v.split(',').map(|part| part.trim().to_owned()).collect()).unwrap_or_default()
    }

    /// Values out of a known set.
    pub fn choices<T: std::str::FromStr + ToString + strum::IntoEnumIterator>(&mut self, name: &str) -> Result<Vec<T>> {
        let parse = |text: &String| text.parse().map_err(|_| ApiError::field(name, one_of::<T>()));
        self.texts(name).iter().map(parse).collect()
    }

    /// One value out of a known set.
    pub fn choice<T: std::str::FromStr + ToString + strum::IntoEnumIterator>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| ApiError::field(name, one_of::<T>()))
    }

    /// A whole number within bounds.
    pub fn number(&mut self, name: &str, least: i64, most: i64) -> Result<Option<i64>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|n| (least..=most).contains(n));
        number.map(Some).ok_or_else(|| ApiError::field(name, format!("must be a whole number from {least} to {most}")))
    }

    /// `true` or `false`
    pub fn flag(&mut self, name: &str) -> Result<bool> {
        Ok(self.optional_flag(name)?.unwrap_or(false))
    }

    /// `true`, `false`, or not said.
    pub fn optional_flag(&mut self, name: &str) -> Result<Option<bool>> {
        match self.text(name).as_deref() {
            None => Ok(None),
            Some("false" | "0") => Ok(Some(false)),
            Some("true" | "1") => Ok(Some(true)),
            Some(_) => Err(ApiError::field(name, "must be true or false")),
        }
    }

    /// RFC 3339, or a date.
    pub fn moment(&mut self, name: &str) -> Result<Option<Timestamp>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let moment = Timestamp::parse(&text).map(Some);
        moment.ok_or_else(|| ApiError::field(name, "must be an RFC 3339 date and time, or a date"))
    }

    /// Telegram's id.
    pub fn api_id(&mut self, name: &str) -> Result<Option<ApiId>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let api_id = text.parse().ok().and_then(ApiId::new);
        api_id.map(Some).ok_or_else(|| ApiError::field(name, "must be a whole number from 1 to 2147483647"))
    }

    /// How many rows.
    pub fn limit(&mut self) -> Result<usize> {
        Ok(self.number("limit", 1, MAX_LIMIT as i64)?.map_or(DEFAULT_LIMIT, |n| n as usize))
    }

    /// `q`, `sort`, `limit` and `cursor` of a short list.
    pub fn slice(&mut self) -> Result<Slice> {
        let sort = self.choice::<SliceSort>("sort")?.unwrap_or_default();
        Ok(Slice {
            q: self.text("q").unwrap_or_default(),
            newest_first: sort == SliceSort::NewestFirst,
            after: self.cursor()?,
            limit: self.limit()?,
        })
    }

    /// Where the page starts.
    pub fn cursor<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        let Some(text) = self.text("cursor") else { return Ok(None) };
        Cursor::read(&text).map(Some).ok_or_else(|| ApiError::field("cursor", "must be one that we have answered"))
    }

    /// Refuses what nobody has taken.
    pub fn end(self) -> Result<()> {
        match self.given.keys().next() {
            None => Ok(()),
            Some(name) => Err(ApiError::field(name, "is not a parameter of this request")),
        }
    }
}

pub(crate) fn one_of<T: ToString + strum::IntoEnumIterator>() -> String {
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
