//! What changes rarely and is needed always, kept compiled in memory.
//!
//! One number, `revision`, moves in the transaction of every change of these tables. The allocator
//! reads it inside each batch's transaction and reloads first when it moved, so that decisions are
//! exact on every process; everyone else uses a copy that is at most [`FRESH_FOR`] old.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use domain::access::{Role, Scope};
use domain::credential::Shelf;
use domain::health::Prior;
use domain::rule::RuleSet;
use domain::setting::{Settings, Stored};
use domain::{GroupId, MemberLevel, Strategy, TenantId, Timestamp};

use crate::Store;
use crate::db::{Reader, Tx, args, sql};
use crate::error::Result;
use crate::people::sessions::REMEMBERED;
use crate::rules::{Row as RuleRow, Rule, select as select_rules};
use crate::settings::stored_of;

/// How old a copy outside the allocator may be: a revoked token is refused within this time.
pub const FRESH_FOR: Duration = Duration::from_millis(500);

/// Everything that is compiled, at one revision.
#[derive(Debug, Default)]
pub struct Compiled {
    /// The revision that this is of.
    pub revision: i64,
    /// By tenant.
    pub tenants: HashMap<TenantId, TenantRules>,
    /// Service tokens that are not revoked, by SHA-256 of the token.
    pub tokens: HashMap<Vec<u8>, Arc<ServiceToken>>,
    /// People by the id of their user.
    pub people: HashMap<String, Person>,
    /// Sessions that were revoked while a JWT of theirs may still be good.
    pub revoked_sessions: HashSet<String>,
}

/// One tenant's part.
#[derive(Clone, Debug, Default)]
pub struct TenantRules {
    /// What the tenant's settings come to.
    pub settings: Settings,
    /// Who may have what.
    pub rules: Arc<RuleSet>,
    /// Strategies of groups that have one of their own.
    pub group_strategies: HashMap<GroupId, Strategy>,
    /// Groups by id, with their names.
    pub groups: HashMap<GroupId, String>,
    /// The shelves on which credentials stand, or stood.
    pub shelves: Vec<Shelf>,
    /// The pool's own prior of a success rate.
    pub prior: Prior,
}

impl TenantRules {
    /// The strategy of a request: its own, else the group's, else the tenant's.
    pub fn strategy(&self, asked: Option<Strategy>, group: Option<&GroupId>) -> Strategy {
        asked.or_else(|| self.group_strategies.get(group?).copied()).unwrap_or(self.settings.strategy)
    }
}

/// What a person is now, whatever their JWT says.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their tenant.
    pub tenant: TenantId,
    /// Their name.
    pub username: String,
    /// What they are.
    pub role: Role,
}

/// What a service may do.
#[derive(Clone, Debug)]
pub struct ServiceToken {
    /// Whose.
    pub tenant: TenantId,
    /// As the journal calls it: `svc:<product>`.
    pub actor: Arc<str>,
    /// What it is good for.
    pub scopes: Vec<Scope>,
    /// The level of its accounts.
    pub member_level: MemberLevel,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// The shared copy and when it was last known to be fresh.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    state: RwLock<Option<(Arc<Compiled>, Instant)>>,
}

impl Shared {
    fn get(&self) -> Option<(Arc<Compiled>, Instant)> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, compiled: &Arc<Compiled>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        // Never step back: two loads may finish in the other order.
        if state.as_ref().is_none_or(|(held, _)| held.revision <= compiled.revision) {
            *state = Some((Arc::clone(compiled), Instant::now()));
        }
    }
}

const REVISION: &str = "SELECT value FROM revision WHERE id = 1";

impl Store {
    /// The compiled tables, at most [`FRESH_FOR`] old.
    pub async fn compiled(&self) -> Result<Arc<Compiled>> {
        match self.shared().get().filter(|(_, at)| at.elapsed() < FRESH_FOR) {
            Some((compiled, _)) => Ok(compiled),
            // In a box, for it is seldom and its future is large.
            None => Box::pin(self.compiled_now()).await,
        }
    }

    /// The compiled tables as they are now: one small read more.
    pub async fn compiled_now(&self) -> Result<Arc<Compiled>> {
        let held = self.shared().get();
        let (revision,): (i64,) = self.db().one(sql!(REVISION), args![]).await?;
        let compiled = match held {
            Some((compiled, _)) if compiled.revision == revision => compiled,
            _ => Arc::new(load(self, &mut Reader::Db(self.db())).await?),
        };
        self.shared().put(&compiled);
        Ok(compiled)
    }

    /// The compiled tables exactly as `tx` sees them.
    pub(crate) async fn compiled_in(&self, tx: &mut Tx) -> Result<Arc<Compiled>> {
        let (revision,): (i64,) = tx.one(sql!(REVISION), args![]).await?;
        if let Some((compiled, _)) = self.shared().get().filter(|(held, _)| held.revision == revision) {
            return Ok(compiled);
        }
        let compiled = Arc::new(load(self, &mut Reader::Tx(tx)).await?);
        self.shared().put(&compiled);
        Ok(compiled)
    }
}

impl Tx {
    /// Says that something compiled has changed, in the transaction of that change.
    pub(crate) async fn bump_revision(&mut self) -> Result<()> {
        self.execute(sql!("UPDATE revision SET value = value + 1 WHERE id = 1"), args![]).await?;
        Ok(())
    }
}

