//! The pool as a whole: totals, scores, previews, jobs on their way.

use domain::allocation::{Decision, Reason, Refusal, Via};
use domain::capacity::{Level, Thresholds, Totals, level};
use domain::health::{Grade, HealthConfig};
use domain::time::{DAY, HOUR, MINUTE};
use domain::{MemberLevel, Strategy};
use jobs::{Envelope, Job, Queue};
use store::allocator::{Allocate, Command, Report};
use store::queue::Options;

use crate::raw::Raw;
use crate::world::{World, api_id, on_both, origin, success, wish};

on_both! {
    totals_count_what_is_enabled,
    a_change_of_the_level_is_told_once,
    results_are_counted_since_a_moment,
    scores_follow_the_results,
    scores_that_stand_are_not_written_again,
    each_result_is_folded_once,
    old_failures_fade,
    the_prior_is_the_pools_own,
    a_preview_changes_nothing_and_tells_what_happens,
    a_job_is_enqueued_with_its_transaction,
    a_key_is_enqueued_once,
    finished_jobs_are_pruned,
}

async fn totals_count_what_is_enabled(w: &World) {
    let (store, tenant) = (&w.store, &w.tenant);
    assert_eq!(store.totals(tenant).await.unwrap(), Totals::default());
    let mut ids = Vec::new();
    for number in 1..=5 {
        ids.push(w.add(number).await);
        w.ask(&number.to_string(), |a| a.pinned = Some(api_id(number))).await.unwrap();
    }
    w.add(6).await;
    store.disable_credential(tenant, &origin(), &ids[0]).await.unwrap();
    store.ban_credential(tenant, &origin(), &ids[1], "x").await.unwrap();
    store.delete_credential(tenant, &origin(), &ids[2], true, None).await.unwrap();
    let totals = store.totals(tenant).await.unwrap();
    assert_eq!(totals, Totals { credentials: 5, banned: 1, slots: 15, used: 2 });
    let mut counts = store.status_counts(tenant).await.unwrap();
    counts.sort();
    let expected = [("available", 1), ("banned", 1), ("disabled", 1), ("in_use", 2)];
    assert_eq!(counts, expected.map(|(status, count)| (status.to_owned(), count)));
}

async fn a_change_of_the_level_is_told_once(w: &World) {
    w.add_with(1, |d| d.max_accounts = 5).await;
    let check = async || {
        let totals = w.store.totals(&w.tenant).await.unwrap();
        let now = level(&totals, &Thresholds::default());
        (now, w.store.set_capacity_level(&w.tenant, &origin(), now, &totals).await.unwrap())
    };
    assert_eq!(check().await, (Level::Normal, false));
    for account in 0..4 {
        w.allocate(&account.to_string()).await.unwrap();
    }
    assert_eq!(check().await, (Level::Warning, true));
    assert_eq!(check().await, (Level::Warning, false));
    w.allocate("last").await.unwrap();
    assert_eq!(check().await, (Level::Critical, true));
    assert_eq!(w.newest("capacity.critical").await["used_percent"], 100.0);
    for account in ["0", "1", "2", "last"] {
        w.release(account).await.unwrap();
    }
    assert_eq!(check().await, (Level::Normal, true));
    assert_eq!(w.count("capacity.restored").await, 1);
}

async fn results_are_counted_since_a_moment(w: &World) {
    w.add(1).await;
    for _ in 0..5 {
        w.report(1, |_| {}).await.unwrap();
        w.fails(1, "a", "Timeout").await;
        w.wait(HOUR);
    }
    let since = async |hours: i64| {
        let (mut counts, is_capped) = w.store.result_counts(&w.tenant, w.now().plus(-hours * HOUR)).await.unwrap();
        assert!(!is_capped);
        counts.sort();
        counts
    };
    let expected = |count| vec![(false, "proxy".to_owned(), count), (true, "none".to_owned(), count)];
    assert_eq!(since(100).await, expected(5));
    assert_eq!(since(2).await, expected(2));
    assert!(since(0).await.is_empty());
    // A client that was away tells what happened days ago. That hides nothing.
    w.wait(10 * HOUR);
    let (recent, old) = (w.now(), w.now().plus(-5 * DAY));
    for (at, count) in [(recent, 1_200), (old, 3_000), (recent, 200)] {
        let report = Command::Report(Report { at: Some(at), ..success(1) });
        w.pool.ask_all(&w.asker(), vec![report; count]).await;
    }
    assert_eq!(since(1).await, [(true, "none".to_owned(), 1_400)]);
    assert!(w.store.result_counts(&"other".into(), w.now().plus(-DAY)).await.unwrap().0.is_empty());
}

