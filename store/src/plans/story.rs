//! A story that uses everything once, so that no statement is forgotten.

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
use domain::trend::Layout;
use domain::{AccountKey, ApiId, CredentialId, MemberLevel, Strategy, TenantId, Timestamp};
use secrecy::SecretString;
use serde_json::json;
use strum::IntoEnumIterator;

use crate::accounts::AllocationFilter;
use crate::allocator::{Allocate, Allocator, Asker, Command, Release, Renew, Report};
use crate::credentials::{BulkAction, Filter, Page, Patch, Sort, SortKey};
use crate::groups::GroupDraft;
use crate::history::HistoryFilter;
use crate::people::sessions::Opened;
use crate::people::users::UserPatch;
use crate::tokens::TokenDraft;
use crate::views::{Owner, ViewDraft};
use crate::{Once, Origin, Refusal, Slice, Store};

use super::START;

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
    Allocate::new(key(account))
}

pub(super) async fn use_everything(store: &Store) {
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
    store.set_password(by, &store.user_by_name("ada").await.unwrap().unwrap(), &password).await.unwrap();
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
    for slice in slices() {
        store.tokens(tenant, &slice).await.unwrap();
        store.count_tokens(tenant, &slice).await.unwrap();
    }
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

/// Both directions of a short list.
fn slices() -> [Slice; 2] {
    [false, true].map(|newest_first| Slice { q: "a".to_owned(), newest_first, after: None, limit: 10 })
}

async fn sessions(store: &Store, tenant: &TenantId, by: &Origin, ada: &str, opened: &Opened) {
    store.refresh_session(by, &opened.refresh_token).await.unwrap();
    // Within the time of grace, as another tab would.
    store.refresh_session(by, &opened.refresh_token).await.unwrap();
    for slice in slices() {
        store.sessions(ada, &slice).await.unwrap();
        store.count_sessions(ada, &slice).await.unwrap();
    }
    store.session_of_refresh_token(&opened.refresh_token).await.unwrap();
    store.session_user(tenant, &opened.session_id).await.unwrap();
    store.revoke_session(tenant, by, &opened.session_id).await.unwrap();
    store.sign_out(tenant, by, &opened.session_id).await.unwrap();
    store.sign_out_everywhere(tenant, by, ada).await.unwrap();
    store.prune_sessions(Timestamp::from_millis(0)).await.unwrap();
}

async fn users(store: &Store, tenant: &TenantId, by: &Origin) {
    let id = store.add_user(tenant, by, "bob", &SecretString::from("correct horse"), Role::Owner).await.unwrap();
    for slice in slices() {
        store.users(tenant, &slice).await.unwrap();
        store.count_users(tenant, &slice).await.unwrap();
    }
    store.user(tenant, &id).await.unwrap();
    let patch = UserPatch { role: Some(Role::Admin), ..UserPatch::default() };
    store.update_user(tenant, by, &id, &patch, None).await.unwrap();
    store.delete_user(tenant, by, &id, None).await.unwrap();
    store.note_refusal(tenant, by, Refusal::new(Action::AccessDenied, "why")).await.unwrap();
    store.note_gathered(true).await.unwrap();
}

async fn views(store: &Store, tenant: &TenantId, by: &Origin) {
    let owner = Owner { tenant, user_id: "ada" };
    let draft = ViewDraft { page: "p".to_owned(), name: "n".to_owned(), definition: json!({}) };
    let id = store.add_view(owner, by, &draft).await.unwrap();
    for slice in slices() {
        store.views(owner, None, &slice).await.unwrap();
        store.count_views(owner, None, &slice).await.unwrap();
    }
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
    store.rules(tenant).await.unwrap();
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
    for slice in slices() {
        store.groups(tenant, &slice).await.unwrap();
        store.count_groups(tenant, &slice).await.unwrap();
    }
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
    store.claim_batch(tenant, keyed.origin.once.as_ref()).await.unwrap();
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
    store.reach_of_filter(tenant, &Filter::default(), None).await.unwrap();
    store.reach_of_ids(tenant, &[first_credential(store, tenant).await]).await.unwrap();
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
    let now = Timestamp::from_millis(START);
    store.trend(tenant, &Layout::of(24, now)).await.unwrap();
    store.samples(tenant, now).await.unwrap();
    store.measured_at().await.unwrap();
    store.score_distribution(tenant).await.unwrap();
    store.scored_at().await.unwrap();
    store.tenants().await.unwrap();
    store.newest_event().await.unwrap();
    store.oldest_event().await.unwrap();
    store.events_after(0, 10).await.unwrap();
    store.figures().await.unwrap();
}

async fn jobs_of_all_kinds(store: &Store, tenant: &TenantId) {
    store.score_health(&HealthConfig::default()).await.unwrap();
    store.measure_pool(crate::trend::SLICE).await.unwrap();
    store.prune_figures(tenant, Timestamp::from_millis(0), 10).await.unwrap();
    let id = first_credential(store, tenant).await;
    store.health_of(tenant, &id).await.unwrap();
    let totals = store.totals(tenant).await.unwrap();
    store.set_capacity_level(tenant, &Origin::internal("test"), Level::Critical, &totals).await.unwrap();
    let envelope = jobs::Envelope::wrap(&jobs::CheckCapacity {}).unwrap();
    let keyed = crate::queue::Options { key: Some("tick".to_owned()), after: None };
    store.enqueue(&jobs::REGISTRY[0], &envelope, &keyed).await.unwrap();
    store.due_jobs(jobs::Queue::Heavy).await.unwrap();
    store.postpone_job("none", 1, std::time::Duration::ZERO, false).await.unwrap();
    store.park_job(tenant, "check_capacity", "none", 1, "why").await.unwrap();
    store.prune_jobs(Timestamp::from_millis(START), 10).await.unwrap();
    store.prune_logs(Timestamp::from_millis(0), Timestamp::from_millis(0), 10).await.unwrap();
    store.prune_keys(10).await.unwrap();
}
