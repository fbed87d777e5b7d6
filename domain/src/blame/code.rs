//! From what a client printed to a code.

use super::codes::{self, Family};
use super::phrases;
use super::words::{self, Word};

/// How much of a report is read, in bytes: half from its beginning, half from its end. A message
/// is one line, and a long traceback has its error at one of the two.
const READ_BYTES: usize = 16 * 1024;
/// A name that nobody has listed is looked for among so many first words only.
const LEADING_WORDS: usize = 16;

/// Classes that wrap every error of a library, and so name none.
const WRAPPERS: &[&str] = &[
    "AUTH_KEY",
    "BAD_REQUEST",
    "CLIENT_ERROR",
    "FLOOD_ERROR",
    "FORBIDDEN_ERROR",
    "INVALID_DC",
    "INVOCATION_ERROR",
    "IO_ERROR",
    "LOGIN_ERROR",
    "MT_PROTO",
    "NOT_FOUND",
    "OS_ERROR",
    "RPC_ERROR",
    "RUNTIME_ERROR",
    "SERVER_ERROR",
    "TELEGRAM_ERROR",
    "TL_ERROR",
    "UNAUTHORIZED_ERROR",
    "UNKNOWN_ERROR",
];

/// Mistakes in a program, whose text may well speak of proxies and timeouts.
const PROGRAM_ERRORS: &[&str] = &[
    "ASSERTION_ERROR",
    "ATTRIBUTE_ERROR",
    "IMPORT_ERROR",
    "INDEX_ERROR",
    "KEY_ERROR",
    "MODULE_NOT_FOUND",
    "NAME_ERROR",
    "RANGE_ERROR",
    "REFERENCE_ERROR",
    "SYNTAX_ERROR",
    "TYPE_ERROR",
    "VALUE_ERROR",
];

/// What a report's text means.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ErrorCode {
    /// The name in capitals without its number, at most 64 bytes: `FLOOD_WAIT`. Always one that is
    /// known, or one that looks like an error's name, or `UNKNOWN`: never a piece of free text.
    pub canonical: String,
    /// The number that came with it: seconds for a wait, the data centre for a `_MIGRATE`.
    /// One that is too large is `u32::MAX`.
    pub number: Option<u32>,
}

impl ErrorCode {
    fn new(canonical: &str, number: Option<u32>) -> Self {
        Self { canonical: canonical.to_owned(), number }
    }
}

/// Finds the code in a text, whatever client printed it.
///
/// What Telegram answered goes before what is said about the transport, that before the network,
/// and a code that is named before a sentence that describes one. Text that names nothing is `UNKNOWN`.
pub fn recognise(text: &str) -> ErrorCode {
    let trace = text.contains("Traceback (most recent call last)");
    let text = clean(text, trace);
    let report = Report { lower: text.to_ascii_lowercase(), words: words::split(&text), text: &text, trace };
    report
        .named()
        .or_else(|| report.unlisted_answer())
        .or_else(|| report.described())
        .or_else(|| report.transport())
        .or_else(|| report.waiting())
        .or_else(|| report.server())
        .or_else(|| report.below_telegram())
        .or_else(|| report.unlisted())
        .unwrap_or_else(|| ErrorCode::new("UNKNOWN", None))
}

/// The part of a text that is worth reading, with typographic signs made plain and the source
/// lines of stack traces left out: those name errors that did not happen.
fn clean(text: &str, trace: bool) -> String {
    let mut kept = String::with_capacity(text.len().min(READ_BYTES) + 1);
    if text.len() <= READ_BYTES {
        kept.push_str(text);
    } else {
        kept.push_str(&text[..text.floor_char_boundary(READ_BYTES / 2)]);
        kept.push('\n');
        kept.push_str(&text[text.ceil_char_boundary(text.len() - READ_BYTES / 2)..]);
    }
    let plain = kept
        .replace("\\n", "\n")
        .replace("\\r", "\n")
        .replace("\\t", "\t")
        .replace(['\u{2212}', '\u{2013}', '\u{2010}', '\u{2011}'], "-")
        .replace('\u{2019}', "'");
    let is_source = |line: &str| {
        let indented = line.starts_with([' ', '\t']);
        let inner = line.trim_start();
        (trace && (indented || line.starts_with("Traceback") || line.starts_with("During handling")))
            || (indented && (inner.starts_with("at ") || inner.starts_with("File \"")))
    };
    let lines: Vec<&str> = plain.lines().filter(|line| !is_source(line)).collect();
    if lines.iter().all(|line| line.trim().is_empty()) { plain } else { lines.join("\n") }
}

