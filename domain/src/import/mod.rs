//! Reads credentials that people paste or upload: CSV, JSON, or lines of text.
//!
//! Every line is judged by itself, so that one bad line never stops the rest, and says which of
//! our fields is wrong. No message repeats what a cell holds: it may be a secret in the wrong
//! column. What is already in the pool, and what is a duplicate, is not known here.

mod credential;
mod csv;
mod fields;
mod json;
mod text;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use credential::{RawCredential, Warning, check};
pub use fields::Field;

use fields::Columns;

/// `api_id`s of official and sample applications that are printed in public source code. Telegram
/// limits them, so an import refuses them; configuration may replace the list.
pub const SAMPLE_API_IDS: &[i64] = &[4, 5, 6, 8, 9, 2040, 2496, 10840, 16623, 17349, 21724, 94575, 611_335, 1_025_907];

/// A longer cell is refused, in bytes. Nothing that a credential has comes near.
pub const MAX_CELL_BYTES: usize = 10 * 1024;

/// How the data is written.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Default,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ImportFormat {
    /// Rows with or without a header; the delimiter is found out.
    Csv,
    /// An array of objects, an object that holds one, or one object a line.
    Json,
    /// Lines of `api_id:api_hash[:name]`.
    Text,
    /// Whichever of them it looks like.
    #[default]
    Auto,
}

/// One line of the source and what became of it.
#[derive(Debug, Clone)]
pub struct ParsedLine {
    /// Where it stands, from 1: the line of a text, the place in a JSON array.
    pub line: usize,
    /// Its `api_id`, when that much could be read.
    pub api_id: Option<i64>,
    /// The credential, or the first thing that is wrong with it.
    pub outcome: Result<RawCredential, LineError>,
}

/// Why a line is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{field}: {message}")]
pub struct LineError {
    /// Our name of the field, or `line`, `data`, `columns` when it is about the whole.
    pub field: String,
    /// What is wrong with it, without repeating what it holds.
    pub message: String,
}

impl LineError {
    fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

impl ParsedLine {
    fn refused(line: usize, error: LineError) -> Self {
        Self { line, api_id: None, outcome: Err(error) }
    }
}

/// Reads every credential that the data holds.
///
/// `columns` says which of our fields a column of the source is: its header, or its number from 0,
/// to the field's name ([`Field`]; `ignore` drops it). What it leaves out is recognised by the usual names.
pub fn parse(format: ImportFormat, data: &str, columns: Option<&BTreeMap<String, String>>) -> Vec<ParsedLine> {
    let data = data.trim_start_matches('\u{feff}');
    let columns = match Columns::new(columns) {
        Ok(columns) => columns,
        Err(error) => return vec![ParsedLine::refused(1, error)],
    };
    match format {
        ImportFormat::Csv => csv::parse(data, &columns),
        ImportFormat::Json => json::parse(data, &columns),
        ImportFormat::Auto if data.trim_start().starts_with(['[', '{']) => json::parse(data, &columns),
        ImportFormat::Auto if csv::looks_like(data, &columns) => csv::parse(data, &columns),
        ImportFormat::Text | ImportFormat::Auto => text::parse(data, &columns),
    }
}

/// White space, and the marks that can't be seen and come along when one copies from a page.
fn tidy(value: &str) -> &str {
    value.trim_matches(is_blank)
}

fn is_blank(sign: char) -> bool {
    sign.is_whitespace() || matches!(sign, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// A line that holds nothing to import: blank, a comment, or a spreadsheet's `sep=;`.
fn is_skipped(line: &str) -> bool {
    let line = tidy(line);
    let names_separator = line.len() <= 5 && line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sep="));
    line.is_empty() || line.starts_with('#') || names_separator
}
