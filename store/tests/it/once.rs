//! Requests with a key of their own: made once, answered alike.

use domain::access::{Role, Scope};
use domain::import::{ImportFormat, parse};
use domain::rule::{Effect, Match, RuleDraft};
use domain::time::DAY;
use domain::{CredentialId, MemberLevel};
use futures::future::join_all;
use secrecy::{ExposeSecret, SecretString};
use store::allocator::{Allocated, Allocator, Command, Done, Refused};
use store::batches::{ImportOptions, LineOutcome};
use store::tokens::TokenDraft;
use store::{Once, Origin, StoreError};

use crate::world::{World, api_id, draft, group, hash_of, key, on_both, origin, wish};

on_both! {
    a_creation_is_made_once,
    another_body_is_refused,
    a_key_is_good_for_a_day,
    old_keys_are_forgotten_some_at_a_time,
    an_allocation_is_made_once,
    many_at_once_make_one,
    a_refusal_keeps_nothing,
    an_import_is_made_once,
    no_secret_is_kept,
}

fn once(name: &str, body: &str) -> Origin {
    Origin { once: Some(Once { key: name.to_owned(), body_hash: body.as_bytes().to_vec() }), ..origin() }
}

async fn allocate(w: &World, pool: &Allocator, by: Origin, account: &str) -> Result<Allocated, Refused> {
    let mut asker = w.asker();
    asker.origin = by;
    match pool.ask(asker, Command::Allocate(store::allocator::Allocate { fresh: true, ..wish(account) })).await? {
        Done::Allocated(one) => Ok(*one),
        other => panic!("{other:?}"),
    }
}

async fn a_creation_is_made_once(w: &World) {
    let add = async || w.store.add_credential(&w.tenant, &once("c", "1"), &draft(1)).await.unwrap();
    assert_eq!(add().await, add().await);
    let add = async || w.store.add_group(&w.tenant, &once("g", "1"), &group("north")).await.unwrap();
    assert_eq!(add().await, add().await);
    let matcher = Match::default();
    let rule = RuleDraft {
        name: "r".to_owned(),
        effect: Effect::Deny,
        matcher,
        target: None,
        priority: 0,
        enabled: false,
        expires_at: None,
    };
    let add = async || w.store.add_rule(&w.tenant, &once("r", "1"), &rule).await.unwrap();
    assert_eq!(add().await, add().await);
    let password = SecretString::from("correct horse battery");
    let add = async || w.store.add_user(&w.tenant, &once("u", "1"), "ada", &password, Role::Admin).await.unwrap();
    assert_eq!(add().await, add().await);
    let token = TokenDraft {
        product: "chat".to_owned(),
        scopes: vec![Scope::All],
        member_level: MemberLevel::Free,
        note: None,
        expires_at: None,
    };
    let (id, text) = w.store.issue_token(&w.tenant, &once("t", "1"), &token).await.unwrap();
    let again = w.store.issue_token(&w.tenant, &once("t", "1"), &token).await.unwrap();
    assert!(text.is_some() && again.0 == id && again.1.is_none(), "a token is shown once");
    let told = ["api.added", "group.added", "rule.added", "user.added", "token.issued"];
    assert_eq!(w.actions().await, told, "each happened once");
}

async fn another_body_is_refused(w: &World) {
    w.store.add_credential(&w.tenant, &once("k", "1"), &draft(1)).await.unwrap();
    let other = w.store.add_credential(&w.tenant, &once("k", "2"), &draft(2)).await;
    assert!(matches!(other, Err(StoreError::Conflict(_))), "{other:?}");
    let other = w.store.add_group(&w.tenant, &once("k", "3"), &group("north")).await;
    assert!(matches!(other, Err(StoreError::Conflict(_))), "{other:?}");
    // A key of something else, taken for an allocation.
    let other = allocate(w, &w.pool, once("k", "4"), "a").await;
    assert!(matches!(other, Err(Refused::KeyReused)), "{other:?}");
    allocate(w, &w.pool, once("a", "1"), "a").await.unwrap();
    let other = allocate(w, &w.pool, once("a", "2"), "b").await;
    assert!(matches!(other, Err(Refused::KeyReused)), "{other:?}");
}

async fn a_key_is_good_for_a_day(w: &World) {
    let first = w.store.add_credential(&w.tenant, &once("k", "1"), &draft(1)).await.unwrap();
    let bound = allocate(w, &w.pool, once("a", "1"), "a").await.unwrap();
    w.wait(DAY - 1);
    assert_eq!(w.store.add_credential(&w.tenant, &once("k", "1"), &draft(1)).await.unwrap(), first);
    assert_eq!(allocate(w, &w.pool, once("a", "1"), "a").await.unwrap().allocation_id, bound.allocation_id);
    w.wait(1);
    assert!(w.store.add_credential(&w.tenant, &once("k", "2"), &draft(2)).await.is_ok());
    let anew = allocate(w, &w.pool, once("a", "2"), "a").await.unwrap();
    assert_ne!(anew.allocation_id, bound.allocation_id);
}