async fn score(w: &World) -> store::scores::Scored {
    w.store.score_health(&HealthConfig::default()).await.unwrap()
}

async fn scores_follow_the_results(w: &World) {
    let (good, bad, new) = (w.add(1).await, w.add(2).await, w.add(3).await);
    assert_eq!(w.store.health_of(&w.tenant, &good).await.unwrap().0, None);
    for _ in 0..30 {
        w.report(1, |_| {}).await.unwrap();
        w.fails(2, "a", "API_ID_INVALID").await;
    }
    // What is not a credential's fault does not lower its score, nor what it merely can't do.
    for _ in 0..30 {
        w.fails(3, "b", "Timeout").await;
        w.fails(3, "b", "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN").await;
    }
    let scored = score(w).await;
    assert_eq!(scored.results, 120);
    let health = async |id| w.store.health_of(&w.tenant, id).await.unwrap().0.unwrap();
    assert_eq!((health(&good).await.score, health(&good).await.grade), (100, Grade::Excellent));
    assert!(health(&bad).await.score < 30, "{:?}", health(&bad).await);
    assert_eq!(health(&new).await.grade, Grade::Excellent);
    let listed = w.credential(&bad).await;
    assert_eq!((listed.health_score, listed.health_grade), (health(&bad).await.score, Grade::Critical));
    assert_eq!(w.store.scored_at().await.unwrap(), Some(w.now()));
    let distribution = w.store.score_distribution(&w.tenant).await.unwrap();
    assert_eq!(distribution.iter().map(|(_, count)| count).sum::<i64>(), 3);
    assert!(w.store.health_of(&"other".into(), &good).await.unwrap().0.is_none());
    // Standing caps the score.
    w.store.disable_credential(&w.tenant, &origin(), &good).await.unwrap();
    score(w).await;
    assert_eq!(w.credential(&good).await.health_score, 30);
}

async fn scores_that_stand_are_not_written_again(w: &World) {
    for number in 1..=20 {
        w.add(number).await;
    }
    w.raw.run("UPDATE credentials SET success_count = 1000, fail_count = 10").await;
    assert_eq!(score(w).await.changed, 20, "new ones get their first");
    assert_eq!(score(w).await.changed, 0);
    w.report(1, |_| {}).await.unwrap();
    assert_eq!(score(w).await.changed, 1, "a result moves one, not the pool");
    w.wait(MINUTE);
    assert_eq!(score(w).await.changed, 0, "nor does time, so little of it");
    assert_eq!(w.store.scored_at().await.unwrap(), Some(w.now()));
    w.raw.run("UPDATE credentials SET fail_count = 900 WHERE api_id = 2").await;
    assert_eq!(score(w).await.changed, 20, "the pool's own rate has moved, and with it every ranking");
}

async fn each_result_is_folded_once(w: &World) {
    let id = w.add(1).await;
    w.report(1, |_| {}).await.unwrap();
    assert_eq!(score(w).await.results, 1);
    assert_eq!(score(w).await.results, 0);
    let other = w.another_store().await;
    for _ in 0..20 {
        w.report(1, |_| {}).await.unwrap();
    }
    let config = HealthConfig::default();
    let (one, two) = tokio::join!(w.store.score_health(&config), other.score_health(&config));
    assert_eq!(one.unwrap().results + two.unwrap().results, 20);
    let sample = w.store.health_of(&w.tenant, &id).await.unwrap().0.unwrap().sample;
    assert!((sample - 21.0).abs() < 1e-6, "{sample}");
    // A deleted credential's results are no obstacle.
    w.report(1, |_| {}).await.unwrap();
    w.store.delete_credential(&w.tenant, &origin(), &id, false, None).await.unwrap();
    assert_eq!(score(w).await.results, 1);
}

