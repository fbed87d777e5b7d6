//! Rules, consulted by every allocation.

use domain::allocation::{PinnedProblem, Reason};
use domain::blame::BlameConfig;
use domain::rule::{Effect, Match, RuleDraft, Target};
use domain::{CredentialId, GroupId, MemberLevel};
use store::StoreError;
use store::allocator::{Allocator, Command, Done, Refused};

use crate::world::{World, api_id, on_both, origin, wish};

on_both! {
    a_deny_refuses_whom_it_matches_and_breaks_nothing,
    a_denied_target_is_out_of_the_choice,
    an_allow_reserves_its_target,
    a_bind_gives_its_target_or_refuses,
    a_prefer_ranks_its_target_first,
    ended_leases_on_a_bound_credential_are_let_go,
    many_barred_credentials_hide_nobody,
    reasons_count_what_rules_take_out,
    a_rule_holds_for_the_next_allocation_everywhere,
    an_expired_rule_does_nothing,
    rules_are_kept_and_changed,
    a_group_that_rules_are_about_stays,
    a_trial_changes_nothing,
}

fn rule(name: &str, effect: Effect, target: Option<Target>) -> RuleDraft {
    let matcher = Match::default();
    RuleDraft { name: name.to_owned(), effect, matcher, target, priority: 0, enabled: true, expires_at: None }
}

fn for_accounts(pattern: &str, draft: RuleDraft) -> RuleDraft {
    RuleDraft { matcher: Match { account: Some(pattern.to_owned()), ..Match::default() }, ..draft }
}

#[allow(clippy::unnecessary_wraps, reason = "as a draft takes it")]
fn one(number: i64) -> Option<Target> {
    Some(Target::ApiId(api_id(number)))
}

async fn add(w: &World, draft: &RuleDraft) -> String {
    w.store.add_rule(&w.tenant, &origin(), draft).await.unwrap()
}

/// A group with one credential of its own.
async fn group_with(w: &World, name: &str, number: i64) -> (GroupId, CredentialId) {
    let group = w.add_group(name).await;
    let id = w.add_with(number, |d| d.group_id = Some(group.clone())).await;
    (group, id)
}

async fn a_deny_refuses_whom_it_matches_and_breaks_nothing(w: &World) {
    w.add(1).await;
    let held = w.allocate("chat:held").await.unwrap();
    add(w, &for_accounts("chat:*", rule("no chat", Effect::Deny, None))).await;
    let again = w.allocate("chat:held").await.unwrap();
    assert_eq!((again.allocation_id.clone(), again.existing), (held.allocation_id.clone(), true));
    let denied = |answer: Result<_, Refused>| matches!(answer, Err(Refused::DeniedByRule(name)) if name == "no chat");
    assert!(denied(w.allocate("chat:new").await));
    assert!(denied(w.ask("chat:new", |a| a.pinned = Some(api_id(1))).await));
    // A fresh start is refused before what stands is let go.
    assert!(denied(w.ask("chat:held", |a| a.fresh = true).await));
    assert_eq!(w.allocate("chat:held").await.unwrap().allocation_id, held.allocation_id);
    w.release("chat:held").await.unwrap();
    assert!(denied(w.allocate("chat:held").await), "also from what it held before");
    w.allocate("other").await.unwrap();
}

async fn a_denied_target_is_out_of_the_choice(w: &World) {
    w.add_with(1, |d| d.priority = 9).await;
    let (group, _) = group_with(w, "north", 2).await;
    w.add(3).await;
    w.allocate("old").await.unwrap();
    w.release("old").await.unwrap();
    add(w, &rule("not 1", Effect::Deny, one(1))).await;
    add(w, &for_accounts("x*", rule("not north", Effect::Deny, Some(Target::Group(group.clone()))))).await;
    assert_eq!(w.gets("x1").await, 3);
    assert_eq!(w.gets("y1").await, 2);
    assert_ne!(w.gets("old").await, 1, "affinity comes after the rules");
    let pinned = w.ask("z", |a| a.pinned = Some(api_id(1))).await;
    assert!(matches!(pinned, Err(Refused::PinnedUnavailable(PinnedProblem::Rejected(Reason::Rule)))), "{pinned:?}");
    let asked_for = w.ask("x2", |a| a.group = Some(group)).await;
    assert!(matches!(asked_for, Err(Refused::NoneAvailable(reasons)) if reasons[&Reason::Rule] == 1));
}

