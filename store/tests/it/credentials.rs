//! Credentials as people see and edit them.

use domain::credential::Standing;
use domain::health::Grade;
use domain::time::{MINUTE, SECOND};
use domain::{MemberLevel, Status};
use secrecy::{ExposeSecret, SecretString};
use store::accounts::AllocationFilter;
use store::credentials::{Credential, Filter, Patch};
use store::{StoreError, Total};

use crate::world::{SECRET, World, draft, hash_of, on_both, origin};

on_both! {
    a_credential_comes_back_as_it_was_drafted,
    an_api_id_is_there_once,
    a_patch_keeps_what_is_absent_and_clears_what_is_null,
    a_patch_insists_on_the_version,
    patches_at_the_same_time_do_not_undo_each_other,
    slots_may_be_fewer_than_accounts,
    deleting_asks_for_force_while_accounts_hold_it,
    deleting_by_force_gives_up_when_the_count_is_wrong,
    a_deleted_credential_is_gone_and_may_come_back_as_a_new_one,
    standing_is_decided_by_people,
    failures_are_forgiven,
    revealing_is_noted,
}

async fn patch(w: &World, one: &Credential, patch: &Patch) -> Credential {
    w.store.update_credential(&w.tenant, &origin(), &one.id, patch, Some(one.version)).await.unwrap();
    w.credential(&one.id).await
}

async fn a_credential_comes_back_as_it_was_drafted(w: &World) {
    let north = w.add_group("north").await;
    let id = w
        .add_with(2_147_483_647, |d| {
            d.name = "Größe 帳號 '\"; --".to_owned();
            d.max_accounts = 7;
            d.group_id = Some(north.clone());
            d.priority = -3;
            d.is_premium = true;
            d.min_member_level = MemberLevel::King;
            d.tags = vec!["a".to_owned(), "b\"c".to_owned()];
            d.source_phone = Some(SecretString::from("+8613800000001"));
            d.note = Some("two\nlines".to_owned());
        })
        .await;
    let one = w.credential(&id).await;
    assert_eq!((one.api_id.get(), one.name.as_str()), (2_147_483_647, "Größe 帳號 '\"; --"));
    assert_eq!((one.max_accounts, one.current_accounts, one.free_slots()), (7, 0, 7));
    assert_eq!((one.group_id.clone(), one.group_name.as_deref()), (Some(north), Some("north")));
    assert_eq!((one.priority, one.is_premium, one.min_member_level), (-3, true, MemberLevel::King));
    assert_eq!(one.tags, ["a", "b\"c"]);
    assert_eq!((one.source_phone_masked.as_deref(), one.note.as_deref()), (Some("+86•••0001"), Some("two\nlines")));
    assert_eq!(one.api_hash_masked, format!("{}…3647", &SECRET[..4]));
    assert_eq!((one.standing, one.status(), one.version), (Standing::Enabled, Status::Available, 1));
    assert_eq!((one.health_score, one.health_grade), (100, Grade::Excellent));
    assert_eq!((one.created_at, one.updated_at), (w.now(), w.now()));
    assert_eq!((one.cooldown_until, one.last_allocated_at, one.last_failure_at), (None, None, None));
    let plain = w.add(7).await;
    let plain = w.credential(&plain).await;
    assert_eq!((plain.group_name, plain.source_phone_masked, plain.note), (None, None, None));
    assert!(plain.tags.is_empty());
}

async fn an_api_id_is_there_once(w: &World) {
    w.add(1).await;
    let again = w.store.add_credential(&w.tenant, &origin(), &draft(1)).await;
    assert!(matches!(again, Err(StoreError::AlreadyExists("api_id"))), "{again:?}");
    let nowhere = domain::credential::Draft { group_id: Some("nowhere".into()), ..draft(2) };
    let refused = w.store.add_credential(&w.tenant, &origin(), &nowhere).await;
    assert!(matches!(&refused, Err(StoreError::Invalid(why)) if why.fields[0].field == "group_id"), "{refused:?}");
    assert_eq!(w.actions().await, ["api.added"], "what is refused leaves no trace");
}

