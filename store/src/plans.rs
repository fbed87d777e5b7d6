//! The plans of the store's statements, on both databases: none walks over a table that grows.
//!
//! A story uses everything once and every statement that ran is remembered, so none is forgotten
//! here. Then each is explained, on tables with many rows.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use domain::access::{Role, Scope};
use domain::blame::BlameConfig;
use domain::capacity::Level;
use domain::credential::Draft;
use domain::event::Action;
use domain::health::HealthConfig;
use domain::import::{ImportFormat, parse};
use domain::rule::{Effect, Match, RuleDraft, Target};
use domain::setting::Key;
use domain::time::DAY;
use domain::{AccountKey, ApiId, CredentialId, MemberLevel, Strategy, TenantId, Timestamp};
use rand::SeedableRng;
use rand::rngs::StdRng;
use secrecy::SecretString;
use serde_json::json;
use sqlx::{AssertSqlSafe, Row};
use strum::IntoEnumIterator;

use crate::accounts::AllocationFilter;
use crate::allocator::statements::{
    ACCOUNTS, ACCOUNTS_OF_ALLOCATIONS, ACCOUNTS_OF_CREDENTIAL, CENSUS, CREDENTIAL_IDS, CREDENTIALS, EXPIRED_ACCOUNTS,
    EXPIRED_ON_CREDENTIAL, EXPIRED_ON_SHELVES, KEEP_KEYS, NAMED, SEEN_KEYS, SEEN_RESULTS, ranking, ranking_peek, save,
};
use crate::allocator::{Allocate, Allocator, Asker, Command, Release, Renew, Report};
use crate::credentials::{BulkAction, Filter, Page, Patch, Sort, SortKey};
use crate::db::{Arg, Backend, Sql};
use crate::groups::GroupDraft;
use crate::history::HistoryFilter;
use crate::open::{Location, PoolConfig};
use crate::people::sessions::Opened;
use crate::people::users::UserPatch;
use crate::seal::MasterKey;
use crate::tokens::TokenDraft;
use crate::views::{Owner, ViewDraft};
use crate::{Ambient, Once, Origin, Store};

#[path = "../tests/it/server.rs"]
#[allow(dead_code, reason = "the stories use more of it")]
mod server;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// Statements with the types of their values.
static RAN: [Mutex<BTreeMap<&'static str, Vec<&'static str>>>; 2] = [const { Mutex::new(BTreeMap::new()) }; 2];

/// Remembers a statement.
pub(crate) fn ran(dialect: Dialect, statement: &'static str, args: &[Arg]) {
    let type_of = |arg: &Arg| match arg {
        Arg::Int(_) => "BIGINT",
        Arg::Text(_) => "TEXT",
        Arg::Bytes(_) => "BYTEA",
        Arg::Bool(_) => "BOOLEAN",
        Arg::Real(_) => "DOUBLE PRECISION",
    };
    let mut ran = RAN[dialect as usize].lock().unwrap_or_else(PoisonError::into_inner);
    ran.entry(statement).or_insert_with(|| args.iter().map(type_of).collect());
}

fn statements(dialect: Dialect) -> Vec<&'static str> {
    RAN[dialect as usize].lock().unwrap().keys().copied().collect()
}

const START: i64 = 1_700_000_000_000;

async fn open(location: Location) -> Store {
    let ambient = Ambient::new(|| Timestamp::from_millis(START), StdRng::seed_from_u64(1));
    Store::open(&location, PoolConfig::default(), vec![MasterKey::new(1, [7; 32])], ambient).await.unwrap()
}

// ---- a story that uses everything

fn draft(number: i64) -> Draft {
    Draft {
        api_id: ApiId::new(number).unwrap(),
        api_hash: SecretString::from(format!("{number:032}")),
        name: format!("app {number}"),
        max_accounts: 5,
        group_id: None,
        priority: 0,
        is_premium: false,
        min_member_level: MemberLevel::Free,
        tags: Vec::new(),
        source_phone: Some(SecretString::from("+8613800000001")),
        note: None,
    }
}

fn key(text: &str) -> AccountKey {
    AccountKey::stored(text.to_owned())
}

fn wish(account: &str) -> Allocate {
    Allocate {
        account: key(account),
        strategy: None,
        group: None,
        pinned: None,
        level: MemberLevel::Free,
        fresh: false,
        ttl_millis: None,
    }
}

