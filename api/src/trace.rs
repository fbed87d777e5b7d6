//! W3C trace context: a request that belongs to a trace is answered as a part of it.
//!
//! <https://www.w3.org/TR/trace-context/>

use axum::http::{HeaderName, HeaderValue};

/// The header that carries it both ways.
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The part of a trace that this request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    /// 32 hexadecimal digits, the same for the whole trace.
    pub id: String,
    span: String,
    flags: String,
}

impl Trace {
    /// Goes on with the trace that a caller has sent, as a span of our own. What is not well formed
    /// counts as not sent, as the standard demands.
    pub fn follow(sent: Option<&HeaderValue>, span: [u8; 8]) -> Option<Self> {
        let parts: Vec<&str> = sent?.to_str().ok()?.trim().split('-').collect();
        let [version, id, parent, flags] = parts[..] else { return None };
        let hex = |text: &str, length| {
            text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        let is_zero = |text: &str| text.bytes().all(|b| b == b'0');
        let whole = version == "00" && hex(id, 32) && hex(parent, 16) && hex(flags, 2);
        if !whole || is_zero(id) || is_zero(parent) {
            return None;
        }
        let span = format!("{:016x}", u64::from_be_bytes(span).max(1));
        Some(Self { id: id.to_owned(), span, flags: flags.to_owned() })
    }

    /// As it is answered.
    pub fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&format!("00-{}-{}-{}", self.id, self.span, self.flags)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn follow(text: &str) -> Option<Trace> {
        Trace::follow(Some(&HeaderValue::from_str(text).unwrap()), [0, 0, 0, 0, 0, 0, 0, 9])
    }

    #[test]
    fn a_trace_goes_on_with_a_span_of_our_own() {
        let trace = follow(&format!("00-{ID}-00f067aa0ba902b7-01")).unwrap();
        assert_eq!(trace.header().unwrap(), &format!("00-{ID}-0000000000000009-01"));
    }

    #[test]
    fn what_is_not_well_formed_is_no_trace() {
        let zero = "0".repeat(32);
        for text in [
            "",
            "00",
            &format!("01-{ID}-00f067aa0ba902b7-01"),
            &format!("00-{zero}-00f067aa0ba902b7-01"),
            &format!("00-{ID}-0000000000000000-01"),
            &format!("00-{}-00f067aa0ba902b7-01", ID.to_uppercase()),
            &format!("00-{ID}-00f067aa0ba902b7-01-more"),
            &format!("00-{ID}-00f067aa0ba902b-01"),
        ] {
            assert_eq!(follow(text), None, "{text}");
        }
    }
}
