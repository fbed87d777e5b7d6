//! The configuration: documented default < file < environment < flags, validated once.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use domain::blame::BlameConfig;
use domain::capacity::Thresholds;
use domain::health::HealthConfig;
use domain::setting::{Fixed, Key, Retention, Source};
use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use ipnet::IpNet;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;

use crate::cli::Overrides;

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
const DEFAULT: &str = "the defaults";
const ENVIRONMENT: &str = "the environment";
const COMMAND_LINE: &str = "the command line";
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

/// Everything that can be configured.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The SQLite file.
    pub database_path: PathBuf,
    /// A PostgreSQL URL; without one, SQLite. Holds a password.
    pub database_url: Option<SecretString>,
    /// Connections to the database.
    pub database_connections: u32,
    /// The address to listen on.
    pub http_host: String,
    /// The port to listen on.
    pub http_port: u16,
    /// The port of `/metrics`; without one, 9464 if it is free.
    pub metrics_port: Option<u16>,
    /// The address of `/metrics`.
    pub metrics_host: String,
    /// How long, after the signal to stop, `/api/ready` says no while the port stays open.
    pub drain_seconds: u32,
    /// Cookies are sent over TLS only: for pages behind a proxy that ends TLS.
    pub secure_cookies: bool,
    /// Proxies, by network, whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// error, warn, info, debug or trace.
    pub log_level: String,
    /// text or json.
    pub log_format: LogFormat,
    /// Nothing is written: what stands can be looked up, while the database is copied.
    pub read_only: bool,
    /// 32 bytes in base64 or hexadecimal; `id:key,id:key` while keys rotate.
    pub master_key: Option<SecretString>,
    /// The first owner's name.
    pub admin_username: String,
    /// The first owner's password; without one, a random one is printed once.
    pub admin_password: Option<SecretString>,
    /// Published sample ids, which imports refuse.
    pub sample_api_ids: Vec<i64>,
    /// When the pool is too full, unless people have set it.
    pub capacity: Thresholds,
    /// How credentials are scored.
    pub health: HealthConfig,
    /// How long accounts cool where Telegram names no time.
    pub blame: BlameConfig,
    /// How long things are kept, unless people have set it.
    pub retention: Retention,
    /// Of these settings, what was given and where: people can't set those.
    #[serde(skip)]
    pub fixed: Fixed,
}

/// How logs look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// The documented defaults. Secrets have none.
#[derive(Serialize)]
struct Defaults {
    database_path: &'static str,
    database_connections: u32,
    http_host: &'static str,
    http_port: u16,
    metrics_host: &'static str,
    drain_seconds: u32,
    secure_cookies: bool,
    read_only: bool,
    trusted_proxies: [IpNet; 0],
    log_level: &'static str,
    log_format: LogFormat,
    admin_username: &'static str,
    sample_api_ids: &'static [i64],
    capacity: Thresholds,
    health: HealthConfig,
    blame: BlameConfig,
    retention: Retention,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            database_path: "./data/api_pool.db",
            database_connections: 8,
            http_host: "127.0.0.1",
            http_port: 8080,
            metrics_host: "127.0.0.1",
            drain_seconds: 0,
            secure_cookies: false,
            read_only: false,
            trusted_proxies: [],
            log_level: "info",
            log_format: LogFormat::Text,
            admin_username: "admin",
            sample_api_ids: domain::import::SAMPLE_API_IDS,
            capacity: Thresholds::default(),
            health: HealthConfig::default(),
            blame: BlameConfig::default(),
            retention: Retention::default(),
        }
    }
}

impl Config {
    /// Reads all layers and validates what they come to.
    pub fn load(file: Option<&Path>, flags: &Overrides) -> anyhow::Result<Self> {
        let mut figment = Figment::from(Named(DEFAULT.to_owned(), Serialized::defaults(Defaults::default())));
        if let Some(file) = file {
            let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            figment = figment.merge(Named(format!("{}", file.display()), Toml::string(&text)));
        }
        let figment = figment
            .merge(Environment(environment()?))
            .merge(Named(COMMAND_LINE.to_owned(), Serialized::defaults(flags)));
        let mut config: Self = figment.extract().map_err(|error| anyhow::anyhow!("{}", explain(error)))?;
        config.validate()?;
        config.fixed = fixed(&figment)?;
        Ok(config)
    }

