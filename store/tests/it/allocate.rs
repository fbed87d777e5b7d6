//! Who gets which credential: one rule of the design a story.

use domain::allocation::{PinnedProblem, Reason};
use domain::health::HealthConfig;
use domain::time::MINUTE;
use domain::{AccountState, AllocationId, MemberLevel, Strategy};
use secrecy::ExposeSecret;
use store::allocator::{Command, Done, Refused, Release};
use store::groups::GroupDraft;

use crate::world::{World, api_id, assert_refused, group, hash_of, key, on_both, origin, success, wish};

on_both! {
    an_account_is_bound_and_stays_bound,
    balanced_goes_to_the_emptiest,
    round_robin_goes_to_the_longest_unused,
    success_rate_and_least_failures_follow_the_reports,
    health_follows_the_scores,
    the_request_goes_before_the_group_before_the_tenant,
    premium_and_priority_go_before_the_strategy,
    nothing_but_a_ban_takes_a_credential_away,
    an_account_returns_to_its_former_credential,
    affinity_yields_to_what_forbids_it,
    pinned_is_that_one_or_a_refusal,
    fresh_lets_go_and_starts_anew_in_one_step,
    fresh_never_returns_to_a_draining_credential,
    levels_and_groups_close_shelves,
    a_full_pool_and_an_empty_one_are_told_apart,
    reasons_are_counted_credential_by_credential,
    an_unavailable_account_keeps_what_it_has,
    release_by_account_and_by_allocation,
    tenants_do_not_see_each_other,
}

async fn an_account_is_bound_and_stays_bound(w: &World) {
    let id = w.add(1).await;
    let first = w.allocate("a").await.unwrap();
    assert_eq!((first.api_id.get(), first.existing, &*first.strategy_used), (1, false, "balanced"));
    assert_eq!((first.api_hash.expose_secret(), &*first.name), (hash_of(1).as_str(), "app 1"));
    assert_eq!((first.allocated_at, first.expires_at, first.account_cooldown_until), (w.now(), None, None));
    w.wait(1_000);
    let again = w.allocate("a").await.unwrap();
    let sticky = (again.allocation_id, again.existing, &*again.strategy_used, again.allocated_at);
    assert_eq!(sticky, (first.allocation_id, true, "existing", first.allocated_at));
    assert_eq!(w.actions().await, ["api.added", "api.allocated"], "an answer that changes nothing leaves no trace");
    let credential = w.credential(&id).await;
    assert_eq!((credential.current_accounts, credential.free_slots()), (1, 4));
    assert_eq!(credential.last_allocated_at, Some(first.allocated_at));
}

async fn balanced_goes_to_the_emptiest(w: &World) {
    w.add_with(1, |d| d.max_accounts = 2).await;
    w.wait(1);
    w.add_with(2, |d| d.max_accounts = 4).await;
    let mut got = Vec::new();
    for account in 0..6 {
        got.push(w.gets(&account.to_string()).await);
    }
    // 0/2 0/4 → 1/2 0/4 → 1/2 1/4 → 1/2 2/4 (the older id) → 2/2 2/4 → …
    assert_eq!(got, [1, 2, 2, 1, 2, 2]);
}

async fn round_robin_goes_to_the_longest_unused(w: &World) {
    for number in 1..=3 {
        w.add(number).await;
        w.wait(1);
    }
    let mut got = Vec::new();
    for account in 0..7 {
        w.wait(1);
        let strategy = Some(Strategy::RoundRobin);
        let one = w.ask(&account.to_string(), |a| a.strategy = strategy).await.unwrap();
        got.push(one.api_id.get());
        assert_eq!(&*one.strategy_used, "round_robin");
    }
    assert_eq!(got, [1, 2, 3, 1, 2, 3, 1]);
}

async fn success_rate_and_least_failures_follow_the_reports(w: &World) {
    for number in 1..=3 {
        w.add(number).await;
        w.wait(1);
    }
    for _ in 0..20 {
        w.report(2, |_| {}).await.unwrap();
    }
    let by = async |account: &str, strategy| {
        let one = w.ask(account, |a| a.strategy = Some(strategy)).await.unwrap();
        assert_eq!(*one.strategy_used, strategy.to_string());
        one.api_id.get()
    };
    assert_eq!(by("a", Strategy::SuccessRate).await, 2);
    w.fails(1, "x", "API_ID_INVALID").await;
    w.fails(2, "x", "API_ID_INVALID").await;
    w.fails(2, "x", "API_ID_INVALID").await;
    assert_eq!(by("b", Strategy::LeastFailures).await, 3);
    // Without 3, one failure is better than two.
    w.store.disable_credential(&w.tenant, &origin(), &w.allocate("b").await.unwrap().credential_id).await.unwrap();
    assert_eq!(by("c", Strategy::LeastFailures).await, 1);
    // 20 of 22 against 0 of 1: the evidence is thin, but what there is speaks for 2.
    assert_eq!(by("d", Strategy::SuccessRate).await, 2);
}