async fn an_allocation_is_made_once(w: &World) {
    let id = w.add(1).await;
    w.add(2).await;
    let first = allocate(w, &w.pool, once("k", "1"), "a").await.unwrap();
    let again = allocate(w, &w.pool, once("k", "1"), "a").await.unwrap();
    assert_eq!(again.allocation_id, first.allocation_id, "a fresh start is made once");
    assert_eq!((again.existing, &*again.strategy_used, again.allocated_at), (false, "balanced", first.allocated_at));
    assert_eq!(again.api_hash.expose_secret(), hash_of(first.api_id.get()));
    assert_eq!(w.count("api.allocated").await, 1);
    // The same result, whatever happened since.
    w.release("a").await.unwrap();
    let gone: CredentialId = first.credential_id.clone();
    w.store.delete_credential(&w.tenant, &origin(), &gone, true, None).await.unwrap();
    assert_eq!(allocate(w, &w.pool, once("k", "1"), "a").await.unwrap().allocation_id, first.allocation_id);
    assert_eq!(w.raw.number("SELECT COUNT(*) FROM accounts WHERE allocation_id IS NOT NULL").await, 0);
    let _ = id;
    // What it held already is answered as such, both times.
    w.allocate("b").await.unwrap();
    for _ in 0..2 {
        let mut asker = w.asker();
        asker.origin = once("b", "1");
        let Ok(Done::Allocated(kept)) = w.pool.ask(asker, Command::Allocate(wish("b"))).await else { panic!() };
        assert!(kept.existing && &*kept.strategy_used == "existing");
    }
}

async fn many_at_once_make_one(w: &World) {
    for number in 1..=3 {
        w.add(number).await;
    }
    let (second, task) = Allocator::start(w.another_store().await, domain::blame::BlameConfig::default());
    let all = (0..50).map(|n| allocate(w, if n % 2 == 0 { &w.pool } else { &second }, once("k", "1"), "a"));
    let ids: std::collections::HashSet<_> =
        join_all(all).await.into_iter().map(|one| one.unwrap().allocation_id.to_string()).collect();
    assert_eq!((ids.len(), w.count("api.allocated").await), (1, 1));
    let new = draft(9);
    let all = (0..50).map(|_| {
        let (new, by) = (&new, once("c", "1"));
        async move { w.store.add_credential(&w.tenant, &by, new).await.unwrap() }
    });
    let ids: std::collections::HashSet<_> = join_all(all).await.into_iter().collect();
    assert_eq!((ids.len(), w.count("api.added").await), (1, 4));
    drop(second);
    task.await.unwrap();
}

async fn old_keys_are_forgotten_some_at_a_time(w: &World) {
    for number in 0..5 {
        w.store.claim_batch(&w.tenant, once(&number.to_string(), "1").once.as_ref()).await.unwrap();
        w.wait(1);
    }
    w.wait(DAY - 1);
    // The last of them is good for a moment more; logs that are pruned take no keys along.
    assert_eq!(w.store.prune_logs(w.now(), w.now(), 10).await.unwrap(), 0);
    for expected in [2, 2, 0] {
        assert_eq!(w.store.prune_keys(2).await.unwrap(), expected);
    }
    assert_eq!(w.raw.number("SELECT COUNT(*) FROM idempotency_keys").await, 1);
}

async fn a_refusal_keeps_nothing(w: &World) {
    let refused = allocate(w, &w.pool, once("k", "1"), "a").await;
    assert!(matches!(refused, Err(Refused::NoneAvailable(_))));
    w.add(1).await;
    allocate(w, &w.pool, once("k", "1"), "a").await.unwrap();
    w.store.add_group(&w.tenant, &origin(), &group("north")).await.unwrap();
    assert!(w.store.add_group(&w.tenant, &once("g", "1"), &group("north")).await.is_err());
    assert_eq!(w.raw.number("SELECT COUNT(*) FROM idempotency_keys").await, 1);
}

async fn an_import_is_made_once(w: &World) {
    w.add(1003).await;
    let lines = || parse(ImportFormat::Text, "1001:x\n1002:y\n1003:z\nbad", None);
    let options = ImportOptions::default();
    let import = async |by: Origin| w.store.import(&w.tenant, &by, lines(), &options, None, |_, _| {}).await;
    let first = import(once("i", "1")).await.unwrap();
    assert_eq!((first.imported, first.duplicates, first.rejected), (2, 1, 1));
    // Also when one of them is gone by now.
    let rows = w.raw.all::<(String,)>("SELECT id FROM credentials WHERE api_id = 1001").await;
    w.store.delete_credential(&w.tenant, &origin(), &rows[0].0.as_str().into(), true, None).await.unwrap();
    let again = import(once("i", "1")).await.unwrap();
    assert_eq!((again.imported, again.duplicates, again.rejected), (2, 1, 1));
    assert_eq!(again.batch_id, first.batch_id);
    assert_eq!(again.lines[0].outcome, LineOutcome::Imported);
    assert_eq!((w.count("batch.imported").await, w.count("api.added").await), (1, 3));
    assert!(matches!(import(once("i", "2")).await, Err(StoreError::Conflict(_))));
    w.store.undo_batch(&w.tenant, &origin(), &first.batch_id.unwrap()).await.unwrap();
    assert!(matches!(import(once("i", "1")).await, Err(StoreError::Conflict(_))), "undone is undone");

    let later = async || w.store.import_later(&w.tenant, &once("l", "1"), &serde_json::json!({ "data": "" })).await;
    assert_eq!(later().await.unwrap(), later().await.unwrap());
    let jobs = w.raw.number(&format!("SELECT COUNT(*) FROM {} WHERE job_type = 'heavy'", w.raw.jobs())).await;
    assert_eq!(jobs, 1);
}

async fn no_secret_is_kept(w: &World) {
    w.store.add_credential(&w.tenant, &once("c", "1"), &draft(1)).await.unwrap();
    let given = allocate(w, &w.pool, once("k", "1"), key("a").as_str()).await.unwrap();
    assert_eq!(given.api_id, api_id(1));
    let kept = w.raw.all::<(String,)>("SELECT resource FROM idempotency_keys").await;
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|(text,)| !text.contains(&hash_of(1))));
}
