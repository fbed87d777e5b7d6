//! Rules, kept. What they mean is [`domain::rule`]'s.

use std::str::FromStr;

use domain::event::Action;
use domain::rule::{Effect, MAX_RULES, Match, RuleDraft, Target};
use domain::{ApiId, GroupId, Invalid, TenantId, Timestamp};
use serde_json::{Value, json};
use sqlx::FromRow;

use crate::Store;
use crate::db::{Tx, args, sql};
use crate::error::{Result, StoreError, unique};
use crate::journal::{Entry, Origin};

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its id.
    pub id: String,
    /// What it says.
    pub draft: RuleDraft,
    /// When it was added.
    pub created_at: Timestamp,
    /// When a person last edited it.
    pub updated_at: Timestamp,
    /// Moves with people's edits.
    pub version: i64,
}

/// A rule as it is selected.
#[derive(FromRow)]
pub(crate) struct Row {
    id: String,
    pub(crate) tenant_id: String,
    name: String,
    effect: String,
    matcher: String,
    target: Option<String>,
    priority: i64,
    enabled: bool,
    expires_at: Option<i64>,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

impl TryFrom<Row> for Rule {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let damaged = |what: &str| StoreError::Damaged(format!("rule {}: {what}", row.id));
        Ok(Self {
            draft: RuleDraft {
                effect: Effect::from_str(&row.effect).map_err(|_| damaged("effect"))?,
                matcher: serde_json::from_str::<Match>(&row.matcher).map_err(|_| damaged("matcher"))?,
                target: row.target.as_deref().map(|t| read_target(t).ok_or_else(|| damaged("target"))).transpose()?,
                name: row.name,
                priority: row.priority,
                enabled: row.enabled,
                expires_at: row.expires_at.map(Timestamp::from_millis),
            },
            id: row.id,
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
            version: row.version,
        })
    }
}

/// `{"api_id": "5"}` or `{"group_id": "…"}`
fn write_target(target: &Target) -> Value {
    match target {
        Target::ApiId(api_id) => json!({ "api_id": api_id.to_string() }),
        Target::Group(group) => json!({ "group_id": group }),
    }
}

fn read_target(text: &str) -> Option<Target> {
    let value: Value = serde_json::from_str(text).ok()?;
    let credential = || value["api_id"].as_str()?.parse().ok().and_then(ApiId::new).map(Target::ApiId);
    credential().or_else(|| value["group_id"].as_str().map(|group| Target::Group(GroupId::from(group))))
}

macro_rules! select {
    ($rest:literal) => {
        sql!(concat!(
            "SELECT r.id, r.tenant_id, r.name, r.effect, r.matcher, r.target, r.priority, r.enabled, r.expires_at,
                 r.created_at, r.updated_at, r.version FROM rules r ",
            $rest
        ))
    };
}
pub(crate) use select;

impl Store {
    /// All rules, at most [`MAX_RULES`], in the order in which they go.
    pub async fn rules(&self, tenant: &TenantId) -> Result<Vec<Rule>> {
        let statement = select!("WHERE r.tenant_id = $1 ORDER BY r.priority DESC, r.id");
        let rows: Vec<Row> = self.db().all(statement, args![tenant]).await?;
        rows.into_iter().map(Rule::try_from).collect()
    }

    /// One rule.
    pub async fn rule(&self, tenant: &TenantId, id: &str) -> Result<Rule> {
        let row: Option<Row> =
            self.db().optional(select!("WHERE r.tenant_id = $1 AND r.id = $2"), args![tenant, id]).await?;
        row.ok_or(StoreError::NotFound("rule"))?.try_into()
    }