async fn health_follows_the_scores(w: &World) {
    let sick = w.add(1).await;
    w.wait(1);
    w.add(2).await;
    for _ in 0..5 {
        w.fails(1, "x", "API_ID_INVALID").await;
    }
    w.store.score_health(&HealthConfig::default()).await.unwrap();
    assert!(w.credential(&sick).await.health_score < 90);
    let one = w.ask("a", |a| a.strategy = Some(Strategy::Health)).await.unwrap();
    assert_eq!((one.api_id.get(), &*one.strategy_used), (2, "health"));
}

async fn the_request_goes_before_the_group_before_the_tenant(w: &World) {
    let group = GroupDraft { strategy: Some(Strategy::RoundRobin), ..group("north") };
    let group = w.store.add_group(&w.tenant, &origin(), &group).await.unwrap();
    w.add_with(1, |d| (d.group_id, d.max_accounts) = (Some(group.clone()), 50)).await;
    w.store.set_strategy(&w.tenant, &origin(), Strategy::Health).await.unwrap();
    let used = async |account, asked, group| {
        w.ask(account, |a| (a.strategy, a.group) = (asked, group)).await.unwrap().strategy_used.to_string()
    };
    assert_eq!(used("a", None, None).await, "health");
    assert_eq!(used("b", None, Some(group.clone())).await, "round_robin");
    assert_eq!(used("c", Some(Strategy::LeastFailures), Some(group.clone())).await, "least_failures");
    let asked = store::allocator::Allocate { group: Some(group), ..crate::world::wish("d") };
    let question = w.store.question(&w.tenant, &origin(), &asked).await.unwrap();
    assert_eq!(question.request.strategy, Strategy::RoundRobin);
    assert_eq!(w.store.strategy(&w.tenant).await.unwrap(), Strategy::Health);
}

async fn premium_and_priority_go_before_the_strategy(w: &World) {
    w.add_with(1, |d| (d.is_premium, d.priority) = (true, -5)).await;
    w.wait(1);
    w.add(2).await;
    w.wait(1);
    w.add_with(3, |d| d.priority = 9).await;
    for strategy in [Strategy::Balanced, Strategy::SuccessRate, Strategy::LeastFailures, Strategy::RoundRobin] {
        let with = async |account: String, level| {
            let one = w.ask(&account, |a| (a.level, a.strategy) = (level, Some(strategy))).await.unwrap();
            w.release(&account).await.unwrap();
            (one.api_id.get(), one.member_level)
        };
        assert_eq!(with(format!("g{strategy}"), MemberLevel::Gold).await, (1, MemberLevel::Gold), "{strategy}");
        assert_eq!(with(format!("s{strategy}"), MemberLevel::Silver).await, (3, MemberLevel::Silver), "{strategy}");
    }
}

async fn nothing_but_a_ban_takes_a_credential_away(w: &World) {
    let id = w.add(1).await;
    let held = w.allocate("a").await.unwrap().allocation_id;
    w.add(2).await;
    let (store, tenant) = (&w.store, &w.tenant);
    let kept = async || {
        let one = w.ask("a", |a| (a.strategy, a.level) = (Some(Strategy::Health), MemberLevel::Free)).await.unwrap();
        assert_eq!((one.api_id.get(), &one.allocation_id, one.existing), (1, &held, true));
    };
    store.disable_credential(tenant, &origin(), &id).await.unwrap();
    kept().await;
    store.enable_credential(tenant, &origin(), &id).await.unwrap();
    let king = store::credentials::Patch { min_member_level: Some(MemberLevel::King), ..Default::default() };
    store.update_credential(tenant, &origin(), &id, &king, None).await.unwrap();
    kept().await;
    w.raw.run("UPDATE credentials SET cooldown_until = 9000000000000 WHERE api_id = 1").await;
    kept().await;
    store.ban_credential(tenant, &origin(), &id, "leaked").await.unwrap();
    assert_refused!(w.allocate("a").await, Refused::CredentialBanned);
    let out = w.ask("a", |a| a.fresh = true).await.unwrap();
    assert_eq!((out.api_id.get(), out.existing), (2, false));
    assert_eq!(w.credential(&id).await.current_accounts, 0);
}

