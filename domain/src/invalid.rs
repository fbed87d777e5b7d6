//! Wrong input, said so that the caller can mend it: which field, and which rule.

use serde::Serialize;

/// One field and the rule it broke. The message never repeats the value, which may be secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field's name on the wire.
    pub field: String,
    /// What it must be.
    pub message: String,
}

/// Everything that is wrong with an input, gathered before anything is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("invalid input: {}", self.summary())]
pub struct Invalid {
    /// The fields at fault, in the order in which they were checked.
    pub fields: Vec<FieldError>,
}

impl Invalid {
    /// A single wrong field.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        let mut invalid = Self::default();
        invalid.add(field, message);
        invalid
    }

    /// Notes one more wrong field.
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        self.fields.push(FieldError { field: field.to_owned(), message: message.into() });
    }

    /// Notes `message` on `field` unless `holds`.
    pub fn require(&mut self, holds: bool, field: &str, message: &str) {
        if !holds {
            self.add(field, message);
        }
    }

    /// `Ok` when nothing was wrong.
    pub fn into_result(self) -> Result<(), Self> {
        if self.fields.is_empty() { Ok(()) } else { Err(self) }
    }

    fn summary(&self) -> String {
        self.fields.iter().map(|f| format!("{} {}", f.field, f.message)).collect::<Vec<_>>().join("; ")
    }
}

/// The longest text a short field (name, reason) may have, in characters.
pub const SHORT_TEXT: usize = 200;
/// The longest text a long field (note, description) may have, in characters.
pub const LONG_TEXT: usize = 4_000;

/// Checks a text for people: at most `max` characters, and no control characters except, in long
/// texts, line breaks and tabs (databases refuse NUL; the rest breaks tables and logs).
pub fn check_text(invalid: &mut Invalid, field: &str, text: &str, max: usize) {
    if text.chars().count() > max {
        invalid.add(field, format!("must be at most {max} characters"));
    }
    let breaks_allowed = max > SHORT_TEXT;
    let forbidden = |c: char| c.is_control() && !(breaks_allowed && matches!(c, '\n' | '\r' | '\t'));
    if text.chars().any(forbidden) {
        invalid.add(field, "must not contain control characters");
    }
}
