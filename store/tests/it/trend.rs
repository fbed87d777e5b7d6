//! Figures over time: counted once, in their bucket, and read by steps.

use domain::blame::Fault;
use domain::time::{DAY, HOUR, MINUTE};
use domain::trend::{BUCKET, Layout, bucket};
use domain::{TenantId, Timestamp};
use store::credentials::{BulkAction, Filter, Page, Sort};
use store::trend::{Figures, Measured, SLICE};

use crate::world::{START, World, api_id, on_both, origin};

on_both! {
    each_path_is_counted_and_nothing_twice,
    results_count_as_the_pools_figures_do,
    two_runs_at_once_count_nothing_twice,
    long_logs_are_counted_in_slices,
    a_run_ends_before_a_very_long_log,
    the_last_look_at_the_slots_counts,
    steps_are_sums_and_the_period_before_stands_alone,
    tenants_do_not_mix,
    old_figures_are_pruned,
}

/// The sum of all buckets: allocated, released, successes, failures.
async fn sums(w: &World) -> [i64; 4] {
    let select = "SELECT CAST(COALESCE(SUM(allocated), 0) AS BIGINT), CAST(COALESCE(SUM(released), 0) AS BIGINT),
        CAST(COALESCE(SUM(successes), 0) AS BIGINT), CAST(COALESCE(SUM(failures), 0) AS BIGINT) FROM pool_figures";
    let (allocated, released, successes, failures) = w.raw.all::<(i64, i64, i64, i64)>(select).await[0];
    [allocated, released, successes, failures]
}

async fn measure(w: &World) -> Measured {
    w.store.measure_pool(SLICE).await.unwrap()
}

async fn trend(w: &World, hours: i64) -> (Layout, Vec<Figures>) {
    let layout = Layout::of(hours, w.now());
    let figures = w.store.trend(&w.tenant, &layout).await.unwrap();
    (layout, figures)
}

async fn each_path_is_counted_and_nothing_twice(w: &World) {
    let (one, _) = (w.add(1).await, w.add(2).await);
    for account in ["a", "b", "c", "d", "e"] {
        w.ask(account, |a| a.pinned = Some(api_id(1))).await.unwrap();
    }
    // What an account has it gets again: that is no new allocation.
    assert!(w.allocate("a").await.unwrap().existing);
    measure(w).await;
    assert_eq!(sums(w).await, [5, 0, 0, 0]);
    w.release("a").await.unwrap();
    w.release("a").await.unwrap_err();
    w.ask("b", |a| a.fresh = true).await.unwrap();
    w.ask("lease", |a| a.ttl_millis = Some(MINUTE)).await.unwrap();
    w.ask("lapses", |a| a.ttl_millis = Some(MINUTE)).await.unwrap();
    measure(w).await;
    assert_eq!(sums(w).await, [8, 2, 0, 0]);
    w.wait(2 * MINUTE);
    // One lease is found to have ended by whoever asks next, the other by the job.
    w.allocate("lapses").await.unwrap();
    w.store.expire_all_leases().await.unwrap();
    measure(w).await;
    assert_eq!(sums(w).await, [9, 4, 0, 0]);
    // A ban keeps what accounts hold; that goes when they are all released, and with what is removed by force.
    w.store.ban_credential(&w.tenant, &origin(), &one, "leaked").await.unwrap();
    let held = w.credential(&one).await.current_accounts;
    assert!(held > 1);
    measure(w).await;
    assert_eq!(sums(w).await, [9, 4, 0, 0]);
    w.release("c").await.unwrap();
    w.store.release_all(&w.tenant, &origin(), &one).await.unwrap();
    measure(w).await;
    assert_eq!(sums(w).await, [9, 4 + held, 0, 0]);
    let two = w.store.credentials(&w.tenant, &Filter::default(), &oldest()).await.unwrap()[1].clone();
    w.store.delete_credential(&w.tenant, &origin(), &two.id, true, None).await.unwrap();
    measure(w).await;
    let noted = [w.count("api.allocated").await, w.count("api.released").await, 0, 0];
    assert_eq!(noted, [9, 9, 0, 0], "all are gone");
    assert_eq!(sums(w).await, noted);
    assert_eq!(measure(w).await, Measured { rows: 0, is_complete: true });
    assert_eq!(sums(w).await, noted);
    assert_eq!(w.store.measured_at().await.unwrap(), Some(w.now()));
}

fn oldest() -> Page {
    Page { sort: Sort::CreatedAt, descending: false, after: None, limit: 9 }
}