async fn old_failures_fade(w: &World) {
    let id = w.add(1).await;
    for _ in 0..10 {
        w.fails(1, "a", "API_ID_INVALID").await;
    }
    score(w).await;
    let (fresh, recent) = (w.credential(&id).await.health_score, recent_failures(w).await);
    assert_eq!(recent, 10);
    w.wait(DAY + MINUTE);
    score(w).await;
    assert_eq!(recent_failures(w).await, 0, "recent is the last day");
    w.wait(30 * DAY);
    w.report(1, |_| {}).await.unwrap();
    score(w).await;
    let later = w.credential(&id).await;
    assert!(later.health_score > fresh + 30, "{fresh} → {}", later.health_score);
    assert_eq!(later.fail_count, 10, "what was counted in all stays");
}

async fn recent_failures(w: &World) -> i64 {
    w.raw.number("SELECT recent_failures FROM credentials").await
}

async fn the_prior_is_the_pools_own(w: &World) {
    let old = w.add(1).await;
    for _ in 0..40 {
        w.fails(1, "a", "API_ID_INVALID").await;
        w.report(1, |_| {}).await.unwrap();
    }
    score(w).await;
    let new = w.add(2).await;
    let place = async |id: &domain::CredentialId| {
        w.raw.number(&format!("SELECT success_score FROM credentials WHERE id = '{id}'")).await
    };
    // A new one stands near the pool's mean, 59 of 100.
    assert!((580_000..600_000).contains(&place(&new).await), "{}", place(&new).await);
    assert!((480_000..540_000).contains(&place(&old).await), "{}", place(&old).await);
}

async fn a_preview_changes_nothing_and_tells_what_happens(w: &World) {
    for number in 1..=4 {
        w.add_with(number, |d| {
            d.priority = number % 2;
            if number == 4 {
                d.min_member_level = MemberLevel::Gold;
            }
        })
        .await;
    }
    let off = w.add(5).await;
    w.store.disable_credential(&w.tenant, &origin(), &off).await.unwrap();
    w.allocate("held").await.unwrap();
    w.release("held").await.unwrap();
    let trace = w.actions().await;
    let explain = async |allocate: &Allocate| {
        let question = w.store.question(&w.tenant, &origin(), allocate).await.unwrap();
        let preview = w.store.preview(&w.tenant, &question, 50).await.unwrap();
        let told = preview.explain(&question.request, w.now());
        let names: Vec<_> = told.candidates.iter().map(|c| preview.name(&c.id).unwrap().to_owned()).collect();
        (told, names)
    };
    for account in ["new", "other", "third"] {
        let (told, names) = explain(&wish(account)).await;
        assert_eq!(names.len(), 3);
        assert_eq!(told.rejected, [(Reason::Disabled, 1), (Reason::Level, 1)].into_iter().collect());
        let got = w.allocate(account).await.unwrap();
        let expected = Decision::Bind { credential: got.credential_id, via: Via::Strategy(Strategy::Balanced) };
        assert_eq!((told.outcome, names[0].as_str()), (Ok(expected), &*got.name));
        let (told, _) = explain(&wish(account)).await;
        assert!(matches!(told.outcome, Ok(Decision::Existing(_))));
        w.release(account).await.unwrap();
    }
    let (told, _) = explain(&wish("held")).await;
    assert!(matches!(told.outcome, Ok(Decision::Bind { via: Via::Affinity, .. })), "{:?}", told.outcome);
    let pinned = Allocate { pinned: Some(api_id(2)), ..wish("new 2") };
    assert!(matches!(explain(&pinned).await.0.outcome, Ok(Decision::Bind { via: Via::Manual, .. })));
    let unknown = Allocate { pinned: Some(api_id(99)), ..wish("new 2") };
    assert!(matches!(explain(&unknown).await.0.outcome, Err(Refusal::PinnedUnavailable(_))));
    w.fails(1, "cooling", "FLOOD_WAIT_60").await;
    assert!(matches!(explain(&wish("cooling")).await.0.outcome, Err(Refusal::AccountUnavailable { .. })));
    assert_eq!(w.actions().await.len(), trace.len() + 3 * 2 + 1, "only what was done is noted");
}

