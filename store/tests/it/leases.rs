//! Leases: allocations that end by the clock.

use domain::time::{MINUTE, SECOND};
use domain::{AllocationId, MemberLevel};
use store::allocator::{Command, Done, Refused, Release};

use crate::world::{World, api_id, assert_refused, key, on_both, origin, wish};

on_both! {
    a_lease_ends_by_the_clock,
    a_lease_is_renewed_from_now,
    only_leases_are_renewed,
    the_slot_of_an_ended_lease_is_its_accounts_own,
    an_exhausted_pool_lets_go_of_ended_leases,
    a_pinned_credential_lets_go_of_its_ended_leases,
    ended_leases_elsewhere_do_not_hide_those_that_matter,
    a_preview_lets_go_of_ended_leases_too,
    the_job_lets_go_in_small_steps,
    a_sticky_answer_does_not_prolong_a_lease,
}

async fn lease(w: &World, account: &str, ttl: i64) -> store::allocator::Allocated {
    w.ask(account, |a| a.ttl_millis = Some(ttl)).await.unwrap()
}

async fn a_lease_ends_by_the_clock(w: &World) {
    let id = w.add(1).await;
    let first = lease(w, "a", MINUTE).await;
    assert_eq!(first.expires_at, Some(w.now().plus(MINUTE)));
    w.wait(MINUTE - 1);
    assert!(w.allocate("a").await.unwrap().existing);
    w.wait(1);
    let again = w.allocate("a").await.unwrap();
    assert_eq!((again.existing, &*again.strategy_used, again.expires_at), (false, "affinity", None));
    assert_ne!(again.allocation_id, first.allocation_id);
    assert_eq!(w.credential(&id).await.current_accounts, 1);
    let ended = w.newest("api.released").await;
    assert_eq!(ended["reason"], "expired");
    assert_eq!(ended["allocation_id"], first.allocation_id.as_str());
}

async fn a_preview_lets_go_of_ended_leases_too(w: &World) {
    w.add_with(1, |d| d.max_accounts = 1).await;
    w.add_with(2, |d| d.max_accounts = 1).await;
    lease(w, "a", SECOND).await;
    lease(w, "b", MINUTE).await;
    let chosen = async |pinned: Option<i64>| {
        let ask = store::allocator::Allocate { pinned: pinned.map(api_id), ..wish("c") };
        let question = w.store.question(&w.tenant, &origin(), &ask).await.unwrap();
        let preview = w.store.preview(&w.tenant, &question, 50).await.unwrap();
        preview.explain(&question.request, w.now()).outcome.is_ok()
    };
    assert!(!chosen(None).await, "both are held");
    w.wait(SECOND);
    let trace = w.actions().await.len();
    assert_eq!((chosen(None).await, chosen(Some(1)).await, chosen(Some(2)).await), (true, true, false));
    assert_eq!(w.actions().await.len(), trace, "a preview changes nothing");
    assert_refused!(w.ask("c", |a| a.pinned = Some(api_id(2))).await, Refused::PinnedUnavailable(_));
    assert_eq!(w.allocate("c").await.unwrap().api_id, api_id(1));
}

async fn a_lease_is_renewed_from_now(w: &World) {
    w.add(1).await;
    let first = lease(w, "a", MINUTE).await;
    w.wait(40 * SECOND);
    let renewed = w.renew("a", MINUTE).await.unwrap();
    assert_eq!((renewed.allocation_id, renewed.expires_at), (first.allocation_id.clone(), w.now().plus(MINUTE)));
    w.wait(40 * SECOND);
    let kept = w.allocate("a").await.unwrap();
    assert_eq!((kept.allocation_id, kept.existing), (first.allocation_id, true));
    // A shorter one counts from now, too.
    w.renew("a", SECOND).await.unwrap();
    w.wait(SECOND);
    assert_refused!(w.renew("a", MINUTE).await, Refused::NotAllocated);
    assert_eq!(w.count("api.renewed").await, 2);
}

async fn only_leases_are_renewed(w: &World) {
    w.add(1).await;
    w.allocate("a").await.unwrap();
    assert_refused!(w.renew("a", MINUTE).await, Refused::NotALease);
    assert_refused!(w.renew("b", MINUTE).await, Refused::NotAllocated);
    lease(w, "c", SECOND).await;
    w.wait(SECOND);
    assert_refused!(w.release("c").await, Refused::NotAllocated);
    assert_refused!(w.release("c").await, Refused::NotAllocated);
    assert_eq!(w.count("api.released").await, 1, "its end is noted once");
    let ended = lease(w, "d", SECOND).await;
    w.wait(SECOND);
    let late = w.let_go(Release::Allocation(AllocationId::from(ended.allocation_id.as_str()))).await;
    assert_refused!(late, Refused::NotAllocated);
}