async fn use_everything(store: &Store) {
    let (tenant, by) = (TenantId::from("default"), Origin::internal("test"));
    people_and_settings(store, &tenant, &by).await;
    pool_of_credentials(store, &tenant, &by).await;
    hot_path(store, &tenant).await;
    reading(store, &tenant).await;
    jobs_of_all_kinds(store, &tenant).await;
}

async fn people_and_settings(store: &Store, tenant: &TenantId, by: &Origin) {
    let (password, new) = (SecretString::from("correct horse"), SecretString::from("battery staple"));
    store.has_owner().await.unwrap();
    store.add_user(tenant, by, "ada", &password, Role::Owner).await.unwrap();
    for _ in 0..5 {
        store.sign_in(by, "ada", &new, None).await.unwrap_err();
    }
    store.sign_in(by, "nobody", &new, None).await.unwrap_err();
    store.set_password(by, "ada", &password).await.unwrap();
    let (ada, opened) = store.sign_in(by, "ada", &password, None).await.unwrap();
    sessions(store, tenant, by, &ada.id, &opened).await;
    store.change_password(by, "ada", &opened.session_id, &password, &new).await.unwrap();
    users(store, tenant, by).await;
    let token = TokenDraft {
        product: "chat".to_owned(),
        scopes: vec![Scope::All],
        member_level: MemberLevel::Free,
        note: None,
        expires_at: None,
    };
    let (id, _) = store.issue_token(tenant, by, &token).await.unwrap();
    store.tokens(tenant, None, 10).await.unwrap();
    store.count_tokens(tenant).await.unwrap();
    store.revoke_token(tenant, by, &id).await.unwrap();
    store.set_strategy(tenant, by, Strategy::Health).await.unwrap();
    store.change_settings(tenant, by, &[(Key::Strategy, None)].into(), None).await.unwrap();
    store.settings(tenant).await.unwrap();
    store.strategy(tenant).await.unwrap();
    store.longest_retention().await.unwrap();
    views(store, tenant, by).await;
    store.compiled().await.unwrap();
    store.ping().await.unwrap();
}

async fn sessions(store: &Store, tenant: &TenantId, by: &Origin, ada: &str, opened: &Opened) {
    store.refresh_session(by, &opened.refresh_token).await.unwrap();
    store.sessions(ada, None, 10).await.unwrap();
    store.count_sessions(ada).await.unwrap();
    store.session_user(tenant, &opened.session_id).await.unwrap();
    store.revoke_session(tenant, by, &opened.session_id).await.unwrap();
    store.sign_out(tenant, by, &opened.session_id).await.unwrap();
    store.sign_out_everywhere(tenant, by, ada).await.unwrap();
    store.prune_sessions(Timestamp::from_millis(0)).await.unwrap();
}

async fn users(store: &Store, tenant: &TenantId, by: &Origin) {
    let id = store.add_user(tenant, by, "bob", &SecretString::from("correct horse"), Role::Owner).await.unwrap();
    store.users(tenant, None, 10).await.unwrap();
    store.count_users(tenant).await.unwrap();
    store.user(tenant, &id).await.unwrap();
    let patch = UserPatch { role: Some(Role::Admin), ..UserPatch::default() };
    store.update_user(tenant, by, &id, &patch, None).await.unwrap();
    store.delete_user(tenant, by, &id, None).await.unwrap();
    store.note_refusal(tenant, by, Action::AccessDenied, "why").await.unwrap();
}

async fn views(store: &Store, tenant: &TenantId, by: &Origin) {
    let owner = Owner { tenant, user_id: "ada" };
    let draft = ViewDraft { page: "p".to_owned(), name: "n".to_owned(), definition: json!({}) };
    let id = store.add_view(owner, by, &draft).await.unwrap();
    store.views(owner, None, None, 10).await.unwrap();
    store.count_views(owner, None).await.unwrap();
    store.view(owner, &id).await.unwrap();
    store.update_view(owner, by, &id, None, |draft| draft).await.unwrap();
    store.delete_view(owner, by, &id, None).await.unwrap();
}