async fn an_allow_reserves_its_target(w: &World) {
    let (group, _) = group_with(w, "north", 1).await;
    w.add_with(2, |d| d.max_accounts = 1).await;
    let of_service = Match { operator: Some("svc:chat".to_owned()), ..Match::default() };
    add(w, &RuleDraft { matcher: of_service, ..rule("chat's", Effect::Allow, Some(Target::Group(group))) }).await;
    assert_eq!(w.gets("a").await, 2);
    assert!(matches!(w.allocate("b").await, Err(Refused::PoolFull)));
    let mut chat = w.asker();
    chat.origin.actor = "svc:chat".into();
    let got = w.pool.ask(chat, Command::Allocate(wish("c"))).await;
    assert!(matches!(got, Ok(Done::Allocated(one)) if one.api_id == api_id(1)));
}

async fn a_bind_gives_its_target_or_refuses(w: &World) {
    w.add_with(1, |d| d.max_accounts = 2).await;
    let (group, north) = group_with(w, "north", 2).await;
    add(w, &for_accounts("one:*", rule("to 1", Effect::Bind, one(1)))).await;
    let to_north = rule("to north", Effect::Bind, Some(Target::Group(group)));
    add(w, &for_accounts("north:*", to_north)).await;
    for account in ["one:a", "one:b"] {
        let got = w.allocate(account).await.unwrap();
        assert_eq!((got.api_id, &*got.strategy_used), (api_id(1), "rule:to 1"));
    }
    assert!(matches!(w.allocate("one:c").await, Err(Refused::PoolFull)));
    let got = w.allocate("north:a").await.unwrap();
    assert_eq!((got.api_id, &*got.strategy_used), (api_id(2), "rule:to north"));
    // What the account had before counts first, as far as it is the target.
    w.release("north:a").await.unwrap();
    assert_eq!(&*w.allocate("north:a").await.unwrap().strategy_used, "affinity");
    w.store.disable_credential(&w.tenant, &origin(), &north).await.unwrap();
    let refused = w.allocate("north:b").await;
    let Err(Refused::NoneAvailable(reasons)) = refused else { panic!("{refused:?}") };
    assert_eq!((reasons[&Reason::Rule], reasons[&Reason::Disabled]), (1, 1));
}

async fn a_prefer_ranks_its_target_first(w: &World) {
    w.add_with(1, |d| (d.is_premium, d.priority) = (true, 50)).await;
    w.add_with(2, |d| d.max_accounts = 1).await;
    w.add(3).await;
    add(w, &rule("rather 2", Effect::Prefer, one(2))).await;
    let king = |a: &mut store::allocator::Allocate| a.level = MemberLevel::King;
    let first = w.ask("a", king).await.unwrap();
    assert_eq!((first.api_id, &*first.strategy_used), (api_id(2), "rule:rather 2"));
    let second = w.ask("b", king).await.unwrap();
    assert_eq!((second.api_id, &*second.strategy_used), (api_id(1), "balanced"), "it is full");
}

async fn ended_leases_on_a_bound_credential_are_let_go(w: &World) {
    w.add_with(1, |d| d.max_accounts = 1).await;
    let (_, _) = group_with(w, "north", 2).await;
    add(w, &rule("to 1", Effect::Bind, one(1))).await;
    w.ask("a", |a| a.ttl_millis = Some(1_000)).await.unwrap();
    assert!(matches!(w.allocate("b").await, Err(Refused::PoolFull)));
    w.wait(1_001);
    assert_eq!(w.gets("b").await, 1);
}