struct Report<'a> {
    text: &'a str,
    lower: String,
    words: Vec<Word<'a>>,
    /// A Python traceback, in which the last exception is the one that was seen.
    trace: bool,
}

impl Report<'_> {
    /// A code of Telegram's or of the transport, by name.
    fn named(&self) -> Option<ErrorCode> {
        let found = |at: usize| {
            let (name, family, number) = words::known(self.words[at].text)?;
            (!family.is_network()).then(|| self.with_number(name, family, number, Some(at)))
        };
        let count = self.words.len();
        if self.trace { (0..count).rev().find_map(found) } else { (0..count).find_map(found) }
    }

    /// `[400 NEW_THING]`, `RPCError 400: NEW_THING`, `{"code":400,"message":"NEW_THING"}`: Telegram
    /// answered, with a code that is not in the table.
    fn unlisted_answer(&self) -> Option<ErrorCode> {
        const BETWEEN: &[&str] = &["message", "error_message", "text", "name", "msg", "u"];
        self.words.iter().enumerate().find_map(|(at, word)| {
            let status = words::number(word.text).filter(|status| (300..600).contains(status))?;
            let mut next = at + 1;
            while self.words.get(next).is_some_and(|word| BETWEEN.contains(&word.text)) {
                next += 1;
            }
            let (last, answer) = (self.words.get(next - 1)?, self.words.get(next)?);
            let close = answer.start - last.end <= 6;
            let shouted = !answer.text.bytes().any(|byte| byte.is_ascii_lowercase());
            if !close || !shouted {
                return None;
            }
            let known = words::known(answer.text);
            // `12:34:56,567 ERROR …` is the time of a log's line, so a lone word must be a known one.
            match known {
                Some((name, ..)) if status >= 500 => Some(server_error(Some(name))),
                Some((name, family, number)) => Some(self.with_number(name, family, number, Some(next))),
                None if status >= 500 => words::plausible(answer.text).map(|_| server_error(None)),
                None => words::plausible(answer.text).map(|(canonical, number)| ErrorCode { canonical, number }),
            }
        })
    }

    /// A sentence that stands for a code of Telegram's.
    fn described(&self) -> Option<ErrorCode> {
        let name = phrases::find(phrases::TELEGRAM, &self.lower)?;
        let family = codes::family(name)?;
        Some(self.with_number(name, family, None, None))
    }

    /// A sentence about a wait, unless an unlisted name says that it is one of another kind.
    fn waiting(&self) -> Option<ErrorCode> {
        let name = phrases::find(phrases::WAIT, &self.lower)?;
        let other = self.names().find(|(name, _)| {
            ["WAIT", "DELAY", "FLOOD", "SLOW"].iter().any(|part| name.contains(part)) && !is_wrapper(name)
        });
        if let Some((canonical, number)) = other {
            return Some(ErrorCode { canonical, number: number.or_else(|| self.seconds()) });
        }
        if self.mentions_proxy() && self.seconds().is_none() {
            return None;
        }
        Some(self.with_number(name, Family::FloodWait, None, None))
    }

    /// The four bytes that a transport sends in place of an answer.
    fn transport(&self) -> Option<ErrorCode> {
        let about_transport = self.lower.contains("transport")
            || self.lower.contains("response buffer")
            || self.lower.contains("http code");
        self.words.iter().find_map(|word| {
            let name = match word.text {
                "404" => codes::TRANSPORT_404,
                "429" => codes::TRANSPORT_FLOOD,
                "444" => codes::TRANSPORT_444,
                _ => return None,
            };
            (about_transport || self.is_negative(word)).then(|| ErrorCode::new(name, None))
        })
    }

    /// Telegram's 500 and 503, by number.
    fn server(&self) -> Option<ErrorCode> {
        const BEFORE: &[&str] = &["RPCERROR", "RPC", "CODE", "ERRORCODE", "ERROR"];
        const CLASSES: &[&str] = &["INTERNALSERVERERROR", "SERVERERROR", "SERVICEUNAVAILABLE"];
        let from_library = self.text.contains("(caused by ");
        // An HTTP proxy has codes of its own, `Proxy error: 503`.
        let before: &[&str] = if self.mentions_proxy() { &["RPCERROR", "RPC"] } else { BEFORE };
        let hit = self.words.iter().enumerate().any(|(at, word)| {
            let Some(status) = words::number(word.text).filter(|status| (500..600).contains(status)) else {
                return CLASSES.contains(&codes::squash(word.text).as_str());
            };
            let led = match at.checked_sub(1) {
                None => !self.mentions_proxy(),
                Some(at) => before.contains(&codes::squash(self.words[at].text).as_str()),
            };
            let bracketed = self.text[..word.start].ends_with('[');
            self.is_negative(word) || ((led || bracketed) && (status == 500 || status == 503))
        });
        let timeout =
            self.words.iter().filter_map(|word| words::known(word.text)).find(|(name, ..)| *name == codes::TIMEOUT);
        let timed_out = timeout.is_some() || self.lower.contains("timed out");
        (hit || (from_library && timed_out)).then(|| server_error(timed_out.then_some(codes::TIMEOUT)))
    }

    /// The proxy or the network, unless the text is about a mistake in a program.
    fn below_telegram(&self) -> Option<ErrorCode> {
        let first = self.names().next();
        if first.is_some_and(|(name, _)| PROGRAM_ERRORS.contains(&name.as_str())) {
            return None;
        }
        self.proxy().or_else(|| self.network())
    }

    fn mentions_proxy(&self) -> bool {
        self.lower.contains("proxy") || self.lower.contains("socks")
    }

    /// The proxy itself speaks, or something speaks of it.
    fn proxy(&self) -> Option<ErrorCode> {
        if !self.mentions_proxy() {
            return None;
        }
        let about_login = self.lower.contains("auth") || self.words.iter().any(|word| word.text == "407");
        Some(ErrorCode::new(if about_login { codes::PROXY_AUTH } else { codes::PROXY_ERROR }, None))
    }

    /// The network, by class, by number of the operating system, or by sentence. A name that only
    /// says "connection" waits for something better.
    fn network(&self) -> Option<ErrorCode> {
        let mut named = self.words.iter().filter_map(|word| words::known(word.text)).map(|(name, ..)| name);
        let vague = |name: &&str| *name == codes::CONNECTION_FAILED;
        let first = named.next();
        let name = first
            .into_iter()
            .chain(named)
            .find(|name| !vague(name))
            .or_else(|| self.os_error())
            .or_else(|| phrases::find(phrases::NETWORK, &self.lower))
            .or(first)?;
        Some(ErrorCode::new(name, None))
    }

    fn os_error(&self) -> Option<&'static str> {
        self.words.windows(2).find_map(|pair| {
            let named = pair[0].text.eq_ignore_ascii_case("errno")
                || pair[0].text.eq_ignore_ascii_case("winerror")
                || (pair[0].text == "error" && self.lower[..pair[0].end].ends_with("os error"));
            if named { words::number(pair[1].text).and_then(codes::by_os_error) } else { None }
        })
    }

    /// A name of the right shape among the first words.
    fn unlisted(&self) -> Option<ErrorCode> {
        let (canonical, number) = self
            .names()
            .find(|(name, _)| !is_wrapper(name))
            .or_else(|| self.names().next())
            .or_else(|| self.lone_word())?;
        Some(ErrorCode { canonical, number })
    }

    /// `SOMETHING`, alone or before a colon.
    fn lone_word(&self) -> Option<(String, Option<u32>)> {
        let word = self.words.first()?;
        let leads = self.words.len() == 1 || self.text[word.end..].starts_with(':');
        words::shouted(word.text).filter(|_| leads).map(|name| (name, None))
    }

    fn names(&self) -> impl Iterator<Item = (String, Option<u32>)> + '_ {
        self.words.iter().take(LEADING_WORDS).filter_map(|word| words::plausible(word.text))
    }

    /// `-404` is the transport's, `2024-404` is not.
    fn is_negative(&self, word: &Word) -> bool {
        let before = &self.text.as_bytes()[..word.start];
        match before {
            [.., previous, b'-'] => !previous.is_ascii_alphanumeric(),
            [b'-'] => true,
            _ => false,
        }
    }

    /// Adds the number that belongs to a code: its own, or for a wait the one in the sentence.
    fn with_number(&self, name: &str, family: Family, own: Option<u32>, at: Option<usize>) -> ErrorCode {
        let is_wait = matches!(family, Family::FloodWait | Family::PremiumWait)
            || name.ends_with("_WAIT")
            || name.ends_with("_DELAY");
        let number = own.or_else(|| match at {
            _ if name.ends_with("_MIGRATE") => self.data_centre(),
            _ if !is_wait => None,
            Some(at) => self.seconds().or_else(|| self.in_parentheses(at)),
            None => self.seconds(),
        });
        ErrorCode::new(name, number)
    }

    /// `37 seconds`, `5s`, `2 minutes`, `retry after 37`, `"seconds": 37`, `value: Some(37)`, `37 秒`.
    fn seconds(&self) -> Option<u32> {
        const BEFORE: &[&str] = &["after", "retry_after", "seconds", "value", "wait", "x"];
        self.words.iter().enumerate().find_map(|(at, word)| {
            let unit = word.text.trim_start_matches(|c: char| c.is_ascii_digit());
            let digits = words::number(&word.text[..word.text.len() - unit.len()])?;
            if !unit.is_empty() {
                return unit_seconds(unit).map(|factor| digits.saturating_mul(factor));
            }
            if let Some(factor) = self.words.get(at + 1).and_then(|next| unit_seconds(next.text)) {
                return Some(digits.saturating_mul(factor));
            }
            let before = self.words[..at].iter().rev().map(|word| word.text).find(|text| *text != "Some");
            let announced = before.is_some_and(|text| BEFORE.iter().any(|known| text.eq_ignore_ascii_case(known)));
            (announced || self.text[word.end..].trim_start().starts_with('秒')).then_some(digits)
        })
    }

    /// `FLOOD_WAIT (37)`. A 420 there is the status, which some libraries print in the same place.
    fn in_parentheses(&self, at: usize) -> Option<u32> {
        let (word, next) = (self.words.get(at)?, self.words.get(at + 1)?);
        let enclosed = self.text[word.end..next.start].trim() == "(" && self.text[next.end..].starts_with(')');
        words::number(next.text).filter(|number| enclosed && *number != 420)
    }

    /// `associated with DC 4`, `DC4`.
    fn data_centre(&self) -> Option<u32> {
        self.words.iter().enumerate().find_map(|(at, word)| {
            let rest = word.text.strip_prefix("DC").or_else(|| word.text.strip_prefix("dc"))?;
            if rest.is_empty() { words::number(self.words.get(at + 1)?.text) } else { words::number(rest) }
        })
    }
}

fn server_error(name: Option<&str>) -> ErrorCode {
    let timed_out = name == Some(codes::TIMEOUT);
    ErrorCode::new(if timed_out { codes::RPC_TIMEOUT } else { codes::SERVER_ERROR }, None)
}

fn unit_seconds(unit: &str) -> Option<u32> {
    match unit.to_ascii_lowercase().as_str() {
        "s" | "sec" | "secs" | "second" | "seconds" => Some(1),
        "min" | "mins" | "minute" | "minutes" => Some(60),
        "hour" | "hours" => Some(3600),
        _ => None,
    }
}

fn is_wrapper(name: &str) -> bool {
    WRAPPERS.contains(&name)
}
