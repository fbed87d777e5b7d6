//! The configuration: documented default < file < environment < flags, validated once.

mod layers;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use domain::blame::BlameConfig;
use domain::capacity::Thresholds;
use domain::health::HealthConfig;
use domain::setting::{Fixed, Retention};
use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use ipnet::IpNet;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::cli::Overrides;
use layers::{COMMAND_LINE, DEFAULT, Environment, Named, environment, explain, fixed};

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