async fn many_barred_credentials_hide_nobody(w: &World) {
    for number in 1..=30 {
        w.add_with(number, |d| (d.priority, d.max_accounts) = (100 - number, 1)).await;
        if number < 30 {
            add(w, &rule(&format!("not {number}"), Effect::Deny, one(number))).await;
        }
    }
    assert_eq!(w.gets("a").await, 30);
    assert!(matches!(w.allocate("b").await, Err(Refused::PoolFull)));
}

async fn reasons_count_what_rules_take_out(w: &World) {
    let (group, _) = group_with(w, "north", 1).await;
    w.add_with(2, |d| d.group_id = Some(group.clone())).await;
    w.add(3).await;
    let off = w.add(4).await;
    w.store.disable_credential(&w.tenant, &origin(), &off).await.unwrap();
    add(w, &rule("not north", Effect::Deny, Some(Target::Group(group)))).await;
    add(w, &rule("not 3", Effect::Deny, one(3))).await;
    let refused = w.allocate("a").await;
    let Err(Refused::NoneAvailable(reasons)) = refused else { panic!("{refused:?}") };
    assert_eq!(reasons, [(Reason::Disabled, 1), (Reason::Rule, 3)].into_iter().collect());
}

async fn a_rule_holds_for_the_next_allocation_everywhere(w: &World) {
    w.add_with(1, |d| d.max_accounts = 100).await;
    let (second, task) = Allocator::start(w.another_store().await, BlameConfig::default());
    let by_second = async |account: &str| second.ask(w.asker(), Command::Allocate(wish(account))).await;
    for round in 0..3 {
        by_second(&format!("{round} before")).await.unwrap();
        let id = add(w, &rule("nobody", Effect::Deny, None)).await;
        // No pause in between: exact at once, not after some time.
        let refused = by_second(&format!("{round} during")).await;
        assert!(matches!(refused, Err(Refused::DeniedByRule(_))), "{refused:?}");
        w.store.delete_rule(&w.tenant, &origin(), &id, None).await.unwrap();
        by_second(&format!("{round} after")).await.unwrap();
    }
    drop(second);
    task.await.unwrap();
}

async fn an_expired_rule_does_nothing(w: &World) {
    w.add(1).await;
    let ends = Some(w.now().plus(1_000));
    add(w, &RuleDraft { expires_at: ends, ..rule("nobody", Effect::Deny, None) }).await;
    w.wait(999);
    assert!(matches!(w.allocate("a").await, Err(Refused::DeniedByRule(_))));
    w.wait(1);
    w.allocate("a").await.unwrap();
}