async fn an_account_returns_to_its_former_credential(w: &World) {
    w.add_with(1, |d| d.priority = 1).await;
    let second = w.add(2).await;
    let pinned = w.ask("a", |a| a.pinned = Some(api_id(2))).await.unwrap();
    assert_eq!((pinned.api_id.get(), &*pinned.strategy_used), (2, "manual"));
    w.release("a").await.unwrap();
    assert_eq!(w.gets("b").await, 1, "the ranking prefers 1");
    let back = w.allocate("a").await.unwrap();
    assert_eq!((back.api_id.get(), &*back.strategy_used, back.existing), (2, "affinity", false));
    assert_ne!(back.allocation_id, pinned.allocation_id);
    assert_eq!(w.credential(&second).await.current_accounts, 1);
}

async fn affinity_yields_to_what_forbids_it(w: &World) {
    let former = w.add_with(1, |d| (d.priority, d.max_accounts) = (1, 1)).await;
    w.add_with(2, |d| d.max_accounts = 100).await;
    let (store, tenant) = (&w.store, &w.tenant);
    let again = async |account: &str| {
        let one = w.allocate(account).await.unwrap();
        w.release(account).await.unwrap();
        (one.api_id.get(), one.strategy_used.to_string())
    };
    assert_eq!(again("a").await, (1, "balanced".to_owned()));
    assert_eq!(w.gets("b").await, 1, "now it is full");
    assert_eq!(again("a").await, (2, "balanced".to_owned()));
    w.release("b").await.unwrap();
    assert_eq!(again("a").await, (2, "affinity".to_owned()), "the former one is the last one");
    store.disable_credential(tenant, &origin(), &former).await.unwrap();
    assert_eq!(again("b").await.0, 2);
    store.enable_credential(tenant, &origin(), &former).await.unwrap();
    assert_eq!(again("c").await.0, 1);
    store.delete_credential(tenant, &origin(), &former, false, None).await.unwrap();
    assert_eq!(again("c").await, (2, "balanced".to_owned()));
}

async fn pinned_is_that_one_or_a_refusal(w: &World) {
    let one = w.add_with(1, |d| d.max_accounts = 1).await;
    w.add(2).await;
    let pin = async |account: &str, number: i64| w.ask(account, |a| a.pinned = Some(api_id(number))).await;
    assert_eq!(&*pin("a", 1).await.unwrap().strategy_used, "manual");
    assert_eq!(&*pin("a", 1).await.unwrap().strategy_used, "existing");
    assert_refused!(pin("a", 2).await, Refused::PinnedUnavailable(PinnedProblem::HoldsAnother));
    assert_refused!(pin("b", 1).await, Refused::PinnedUnavailable(PinnedProblem::Full));
    assert_refused!(pin("b", 9).await, Refused::PinnedUnavailable(PinnedProblem::Unknown));
    w.release("a").await.unwrap();
    w.store.disable_credential(&w.tenant, &origin(), &one).await.unwrap();
    assert_refused!(pin("b", 1).await, Refused::PinnedUnavailable(PinnedProblem::Rejected(Reason::Disabled)));
    w.store.delete_credential(&w.tenant, &origin(), &one, false, None).await.unwrap();
    assert_refused!(pin("b", 1).await, Refused::PinnedUnavailable(PinnedProblem::Unknown));
    assert_eq!(w.count("api.allocated").await, 1, "a refusal changes nothing");
}

async fn fresh_lets_go_and_starts_anew_in_one_step(w: &World) {
    w.add_with(1, |d| d.max_accounts = 1).await;
    let first = w.allocate("a").await.unwrap();
    w.wait(5);
    // The slot that is given back is there to be taken, in a pool that is full.
    let second = w.ask("a", |a| a.fresh = true).await.unwrap();
    assert_eq!((second.api_id, second.existing), (first.api_id, false));
    assert_ne!(second.allocation_id, first.allocation_id);
    assert_eq!(second.allocated_at, w.now());
    assert_eq!(w.actions().await[1..], ["api.allocated", "api.released", "api.allocated"]);
    assert_eq!(w.newest("api.released").await["reason"], "fresh");
    assert_eq!(w.newest("api.released").await["allocation_id"], first.allocation_id.as_str());
    w.store.disable_credential(&w.tenant, &origin(), &first.credential_id).await.unwrap();
    // Nothing to go to: it keeps what it has.
    assert_refused!(w.ask("a", |a| a.fresh = true).await, Refused::NoneAvailable(_));
    assert_eq!(w.allocate("a").await.unwrap().allocation_id, second.allocation_id);
}

