//! The layers that a configuration comes from, and what is said when one is wrong.

use anyhow::bail;
use domain::setting::{Fixed, Key, Source};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use strum::IntoEnumIterator;

/// Environment names that the original program had, or that everybody expects, and our keys.
const PLAIN_NAMES: [(&str, &str); 7] = [
    ("DATABASE_PATH", "database_path"),
    ("DATABASE_URL", "database_url"),
    ("HTTP_PORT", "http_port"),
    ("HTTP_HOST", "http_host"),
    ("METRICS_PORT", "metrics_port"),
    ("LOG_LEVEL", "log_level"),
    ("LOG_FORMAT", "log_format"),
];
/// The layers' names, as errors show them.
pub(super) const DEFAULT: &str = "the defaults";
const ENVIRONMENT: &str = "the environment";
pub(super) const COMMAND_LINE: &str = "the command line";
/// In front of all others; `__` stands between a table and its key.
const PREFIX: &str = "API_POOL_";
/// Names with the prefix that are no keys.
const NOT_KEYS: [&str; 1] = ["API_POOL_CONFIG"];
/// Keys whose text stays text, even when it looks like a number: a password may be 0012.
const TEXTS: [&str; 9] = [
    "database_path",
    "database_url",
    "http_host",
    "metrics_host",
    "log_level",
    "log_format",
    "master_key",
    "admin_username",
    "admin_password",
];

/// The settings that some layer above the defaults has given.
pub(super) fn fixed(figment: &Figment) -> anyhow::Result<Fixed> {
    let mut fixed = Fixed::new();
    for key in Key::iter() {
        let Some(metadata) = figment.find_metadata(key.as_ref()) else { continue };
        let source = match &*metadata.name {
            DEFAULT => continue,
            ENVIRONMENT => Source::Environment,
            COMMAND_LINE => Source::CommandLine,
            _ => Source::File,
        };
        fixed.insert(key, (serde_json::to_value(figment.find_value(key.as_ref())?)?, source));
    }
    Ok(fixed)
}

/// The variables that are ours. Others may be anything.
pub(super) fn environment() -> anyhow::Result<Vec<(String, String)>> {
    let ours = |name: &str| name.starts_with(PREFIX) || PLAIN_NAMES.iter().any(|(plain, _)| *plain == name);
    let named = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    named
        .filter(|(name, _)| ours(name))
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => bail!("{name} must be UTF-8 (in the environment)"),
        })
        .collect()
}

/// A provider under the name that errors show.
pub(super) struct Named<P>(pub String, pub P);

impl<P: Provider> Provider for Named<P> {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.0.clone())
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        self.1.data()
    }
}

/// The environment: the plain names, and everything with the prefix, so that a misspelt one is an
/// error and not silence.
pub(super) struct Environment(pub Vec<(String, String)>);

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named(ENVIRONMENT)
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        let mut dict = Dict::new();
        // The prefixed names come last, so they win.
        for (name, key) in PLAIN_NAMES {
            if let Some((_, value)) = self.0.iter().find(|(n, v)| n == name && !v.is_empty()) {
                put(&mut dict, key, value);
            }
        }
        for (name, value) in &self.0 {
            if let Some(key) = name.strip_prefix(PREFIX).filter(|_| !NOT_KEYS.contains(&name.as_str())) {
                put(&mut dict, &key.to_lowercase(), value);
            }
        }
        Ok(Profile::Default.collect(dict))
    }
}

fn put(dict: &mut Dict, key: &str, text: &str) {
    let value = if TEXTS.contains(&key) { Value::from(text) } else { parse(text) };
    match key.split_once("__") {
        None => {
            dict.insert(key.to_owned(), value);
        }
        Some((table, key)) => {
            let inner = dict.entry(table.to_owned()).or_insert_with(|| Value::from(Dict::new()));
            if let Value::Dict(_, inner) = inner {
                inner.insert(key.to_owned(), value);
            }
        }
    }
}

/// Numbers, truths and lists as they look; everything else is text.
fn parse(text: &str) -> Value {
    text.parse::<Value>().unwrap_or_else(|_| Value::from(text))
}

/// One line that names the key, the rule and the place; never the value, which may be a secret.
pub(super) fn explain(error: figment::Error) -> String {
    use figment::error::Kind;
    let Some(error) = error.into_iter().next() else { return "the configuration is not valid".to_owned() };
    let key = error.path.join(".");
    let place = error.metadata.as_ref().map(|m| format!(" (in {})", m.name)).unwrap_or_default();
    let rule = match &error.kind {
        Kind::UnknownField(field, _) => return format!("unknown key {}{place}", joined(&error.path, field)),
        Kind::MissingField(field) => return format!("{field} is required"),
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => match expected.clone().as_str() {
            "u16" => "must be a whole number from 0 to 65535".to_owned(),
            "u32" | "i64" => "must be a whole number".to_owned(),
            "f64" => "must be a number".to_owned(),
            expected => format!("must be {expected}"),
        },
        Kind::UnknownVariant(_, expected) => format!("must be one of {}", expected.join(", ")),
        Kind::Message(text) if key.is_empty() => {
            // Behind the first line it shows the place, secret or not.
            let first = text.lines().next().unwrap_or_default();
            return format!("the configuration can't be read{place}: {first}");
        }
        _ => "is not valid".to_owned(),
    };
    format!("{key} {rule}{place}")
}

fn joined(path: &[String], field: &str) -> String {
    let mut parts: Vec<&str> = path.iter().map(String::as_str).collect();
    if parts.last() != Some(&field) {
        parts.push(field);
    }
    parts.join(".")
}