async fn rules(store: &Store, tenant: &TenantId, by: &Origin) {
    let draft = |name: &str, effect, api_id| RuleDraft {
        name: name.to_owned(),
        effect,
        matcher: Match::default(),
        target: ApiId::new(api_id).map(Target::ApiId),
        priority: 0,
        enabled: true,
        expires_at: None,
    };
    let keyed = Origin { once: Some(Once { key: "k".to_owned(), body_hash: vec![1] }), ..by.clone() };
    let id = store.add_rule(tenant, &keyed, &draft("one", Effect::Prefer, 2)).await.unwrap();
    store.add_rule(tenant, &keyed, &draft("one", Effect::Prefer, 2)).await.unwrap();
    let barred = store.add_rule(tenant, by, &draft("two", Effect::Deny, 900)).await.unwrap();
    store.rules(tenant, None, 10).await.unwrap();
    store.count_rules(tenant).await.unwrap();
    store.rule(tenant, &id).await.unwrap();
    store.update_rule(tenant, by, &id, None, |draft| draft).await.unwrap();
    store.questions_of_trial(tenant, by, &wish("t"), draft("three", Effect::Bind, 2), None).await.unwrap();
    store.delete_rule(tenant, by, &barred, None).await.unwrap();
}

async fn pool_of_credentials(store: &Store, tenant: &TenantId, by: &Origin) {
    let group =
        GroupDraft { name: "north".to_owned(), description: None, color: None, strategy: None, attributes: json!({}) };
    let north = store.add_group(tenant, by, &group).await.unwrap();
    store.update_group(tenant, by, &north, None, |_| group).await.unwrap();
    store.groups(tenant, None, 10).await.unwrap();
    store.count_groups(tenant).await.unwrap();
    for number in 1..=3 {
        let grouped = Draft { group_id: Some(north.clone()), ..draft(number) };
        store.add_credential(tenant, by, &grouped).await.unwrap();
    }
    let id = first_credential(store, tenant).await;
    let patch = Patch {
        api_hash: Some(SecretString::from("0".repeat(32))),
        source_phone: Some(None),
        group_id: Some(Some(north.clone())),
        ..Patch::default()
    };
    store.update_credential(tenant, by, &id, &patch, None).await.unwrap();
    store.reveal(tenant, by, &id, "why").await.unwrap();
    store.disable_credential(tenant, by, &id).await.unwrap();
    store.ban_credential(tenant, by, &id, "why").await.unwrap();
    store.unban_credential(tenant, by, &id).await.unwrap();
    store.reset_failures(tenant, by, &id).await.unwrap();
    store.delete_group(tenant, by, &north, None).await.unwrap();
    store.delete_credential(tenant, by, &id, true, None).await.unwrap();
    let lines = |data: &str| parse(ImportFormat::Text, data, None);
    let options = crate::batches::ImportOptions::default();
    let dry = crate::batches::ImportOptions { dry_run: true, ..options.clone() };
    store.import(tenant, by, lines("1001:x"), &dry, None, |_, _| {}).await.unwrap();
    let report = store.import(tenant, by, lines("1001:x"), &options, None, |_, _| {}).await.unwrap();
    store.undo_batch(tenant, by, &report.batch_id.unwrap()).await.unwrap();
    let (_, batch) = store.import_later(tenant, by, &json!({ "data": "" })).await.unwrap();
    store.waiting_upload(tenant, &batch).await.unwrap();
    store.prune_uploads(Timestamp::from_millis(START)).await.unwrap();
}

async fn first_credential(store: &Store, tenant: &TenantId) -> CredentialId {
    let page = Page { sort: Sort::CreatedAt, descending: false, after: None, limit: 1 };
    store.credentials(tenant, &Filter::default(), &page).await.unwrap()[0].id.clone()
}