fn jobs_table(w: &World) -> &'static str {
    match w.raw {
        Raw::Sqlite(_) => "Jobs",
        Raw::Postgres(_) => "apalis.jobs",
    }
}

async fn jobs(w: &World) -> i64 {
    w.raw.number(&format!("SELECT COUNT(*) FROM {}", jobs_table(w))).await
}

async fn a_job_is_enqueued_with_its_transaction(w: &World) {
    let queue = jobs::CheckCapacity::SPEC.queue;
    let job = jobs::CheckCapacity {};
    let mut tx = w.store.begin().await.unwrap();
    tx.enqueue(&job, &w.store).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(jobs(w).await, 0);
    assert!(!w.store.due_jobs(queue).await.unwrap());
    let mut tx = w.store.begin().await.unwrap();
    tx.enqueue(&job, &w.store).await.unwrap();
    drop(tx);
    let mut tx = w.store.begin().await.unwrap();
    tx.enqueue(&job, &w.store).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(jobs(w).await, 1);
    assert!(w.store.due_jobs(queue).await.unwrap());
}

async fn a_key_is_enqueued_once(w: &World) {
    let spec = jobs::CheckCapacity::SPEC;
    let envelope = Envelope::wrap(&jobs::CheckCapacity {}).unwrap();
    let keyed = |key: &str| Options { key: Some(key.to_owned()), after: None };
    let other = w.another_store().await;
    let (first, second) = (keyed("tick:1"), keyed("tick:2"));
    for _ in 0..3 {
        let (one, two) =
            tokio::join!(w.store.enqueue(&spec, &envelope, &first), other.enqueue(&spec, &envelope, &first));
        one.unwrap();
        two.unwrap();
    }
    w.store.enqueue(&spec, &envelope, &second).await.unwrap();
    assert_eq!(jobs(w).await, 2);
    // Later means later.
    let later = Options { key: None, after: Some(std::time::Duration::from_secs(90)) };
    let heavy = jobs::ImportCredentials::SPEC;
    w.store.enqueue(&heavy, &envelope, &later).await.unwrap();
    w.wait(89_000);
    assert!(!w.store.due_jobs(Queue::Heavy).await.unwrap());
    w.wait(1_000);
    assert!(w.store.due_jobs(Queue::Heavy).await.unwrap());
}

async fn finished_jobs_are_pruned(w: &World) {
    let envelope = Envelope::wrap(&jobs::CheckCapacity {}).unwrap();
    for _ in 0..6 {
        w.store.enqueue(&jobs::CheckCapacity::SPEC, &envelope, &Options::default()).await.unwrap();
    }
    let table = jobs_table(w);
    let some = |count: usize| format!("(SELECT id FROM {table} WHERE status = 'Pending' ORDER BY id LIMIT {count})");
    w.raw.run(&format!("UPDATE {table} SET status = 'Done' WHERE id IN {}", some(3))).await;
    w.raw.run(&format!("UPDATE {table} SET status = 'Failed', attempts = max_attempts WHERE id IN {}", some(1))).await;
    w.raw.run(&format!("UPDATE {table} SET status = 'Failed' WHERE id IN {}", some(1))).await;
    assert_eq!(w.store.prune_jobs(w.now(), 10).await.unwrap(), 0, "they are not old enough");
    w.wait(DAY);
    assert_eq!(w.store.prune_jobs(w.now(), 3).await.unwrap(), 3);
    assert_eq!(w.store.prune_jobs(w.now(), 3).await.unwrap(), 1);
    assert_eq!(jobs(w).await, 2, "what waits or may be tried again stays");
}
