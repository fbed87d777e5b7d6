//! Settings of a tenant. What there is and what it may be is [`domain::setting`]'s.

use std::collections::BTreeMap;
use std::str::FromStr;

use domain::event::Action;
use domain::setting::{Fixed, Key, Retention, Settings, Source, Stored, effective};
use domain::{Strategy, TenantId, Timestamp};
use serde_json::{Map, Value, json};
use strum::IntoEnumIterator;

use crate::Store;
use crate::db::{Tx, args, sql};
use crate::error::{Result, StoreError};
use crate::journal::{Entry, Origin};

/// A setting, with where its value comes from.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Which.
    pub key: Key,
    /// What counts.
    pub value: Value,
    /// Where that comes from.
    pub source: Source,
    /// Who set it last, and when; also when the process was started with another value.
    pub updated: Option<(String, Timestamp)>,
}

/// All settings of a tenant, and the version that moves with every change.
#[derive(Clone, Debug)]
pub struct SettingsView {
    /// In the order of their keys.
    pub settings: Vec<Setting>,
    /// Moves with people's edits.
    pub version: i64,
}

/// A change: a value, or `None` for the default.
pub type Change = BTreeMap<Key, Option<Value>>;

impl Store {
    /// Says what this process was started with. Once, before anything is asked.
    pub fn fix_settings(&self, fixed: Fixed) {
        if self.inner.fixed.set(fixed).is_err() {
            tracing::error!("the settings of this process were fixed before");
        }
    }

    pub(crate) fn fixed(&self) -> &Fixed {
        self.inner.fixed.get_or_init(Fixed::new)
    }

    /// All settings of a tenant.
    pub async fn settings(&self, tenant: &TenantId) -> Result<SettingsView> {
        type Row = (String, String, String, i64);
        let version = sql!("SELECT settings_version FROM tenants WHERE id = $1");
        let (version,): (i64,) = self.db().one(version, args![tenant]).await?;
        let rows: Vec<Row> = self
            .db()
            .all(sql!("SELECT key, value, updated_by, updated_at FROM settings WHERE tenant_id = $1"), args![tenant])
            .await?;
        let stored = stored_of(rows.iter().map(|(key, value, ..)| (key.as_str(), value.as_str())));
        let updated = |key: Key| {
            let row = rows.iter().find(|(name, ..)| *name == key.as_ref())?;
            Some((row.2.clone(), Timestamp::from_millis(row.3)))
        };
        let settings = Key::iter().map(|key| {
            let (value, source) = effective(key, self.fixed(), &stored);
            Setting { key, value, source, updated: updated(key) }
        });
        Ok(SettingsView { settings: settings.collect(), version })
    }

    /// Changes settings, for the next allocation on every process, if the version is still
    /// `expected`. One that the process was started with can't be set.
    pub async fn change_settings(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        change: &Change,
        expected: Option<i64>,
    ) -> Result<()> {
        for (key, value) in change {
            if let Some((_, source)) = self.fixed().get(key) {
                return Err(StoreError::Conflict(format!("{key} is locked by the {}", words(*source))));
            }
            value.as_ref().map_or(Ok(()), |value| key.check(value))?;
        }
        let mut tx = self.begin().await?;
        let stored = tx.lock_settings(tenant, expected).await?;
        let mut merged = stored.clone();
        for (key, value) in change {
            match value {
                Some(value) => merged.insert(*key, value.clone()),
                None => merged.remove(key),
            };
        }
        // What this process was started with may not fit what is stored; that is no matter of others.
        if change.keys().any(|key| matches!(key, Key::CapacityWarning | Key::CapacityCritical)) {
            Settings::of(self.fixed(), &merged).check()?;
        }
        let (mut before, mut after) = (Map::new(), Map::new());
        let moved = change.keys().filter(|key| stored.get(key) != merged.get(key));
        for key in moved {
            tx.write_setting(tenant, origin, *key, merged.get(key), self.now()).await?;
            before.insert(key.to_string(), effective(*key, self.fixed(), &stored).0);
            after.insert(key.to_string(), effective(*key, self.fixed(), &merged).0);
        }
        if after.is_empty() {
            return tx.rollback().await;
        }
        tx.execute(sql!("UPDATE tenants SET settings_version = settings_version + 1 WHERE id = $1"), args![tenant])
            .await?;
        tx.bump_revision().await?;
        let only_strategy = after.len() == 1 && after.contains_key(Key::Strategy.as_ref());
        let action = if only_strategy { Action::StrategyChanged } else { Action::SettingsChanged };
        let data = json!({ "before": before, "after": after });
        tx.record(tenant, origin, self.now(), &[Entry::new(action).data(data)]).await?;
        tx.commit().await
    }