async fn fresh_never_returns_to_a_draining_credential(w: &World) {
    let id = w.add(1).await;
    for account in ["a", "b", "c"] {
        w.allocate(account).await.unwrap();
    }
    let fewer = store::credentials::Patch { max_accounts: Some(2), ..Default::default() };
    w.wait(1);
    w.store.update_credential(&w.tenant, &origin(), &id, &fewer, None).await.unwrap();
    w.wait(1);
    assert_refused!(w.ask("a", |a| a.fresh = true).await, Refused::PoolFull);
    assert_eq!(w.credential(&id).await.current_accounts, 3);
    w.release("b").await.unwrap();
    w.release("c").await.unwrap();
    assert_eq!(w.ask("a", |a| a.fresh = true).await.unwrap().api_id.get(), 1);
}

async fn levels_and_groups_close_shelves(w: &World) {
    let group = w.add_group("north").await;
    w.add_with(1, |d| d.min_member_level = MemberLevel::Gold).await;
    w.add_with(2, |d| d.group_id = Some(group.clone())).await;
    let low = w.ask("a", |a| a.level = MemberLevel::Silver).await.unwrap();
    assert_eq!((low.api_id.get(), low.group_id), (2, Some(group.clone())), "no group asked for is any group");
    w.store.set_strategy(&w.tenant, &origin(), Strategy::RoundRobin).await.unwrap();
    let high = w.ask("b", |a| a.level = MemberLevel::Diamond).await.unwrap();
    assert_eq!(high.api_id.get(), 1);
    let grouped = w.ask("c", |a| (a.level, a.group) = (MemberLevel::King, Some(group.clone()))).await.unwrap();
    assert_eq!(grouped.api_id.get(), 2);
    let elsewhere = w.ask("d", |a| a.group = Some("no such group".into())).await;
    assert_refused!(elsewhere, Refused::UnknownGroup);
}

async fn a_full_pool_and_an_empty_one_are_told_apart(w: &World) {
    assert_refused!(w.allocate("a").await, Refused::NoneAvailable(reasons) if reasons.is_empty());
    let one = w.add_with(1, |d| d.max_accounts = 1).await;
    w.allocate("a").await.unwrap();
    assert_refused!(w.allocate("b").await, Refused::PoolFull);
    w.store.disable_credential(&w.tenant, &origin(), &one).await.unwrap();
    assert_refused!(
        w.allocate("b").await,
        Refused::NoneAvailable(reasons) if reasons == [(Reason::Disabled, 1)].into_iter().collect()
    );
    w.store.delete_credential(&w.tenant, &origin(), &one, true, None).await.unwrap();
    assert_refused!(w.allocate("b").await, Refused::NoneAvailable(reasons) if reasons.is_empty());
}

async fn reasons_are_counted_credential_by_credential(w: &World) {
    let group = w.add_group("north").await;
    let (store, tenant) = (&w.store, &w.tenant);
    for number in 1..=6 {
        let id = w.add_with(number, |d| {
            if number <= 5 {
                d.group_id = Some(group.clone());
            }
            if number == 5 {
                d.min_member_level = MemberLevel::Bronze;
            }
        });
        let id = id.await;
        match number {
            1 | 2 => store.ban_credential(tenant, &origin(), &id, "test").await.unwrap(),
            3 => store.disable_credential(tenant, &origin(), &id).await.unwrap(),
            _ => {}
        }
    }
    w.raw.run("UPDATE credentials SET cooldown_until = 9000000000000 WHERE api_id = 4").await;
    let counted =
        [(Reason::Group, 1), (Reason::Banned, 2), (Reason::Disabled, 1), (Reason::Cooling, 1), (Reason::Level, 1)];
    assert_refused!(
        w.ask("a", |a| a.group = Some(group.clone())).await,
        Refused::NoneAvailable(reasons) if reasons == counted.into_iter().collect()
    );
}

