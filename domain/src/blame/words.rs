//! Takes a text apart into words, and a word into the pieces of an error's name.
//!
//! Every function here is linear in its input, and none can panic on any UTF-8.

use super::codes::{self, Family};

/// No error's name is longer, in bytes. Telegram's longest has 47.
const LONGEST_WORD: usize = 96;
/// No canonical name is longer, in bytes.
const LONGEST_NAME: usize = 64;
/// So many hexadecimal digits in a row are a secret or an id, never a name.
const HEX_RUN: usize = 16;

/// The last pieces of most of Telegram's names; a lower-case token needs one of them to pass for a name.
const ENDINGS: &[&str] = &[
    "banned",
    "blocked",
    "denied",
    "disabled",
    "empty",
    "error",
    "expired",
    "fail",
    "failed",
    "flood",
    "forbidden",
    "invalid",
    "long",
    "missing",
    "much",
    "needed",
    "occupied",
    "private",
    "required",
    "restricted",
    "revoked",
    "short",
    "timeout",
    "unavailable",
    "wait",
];

/// A run of ASCII letters, digits and underscores, with where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The words of a text, in order.
pub(super) fn split(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, byte) in text.bytes().enumerate() {
        match (byte.is_ascii_alphanumeric() || byte == b'_', start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                words.push(Word { text: &text[from..at], start: from, end: at });
                start = None;
            }
            _ => {}
        }
    }
    if let Some(from) = start {
        words.push(Word { text: &text[from..], start: from, end: text.len() });
    }
    words
}

/// A run of digits as a number; one that doesn't fit is the largest that does.
pub(super) fn number(word: &str) -> Option<u32> {
    if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(word.parse().unwrap_or(u32::MAX))
}

fn is_placeholder(piece: &str) -> bool {
    piece.eq_ignore_ascii_case("x") || number(piece).is_some()
}

/// The known code that a word names, with the number it carries.
pub(super) fn known(word: &str) -> Option<(&'static str, Family, Option<u32>)> {
    if word.len() > LONGEST_WORD || word.len() < 3 {
        return None;
    }
    if let Some((name, family)) = with_or_without_suffix(&codes::squash(word)) {
        return Some((name, family, None));
    }
    let pieces: Vec<&str> = word.split('_').filter(|piece| !piece.is_empty()).collect();
    let carried = pieces.iter().rev().find_map(|piece| number(piece));
    if pieces.len() > 1 && pieces.last().is_some_and(|piece| is_placeholder(piece)) {
        let squashed = codes::squash(&pieces[..pieces.len() - 1].concat());
        if let Some((name, family)) = with_or_without_suffix(&squashed) {
            return Some((name, family, carried));
        }
    }
    let kept: String = pieces.iter().filter(|piece| !is_placeholder(piece)).copied().collect();
    if let Some((name, family)) = with_or_without_suffix(&codes::squash(&kept)) {
        return Some((name, family, carried));
    }
    let stem = word.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.len() == word.len() {
        return None;
    }
    let (name, family) = with_or_without_suffix(&codes::squash(stem))?;
    Some((name, family, number(&word[stem.len()..])))
}

fn with_or_without_suffix(squashed: &str) -> Option<(&'static str, Family)> {
    codes::by_word(squashed)
        .or_else(|| squashed.strip_suffix("ERROR").and_then(codes::by_word))
        .or_else(|| squashed.strip_suffix("EXCEPTION").and_then(codes::by_word))
}

/// The canonical form of a word that looks like the name of an error nobody has listed.
///
/// A report is free text and may hold a secret, so a word passes by its shape alone: words of
/// letters joined by underscores, or the name of an exception's class. Anything that looks drawn
/// at random (hexadecimal, digits mixed with letters, mixed case) does not.
pub(super) fn plausible(word: &str) -> Option<(String, Option<u32>)> {
    let lettered = word.starts_with(|c: char| c.is_ascii_alphabetic());
    if word.len() > LONGEST_NAME || !lettered || looks_hexadecimal(word) {
        return None;
    }
    let found = if word.contains('_') { snake(word) } else { snake(&camel(word)?) };
    found.filter(|(name, _)| (3..=LONGEST_NAME).contains(&name.len()))
}

/// A hash, a key or an id.
fn looks_hexadecimal(word: &str) -> bool {
    let squashed = codes::squash(word);
    squashed.len() >= HEX_RUN && squashed.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A lone word in capitals, nothing but letters: `SOMETHING`.
pub(super) fn shouted(word: &str) -> Option<String> {
    let fits = (3..=24).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase());
    (fits && !looks_hexadecimal(word)).then(|| word.to_owned())
}

fn snake(word: &str) -> Option<(String, Option<u32>)> {
    let mut pieces: Vec<&str> = word.split('_').filter(|piece| !piece.is_empty()).collect();
    let carried = pieces.iter().rev().find_map(|piece| number(piece));
    while pieces.last().is_some_and(|piece| is_placeholder(piece)) {
        pieces.pop();
    }
    let last = pieces.last()?;
    let shouted = !word.bytes().any(|byte| byte.is_ascii_lowercase());
    let ends_well = ENDINGS.iter().any(|ending| last.eq_ignore_ascii_case(ending));
    if pieces.len() < 2 || !(shouted || ends_well) {
        return None;
    }
    let mut name = String::with_capacity(word.len());
    for piece in pieces {
        if !name.is_empty() {
            name.push('_');
        }
        if is_placeholder(piece) {
            name.push('X');
        } else if is_wordlike(piece) {
            name.push_str(&piece.to_ascii_uppercase());
        } else {
            return None;
        }
    }
    Some((name, carried))
}

/// Letters, or letters beside up to three digits, as in `SHA256` and `2FA`.
fn is_wordlike(piece: &str) -> bool {
    let digits = piece.bytes().filter(u8::is_ascii_digit).count();
    let letters = piece.len() - digits;
    let one_case = !piece.bytes().any(|byte| byte.is_ascii_lowercase())
        || !piece.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
    one_case && (1..=24).contains(&letters) && (digits == 0 || (digits <= 3 && piece.len() <= 8))
}

/// `ChatWriteForbiddenError` → `CHAT_WRITE_FORBIDDEN`, but `KeyError` → `KEY_ERROR`.
fn camel(word: &str) -> Option<String> {
    const SUFFIXES: &[&str] = &["Error", "Exception", "Failure", "Failed", "Timeout"];
    let well_formed = word.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && word.starts_with(|c: char| c.is_ascii_uppercase())
        && SUFFIXES.iter().any(|suffix| word.ends_with(suffix));
    if !well_formed {
        return None;
    }
    let mut name = String::with_capacity(word.len() + 8);
    let bytes = word.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let after_lower = at > 0 && bytes[at - 1].is_ascii_lowercase();
        let before_lower = at > 0 && bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        if byte.is_ascii_uppercase() && (after_lower || before_lower) {
            name.push('_');
        }
        name.push(char::from(byte.to_ascii_uppercase()));
    }
    let stem = name.strip_suffix("_ERROR").or_else(|| name.strip_suffix("_EXCEPTION"));
    match stem {
        Some(stem) if stem.contains('_') => Some(stem.to_owned()),
        _ => Some(name),
    }
}