async fn hot_path(store: &Store, tenant: &TenantId) {
    let (pool, task) = Allocator::start(store.clone(), BlameConfig::default());
    let asker = Asker { tenant: tenant.clone(), origin: Origin::internal("test") };
    rules(store, tenant, &asker.origin).await;
    let mut keyed = asker.clone();
    keyed.origin.once = Some(Once { key: "allocation".to_owned(), body_hash: vec![1] });
    for _ in 0..2 {
        pool.ask(keyed.clone(), Command::Allocate(wish("keyed"))).await.unwrap();
    }
    store.check_members(tenant, keyed.origin.once.as_ref()).await.unwrap();
    let bulk = [BulkAction::Disable, BulkAction::Enable, BulkAction::AssignGroup(None), BulkAction::Delete];
    for action in bulk {
        let id = store.add_credential(tenant, &asker.origin, &draft(700)).await.unwrap();
        let north = GroupDraft {
            name: "bulk".to_owned(),
            description: None,
            color: None,
            strategy: None,
            attributes: json!({}),
        };
        let north = store.add_group(tenant, &asker.origin, &north).await.unwrap();
        let into = BulkAction::AssignGroup(Some(north.clone()));
        store.bulk(tenant, &asker.origin, vec![id.clone()], &into).await.unwrap();
        store.bulk(tenant, &asker.origin, vec![id.clone()], &action).await.unwrap();
        store.bulk(tenant, &asker.origin, vec![id], &BulkAction::Delete).await.unwrap();
        store.delete_group(tenant, &asker.origin, &north, None).await.unwrap();
    }
    let full = ApiId::new(2);
    let report = Report {
        api_id: full.unwrap(),
        success: false,
        error: Some("API_ID_INVALID".to_owned()),
        account: Some(key("a")),
        proxy_id: None,
        latency_ms: None,
        result_id: Some("r".to_owned()),
        at: None,
    };
    for number in 0..12 {
        let strategy = Strategy::iter().nth(number % 5);
        let ask = Allocate { strategy, ttl_millis: Some(1000), ..wish(&number.to_string()) };
        pool.ask(asker.clone(), Command::Allocate(ask)).await.ok();
    }
    let pinned = Allocate { pinned: full, ..wish("pinned") };
    pool.ask(asker.clone(), Command::Allocate(pinned)).await.unwrap_err();
    pool.ask(asker.clone(), Command::Renew(Renew { account: key("1"), ttl_millis: 1000 })).await.unwrap();
    pool.ask(asker.clone(), Command::Release(Release::Account(key("1")))).await.unwrap();
    let nothing = Release::Allocation("nothing".into());
    pool.ask(asker.clone(), Command::Release(nothing)).await.unwrap_err();
    for _ in 0..100 {
        let each = Report { result_id: None, ..report.clone() };
        pool.ask(asker.clone(), Command::Report(each)).await.unwrap();
    }
    let ban = Report { result_id: None, error: Some("API_ID_PUBLISHED_FLOOD".to_owned()), ..report.clone() };
    pool.ask(asker.clone(), Command::Report(ban)).await.unwrap();
    pool.ask(asker.clone(), Command::Report(report)).await.unwrap();
    store.expire_leases(10).await.unwrap();
    let credentials = store.credentials(tenant, &Filter::default(), &page_of(Sort::ApiId, false, None)).await.unwrap();
    store.release_all(tenant, &asker.origin, &credentials[0].id).await.unwrap();
    drop(pool);
    task.await.unwrap();
}

fn page_of(sort: Sort, descending: bool, after: Option<(SortKey, String)>) -> Page {
    Page { sort, descending, after, limit: 10 }
}

async fn reading(store: &Store, tenant: &TenantId) {
    for sort in Sort::iter() {
        let key = if sort.is_text() { SortKey::Text(String::new()) } else { SortKey::Int(0) };
        for after in [None, Some((key, String::new()))] {
            for descending in [false, true] {
                let page = page_of(sort, descending, after.clone());
                store.credentials(tenant, &Filter::default(), &page).await.unwrap();
            }
        }
    }
    store.count_credentials(tenant, &Filter::default()).await.unwrap();
    store.account(tenant, &key("2")).await.unwrap();
    store.accounts(tenant, &[key("2")]).await.unwrap();
    for (account, api_id) in [(None, None), (None, ApiId::new(3)), (Some(key("2")), None)] {
        let filter = AllocationFilter { account: account.clone(), api_id };
        store.live_allocations(tenant, &filter, None, 10).await.unwrap();
        store.ended_allocations(tenant, &filter, None, 10).await.unwrap();
        store.count_allocations(tenant, &filter, true, true).await.unwrap();
        let history = HistoryFilter { account, api_id, ..HistoryFilter::default() };
        for before in [None, Some(40)] {
            store.history(tenant, &history, before, 10).await.unwrap();
        }
    }
    let moment = Some(Timestamp::from_millis(START));
    let range = HistoryFilter {
        from: moment,
        to: moment,
        actions: vec![Action::Added.to_string()],
        ..HistoryFilter::default()
    };
    store.history(tenant, &range, None, 10).await.unwrap();
    store.history_total(tenant, &range).await.unwrap();
    for strategy in Strategy::iter() {
        let asked = Allocate { strategy: Some(strategy), pinned: ApiId::new(3), ..wish("2") };
        let question = store.question(tenant, &Origin::internal("test"), &asked).await.unwrap();
        store.preview(tenant, &question, 50).await.unwrap();
    }
    store.result_counts(tenant, Timestamp::from_millis(START - DAY)).await.unwrap();
    store.status_counts(tenant).await.unwrap();
    store.score_distribution(tenant).await.unwrap();
    store.scored_at().await.unwrap();
    store.tenants().await.unwrap();
    store.newest_event().await.unwrap();
    store.oldest_event().await.unwrap();
    store.events_after(0, 10).await.unwrap();
}