async fn a_patch_keeps_what_is_absent_and_clears_what_is_null(w: &World) {
    let north = w.add_group("north").await;
    let id = w
        .add_with(1, |d| {
            d.group_id = Some(north.clone());
            d.note = Some("note".to_owned());
            d.source_phone = Some(SecretString::from("+8613800000001"));
            d.tags = vec!["a".to_owned()];
        })
        .await;
    let before = w.credential(&id).await;
    w.wait(10);
    let renamed = patch(w, &before, &Patch { name: Some("other".to_owned()), ..Patch::default() }).await;
    assert_eq!((renamed.name.as_str(), renamed.version, renamed.updated_at), ("other", 2, w.now()));
    assert_eq!((&renamed.group_id, &renamed.note, &renamed.tags), (&before.group_id, &before.note, &before.tags));
    assert_eq!(renamed.source_phone_masked, before.source_phone_masked);
    assert_eq!(
        (renamed.created_at, renamed.api_hash_masked.as_str()),
        (before.created_at, before.api_hash_masked.as_str())
    );

    let cleared = Patch {
        group_id: Some(None),
        note: Some(None),
        source_phone: Some(None),
        tags: Some(Vec::new()),
        ..Patch::default()
    };
    let cleared = patch(w, &renamed, &cleared).await;
    assert_eq!((cleared.group_id, cleared.note, cleared.source_phone_masked), (None, None, None));
    assert!(cleared.tags.is_empty());
    let told = w.newest("api.updated").await;
    let (was, is) = (&told["before"], &told["after"]);
    assert_eq!((&was["note"], &is["note"]), (&"note".into(), &serde_json::Value::Null));
    assert_eq!((&was["group_id"], &is["group_id"]), (&serde_json::json!(north), &serde_json::Value::Null));
    assert_eq!(is["source_phone"], "replaced");
    assert!(was.get("name").is_none() && is.get("name").is_none());

    let changed = Patch {
        api_hash: Some(SecretString::from(hash_of(99))),
        max_accounts: Some(9),
        group_id: Some(Some(north.clone())),
        priority: Some(4),
        is_premium: Some(true),
        min_member_level: Some(MemberLevel::Gold),
        source_phone: Some(Some(SecretString::from("+8613900000002"))),
        ..Patch::default()
    };
    let cleared = w.credential(&id).await;
    let changed = patch(w, &cleared, &changed).await;
    assert_eq!((changed.max_accounts, changed.priority, changed.is_premium), (9, 4, true));
    assert_eq!((changed.group_id, changed.min_member_level), (Some(north.clone()), MemberLevel::Gold));
    assert_eq!(changed.source_phone_masked.as_deref(), Some("+86•••0002"));
    let (_, plain) = w.store.reveal(&w.tenant, &origin(), &id, "check").await.unwrap();
    assert_eq!(plain.expose_secret(), hash_of(99));
    assert_eq!(w.ask("a", |a| (a.level, a.group) = (MemberLevel::King, Some(north))).await.unwrap().api_id.get(), 1);
}

async fn a_patch_insists_on_the_version(w: &World) {
    let id = w.add(1).await;
    let rename = Patch { name: Some("x".to_owned()), ..Patch::default() };
    let update = async |expected| w.store.update_credential(&w.tenant, &origin(), &id, &rename, expected).await;
    assert!(matches!(update(Some(2)).await, Err(StoreError::Stale)));
    update(Some(1)).await.unwrap();
    assert!(matches!(update(Some(1)).await, Err(StoreError::Stale)));
    // An edit that changes nothing is none.
    update(None).await.unwrap();
    assert_eq!(w.credential(&id).await.version, 2);
    let note = Patch { note: Some(Some("y".to_owned())), ..rename.clone() };
    w.store.update_credential(&w.tenant, &origin(), &id, &note, None).await.unwrap();
    assert_eq!(w.credential(&id).await.version, 3);
    assert_eq!(w.newest("api.updated").await["after"], serde_json::json!({ "note": "y" }));
    // What the pool does by itself moves no version.
    w.allocate("a").await.unwrap();
    w.report(1, |_| {}).await.unwrap();
    assert_eq!(w.credential(&id).await.version, 3);
    let delete = async |expected| w.store.delete_credential(&w.tenant, &origin(), &id, true, expected).await;
    assert!(matches!(delete(Some(1)).await, Err(StoreError::Stale)));
    delete(Some(3)).await.unwrap();
    assert!(matches!(update(None).await, Err(StoreError::NotFound("credential"))));
}