async fn rules_are_kept_and_changed(w: &World) {
    let group = w.add_group("north").await;
    let full = RuleDraft {
        matcher: Match {
            account: Some("a*".to_owned()),
            operator: Some("svc:*".to_owned()),
            ip: Some("10.0.0.0/8".to_owned()),
            level: Some("gold,king".to_owned()),
            group: Some(group.to_string()),
        },
        priority: 7,
        expires_at: Some(w.now().plus(9)),
        ..rule("all of it", Effect::Bind, Some(Target::Group(group.clone())))
    };
    let id = add(w, &full).await;
    let kept = w.store.rule(&w.tenant, &id).await.unwrap();
    assert_eq!((&kept.draft, kept.version, kept.created_at), (&full, 1, w.now()));
    let taken = w.store.add_rule(&w.tenant, &origin(), &full).await;
    assert!(matches!(taken, Err(StoreError::AlreadyExists("name"))));
    let low = add(w, &rule("low", Effect::Prefer, one(5))).await;
    let listed = w.store.rules(&w.tenant).await.unwrap();
    assert_eq!(listed.iter().map(|rule| &rule.id).collect::<Vec<_>>(), [&id, &low]);

    let rename = |draft: RuleDraft| RuleDraft { name: "renamed".to_owned(), ..draft };
    w.store.update_rule(&w.tenant, &origin(), &id, Some(1), rename).await.unwrap();
    let stale = w.store.update_rule(&w.tenant, &origin(), &id, Some(1), rename).await;
    assert!(matches!(stale, Err(StoreError::Stale)));
    let told = w.newest("rule.updated").await;
    assert_eq!((&told["before"]["name"], &told["after"]["name"]), (&"all of it".into(), &"renamed".into()));
    let stale = w.store.delete_rule(&w.tenant, &origin(), &id, Some(1)).await;
    assert!(matches!(stale, Err(StoreError::Stale)));
    w.store.delete_rule(&w.tenant, &origin(), &id, Some(2)).await.unwrap();
    assert!(matches!(w.store.rule(&w.tenant, &id).await, Err(StoreError::NotFound("rule"))));
    let elsewhere = w.store.rule(&"other".into(), &low).await;
    assert!(matches!(elsewhere, Err(StoreError::NotFound("rule"))));
    for (draft, field) in [
        (rule("x", Effect::Bind, Some(Target::Group("nowhere".into()))), "target.group_id"),
        (
            RuleDraft {
                matcher: Match { group: Some("nowhere".to_owned()), ..Match::default() },
                ..rule("x", Effect::Deny, None)
            },
            "match.group",
        ),
    ] {
        let wrong = w.store.add_rule(&w.tenant, &origin(), &draft).await;
        assert!(matches!(&wrong, Err(StoreError::Invalid(why)) if why.fields[0].field == field), "{wrong:?}");
    }
}

async fn a_group_that_rules_are_about_stays(w: &World) {
    let group = w.add_group("north").await;
    let id = add(w, &rule("to north", Effect::Bind, Some(Target::Group(group.clone())))).await;
    let refused = w.store.delete_group(&w.tenant, &origin(), &group, None).await;
    assert!(matches!(&refused, Err(StoreError::Conflict(why)) if why.contains("to north")), "{refused:?}");
    w.store.delete_rule(&w.tenant, &origin(), &id, None).await.unwrap();
    w.store.delete_group(&w.tenant, &origin(), &group, None).await.unwrap();
}

async fn a_trial_changes_nothing(w: &World) {
    w.add(1).await;
    let (group, _) = group_with(w, "north", 2).await;
    let kept = add(w, &rule("rather 1", Effect::Prefer, one(1))).await;
    let trace = w.actions().await;
    let trial = rule("to north", Effect::Bind, Some(Target::Group(group)));
    let outcome = async |question: &store::preview::Question| {
        let preview = w.store.preview(&w.tenant, question, 50).await.unwrap();
        let told = preview.explain(&question.request, w.now());
        let chosen = told.candidates.first().map(|c| c.api_id.get());
        (chosen, told.rejected.get(&Reason::Rule).copied())
    };
    let ask = async |draft: RuleDraft, replaces: Option<&str>| {
        w.store.questions_of_trial(&w.tenant, &origin(), &wish("a"), draft, replaces).await
    };
    let (without, with) = ask(trial.clone(), None).await.unwrap();
    assert_eq!((outcome(&without).await, outcome(&with).await), ((Some(1), None), (Some(2), Some(1))));
    // In the place of the one that stands, and though it is switched off.
    let off = RuleDraft { enabled: false, ..rule("rather 2", Effect::Prefer, one(2)) };
    let (without, with) = ask(off, Some(&kept)).await.unwrap();
    assert_eq!(outcome(&with).await, (Some(2), None));
    assert_eq!(outcome(&without).await.1, None);
    assert!(matches!(ask(rule("x", Effect::Bind, None), None).await, Err(StoreError::Invalid(_))));
    assert_eq!(w.actions().await, trace);
}