async fn jobs_of_all_kinds(store: &Store, tenant: &TenantId) {
    store.score_health(&HealthConfig::default()).await.unwrap();
    let id = first_credential(store, tenant).await;
    store.health_of(tenant, &id).await.unwrap();
    let totals = store.totals(tenant).await.unwrap();
    store.set_capacity_level(tenant, Level::Critical, &totals).await.unwrap();
    let envelope = jobs::Envelope::wrap(&jobs::CheckCapacity {}).unwrap();
    let keyed = crate::queue::Options { key: Some("tick".to_owned()), after: None };
    store.enqueue(&jobs::REGISTRY[0], &envelope, &keyed).await.unwrap();
    store.due_jobs(jobs::Queue::Heavy).await.unwrap();
    store.postpone_job("none", 1, std::time::Duration::ZERO, false).await.unwrap();
    store.park_job(tenant, "check_capacity", "none", 1, "why").await.unwrap();
    store.prune_jobs(Timestamp::from_millis(START), 10).await.unwrap();
    store.prune_logs(Timestamp::from_millis(0), Timestamp::from_millis(0), 10).await.unwrap();
}

// ---- many rows

/// Ten tenants' worth of rows, as statements that both databases understand.
fn many_rows(dialect: Dialect, credentials: i64) -> Vec<String> {
    let (bytes, token, jobs) = match dialect {
        Dialect::Sqlite => ("X'00'", "CAST(i AS BLOB)", "Jobs"),
        Dialect::Postgres => ("CAST('\\x00' AS BYTEA)", "decode(lpad(to_hex(i), 8, '0'), 'hex')", "apalis.jobs"),
    };
    let accounts = credentials * 4;
    let count = |to: i64| format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {to})");
    let (some, many) = (count(credentials), count(accounts));
    vec![
        format!("{} INSERT INTO tenants (id, name, created_at) SELECT 't' || CAST(i - 1 AS TEXT), 't', 0 FROM n", count(10)),
        format!(
            "{some} INSERT INTO credentials (id, tenant_id, api_id, api_hash, api_hash_masked, name, max_accounts,
                 current_accounts, shelf, standing, success_score, recent_failures, health_score, last_allocated_at,
                 cooldown_until, deleted_at, created_at, updated_at)
             SELECT 'C' || CAST(i AS TEXT), 't' || CAST(i % 10 AS TEXT), 100000 + i, {bytes}, 'x', 'name ' || CAST(i AS TEXT), 5,
                 i * 7 % 6, CAST(i % 3 AS TEXT) || '/0/', CASE WHEN i % 23 = 0 THEN 'disabled' ELSE 'enabled' END,
                 950000 + i * 13 % 1000, i % 5, i % 101, i, CASE WHEN i % 17 = 0 THEN 9000000000000 ELSE 0 END,
                 CASE WHEN i % 29 = 0 THEN 1 END, 0, 0
             FROM n"
        ),
        format!(
            "{many} INSERT INTO accounts (tenant_id, account_id, allocation_id, credential_id, allocated_at, expires_at, last_seq)
             SELECT 't' || CAST(i % 10 AS TEXT), 'a' || CAST(i AS TEXT), CASE WHEN i % 2 = 0 THEN 'L' || CAST(i AS TEXT) END,
                 CASE WHEN i % 2 = 0 THEN 'C' || CAST(i % {credentials} + 1 AS TEXT) END, i,
                 CASE WHEN i % 6 = 0 THEN {START} + i END, i
             FROM n"
        ),
        format!(
            "{many} INSERT INTO journal (seq, tenant_id, at, action, actor, account_id, credential_id, account_prev)
             SELECT 100000 + i, 't' || CAST(i % 10 AS TEXT), {START} + i, 'api.allocated', 'svc:x', 'a' || CAST(i AS TEXT),
                 'C' || CAST(i % {credentials} + 1 AS TEXT), CASE WHEN i > 9 THEN 100000 + i - 9 END
             FROM n"
        ),
        format!(
            "{many} INSERT INTO results (seq, tenant_id, at, credential_id, success, fault, charged, reporter, noted_at, result_id)
             SELECT 100000 + i, 't' || CAST(i % 10 AS TEXT), {START} + i, 'C' || CAST(i % {credentials} + 1 AS TEXT), i % 3 > 0,
                 CASE WHEN i % 6 = 0 THEN 'credential' ELSE 'none' END, i % 6 = 0, 'svc:x', {START} + i,
                 CASE WHEN i % 2 = 0 THEN 'r' || CAST(i AS TEXT) END
             FROM n"
        ),
        format!(
            "{some} INSERT INTO credential_health (credential_id, tenant_id, computed_at)
             SELECT 'C' || CAST(i AS TEXT), 't' || CAST(i % 10 AS TEXT), {START} + i FROM n WHERE i % 2 = 0"
        ),
        format!(
            "{some} INSERT INTO idempotency_keys (tenant_id, key, body_hash, resource, created_at)
             SELECT 't' || CAST(i % 10 AS TEXT), 'k' || CAST(i AS TEXT), {bytes}, 'x', {START} + i FROM n"
        ),
        format!(
            "{some} INSERT INTO users (id, tenant_id, username, password_hash, role, created_at, updated_at)
             SELECT 'U' || CAST(i AS TEXT), 't' || CAST(i % 10 AS TEXT), 'u' || CAST(i AS TEXT), 'x', 'auditor', 0, 0
             FROM n WHERE i <= 500"
        ),
        format!(
            "{some} INSERT INTO sessions (id, tenant_id, user_id, created_at, used_at, expires_at, revoked_at)
             SELECT 'S' || CAST(i AS TEXT), 't0', 'U' || CAST(i % 500 + 1 AS TEXT), i, i, {START} + i,
                 CASE WHEN i % 9 = 0 THEN i END
             FROM n"
        ),
        format!(
            "{some} INSERT INTO refresh_tokens (token_hash, session_id, created_at)
             SELECT {token}, 'S' || CAST(i AS TEXT), i FROM n"
        ),
        format!(
            "{some} INSERT INTO {jobs} (job, id, job_type, status, attempts, max_attempts, run_at)
             SELECT one.job, 'J' || CAST(n.i AS TEXT), CASE WHEN n.i % 2 = 0 THEN 'quick' ELSE 'heavy' END,
                 CASE WHEN n.i % 50 = 0 THEN 'Pending' ELSE 'Done' END, 1, 5, one.run_at
             FROM n CROSS JOIN (SELECT job, run_at FROM {jobs} LIMIT 1) AS one"
        ),
    ]
}