async fn patches_at_the_same_time_do_not_undo_each_other(w: &World) {
    let id = w.add(1).await;
    let other = w.another_store().await;
    for round in 0..20 {
        let name = Patch { name: Some(format!("name {round}")), ..Patch::default() };
        let note = Patch { note: Some(Some(format!("note {round}"))), ..Patch::default() };
        let (tenant, origin) = (&w.tenant, origin());
        let (one, two) = tokio::join!(
            w.store.update_credential(tenant, &origin, &id, &name, None),
            other.update_credential(tenant, &origin, &id, &note, None)
        );
        one.unwrap();
        two.unwrap();
        let after = w.credential(&id).await;
        assert_eq!((after.name, after.note), (format!("name {round}"), Some(format!("note {round}"))));
    }
}

async fn slots_may_be_fewer_than_accounts(w: &World) {
    let id = w.add(1).await;
    for account in ["a", "b", "c"] {
        w.allocate(account).await.unwrap();
    }
    w.wait(1);
    let one = patch(w, &w.credential(&id).await, &Patch { max_accounts: Some(1), ..Patch::default() }).await;
    assert_eq!((one.current_accounts, one.free_slots()), (3, 0));
    assert!(w.allocate("d").await.is_err());
    assert!(w.allocate("a").await.unwrap().existing);
    w.release("a").await.unwrap();
    w.release("b").await.unwrap();
    assert!(w.allocate("d").await.is_err());
    w.release("c").await.unwrap();
    w.allocate("d").await.unwrap();
}

async fn deleting_asks_for_force_while_accounts_hold_it(w: &World) {
    let id = w.add_with(1, |d| d.max_accounts = 500).await;
    let commands = (0..450).map(|n| store::allocator::Command::Allocate(crate::world::wish(&n.to_string()))).collect();
    w.pool.ask_all(&w.asker(), commands).await;
    let refused = w.store.delete_credential(&w.tenant, &origin(), &id, false, None).await;
    assert!(matches!(&refused, Err(StoreError::Conflict(why)) if why.contains("450")), "{refused:?}");
    w.store.delete_credential(&w.tenant, &origin(), &id, true, None).await.unwrap();
    assert_eq!(w.count("api.released").await, 450);
    assert_eq!(w.newest("api.released").await["reason"], "forced");
    assert_eq!(w.actions().await.last().map(String::as_str), Some("api.removed"));
    assert_eq!(w.raw.number("SELECT COUNT(*) FROM accounts WHERE allocation_id IS NOT NULL").await, 0);
}

async fn deleting_by_force_gives_up_when_the_count_is_wrong(w: &World) {
    let id = w.add(1).await;
    w.raw.run("UPDATE credentials SET current_accounts = 1").await;
    let stuck = w.store.delete_credential(&w.tenant, &origin(), &id, true, None).await;
    assert!(matches!(stuck, Err(StoreError::Damaged(_))), "{stuck:?}");
    w.raw.run("UPDATE credentials SET current_accounts = 0").await;
}

async fn a_deleted_credential_is_gone_and_may_come_back_as_a_new_one(w: &World) {
    let (store, tenant) = (&w.store, &w.tenant);
    let old = w.add(1).await;
    w.allocate("a").await.unwrap();
    w.release("a").await.unwrap();
    store.delete_credential(tenant, &origin(), &old, false, None).await.unwrap();
    let gone = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::NotFound("credential"))), "{result:?}");
    };
    gone(store.credential(tenant, &old).await.map(|_| ()));
    gone(store.delete_credential(tenant, &origin(), &old, false, None).await);
    gone(store.enable_credential(tenant, &origin(), &old).await);
    gone(store.ban_credential(tenant, &origin(), &old, "x").await);
    gone(store.unban_credential(tenant, &origin(), &old).await);
    gone(store.reset_failures(tenant, &origin(), &old).await);
    gone(store.reveal(tenant, &origin(), &old, "x").await.map(|_| ()));
    assert_eq!(store.count_credentials(tenant, &Filter::default()).await.unwrap(), Total::default());
    let new = w.add(1).await;
    assert_ne!(new, old);
    let back = w.allocate("a").await.unwrap();
    assert_eq!((back.credential_id, &*back.strategy_used), (new, "balanced"), "another credential, no affinity");
    // What was recorded of the old one still names its api_id.
    let (ended, _) = store.ended_allocations(tenant, &AllocationFilter::default(), None, 10).await.unwrap();
    assert_eq!(ended[0].api_id, Some(1));
}