async fn an_unavailable_account_keeps_what_it_has(w: &World) {
    w.add(1).await;
    for account in ["cooling", "frozen", "retired"] {
        w.allocate(account).await.unwrap();
    }
    w.fails(1, "cooling", "FLOOD_WAIT_60").await;
    w.fails(1, "frozen", "FROZEN_METHOD_INVALID").await;
    w.fails(1, "retired", "USER_DEACTIVATED_BAN").await;
    let until = w.now().plus(MINUTE);
    let kept = w.allocate("cooling").await.unwrap();
    assert_eq!((kept.existing, kept.account_cooldown_until), (true, Some(until)));
    for account in ["cooling", "frozen", "retired"] {
        assert!(w.allocate(account).await.unwrap().existing, "{account}");
        assert_refused!(w.ask(account, |a| a.fresh = true).await, Refused::AccountUnavailable { .. });
        w.release(account).await.unwrap();
    }
    assert_refused!(
        w.allocate("cooling").await,
        Refused::AccountUnavailable { state: AccountState::Active, until: Some(end) } if end == until
    );
    assert_refused!(
        w.allocate("frozen").await,
        Refused::AccountUnavailable { state: AccountState::Frozen, until: None }
    );
    assert_refused!(
        w.ask("retired", |a| a.pinned = Some(api_id(1))).await,
        Refused::AccountUnavailable { state: AccountState::Retired, until: None }
    );
    w.wait(MINUTE);
    let thawed = w.allocate("cooling").await.unwrap();
    assert_eq!((&*thawed.strategy_used, thawed.account_cooldown_until), ("affinity", None));
}

async fn release_by_account_and_by_allocation(w: &World) {
    let id = w.add(1).await;
    let a = w.allocate("a").await.unwrap();
    let b = w.allocate("b").await.unwrap();
    w.wait(7);
    let released = w.release("a").await.unwrap();
    assert_eq!(
        (released.allocation_id.clone(), released.api_id, released.account),
        (a.allocation_id, a.api_id, a.account)
    );
    assert_eq!(released.released_at, w.now());
    assert_refused!(w.release("a").await, Refused::NotAllocated);
    assert_refused!(w.release("unheard of").await, Refused::NotAllocated);
    let released = w.let_go(Release::Allocation(b.allocation_id.clone())).await.unwrap();
    assert_eq!((released.allocation_id.clone(), released.account), (b.allocation_id.clone(), b.account));
    assert_refused!(w.let_go(Release::Allocation(b.allocation_id)).await, Refused::NotAllocated);
    assert_refused!(w.let_go(Release::Allocation(AllocationId::from("nonsense"))).await, Refused::NotAllocated);
    assert_eq!(w.credential(&id).await.current_accounts, 0);
    // An old allocation's id does not end the account's new one.
    let new = w.allocate("a").await.unwrap();
    assert_refused!(w.let_go(Release::Allocation(released.allocation_id)).await, Refused::NotAllocated);
    assert_eq!(w.allocate("a").await.unwrap().allocation_id, new.allocation_id);
}

async fn tenants_do_not_see_each_other(w: &World) {
    w.raw.run("INSERT INTO tenants (id, name, created_at) VALUES ('other', 'Other', 0)").await;
    let mine = w.add(1).await;
    let other = domain::TenantId::from("other");
    let asker = store::allocator::Asker { tenant: other.clone(), origin: origin() };
    w.allocate("a").await.unwrap();
    let theirs = async |command| w.pool.ask(asker.clone(), command).await;
    assert_refused!(theirs(Command::Allocate(wish("a"))).await, Refused::NoneAvailable(reasons) if reasons.is_empty());
    assert_refused!(theirs(Command::Release(Release::Account(key("a")))).await, Refused::NotAllocated);
    let held = w.allocate("a").await.unwrap().allocation_id;
    assert_refused!(theirs(Command::Release(Release::Allocation(held))).await, Refused::NotAllocated);
    assert_refused!(theirs(Command::Report(success(1))).await, Refused::UnknownCredential);
    let pinned = store::allocator::Allocate { pinned: Some(api_id(1)), ..wish("b") };
    assert_refused!(theirs(Command::Allocate(pinned)).await, Refused::PinnedUnavailable(PinnedProblem::Unknown));
    // The same account and the same api_id are another account and another credential there.
    let second = w.store.add_credential(&other, &origin(), &crate::world::draft(1)).await.unwrap();
    assert_ne!(mine, second);
    let Done::Allocated(one) = theirs(Command::Allocate(wish("a"))).await.unwrap() else { panic!() };
    assert_eq!(one.credential_id, second);
    assert!(w.store.credential(&other, &mine).await.is_err());
    assert_eq!(
        w.store.account(&other, &key("a")).await.unwrap().unwrap().credential_id.as_deref(),
        Some(second.as_str())
    );
    let nowhere = store::allocator::Asker { tenant: "nowhere".into(), origin: origin() };
    assert!(w.pool.ask(nowhere, Command::Allocate(wish("a"))).await.is_err());
}