/// Statements whose purpose is to look at a whole table or a tenant's whole pool, and why that is
/// well.
const WHOLE: &[(&str, &str)] = &[
    ("WITH oldest AS", "pruning walks the primary key from the old end, to a limit"),
    ("GROUP BY t.id, t.prior_alpha", "the prior is fitted to every credential, by a job"),
    ("DELETE FROM apalis.jobs", "the queue library's own table, by a job; most of it is finished"),
];

/// The same on PostgreSQL only, which reads a tenth of a table in one go where that is cheaper.
const TENANTS: &[(&str, &str)] = &[
    ("SELECT shelf, standing, cooldown_until", "the census, once a second"),
    ("SUM(CASE WHEN standing = 'banned'", "totals of a tenant"),
    ("AS status, COUNT(*) AS number", "totals of a tenant"),
    ("health_score, COUNT(*)", "totals of a tenant"),
];

fn is_among(statement: &str, list: &[(&str, &str)]) -> bool {
    list.iter().any(|(part, _)| statement.contains(part))
}

fn assert_none(bad: &[String]) {
    assert!(bad.is_empty(), "{} plans are bad:\n\n{}", bad.len(), bad.join("\n\n"));
}

fn assert_used(dialect: Dialect) {
    let ran = statements(dialect);
    let text = |sql: Sql| if dialect == Dialect::Sqlite { sql.sqlite } else { sql.postgres };
    let constants = [
        ACCOUNTS,
        ACCOUNTS_OF_ALLOCATIONS,
        ACCOUNTS_OF_CREDENTIAL,
        CENSUS,
        CREDENTIAL_IDS,
        CREDENTIALS,
        EXPIRED_ACCOUNTS,
        EXPIRED_ON_CREDENTIAL,
        EXPIRED_ON_SHELVES,
        KEEP_KEYS[usize::from(dialect == Dialect::Postgres)],
        NAMED,
        SEEN_KEYS,
        SEEN_RESULTS,
        save::CAPPED,
        save::CREDENTIALS,
        save::KNOWN_ACCOUNTS,
        save::NEW_ACCOUNTS,
        save::RESULTS,
    ];
    for constant in constants {
        let expanded = text(Sql::expand(constant));
        assert!(ran.contains(&expanded), "the story does not run\n{expanded}");
    }
    for strategy in Strategy::iter() {
        assert!(ran.contains(&text(ranking(strategy))) && ran.contains(&text(ranking_peek(strategy))), "{strategy}");
    }
    assert!(ran.len() > 120, "only {} statements ran", ran.len());
}

