//! One credential, from its cells to checked values.

use super::fields::Field;
use super::{LineError, MAX_CELL_BYTES, ParsedLine, tidy};
use crate::credential::check_hash;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::collections::BTreeMap;

/// Telegram's ids are positive 32-bit integers.
const LARGEST_API_ID: i64 = 2_147_483_647;
const TOO_LONG: &str = "is longer than 10 kB";

/// A credential as the source gives it, each value checked by itself. `Debug` shows neither the
/// hash nor the phone number.
#[derive(Debug, Clone)]
pub struct RawCredential {
    /// From 1 to 2147483647.
    pub api_id: i64,
    /// 1 to 256 characters without spaces.
    pub api_hash: SecretString,
    /// What people call it.
    pub name: Option<String>,
    /// How many accounts may share it; not negative.
    pub max_accounts: Option<i64>,
    /// A group's id or name.
    pub group: Option<String>,
    /// Higher goes first.
    pub priority: Option<i64>,
    /// Kept for callers of high level.
    pub is_premium: Option<bool>,
    /// A level's name in lower case; whether there is such a level is not checked here.
    pub min_member_level: Option<String>,
    /// Without repetitions.
    pub tags: Vec<String>,
    /// The phone number that registered it.
    pub source_phone: Option<SecretString>,
    /// Anything else.
    pub note: Option<String>,
}

/// Something that is imported all the same, but that a person should look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Our name of the field.
    pub field: &'static str,
    /// What is unusual about it.
    pub message: &'static str,
}

/// What is unusual about a credential. Telegram's samples show hashes of 32 lower-case hexadecimal
/// digits and no document promises it, so another shape is no reason to refuse.
pub fn check(raw: &RawCredential) -> Vec<Warning> {
    let hash = raw.api_hash.expose_secret();
    let usual = hash.len() == 32 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if usual {
        return Vec::new();
    }
    vec![Warning { field: "api_hash", message: "is not 32 lowercase hexadecimal digits, as it usually is" }]
}

/// The cells of one line, by field. Tags may come as a list.
#[derive(Default)]
pub(super) struct Draft {
    cells: BTreeMap<Field, String>,
    tags: Option<Vec<String>>,
    error: Option<LineError>,
}

impl Draft {
    /// Puts a cell in its place; an empty one counts as absent.
    pub(super) fn put(&mut self, field: Field, cell: &str) {
        if let Err(message) = check_cell(cell, field == Field::Note) {
            return self.refuse(field.to_string(), message);
        }
        let cell = tidy(cell);
        if !cell.is_empty() {
            self.cells.entry(field).or_insert_with(|| cell.to_owned());
        }
    }

    /// Puts a list of tags in place.
    pub(super) fn put_tags(&mut self, tags: Vec<String>) {
        let all: usize = tags.iter().map(String::len).sum();
        if all > MAX_CELL_BYTES {
            return self.refuse("tags", TOO_LONG);
        }
        if let Some(message) = tags.iter().find_map(|tag| check_cell(tag, false).err()) {
            return self.refuse("tags", message);
        }
        self.tags.get_or_insert(tags);
    }

    /// Notes what is wrong with the line. The first complaint stands.
    pub(super) fn refuse(&mut self, field: impl Into<String>, message: &str) {
        self.error.get_or_insert(LineError::new(field, message));
    }

    /// The finished line.
    pub(super) fn finish(mut self, line: usize) -> ParsedLine {
        let api_id = self.api_id();
        let known = api_id.as_ref().ok().copied();
        let outcome = match self.error.take() {
            Some(error) => Err(error),
            None => api_id.and_then(|id| self.credential(id)),
        };
        ParsedLine { line, api_id: known, outcome }
    }

    fn credential(&mut self, api_id: i64) -> Result<RawCredential, LineError> {
        Ok(RawCredential {
            api_id,
            api_hash: self.api_hash()?,
            name: self.cells.remove(&Field::Name),
            max_accounts: self.max_accounts()?,
            group: self.cells.remove(&Field::Group),
            priority: self.integer(Field::Priority)?,
            is_premium: self.is_premium()?,
            min_member_level: self.cells.remove(&Field::MinMemberLevel).map(|level| level.to_lowercase()),
            tags: self.tags(),
            source_phone: self.cells.remove(&Field::SourcePhone).map(SecretString::from),
            note: self.cells.remove(&Field::Note),
        })
    }

    fn api_id(&mut self) -> Result<i64, LineError> {
        match self.integer(Field::ApiId) {
            Ok(Some(id)) if (1..=LARGEST_API_ID).contains(&id) => Ok(id),
            Ok(None) => Err(LineError::new("api_id", "is missing")),
            _ => Err(LineError::new("api_id", "must be a whole number from 1 to 2147483647")),
        }
    }

    fn api_hash(&mut self) -> Result<SecretString, LineError> {
        let hash = self.cells.remove(&Field::ApiHash).ok_or_else(|| LineError::new("api_hash", "is missing"))?;
        check_hash(&hash).map_err(|rule| LineError::new("api_hash", rule))?;
        Ok(SecretString::from(hash))
    }

    fn max_accounts(&mut self) -> Result<Option<i64>, LineError> {
        match self.integer(Field::MaxAccounts)? {
            Some(count) if count < 0 => Err(LineError::new("max_accounts", "can't be negative")),
            count => Ok(count),
        }
    }

    fn is_premium(&mut self) -> Result<Option<bool>, LineError> {
        let Some(cell) = self.cells.remove(&Field::IsPremium) else { return Ok(None) };
        match cell.to_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" | "on" | "是" => Ok(Some(true)),
            "false" | "f" | "no" | "n" | "0" | "0.0" | "off" | "否" => Ok(Some(false)),
            _ => Err(LineError::new("is_premium", "must be true or false")),
        }
    }

    fn tags(&mut self) -> Vec<String> {
        let given = self.tags.take().or_else(|| {
            let cell = self.cells.remove(&Field::Tags)?;
            Some(cell.split([',', ';', '|', '，', '；', '、']).map(str::to_owned).collect())
        });
        let mut tags: Vec<String> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for tag in given.unwrap_or_default() {
            let tag = tidy(&tag);
            if !tag.is_empty() && seen.insert(tag.to_owned()) {
                tags.push(tag.to_owned());
            }
        }
        tags
    }

    /// A whole number; spreadsheets and data frames write `12345.0` for one.
    fn integer(&mut self, field: Field) -> Result<Option<i64>, LineError> {
        let Some(cell) = self.cells.remove(&field) else { return Ok(None) };
        let whole = match cell.split_once('.') {
            Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => whole,
            _ => cell.as_str(),
        };
        match whole.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(LineError::new(field.to_string(), "must be a whole number")),
        }
    }
}

/// What no cell may be, whatever its field. A note may have lines.
pub(super) fn check_cell(cell: &str, may_have_lines: bool) -> Result<(), &'static str> {
    if cell.len() > MAX_CELL_BYTES {
        return Err(TOO_LONG);
    }
    let is_bad = |sign: char| sign.is_control() && !(may_have_lines && matches!(sign, '\n' | '\r' | '\t'));
    if tidy(cell).chars().any(is_bad) {
        return Err("contains a control character");
    }
    Ok(())
}