    fn validate(&self) -> anyhow::Result<()> {
        let levels = ["error", "warn", "info", "debug", "trace"];
        if !levels.contains(&self.log_level.to_lowercase().as_str()) {
            bail!("log_level must be one of {}", levels.join(", "));
        }
        if self.drain_seconds > 300 {
            bail!("drain_seconds must be at most 300");
        }
        if !(1..=500).contains(&self.database_connections) {
            bail!("database_connections must be between 1 and 500");
        }
        let percents = [
            ("capacity.warning_percent", self.capacity.warning_percent),
            ("capacity.critical_percent", self.capacity.critical_percent),
            ("capacity.banned_percent", self.capacity.banned_percent),
        ];
        for (name, value) in percents {
            if !(0.0..=100.0).contains(&value) {
                bail!("{name} must be between 0 and 100");
            }
        }
        if self.capacity.warning_percent > self.capacity.critical_percent {
            bail!("capacity.warning_percent must not be above capacity.critical_percent");
        }
        let retention = [
            ("retention.journal_days", self.retention.journal_days),
            ("retention.results_days", self.retention.results_days),
            ("retention.jobs_days", self.retention.jobs_days),
        ];
        for (name, days) in retention {
            if !(1..=36_500).contains(&days) {
                bail!("{name} must be between 1 and 36500");
            }
        }
        if self.health.half_life_millis <= 0 || self.health.trend_half_life_millis <= 0 {
            bail!("health.half_life_millis and health.trend_half_life_millis must be above 0");
        }
        let waits = [
            ("blame.unnumbered_wait_seconds", self.blame.unnumbered_wait_seconds),
            ("blame.longest_wait_seconds", self.blame.longest_wait_seconds),
            ("blame.phone_flood_seconds", self.blame.phone_flood_seconds),
            ("blame.peer_flood_seconds", self.blame.peer_flood_seconds),
            ("blame.proxy_cooldown_seconds", self.blame.proxy_cooldown_seconds),
            ("blame.proxy_cooldown_max_seconds", self.blame.proxy_cooldown_max_seconds),
        ];
        for (name, seconds) in waits {
            if !(1..=31_536_000).contains(&seconds) {
                bail!("{name} must be between 1 and 31536000");
            }
        }
        let shares = [
            ("health.success_weight", self.health.success_weight),
            ("health.stability_weight", self.health.stability_weight),
            ("health.trend_weight", self.health.trend_weight),
            ("health.freshness_weight", self.health.freshness_weight),
            ("health.lower_quantile", self.health.lower_quantile),
        ];
        for (name, value) in shares {
            if !(0.0..=1.0).contains(&value) {
                bail!("{name} must be between 0 and 1");
            }
        }
        Ok(())
    }
}

/// The settings that some layer above the defaults has given.
fn fixed(figment: &Figment) -> anyhow::Result<Fixed> {
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
fn environment() -> anyhow::Result<Vec<(String, String)>> {
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
struct Named<P>(String, P);

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
struct Environment(Vec<(String, String)>);

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
fn explain(error: figment::Error) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn load(toml: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Figment::from(Serialized::defaults(Defaults::default()))
            .merge(Named("pool.toml".to_owned(), Toml::string(toml)))
            .merge(Environment(environment))
            .extract()
            .map_err(explain)
    }

    #[test]
    fn layers_win_in_order() {
        assert_eq!(load("", &[]).unwrap().http_port, 8080);
        assert_eq!(load("http_port = 1", &[]).unwrap().http_port, 1);
        assert_eq!(load("http_port = 1", &[("HTTP_PORT", "2")]).unwrap().http_port, 2);
        let capacity = load("", &[("API_POOL_CAPACITY__WARNING_PERCENT", "70")]).unwrap().capacity;
        assert!((capacity.warning_percent - 70.0).abs() < f64::EPSILON);
    }

    #[test]
    fn numbers_may_be_passwords() {
        use secrecy::ExposeSecret;
        let config = load("", &[("API_POOL_ADMIN_PASSWORD", "0012345678")]).unwrap();
        assert_eq!(config.admin_password.unwrap().expose_secret(), "0012345678");
    }

    #[test]
    fn errors_name_the_key_and_hide_the_value() {
        assert_eq!(load("htpp_port = 1", &[]).unwrap_err(), "unknown key htpp_port (in pool.toml)");
        assert_eq!(load("", &[("API_POOL_HTPP", "1")]).unwrap_err(), "unknown key htpp (in the environment)");
        let error = load("", &[("HTTP_PORT", "hunter2")]).unwrap_err();
        assert!(error.starts_with("http_port must be") && !error.contains("hunter2"), "{error}");
        assert!(load("", &[("HTTP_PORT", "70000")]).unwrap_err().starts_with("http_port must be"));
        assert!(load("[capacity]\nwarnin = 1", &[]).unwrap_err().contains("capacity.warnin"));
    }
}