// ---- SQLite

/// Small tables, virtual ones and intermediate results.
const SMALL: &[&str] = &[
    "e",
    "json_each",
    "tenants",
    "t",
    "leap",
    "chain",
    "keyring",
    "heads",
    "h",
    "revision",
    "settings",
    "service_tokens",
    "credential_groups",
    "g",
    "users",
    "rules",
    "r",
    "u",
    "v",
    "saved_views",
    "CONSTANT",
    "every",
    "counted",
    "Workers",
];

async fn sqlite_plan(pool: &sqlx::SqlitePool, statement: &str) -> Vec<String> {
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let rows = sqlx::query(explain).fetch_all(pool).await.unwrap_or_else(|error| panic!("{error}: {statement}"));
    rows.iter().map(|row| row.get::<String, _>("detail")).collect()
}

async fn check_sqlite(pool: &sqlx::SqlitePool) {
    let mut bad = Vec::new();
    for statement in statements(Dialect::Sqlite) {
        let plan = sqlite_plan(pool, statement).await;
        let walks = |line: &&String| {
            line.strip_prefix("SCAN ").is_some_and(|rest| {
                let table = rest.split(' ').next().unwrap_or_default();
                !SMALL.contains(&table) && !table.starts_with('(')
            })
        };
        if plan.iter().any(|line| walks(&line)) && !is_among(statement, WHOLE) {
            bad.push(format!("{statement}\n→ {}", plan.join("\n→ ")));
        }
    }
    for strategy in Strategy::iter() {
        for statement in [ranking(strategy).sqlite, ranking_peek(strategy).sqlite] {
            let plan = sqlite_plan(pool, statement).await;
            let index = format!("INDEX credentials_{strategy} (tenant_id=? AND shelf=?)");
            if plan.len() != 1 || !plan[0].contains(&index) {
                bad.push(format!("{statement}\n→ {}", plan.join("\n→ ")));
            }
        }
    }
    for sort in ["c.id", "c.name"] {
        let pages: Vec<_> = statements(Dialect::Sqlite)
            .into_iter()
            .filter(|text| text.contains(&format!("ORDER BY {sort} ")) && text.contains("LIMIT"))
            .filter(|text| text.contains("api_hash_masked"))
            .collect();
        assert_eq!(pages.len(), 4, "{sort}");
        for statement in pages {
            let plan = sqlite_plan(pool, statement).await;
            if plan.iter().any(|line| line.contains("TEMP B-TREE")) {
                bad.push(format!("{statement}\n→ {}", plan.join("\n→ ")));
            }
        }
    }
    assert_none(&bad);
}