/// The revision is read first: when something changes while the rest is read, the copy counts as
/// older than it is, and is loaded again.
async fn load(store: &Store, reader: &mut Reader<'_>) -> Result<Compiled> {
    let revision = reader.all::<(i64,)>(sql!(REVISION), args![]).await?.first().map_or(0, |row| row.0);
    let mut compiled = Compiled { revision, ..Compiled::default() };
    for (id, alpha, beta) in
        reader.all::<(String, f64, f64)>(sql!("SELECT id, prior_alpha, prior_beta FROM tenants"), args![]).await?
    {
        let rules = TenantRules { prior: Prior { alpha, beta }, ..TenantRules::default() };
        compiled.tenants.insert(TenantId::from(id), rules);
    }
    load_settings(store, reader, &mut compiled).await?;
    load_rules(reader, &mut compiled).await?;
    let groups = reader
        .all::<(String, String, String, Option<String>)>(
            sql!("SELECT tenant_id, id, name, strategy FROM credential_groups"),
            args![],
        )
        .await?;
    for (tenant, id, name, strategy) in groups {
        let Some(rules) = compiled.tenants.get_mut(&tenant.into()) else { continue };
        let id = GroupId::from(id);
        if let Some(strategy) = strategy.and_then(|s| Strategy::from_str(&s).ok()) {
            rules.group_strategies.insert(id.clone(), strategy);
        }
        rules.groups.insert(id, name);
    }
    for (tenant, key) in reader.all::<(String, String)>(sql!(SHELVES), args![]).await? {
        if let (Some(rules), Some(shelf)) = (compiled.tenants.get_mut(&tenant.into()), Shelf::from_key(&key)) {
            rules.shelves.push(shelf);
        }
    }
    load_tokens(reader, &mut compiled).await?;
    load_people(reader, &mut compiled, store.now()).await?;
    Ok(compiled)
}

async fn load_settings(store: &Store, reader: &mut Reader<'_>, compiled: &mut Compiled) -> Result<()> {
    type Row = (String, String, String);
    let rows = reader.all::<Row>(sql!("SELECT tenant_id, key, value FROM settings"), args![]).await?;
    for (tenant, rules) in &mut compiled.tenants {
        let own = rows.iter().filter(|(of, ..)| of == tenant.as_str());
        let stored: Stored = stored_of(own.map(|(_, key, value)| (key.as_str(), value.as_str())));
        rules.settings = Settings::of(store.fixed(), &stored);
    }
    Ok(())
}

async fn load_rules(reader: &mut Reader<'_>, compiled: &mut Compiled) -> Result<()> {
    let mut by_tenant: HashMap<TenantId, Vec<_>> = HashMap::new();
    for row in reader.all::<RuleRow>(select_rules!("ORDER BY r.tenant_id, r.priority DESC, r.id"), args![]).await? {
        let tenant = TenantId::from(row.tenant_id.as_str());
        // A rule that this version can't read must not be ignored: it may be a deny.
        let Rule { id, draft, .. } = row.try_into()?;
        by_tenant.entry(tenant).or_default().push((id, draft));
    }
    for (tenant, rules) in by_tenant {
        if let Some(tenant) = compiled.tenants.get_mut(&tenant) {
            tenant.rules = Arc::new(RuleSet::new(rules));
        }
    }
    Ok(())
}

async fn load_people(reader: &mut Reader<'_>, compiled: &mut Compiled, now: Timestamp) -> Result<()> {
    type Row = (String, String, String, String);
    for (id, tenant, username, role) in
        reader.all::<Row>(sql!("SELECT id, tenant_id, username, role FROM users"), args![]).await?
    {
        // Who is something that this version does not know is nobody.
        let Ok(role) = Role::from_str(&role) else { continue };
        compiled.people.insert(id, Person { tenant: TenantId::from(tenant), username, role });
    }
    let revoked = sql!("SELECT id FROM sessions WHERE revoked_at > $1");
    let rows = reader.all::<(String,)>(revoked, args![now.plus(-REMEMBERED)]).await?;
    compiled.revoked_sessions = rows.into_iter().map(|(id,)| id).collect();
    Ok(())
}

/// The distinct shelves by leaps over the census index: its cost is the number of shelves, not of
/// credentials.
const SHELVES: &str = "
    WITH RECURSIVE leap (tenant_id, shelf) AS (
        SELECT t.id, (SELECT MIN(c.shelf) FROM credentials c WHERE c.tenant_id = t.id AND c.deleted_at IS NULL)
        FROM tenants t
        UNION ALL
        SELECT leap.tenant_id, (SELECT MIN(c.shelf) FROM credentials c
                                WHERE c.tenant_id = leap.tenant_id AND c.deleted_at IS NULL AND c.shelf > leap.shelf)
        FROM leap WHERE leap.shelf IS NOT NULL
    )
    SELECT tenant_id, shelf FROM leap WHERE shelf IS NOT NULL ORDER BY tenant_id, shelf";

async fn load_tokens(reader: &mut Reader<'_>, compiled: &mut Compiled) -> Result<()> {
    type Row = (String, String, Vec<u8>, String, i64, Option<i64>);
    let rows = reader
        .all::<Row>(
            sql!(
                "SELECT tenant_id, product, token_hash, scopes, member_level, expires_at
                 FROM service_tokens WHERE revoked_at IS NULL"
            ),
            args![],
        )
        .await?;
    for (tenant, product, hash, scopes, level, expires_at) in rows {
        let token = ServiceToken {
            tenant: TenantId::from(tenant),
            actor: format!("svc:{product}").into(),
            scopes: serde_json::from_str(&scopes).unwrap_or_default(),
            member_level: MemberLevel::from_rank(level),
            expires_at: expires_at.map(Timestamp::from_millis),
        };
        compiled.tokens.insert(hash, Arc::new(token));
    }
    Ok(())
}