async fn results_count_as_the_pools_figures_do(w: &World) {
    w.add(1).await;
    w.allocate("a").await.unwrap();
    // What clients say of when it happened is not asked.
    for ago in [0, HOUR, 5 * DAY] {
        w.report(1, |r| r.at = Some(w.now().plus(-ago))).await.unwrap();
    }
    let mut faults = Vec::new();
    for error in ["FLOOD_WAIT_37", "Timeout", "PHONE_CODE_INVALID", "SLOWMODE_WAIT_3", "NEVER_SEEN", "API_ID_INVALID"] {
        faults.push(w.fails(1, "a", error).await.fault);
    }
    for fault in [Fault::None, Fault::Pending, Fault::Credential] {
        assert!(faults.contains(&fault), "{faults:?}");
    }
    measure(w).await;
    let failures = faults.iter().filter(|fault| **fault != Fault::None).count() as i64;
    assert_eq!(sums(w).await, [1, 0, 3, failures]);
    let (counts, _) = w.store.result_counts(&w.tenant, w.now().plus(-9 * DAY)).await.unwrap();
    let told: i64 = counts.iter().filter(|(ok, fault, _)| !ok && fault != "none").map(|(.., n)| n).sum();
    assert_eq!(told, failures);
    let (_, figures) = trend(w, 1).await;
    assert_eq!(figures.len(), 1, "all in the bucket in which they were noted: {figures:?}");
    assert_eq!(figures[0].at, bucket(w.now()).millis());
}

async fn two_runs_at_once_count_nothing_twice(w: &World) {
    let other = w.another_store().await;
    w.add_with(1, |d| d.max_accounts = 1_000).await;
    for round in 0..5 {
        for n in 0..40 {
            w.allocate(&format!("a{round}-{n}")).await.unwrap();
            w.report(1, |_| {}).await.unwrap();
        }
        // While more comes in.
        let more = async {
            for n in 40..60 {
                w.allocate(&format!("a{round}-{n}")).await.unwrap();
                w.report(1, |_| {}).await.unwrap();
            }
        };
        let (first, second, third, ()) =
            tokio::join!(w.store.measure_pool(7), other.measure_pool(11), other.measure_pool(3), more);
        for run in [first, second, third] {
            run.unwrap();
        }
        w.wait(MINUTE);
    }
    measure(w).await;
    assert_eq!(sums(w).await, [300, 0, 300, 0]);
}

async fn long_logs_are_counted_in_slices(w: &World) {
    w.add(1).await;
    // More buckets than one transaction writes, then many rows in one.
    for _ in 0..205 {
        w.report(1, |_| {}).await.unwrap();
        w.wait(BUCKET);
    }
    for _ in 0..50 {
        w.report(1, |_| {}).await.unwrap();
    }
    let measured = measure(w).await;
    assert!(measured.is_complete && measured.rows >= 255, "{measured:?}");
    let buckets = w.raw.all::<(i64, i64)>("SELECT at, successes FROM pool_figures ORDER BY at").await;
    let expected = (0..205).map(|n| (bucket(Timestamp::from_millis(START + n * BUCKET)).millis(), 1));
    assert!(buckets[..205].iter().copied().eq(expected));
    assert_eq!((buckets.len(), buckets[205].1), (206, 50));
    assert_eq!(measure(w).await.rows, 0);
}

async fn a_run_ends_before_a_very_long_log(w: &World) {
    w.add(1).await;
    for _ in 0..150 {
        w.report(1, |_| {}).await.unwrap();
    }
    // One row at once: a hundred are as many as one run takes.
    let first = w.store.measure_pool(1).await.unwrap();
    assert!(!first.is_complete, "{first:?}");
    assert_eq!((sums(w).await[2], w.store.measured_at().await.unwrap()), (100, None));
    assert!(w.store.measure_pool(1).await.unwrap().is_complete);
    assert_eq!((sums(w).await[2], w.store.measured_at().await.unwrap()), (150, Some(w.now())));
    w.wait(MINUTE);
    assert_eq!(w.store.measure_pool(1).await.unwrap(), Measured { rows: 0, is_complete: true });
    assert_eq!(sums(w).await[2], 150);
}

async fn the_last_look_at_the_slots_counts(w: &World) {
    let id = w.add(1).await;
    w.wait(-w.now().millis().rem_euclid(HOUR));
    let begin = w.now();
    w.allocate("a").await.unwrap();
    measure(w).await;
    w.wait(MINUTE);
    w.allocate("b").await.unwrap();
    measure(w).await;
    // Nobody looks for a while.
    w.wait(3 * BUCKET);
    w.add(2).await;
    w.store.bulk(&w.tenant, &origin(), vec![id], &BulkAction::Disable).await.unwrap();
    measure(w).await;
    w.wait(BUCKET);
    let (_, figures) = trend(w, 1).await;
    let seen: Vec<_> = figures.iter().filter(|f| f.at >= begin.millis()).map(|f| (f.at, f.slots, f.used)).collect();
    let later = begin.plus(3 * BUCKET).millis();
    assert_eq!(seen, [(begin.millis(), Some(5), Some(2)), (later, Some(5), Some(0))]);
    let (samples, slots) = w.store.samples(&w.tenant, w.now()).await.unwrap();
    assert_eq!((samples.len(), samples[0].used, samples[1].used, slots), (2, 2, 0, Some(5)));
    assert_eq!(w.store.samples(&w.tenant, w.now().plus(8 * DAY)).await.unwrap(), (Vec::new(), None));
}