    /// The tenant's strategy.
    pub async fn strategy(&self, tenant: &TenantId) -> Result<Strategy> {
        Ok(self.effective_settings(tenant).await?.strategy)
    }

    /// Chooses the tenant's strategy, for the next allocation on every process.
    pub async fn set_strategy(&self, tenant: &TenantId, origin: &Origin, strategy: Strategy) -> Result<()> {
        self.change_settings(tenant, origin, &[(Key::Strategy, Some(json!(strategy)))].into(), None).await
    }

    /// What a tenant's settings come to.
    pub async fn effective_settings(&self, tenant: &TenantId) -> Result<Settings> {
        let compiled = self.compiled_now().await?;
        compiled.tenants.get(tenant).map(|rules| rules.settings).ok_or(StoreError::NotFound("tenant"))
    }

    /// The retention that keeps what any tenant wants kept.
    pub async fn longest_retention(&self) -> Result<Retention> {
        let compiled = self.compiled_now().await?;
        let all = compiled.tenants.values().map(|rules| rules.settings.retention);
        Ok(all.reduce(Retention::longest).unwrap_or_default())
    }
}

impl Tx {
    /// Locks a tenant's settings; refuses when they have moved on from `expected`.
    async fn lock_settings(&mut self, tenant: &TenantId, expected: Option<i64>) -> Result<Stored> {
        // An update: a row locked for more would hold up new accounts, whose foreign key looks at it.
        let version =
            sql!("UPDATE tenants SET settings_version = settings_version WHERE id = $1 RETURNING settings_version");
        let row: Option<(i64,)> = self.optional(version, args![tenant]).await?;
        let (version,) = row.ok_or(StoreError::NotFound("tenant"))?;
        if expected.is_some_and(|e| e != version) {
            return Err(StoreError::Stale);
        }
        let rows: Vec<(String, String)> =
            self.all(sql!("SELECT key, value FROM settings WHERE tenant_id = $1"), args![tenant]).await?;
        Ok(stored_of(rows.iter().map(|(key, value)| (key.as_str(), value.as_str()))))
    }

    async fn write_setting(
        &mut self,
        tenant: &TenantId,
        origin: &Origin,
        key: Key,
        value: Option<&Value>,
        now: Timestamp,
    ) -> Result<()> {
        let Some(value) = value else {
            let statement = sql!("DELETE FROM settings WHERE tenant_id = $1 AND key = $2");
            return self.execute(statement, args![tenant, key.as_ref()]).await.map(drop);
        };
        let statement = sql!(
            "INSERT INTO settings (tenant_id, key, value, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (tenant_id, key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at,
                 updated_by = excluded.updated_by"
        );
        self.execute(statement, args![tenant, key.as_ref(), value.to_string(), now, &origin.actor]).await.map(drop)
    }
}

/// What of the table this version knows.
pub(crate) fn stored_of<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>) -> Stored {
    rows.filter_map(|(key, value)| Some((Key::from_str(key).ok()?, serde_json::from_str(value).ok()?))).collect()
}

fn words(source: Source) -> &'static str {
    match source {
        Source::Default | Source::Setting => "program",
        Source::File => "configuration file",
        Source::Environment => "environment",
        Source::CommandLine => "command line",
    }
}
