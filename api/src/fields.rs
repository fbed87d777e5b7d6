//! Types of single fields on the wire.

use std::fmt;
use std::str::FromStr;

use domain::{ApiId, Timestamp};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use utoipa::PartialSchema;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, SchemaFormat};

use crate::error::{ApiError, Result};
use crate::extract::Query;

/// Telegram's id in a request: a string of digits or an integer.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ApiIdField(pub ApiId);

impl<'de> Deserialize<'de> for ApiIdField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl Visitor<'_> for Digits {
            type Value = ApiIdField;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 1 to 2147483647")
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
                ApiId::new(value).map(ApiIdField).ok_or_else(|| E::invalid_value(de::Unexpected::Signed(value), &self))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
                self.visit_i64(i64::try_from(value).unwrap_or(-1))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
                let digits = value.trim();
                let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
                self.visit_i64(digits.parse().ok().filter(|_| plain).unwrap_or(-1))
            }
        }
        deserializer.deserialize_any(Digits)
    }
}

impl PartialSchema for ApiIdField {
    fn schema() -> RefOr<Schema> {
        AnyOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[0-9]{1,10}$")))
            .item(
                ObjectBuilder::new()
                    .schema_type(Type::Integer)
                    .format(Some(SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::Int32)))
                    .minimum(Some(1)),
            )
            .description(Some("Telegram's api_id: 1 to 2147483647, as digits or as an integer"))
            .into()
    }
}

impl utoipa::ToSchema for ApiIdField {}

/// Telegram's id in an answer: a string of digits.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
#[schema(value_type = String, example = "1234567")]
pub struct ApiIdText(pub ApiId);

/// A moment in an answer: RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-11-22T20:00:00.000Z")]
pub struct Moment(pub Timestamp);

/// The schema of a word out of a known set.
pub fn words<T: ToString + strum::IntoEnumIterator>() -> Schema {
    let words: Vec<String> = T::iter().map(|word| word.to_string()).collect();
    Schema::Object(ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build())
}

/// The schema of a list of such words.
pub fn word_list<T: ToString + strum::IntoEnumIterator>() -> Schema {
    Schema::Array(ArrayBuilder::new().items(RefOr::T(words::<T>())).build())
}

/// A word out of a known set; empty and `null` count as absent.
pub fn choice<T: FromStr + ToString + strum::IntoEnumIterator>(field: &str, text: Option<&str>) -> Result<Option<T>> {
    match text.map(str::trim).filter(|t| !t.is_empty()) {
        None => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| ApiError::field(field, crate::extract::one_of::<T>())),
    }
}

/// Tells an absent field from one that is `null`.
#[allow(clippy::option_option, reason = "absent, null and a value are three things")]
pub fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A moment in a request; empty and `null` count as absent.
pub fn moment_in(field: &str, text: Option<&str>) -> Result<Option<Timestamp>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let moment = Timestamp::parse(text).map(Some);
    moment.ok_or_else(|| ApiError::field(field, "must be an RFC 3339 date and time"))
}

/// What may be changed but not cleared.
#[allow(clippy::option_option, reason = "absent, null and a value are three things")]
pub fn needed<T>(field: &str, change: Option<Option<T>>) -> Result<Option<T>> {
    match change {
        Some(None) => Err(ApiError::field(field, "can't be cleared")),
        other => Ok(other.flatten()),
    }
}

/// The account's key in a query, under any of its three names.
pub fn account_in(query: &mut Query) -> Option<(&'static str, String)> {
    let given = ["phone", "account_phone", "account_id"].map(|name| query.account(name).map(|value| (name, value)));
    given.into_iter().flatten().next()
}