async fn steps_are_sums_and_the_period_before_stands_alone(w: &World) {
    let now = Timestamp::parse("2026-11-18T11:06:40Z").unwrap();
    w.wait(now.since(w.now()));
    let put = async |at: &str, allocated: i64, used: Option<i64>| {
        let at = Timestamp::parse(at).unwrap().millis();
        let (tenant, used) = (w.tenant.as_str(), used.map_or("NULL".to_owned(), |used| used.to_string()));
        let insert = format!(
            "INSERT INTO pool_figures (tenant_id, at, allocated, released, successes, failures, slots, used)
             VALUES ('{tenant}', {at}, {allocated}, 1, 2, 3, {used}, {used})"
        );
        w.raw.run(&insert).await;
    };
    // A day in steps of 15 minutes: from 11:15 of the day before, and as long before that.
    put("2026-11-16T11:15:00Z", 1_000, Some(90)).await;
    put("2026-11-16T11:20:00Z", 100, Some(70)).await;
    put("2026-11-17T11:05:00Z", 20, Some(80)).await;
    put("2026-11-17T11:10:00Z", 3, None).await;
    put("2026-11-17T11:15:00Z", 10, Some(5)).await;
    put("2026-11-17T11:25:00Z", 10, Some(4)).await;
    put("2026-11-17T11:30:00Z", 10, Some(3)).await;
    put("2026-11-17T11:40:00Z", 10, None).await;
    put("2026-11-18T11:05:00Z", 10, None).await;
    // Of a clock that is ahead.
    put("2026-11-18T11:20:00Z", 10, Some(9)).await;
    let (layout, figures) = trend(w, 24).await;
    let at = |text| Timestamp::parse(text).unwrap().millis();
    assert_eq!(
        (layout.before.millis(), layout.from.millis()),
        (at("2026-11-16T11:20:00Z"), at("2026-11-17T11:15:00Z"))
    );
    let line = |f: &Figures| (f.at, f.allocated, f.released, f.successes, f.failures, f.slots, f.used);
    let seen: Vec<_> = figures.iter().map(line).collect();
    assert_eq!(
        seen,
        [
            (layout.before.millis(), 123, 3, 6, 9, Some(80), Some(80)),
            (at("2026-11-17T11:15:00Z"), 20, 2, 4, 6, Some(4), Some(4)),
            (at("2026-11-17T11:30:00Z"), 20, 2, 4, 6, Some(3), Some(3)),
            (at("2026-11-18T11:00:00Z"), 10, 1, 2, 3, None, None),
        ]
    );
}

async fn tenants_do_not_mix(w: &World) {
    w.raw.run("INSERT INTO tenants (id, name, created_at) VALUES ('other', 'Other', 0)").await;
    w.add(1).await;
    w.allocate("a").await.unwrap();
    measure(w).await;
    let (layout, figures) = trend(w, 1).await;
    assert_eq!((figures.len(), figures[0].allocated, figures[0].used), (1, 1, Some(1)));
    let other = TenantId::from("other");
    let figures = w.store.trend(&other, &layout).await.unwrap();
    assert_eq!((figures.len(), figures[0].allocated, figures[0].slots), (1, 0, Some(0)));
    w.store.prune_figures(&other, w.now().plus(HOUR), 10).await.unwrap();
    assert_eq!(w.raw.number("SELECT COUNT(*) FROM pool_figures").await, 1, "each tenant's are pruned alone");
}

async fn old_figures_are_pruned(w: &World) {
    w.add(1).await;
    for _ in 0..30 {
        w.report(1, |_| {}).await.unwrap();
        measure(w).await;
        w.wait(BUCKET);
    }
    let before = bucket(Timestamp::from_millis(START)).plus(25 * BUCKET);
    for expected in [10, 10, 5, 0] {
        assert_eq!(w.store.prune_figures(&w.tenant, before, 10).await.unwrap(), expected);
    }
    assert_eq!(w.raw.number("SELECT MIN(at) FROM pool_figures").await, before.millis());
    // What was pruned is not counted again.
    assert_eq!(measure(w).await.rows, 0);
    assert_eq!(sums(w).await[2], 5);
    w.allocate("a").await.unwrap();
    measure(w).await;
    assert_eq!(sums(w).await, [1, 0, 5, 0]);
}