    /// Adds a rule, for the next allocation on every process.
    pub async fn add_rule(&self, tenant: &TenantId, origin: &Origin, draft: &RuleDraft) -> Result<String> {
        draft.check()?;
        let id = self.ambient().new_id();
        let mut tx = self.begin().await?;
        if let Some(made) = tx.claim(tenant, origin.once.as_ref(), &id, self.now()).await? {
            return Ok(made);
        }
        tx.check_groups_of(tenant, draft).await?;
        let (count,): (i64,) = tx.one(sql!("SELECT COUNT(*) FROM rules WHERE tenant_id = $1"), args![tenant]).await?;
        if count as usize >= MAX_RULES {
            return Err(StoreError::Conflict(format!("there are {MAX_RULES} rules already, which is the most")));
        }
        let inserted = tx
            .execute(
                sql!(
                    "INSERT INTO rules (id, tenant_id, name, effect, matcher, target, priority, enabled, expires_at,
                         created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)"
                ),
                args![
                    &id,
                    tenant,
                    &draft.name,
                    draft.effect.to_string(),
                    json!(draft.matcher).to_string(),
                    draft.target.as_ref().map(|t| write_target(t).to_string()),
                    draft.priority,
                    draft.enabled,
                    draft.expires_at,
                    self.now()
                ],
            )
            .await;
        unique(inserted, "rules_name", "rules.name", "name")?;
        tx.bump_revision().await?;
        let data = json!({ "rule_id": id, "after": told(draft) });
        tx.record(tenant, origin, self.now(), &[Entry::new(Action::RuleAdded).data(data)]).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Changes a rule, if its version is still `expected`, to what `merge` makes of it, which is
    /// called with the rule as it is behind the lock.
    pub async fn update_rule(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        id: &str,
        expected: Option<i64>,
        merge: impl FnOnce(RuleDraft) -> RuleDraft,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        let before = tx.lock_rule(tenant, id, expected).await?.draft;
        let draft = merge(before.clone());
        draft.check()?;
        if draft == before {
            return tx.rollback().await;
        }
        tx.check_groups_of(tenant, &draft).await?;
        let changed = tx
            .execute(
                sql!(
                    "UPDATE rules SET name = $1, effect = $2, matcher = $3, target = $4, priority = $5, enabled = $6,
                         expires_at = $7, updated_at = $8, version = version + 1
                     WHERE id = $9 AND tenant_id = $10"
                ),
                args![
                    &draft.name,
                    draft.effect.to_string(),
                    json!(draft.matcher).to_string(),
                    draft.target.as_ref().map(|t| write_target(t).to_string()),
                    draft.priority,
                    draft.enabled,
                    draft.expires_at,
                    self.now(),
                    id,
                    tenant
                ],
            )
            .await;
        unique(changed, "rules_name", "rules.name", "name")?;
        tx.bump_revision().await?;
        let data = json!({ "rule_id": id, "before": told(&before), "after": told(&draft) });
        tx.record(tenant, origin, self.now(), &[Entry::new(Action::RuleUpdated).data(data)]).await?;
        tx.commit().await
    }

    /// Removes a rule, if its version is still `expected`.
    pub async fn delete_rule(&self, tenant: &TenantId, origin: &Origin, id: &str, expected: Option<i64>) -> Result<()> {
        let mut tx = self.begin().await?;
        let before = tx.lock_rule(tenant, id, expected).await?.draft;
        tx.execute(sql!("DELETE FROM rules WHERE id = $1 AND tenant_id = $2"), args![id, tenant]).await?;
        tx.bump_revision().await?;
        let data = json!({ "rule_id": id, "before": told(&before) });
        tx.record(tenant, origin, self.now(), &[Entry::new(Action::RuleRemoved).data(data)]).await?;
        tx.commit().await
    }

    /// Whether the groups that a rule names are the tenant's.
    pub async fn check_rule(&self, tenant: &TenantId, draft: &RuleDraft) -> Result<()> {
        draft.check()?;
        let mut tx = self.begin().await?;
        tx.check_groups_of(tenant, draft).await?;
        tx.rollback().await
    }
}

impl Tx {
    async fn lock_rule(&mut self, tenant: &TenantId, id: &str, expected: Option<i64>) -> Result<Rule> {
        let row: Option<Row> =
            self.optional(select!("WHERE r.tenant_id = $1 AND r.id = $2 FOR_UPDATE(r)"), args![tenant, id]).await?;
        let rule = Rule::try_from(row.ok_or(StoreError::NotFound("rule"))?)?;
        if expected.is_some_and(|e| e != rule.version) { Err(StoreError::Stale) } else { Ok(rule) }
    }

    async fn check_groups_of(&mut self, tenant: &TenantId, draft: &RuleDraft) -> Result<()> {
        let asked_for = draft.matcher.group.as_deref().map(GroupId::from);
        let target = match &draft.target {
            Some(Target::Group(group)) => Some(group.clone()),
            _ => None,
        };
        for (field, group) in [("match.group", asked_for), ("target.group_id", target)] {
            let known = self.check_group(tenant, group.as_ref()).await;
            known.map_err(|error| match error {
                StoreError::Invalid(_) => Invalid::field(field, "is not one of the groups").into(),
                other => other,
            })?;
        }
        Ok(())
    }

    /// The names of the rules that are about a group.
    pub(crate) async fn rules_about(&mut self, tenant: &TenantId, group: &GroupId) -> Result<Vec<String>> {
        let rows: Vec<Row> = self.all(select!("WHERE r.tenant_id = $1 ORDER BY r.id"), args![tenant]).await?;
        let mut names = Vec::new();
        for row in rows {
            let Rule { draft, .. } = row.try_into()?;
            let target = draft.target == Some(Target::Group(group.clone()));
            if target || draft.matcher.group.as_deref() == Some(group.as_str()) {
                names.push(draft.name);
            }
        }
        Ok(names)
    }
}

fn told(draft: &RuleDraft) -> Value {
    json!({
        "name": draft.name, "effect": draft.effect, "match": draft.matcher,
        "target": draft.target.as_ref().map(write_target), "priority": draft.priority,
        "enabled": draft.enabled, "expires_at": draft.expires_at,
    })
}