#[tokio::test]
async fn sqlite_walks_over_no_table_that_grows() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(Location::Sqlite(dir.path().join("pool.db"))).await;
    use_everything(&store).await;
    assert_used(Dialect::Sqlite);
    let Backend::Sqlite { write, .. } = store.db() else { unreachable!() };
    for rows in many_rows(Dialect::Sqlite, 3_000) {
        sqlx::query(AssertSqlSafe(rows)).execute(write).await.unwrap();
    }
    check_sqlite(write).await;
    sqlx::query("ANALYZE").execute(write).await.unwrap();
    // The planner reads what ANALYZE wrote when it reads the schema.
    sqlx::query("ANALYZE sqlite_schema").execute(write).await.unwrap();
    check_sqlite(write).await;
    store.close().await;
}

// ---- PostgreSQL

const GROWING: &[&str] = &[
    "credentials",
    "accounts",
    "journal",
    "results",
    "credential_health",
    "jobs",
    "idempotency_keys",
    "sessions",
    "refresh_tokens",
];

async fn postgres_plan(connection: &mut sqlx::PgConnection, statement: &str) -> Vec<String> {
    let types = RAN[Dialect::Postgres as usize].lock().unwrap()[statement].clone();
    let bracketed = |list: Vec<&str>| if list.is_empty() { String::new() } else { format!("({})", list.join(", ")) };
    let nulls = bracketed(vec!["NULL"; types.len()]);
    let run = async |connection: &mut sqlx::PgConnection, text: String| {
        sqlx::raw_sql(AssertSqlSafe(text.clone())).fetch_all(connection).await.unwrap_or_else(|e| panic!("{e}: {text}"))
    };
    run(connection, format!("PREPARE plan {} AS {statement}", bracketed(types))).await;
    let rows = run(connection, format!("EXPLAIN EXECUTE plan{nulls}")).await;
    run(connection, "DEALLOCATE plan".to_owned()).await;
    rows.iter().map(|row| row.get::<String, _>(0)).collect()
}

async fn check_postgres(connection: &mut sqlx::PgConnection) {
    let mut bad = Vec::new();
    for statement in statements(Dialect::Postgres) {
        let plan = postgres_plan(connection, statement).await;
        let walks = |line: &String| {
            line.split_once("Seq Scan on ").is_some_and(|(_, rest)| {
                let table = rest.split(' ').next().unwrap_or_default();
                GROWING.contains(&table)
            })
        };
        let compiled = plan.iter().any(|line| line.contains("JIT"));
        let exempt = is_among(statement, WHOLE) || is_among(statement, TENANTS);
        if compiled || (plan.iter().any(walks) && !exempt) {
            bad.push(format!("{statement}\n→ {}", plan.join("\n→ ")));
        }
    }
    for strategy in Strategy::iter() {
        for statement in [ranking(strategy).postgres, ranking_peek(strategy).postgres] {
            let plan = postgres_plan(connection, statement).await;
            let indexed = plan.iter().any(|line| line.contains(&format!("using credentials_{strategy} ")));
            if !indexed || plan.iter().any(|line| line.contains("Sort")) {
                bad.push(format!("{statement}\n→ {}", plan.join("\n→ ")));
            }
        }
    }
    assert_none(&bad);
}

#[tokio::test]
async fn postgres_walks_over_no_table_that_grows() {
    let migrate = |url| -> futures::future::BoxFuture<'static, ()> {
        Box::pin(async { open(Location::Postgres(url)).await.close().await })
    };
    let name = server::create(migrate).await;
    let store = open(Location::Postgres(server::url(&name))).await;
    use_everything(&store).await;
    assert_used(Dialect::Postgres);
    let Backend::Postgres { write: pool, .. } = store.db() else { unreachable!() };
    for rows in many_rows(Dialect::Postgres, 15_000) {
        sqlx::query(AssertSqlSafe(rows)).execute(pool).await.unwrap();
    }
    // No VACUUM: a plan must not hang on pages being marked as visible to all.
    sqlx::query("ANALYZE").execute(pool).await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    // As it plans for any values, not for those of the moment.
    sqlx::query("SET plan_cache_mode = force_generic_plan").execute(&mut *connection).await.unwrap();
    check_postgres(&mut connection).await;
    drop(connection);
    store.close().await;
    server::drop(&name).await;
}