async fn the_slot_of_an_ended_lease_is_its_accounts_own(w: &World) {
    w.add_with(1, |d| (d.max_accounts, d.priority) = (1, 1)).await;
    w.add(2).await;
    assert_eq!(lease(w, "a", SECOND).await.api_id.get(), 1);
    w.wait(SECOND);
    let back = w.allocate("a").await.unwrap();
    assert_eq!((back.api_id.get(), &*back.strategy_used), (1, "affinity"));
    let pinned = w.ask("a", |a| (a.fresh, a.pinned) = (true, Some(api_id(1)))).await.unwrap();
    assert_eq!((pinned.api_id.get(), &*pinned.strategy_used), (1, "manual"));
}

async fn an_exhausted_pool_lets_go_of_ended_leases(w: &World) {
    let id = w.add_with(1, |d| d.max_accounts = 3).await;
    for account in ["a", "b", "c"] {
        lease(w, account, SECOND).await;
    }
    assert_refused!(w.allocate("d").await, Refused::PoolFull);
    w.renew("c", MINUTE).await.unwrap();
    w.wait(SECOND);
    let commands = ["d", "e", "f"].map(|account| Command::Allocate(wish(account)));
    let answers = w.pool.ask_all(&w.asker(), commands.into()).await;
    assert!(matches!(answers[0], Ok(Done::Allocated(_))), "{:?}", answers[0]);
    assert!(matches!(answers[1], Ok(Done::Allocated(_))), "{:?}", answers[1]);
    assert_refused!(&answers[2], Refused::PoolFull);
    assert_eq!(w.credential(&id).await.current_accounts, 3);
    assert_refused!(w.release("a").await, Refused::NotAllocated);
    w.release("c").await.unwrap();
}

async fn a_pinned_credential_lets_go_of_its_ended_leases(w: &World) {
    w.add_with(1, |d| d.max_accounts = 1).await;
    w.add(2).await;
    w.ask("a", |a| (a.pinned, a.ttl_millis) = (Some(api_id(1)), Some(SECOND))).await.unwrap();
    w.wait(SECOND);
    assert_eq!(w.ask("b", |a| a.pinned = Some(api_id(1))).await.unwrap().api_id.get(), 1);
}

async fn ended_leases_elsewhere_do_not_hide_those_that_matter(w: &World) {
    // Many on a credential that the caller may not have, which ended first; one that matters.
    let gold = w.add_with(1, |d| (d.max_accounts, d.min_member_level) = (500, MemberLevel::Gold)).await;
    w.add_with(2, |d| d.max_accounts = 1).await;
    let command = |account: String| {
        Command::Allocate(store::allocator::Allocate {
            level: MemberLevel::King,
            pinned: Some(api_id(1)),
            ttl_millis: Some(SECOND),
            ..wish(&account)
        })
    };
    let answers = w.pool.ask_all(&w.asker(), (0..450).map(|n| command(n.to_string())).collect()).await;
    assert!(answers.iter().all(Result::is_ok));
    lease(w, "held", SECOND + 1).await;
    w.wait(2 * SECOND);
    assert_eq!(w.gets("next").await, 2);
    assert_eq!(w.credential(&gold).await.current_accounts, 450, "those are left to the job");
}

async fn the_job_lets_go_in_small_steps(w: &World) {
    let id = w.add(1).await;
    for account in ["a", "b", "c"] {
        lease(w, account, SECOND).await;
        w.wait(1);
    }
    w.allocate("d").await.unwrap();
    assert_eq!(w.store.expire_leases(10).await.unwrap(), 0);
    w.wait(SECOND - 2);
    assert_eq!(w.store.expire_leases(10).await.unwrap(), 2);
    w.wait(1);
    assert_eq!(w.store.expire_leases(10).await.unwrap(), 1);
    assert_eq!(w.store.expire_leases(10).await.unwrap(), 0);
    assert_eq!(w.credential(&id).await.current_accounts, 1);
    let by = w.raw.all::<(String,)>("SELECT actor FROM journal WHERE action = 'api.released'").await;
    assert_eq!(by, vec![("job:expire_leases".to_owned(),); 3]);
    let account = w.store.account(&w.tenant, &key("a")).await.unwrap().unwrap();
    assert_eq!((account.allocation_id, account.former_api_id), (None, Some(1)));
    lease(w, "e", SECOND).await;
    lease(w, "f", SECOND).await;
    w.wait(SECOND);
    assert_eq!(w.store.expire_leases(1).await.unwrap(), 1);
    assert_eq!(w.store.expire_leases(1).await.unwrap(), 1);
}

async fn a_sticky_answer_does_not_prolong_a_lease(w: &World) {
    let id = w.add(1).await;
    let first = lease(w, "a", MINUTE).await;
    w.wait(SECOND);
    let again = lease(w, "a", 10 * MINUTE).await;
    assert_eq!((again.existing, again.expires_at), (true, first.expires_at));
    // Leases on a credential that was switched off end all the same.
    w.store.disable_credential(&w.tenant, &origin(), &id).await.unwrap();
    w.wait(MINUTE);
    assert_refused!(w.allocate("a").await, Refused::NoneAvailable(_));
    assert_eq!(w.store.expire_leases(10).await.unwrap(), 1);
}