async fn standing_is_decided_by_people(w: &World) {
    let (store, tenant) = (&w.store, &w.tenant);
    let id = w.add(1).await;
    let status = async || w.credential(&id).await.status();
    store.enable_credential(tenant, &origin(), &id).await.unwrap();
    assert_eq!((w.actions().await.len(), w.credential(&id).await.version), (1, 1), "nothing changed, nothing noted");
    store.disable_credential(tenant, &origin(), &id).await.unwrap();
    assert_eq!(status().await, Status::Disabled);
    assert!(w.allocate("a").await.is_err());
    store.enable_credential(tenant, &origin(), &id).await.unwrap();
    w.allocate("a").await.unwrap();
    assert_eq!(status().await, Status::InUse);
    store.disable_credential(tenant, &origin(), &id).await.unwrap();
    store.ban_credential(tenant, &origin(), &id, "leaked").await.unwrap();
    assert_eq!(status().await, Status::Banned);
    let banned = w.credential(&id).await;
    assert_eq!((banned.ban_reason.as_deref(), banned.health_score), (Some("leaked"), 20), "the score shows it at once");
    for refused in
        [store.enable_credential(tenant, &origin(), &id).await, store.disable_credential(tenant, &origin(), &id).await]
    {
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    }
    let scoring = async || store.due_jobs(jobs::Queue::Heavy).await.unwrap();
    w.wait(MINUTE);
    assert!(scoring().await, "enabling asked for a new score");
    w.raw.run(&format!("DELETE FROM {}", w.raw.jobs())).await;
    store.unban_credential(tenant, &origin(), &id).await.unwrap();
    assert!(!scoring().await);
    w.wait(11 * SECOND);
    assert!(scoring().await, "so did lifting the ban");
    let lifted = w.credential(&id).await;
    assert_eq!((lifted.status(), lifted.ban_reason), (Status::InUse, None));
    assert!(matches!(store.unban_credential(tenant, &origin(), &id).await, Err(StoreError::Conflict(_))));
    let expected =
        ["api.added", "api.disabled", "api.enabled", "api.allocated", "api.disabled", "api.banned", "api.unbanned"];
    assert_eq!(w.actions().await, expected);
    assert_eq!(
        w.newest("api.banned").await,
        serde_json::json!({ "before": "disabled", "after": "banned", "reason": "leaked" })
    );
}

async fn failures_are_forgiven(w: &World) {
    let id = w.add(1).await;
    w.fails(1, "a", "API_ID_INVALID").await;
    w.raw.run("UPDATE credentials SET cooldown_until = 9000000000000").await;
    assert!(w.allocate("b").await.is_err());
    w.store.reset_failures(&w.tenant, &origin(), &id).await.unwrap();
    let one = w.credential(&id).await;
    assert_eq!((one.consecutive_failures, one.cooldown_until, one.fail_count, one.version), (0, None, 1, 2));
    w.allocate("b").await.unwrap();
    // For good: what fails from now on does not bring the others back.
    w.wait(SECOND);
    w.fails(1, "c", "API_ID_INVALID").await;
    w.store.score_health(&domain::health::HealthConfig::default()).await.unwrap();
    assert_eq!(w.raw.number("SELECT recent_failures FROM credentials").await, 1);
    w.store.reset_failures(&w.tenant, &origin(), &id).await.unwrap();
    // The suspicion is forgiven as well: the next witness is the first.
    assert_eq!(w.fails(1, "b", "API_ID_INVALID").await.action, domain::blame::Action::CredentialFlagged);
    assert_eq!(w.newest("api.failures_reset").await["consecutive_failures"], 1);
}

async fn revealing_is_noted(w: &World) {
    let id = w.add(1).await;
    let (one, plain) = w.store.reveal(&w.tenant, &origin(), &id, "migration").await.unwrap();
    assert_eq!((one.api_id.get(), plain.expose_secret()), (1, hash_of(1).as_str()));
    assert_eq!(w.newest("api.revealed").await, serde_json::json!({ "reason": "migration" }));
    type Row = (String, Option<String>, Option<String>, Option<String>);
    let row = w
        .raw
        .all::<Row>("SELECT actor, ip, request_id, credential_id FROM journal WHERE action = 'api.revealed'")
        .await;
    let expected = ("user:tester".into(), Some("192.0.2.1".into()), Some("req-1".into()), Some(id.as_str().to_owned()));
    assert_eq!(row, [expected]);
}
