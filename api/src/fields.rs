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

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
                match whole_of(value) {
                    Some(whole) => self.visit_i64(whole),
                    None => Err(E::invalid_type(de::Unexpected::Float(value), &self)),
                }
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

/// 1 to 2147483647, as a pattern.
pub(crate) const API_ID: &str = "[1-9][0-9]{0,8}|1[0-9]{9}|20[0-9]{8}|21[0-3][0-9]{7}|214[0-6][0-9]{6}|\
    2147[0-3][0-9]{5}|21474[0-7][0-9]{4}|214748[0-2][0-9]{3}|2147483[0-5][0-9]{2}|21474836[0-3][0-9]|214748364[0-7]";

impl PartialSchema for ApiIdField {
    fn schema() -> RefOr<Schema> {
        AnyOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::String).pattern(Some(format!("^(?:{API_ID})$"))))
            .item(
                ObjectBuilder::new()
                    .schema_type(Type::Integer)
                    .format(Some(SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::Int32)))
                    .minimum(Some(1))
                    .maximum(Some(i32::MAX)),
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

/// The whole number that is written with a point: JSON has one kind of number, and some clients
/// write all of theirs as `60.0`.
pub fn whole_of(value: f64) -> Option<i64> {
    let range = -(2f64.powi(63))..2f64.powi(63);
    (value.fract() == 0.0 && range.contains(&value)).then_some(value as i64)
}

/// An integer, also with a point.
struct Whole(i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Whole;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
                Ok(Whole(value))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
                let wrong = |_| E::invalid_value(de::Unexpected::Unsigned(value), &self);
                i64::try_from(value).map(Whole).map_err(wrong)
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
                whole_of(value).map(Whole).ok_or_else(|| E::invalid_type(de::Unexpected::Float(value), &self))
            }
        }
        deserializer.deserialize_any(Number)
    }
}

/// An integer that may be absent or `null`.
pub fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(Option::<Whole>::deserialize(deserializer)?.map(|Whole(number)| number))
}

/// An integer that tells absent from `null`.
#[allow(clippy::option_option, reason = "absent, null and a value are three things")]
pub fn nullable_whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<i64>>, D::Error> {
    whole(deserializer).map(Some)
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "whole")]
        number: Option<i64>,
        #[serde(default, deserialize_with = "nullable_whole")]
        #[allow(clippy::option_option, reason = "absent, null and a value are three things")]
        change: Option<Option<i64>>,
        api_id: Option<ApiIdField>,
    }

    fn read(body: &str) -> std::result::Result<Body, String> {
        serde_json::from_str(body).map_err(|e| e.to_string())
    }

    #[test]
    fn whole_numbers_may_have_a_point() {
        let body = read(r#"{"number":118185.0,"change":-2.0,"api_id":3212.0}"#).unwrap();
        assert_eq!((body.number, body.change, body.api_id.unwrap().0.get()), (Some(118_185), Some(Some(-2)), 3_212));
        assert_eq!(read(r#"{"number":7,"change":null}"#).unwrap().change, Some(None));
        let body = read(r#"{"number":null}"#).unwrap();
        assert_eq!((body.number, body.change), (None, None));
    }

    #[test]
    fn nothing_else_is_a_whole_number() {
        for wrong in ["1.5", "1e300", "-1e19", "9223372036854775808", "\"5\"", "true", "[5]", "{}"] {
            let error = read(&format!("{{\"number\":{wrong}}}")).unwrap_err();
            assert!(error.contains("expected a whole number"), "{wrong}: {error}");
        }
        for wrong in ["1.5", "0.0", "-1.0", "2147483648.0", "1e300"] {
            assert!(read(&format!("{{\"api_id\":{wrong}}}")).unwrap_err().contains("expected a whole number from 1"));
        }
    }
}
