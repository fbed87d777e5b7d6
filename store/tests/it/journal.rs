//! The journal: history by whatever one asks, complete in pages of any length.

use domain::Timestamp;
use domain::event::Action;
use domain::time::{MINUTE, SECOND};
use store::accounts::{AllocationFilter, AllocationRecord};
use store::allocator::{Asker, Command, Done, Release};
use store::history::{HistoryFilter, JournalRow};
use store::{Origin, Total};

use crate::world::{World, api_id, key, on_both, origin, wish};

on_both! {
    an_accounts_history_is_complete,
    a_credentials_history_goes_on_past_its_deletion,
    history_is_filtered_by_action_operator_and_time,
    dates_that_are_out_of_order_hide_nothing,
    filters_that_match_little_still_end,
    tenants_have_histories_of_their_own,
    ended_allocations_are_complete,
    standing_allocations_are_complete,
    accounts_are_looked_up_in_one_go,
    pruning_takes_from_the_old_end_only,
    a_pruned_history_ends_where_it_was_pruned,
}

/// All pages, one after the other.
async fn walk(w: &World, filter: &HistoryFilter, limit: usize) -> Vec<JournalRow> {
    let (mut all, mut before) = (Vec::new(), None);
    for _ in 0..10_000 {
        let page = w.store.history(&w.tenant, filter, before, limit).await.unwrap();
        assert!(page.rows.len() <= limit);
        all.extend(page.rows);
        let Some(next) = page.next else { return all };
        assert!(before.is_none_or(|before| next < before) || filter.api_id.is_some(), "pages go down");
        before = Some(next);
    }
    panic!("pages without end");
}

/// What the walk must give, from all rows, newest first.
async fn assert_complete(w: &World, filter: &HistoryFilter, belongs: impl Fn(&JournalRow) -> bool) -> usize {
    let mut everything = walk(w, &HistoryFilter::default(), 500).await;
    assert!(everything.is_sorted_by(|a, b| a.seq > b.seq));
    everything.retain(belongs);
    let expected: Vec<i64> = everything.iter().map(|row| row.seq).collect();
    let total = w.store.history_total(&w.tenant, filter).await.unwrap();
    assert_eq!(total, Total { number: expected.len() as i64, is_capped: false }, "{filter:?}");
    for limit in [1, 2, 3, 5, 500] {
        let mut walked: Vec<i64> = walk(w, filter, limit).await.iter().map(|row| row.seq).collect();
        if filter.api_id.is_some() && filter.account.is_none() {
            // One credential after the other.
            walked.sort_by_key(|seq| std::cmp::Reverse(*seq));
        }
        assert_eq!(walked, expected, "{filter:?} by {limit}");
    }
    expected.len()
}

async fn an_accounts_history_is_complete(w: &World) {
    w.add(1).await;
    for round in 0..4 {
        w.wait(round);
        w.allocate("a").await.unwrap();
        w.allocate("b").await.unwrap();
        w.ask("a", |a| a.fresh = true).await.unwrap();
        w.fails(1, "a", "API_ID_INVALID").await;
        w.report(1, |r| r.account = Some(key("a"))).await.unwrap();
        w.release("a").await.unwrap();
        w.release("b").await.unwrap();
    }
    let filter = HistoryFilter { account: Some(key("a")), ..HistoryFilter::default() };
    let own = |row: &JournalRow| row.account_id.as_deref() == Some("a");
    assert_eq!(assert_complete(w, &filter, own).await, 4 * 7, "the suspicion that each failure raises included");
    let failed = HistoryFilter { actions: vec!["api.failed".to_owned(), "api.recovered".to_owned()], ..filter.clone() };
    let count =
        assert_complete(w, &failed, |row| own(row) && matches!(&*row.action, "api.failed" | "api.recovered")).await;
    assert_eq!(count, 8);
    let nobody = HistoryFilter { account: Some(key("nobody")), ..HistoryFilter::default() };
    assert!(walk(w, &nobody, 10).await.is_empty());
    // A cursor of another account's row leads nowhere.
    let foreign = w.store.history(&w.tenant, &filter, Some(1), 10).await.unwrap();
    assert!(foreign.rows.is_empty() && foreign.next.is_none());
}

async fn a_credentials_history_goes_on_past_its_deletion(w: &World) {
    let mut ids = Vec::new();
    for life in 0..3 {
        let id = w.add(1).await;
        for account in 0..=life {
            w.allocate(&account.to_string()).await.unwrap();
            w.release(&account.to_string()).await.unwrap();
        }
        ids.push(id.clone());
        if life < 2 {
            w.store.delete_credential(&w.tenant, &origin(), &id, false, None).await.unwrap();
        }
        w.wait(1);
    }
    w.add(2).await;
    let filter = HistoryFilter { api_id: Some(api_id(1)), ..HistoryFilter::default() };
    let own = |row: &JournalRow| row.api_id == Some(1);
    assert_eq!(assert_complete(w, &filter, own).await, (1 + 2 + 1) + (1 + 4 + 1) + (1 + 6));
    let added = HistoryFilter { actions: vec!["api.added".to_owned()], ..filter.clone() };
    assert_eq!(assert_complete(w, &added, |row| own(row) && row.action == "api.added").await, 3);
    let both = HistoryFilter { account: Some(key("0")), ..filter.clone() };
    assert_eq!(assert_complete(w, &both, |row| own(row) && row.account_id.as_deref() == Some("0")).await, 6);
    let rows = walk(w, &filter, 2).await;
    let lives: Vec<_> = rows.iter().filter_map(|row| row.credential_id.clone()).collect();
    assert!(lives.is_sorted_by_key(|id| std::cmp::Reverse(ids.iter().position(|known| known.as_str() == id))));
    let unknown = HistoryFilter { api_id: Some(api_id(99)), ..HistoryFilter::default() };
    assert!(walk(w, &unknown, 10).await.is_empty());
}

async fn history_is_filtered_by_action_operator_and_time(w: &World) {
    w.add(1).await;
    let start = w.now();
    for number in 0..12 {
        let by = Origin { actor: format!("svc:{}", number % 3).into(), ip: None, request_id: None, once: None };
        let asker = Asker { tenant: w.tenant.clone(), origin: by };
        let account = (number % 4).to_string();
        let command = if (4..8).contains(&number) {
            Command::Release(Release::Account(key(&account)))
        } else {
            Command::Allocate(wish(&account))
        };
        w.pool.ask(asker, command).await.unwrap();
        w.wait(SECOND);
    }
    let at = |second: i64| start.plus(second * SECOND);
    let everything = HistoryFilter::default();
    assert_eq!(assert_complete(w, &everything, |_| true).await, 13);
    let released = HistoryFilter { actions: vec![Action::Released.to_string()], ..everything.clone() };
    assert_eq!(assert_complete(w, &released, |row| row.action == "api.released").await, 4);
    let operator = HistoryFilter { operators: vec!["svc:1".to_owned()], ..everything.clone() };
    assert_eq!(assert_complete(w, &operator, |row| row.actor == "svc:1").await, 4);
    let both = HistoryFilter { actions: released.actions.clone(), ..operator.clone() };
    assert_eq!(assert_complete(w, &both, |row| row.actor == "svc:1" && row.action == "api.released").await, 2);
    // Times include both ends, to the millisecond.
    for (from, to, count) in [
        (Some(at(3)), None, 9),
        (Some(at(3).plus(1)), None, 8),
        (None, Some(at(3)), 5),
        (None, Some(at(3).plus(-1)), 4),
        (Some(at(3)), Some(at(5)), 3),
        (Some(at(20)), None, 0),
        (None, Some(at(-1)), 0),
        (Some(at(5)), Some(at(3)), 0),
    ] {
        let within = move |row: &JournalRow| {
            from.is_none_or(|from| row.at >= from.millis()) && to.is_none_or(|to| row.at <= to.millis())
        };
        let range = HistoryFilter { from, to, ..everything.clone() };
        assert_eq!(assert_complete(w, &range, within).await, count, "{from:?} {to:?}");
        let account = HistoryFilter { account: Some(key("1")), ..range };
        assert_complete(w, &account, |row| within(row) && row.account_id.as_deref() == Some("1")).await;
    }
    assert_eq!(walk(w, &HistoryFilter { operators: vec!["nobody".to_owned()], ..everything }, 10).await.len(), 0);
}

async fn dates_that_are_out_of_order_hide_nothing(w: &World) {
    w.add_with(1, |d| d.max_accounts = 100).await;
    for account in 0..40 {
        w.wait(10);
        w.allocate(&account.to_string()).await.unwrap();
    }
    w.leave_damaged();
    // Two processes commit in another order than they began.
    w.raw.run("UPDATE journal SET at = at + CASE WHEN seq % 2 = 0 THEN 35 ELSE -35 END").await;
    let rows = walk(w, &HistoryFilter::default(), 500).await;
    for row in &rows {
        let moment = Some(Timestamp::from_millis(row.at));
        let seqs = |rows: &[JournalRow], keep: &dyn Fn(&JournalRow) -> bool| -> Vec<i64> {
            rows.iter().filter(|row| keep(row)).map(|row| row.seq).collect()
        };
        let from = walk(w, &HistoryFilter { from: moment, ..HistoryFilter::default() }, 7).await;
        assert_eq!(seqs(&from, &|_| true), seqs(&rows, &|other| other.at >= row.at));
        let to = walk(w, &HistoryFilter { to: moment, ..HistoryFilter::default() }, 7).await;
        assert_eq!(seqs(&to, &|_| true), seqs(&rows, &|other| other.at <= row.at));
    }
}

async fn filters_that_match_little_still_end(w: &World) {
    w.add_with(1, |d| d.max_accounts = 100_000).await;
    w.leave_damaged();
    // A long journal: rows beyond what one page looks at.
    w.raw
        .run(
            "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 245000)
             INSERT INTO journal (seq, tenant_id, at, action, actor)
             SELECT i, 'default', 1700000000000 + i, CASE WHEN i = 100 THEN 'capacity.warning' ELSE 'filler' END, 'x' FROM n",
        )
        .await;
    w.raw.run("UPDATE heads SET journal = 245000").await;
    let rare = HistoryFilter { actions: vec!["capacity.warning".to_owned()], ..HistoryFilter::default() };
    let first = w.store.history(&w.tenant, &rare, None, 10).await.unwrap();
    assert!(first.rows.is_empty() && first.next.is_some(), "a page looks at a bounded stretch and says where to go on");
    assert_eq!(walk(w, &rare, 10).await.iter().map(|row| row.seq).collect::<Vec<_>>(), [100]);
    let total = async |filter: &HistoryFilter| w.store.history_total(&w.tenant, filter).await.unwrap();
    assert_eq!(total(&rare).await, Total { number: 0, is_capped: true }, "there may be more further down");
    assert_eq!(total(&HistoryFilter::default()).await, Total { number: 10_000, is_capped: true });
    let early = HistoryFilter { to: Some(Timestamp::from_millis(1_700_000_000_200)), ..rare.clone() };
    let at_once = w.store.history(&w.tenant, &early, None, 10).await.unwrap();
    assert_eq!(at_once.rows.len(), 1, "a date leads there at once");
    assert_eq!(total(&early).await, Total { number: 1, is_capped: false });
}

async fn tenants_have_histories_of_their_own(w: &World) {
    w.raw.run("INSERT INTO tenants (id, name, created_at) VALUES ('other', 'Other', 0)").await;
    let other = domain::TenantId::from("other");
    w.add(1).await;
    w.allocate("a").await.unwrap();
    w.store.add_credential(&other, &origin(), &crate::world::draft(1)).await.unwrap();
    let asker = Asker { tenant: other.clone(), origin: origin() };
    w.pool.ask(asker, Command::Allocate(wish("a"))).await.unwrap();
    for filter in [
        HistoryFilter::default(),
        HistoryFilter { account: Some(key("a")), ..HistoryFilter::default() },
        HistoryFilter { api_id: Some(api_id(1)), ..HistoryFilter::default() },
    ] {
        for (tenant, seqs) in [(&w.tenant, [1, 2]), (&other, [3, 4])] {
            let page = w.store.history(tenant, &filter, None, 10).await.unwrap();
            assert!(!page.rows.is_empty());
            assert!(page.rows.iter().all(|row| seqs.contains(&row.seq)), "{filter:?} {:?}", page.rows);
        }
    }
    // Nor does a cursor lead into another's rows.
    let filter = HistoryFilter { account: Some(key("a")), ..HistoryFilter::default() };
    assert!(w.store.history(&w.tenant, &filter, Some(4), 10).await.unwrap().rows.is_empty());
}

// ---- allocations as records

async fn ended(w: &World, filter: &AllocationFilter, limit: usize) -> Vec<AllocationRecord> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let (rows, next) = w.store.ended_allocations(&w.tenant, filter, before, limit).await.unwrap();
        all.extend(rows);
        if next.is_none() {
            let total = w.store.count_allocations(&w.tenant, filter, false, true).await.unwrap();
            assert_eq!(total, Total { number: all.len() as i64, is_capped: false }, "{filter:?}");
            return all;
        }
        before = next;
    }
}

async fn ended_allocations_are_complete(w: &World) {
    let id = w.add(1).await;
    w.add(2).await;
    let mut expected = Vec::new();
    for round in 0..6 {
        let account = ["a", "b"][round % 2];
        let held = w.ask(account, |a| a.pinned = Some(api_id(1 + round as i64 % 3 / 2))).await.unwrap();
        w.wait(SECOND);
        w.release(account).await.unwrap();
        expected.push(held);
    }
    let leased = w.ask("c", |a| (a.ttl_millis, a.pinned) = (Some(SECOND), Some(api_id(1)))).await.unwrap();
    w.wait(MINUTE);
    w.store.expire_leases(10).await.unwrap();
    expected.push(leased);
    expected.reverse();
    for limit in [1, 2, 3, 50] {
        let rows = ended(w, &AllocationFilter::default(), limit).await;
        assert_eq!(rows.len(), expected.len());
        for (row, held) in rows.iter().zip(&expected) {
            assert_eq!((row.id.as_str(), row.api_id), (held.allocation_id.as_str(), Some(held.api_id.get())));
            assert_eq!((row.account_id.as_str(), row.allocated_at), (held.account.as_str(), Some(held.allocated_at)));
            assert_eq!((row.expires_at, row.strategy.as_deref()), (held.expires_at, Some("manual")));
            assert_eq!(row.operator.as_deref(), Some("user:tester"));
            assert!(row.released_at > row.allocated_at);
        }
        let of = |account: Option<&str>, number: Option<i64>| AllocationFilter {
            account: account.map(key),
            api_id: number.map(api_id),
        };
        assert_eq!(ended(w, &of(Some("a"), None), limit).await.len(), 3);
        let on_two = expected.iter().filter(|held| held.api_id.get() == 2).count();
        assert_eq!(ended(w, &of(None, Some(2)), limit).await.len(), on_two);
        assert!(on_two > 0);
        let both = expected.iter().filter(|held| held.api_id.get() == 1 && held.account.as_str() == "b").count();
        assert_eq!(ended(w, &of(Some("b"), Some(1)), limit).await.len(), both);
    }
    w.store.delete_credential(&w.tenant, &origin(), &id, false, None).await.unwrap();
    assert_eq!(ended(w, &AllocationFilter::default(), 2).await.len(), 7, "a deleted credential's are still told");
}

async fn standing_allocations_are_complete(w: &World) {
    w.add_with(1, |d| d.max_accounts = 3).await;
    w.add_with(2, |d| d.max_accounts = 20).await;
    for account in 0..11 {
        w.wait(account % 2);
        w.allocate(&account.to_string()).await.unwrap();
    }
    w.release("4").await.unwrap();
    let walk = async |filter: &AllocationFilter, limit: usize| {
        let (mut all, mut before) = (Vec::<AllocationRecord>::new(), None);
        loop {
            let page = w.store.live_allocations(&w.tenant, filter, before.as_deref(), limit).await.unwrap();
            all.extend(page);
            if all.last().map(|last| last.id.clone()) == before {
                let total = w.store.count_allocations(&w.tenant, filter, true, false).await.unwrap();
                assert_eq!(total, Total { number: all.len() as i64, is_capped: false }, "{filter:?}");
                return all;
            }
            before = all.last().map(|last| last.id.clone());
        }
    };
    let of = |account: Option<&str>, number: Option<i64>| AllocationFilter {
        account: account.map(key),
        api_id: number.map(api_id),
    };
    for limit in [1, 3, 50] {
        let all = walk(&AllocationFilter::default(), limit).await;
        assert_eq!(all.len(), 10);
        assert!(all.is_sorted_by(|a, b| a.id > b.id), "the newest first");
        assert!(all.iter().all(|row| row.released_at.is_none() && row.strategy.as_deref() == Some("balanced")));
        let on_one = walk(&of(None, Some(1)), limit).await;
        let expected = all.iter().filter(|row| row.api_id == Some(1)).count();
        assert_eq!(on_one.len(), expected);
        assert!(on_one.iter().all(|row| row.api_id == Some(1)) && expected > 0);
        assert_eq!(walk(&of(Some("3"), None), limit).await.len(), 1);
        assert_eq!(walk(&of(Some("3"), Some(99)), limit).await.len(), 0);
        assert_eq!(walk(&of(Some("4"), None), limit).await.len(), 0);
    }
}

async fn accounts_are_looked_up_in_one_go(w: &World) {
    w.add(1).await;
    let held = w.ask("a", |a| a.ttl_millis = Some(MINUTE)).await.unwrap();
    w.allocate("b").await.unwrap();
    w.release("b").await.unwrap();
    let keys: Vec<_> = ["a", "b", "c", "a"].into_iter().map(key).collect();
    let mut rows = w.store.accounts(&w.tenant, &keys).await.unwrap();
    rows.sort_by(|x, y| x.account_id.cmp(&y.account_id));
    let known: Vec<_> = rows.iter().map(|row| (row.account_id.as_str(), row.api_id, row.former_api_id)).collect();
    assert_eq!(known, [("a", Some(1), None), ("b", None, Some(1))]);
    let a = &rows[0];
    assert_eq!((a.allocated_at, a.expires_at), (Some(w.now().millis()), held.expires_at.map(Timestamp::millis)));
    assert_eq!(
        (a.name.as_deref(), a.standing.as_deref(), a.operator.as_deref()),
        (Some("app 1"), Some("enabled"), Some("user:tester"))
    );
    assert!(w.store.accounts(&"other".into(), &keys).await.unwrap().is_empty());
    assert!(w.store.accounts(&w.tenant, &[]).await.unwrap().is_empty());
}

// ---- pruning

async fn pruning_takes_from_the_old_end_only(w: &World) {
    w.add(1).await;
    for number in 0..9 {
        w.wait(SECOND);
        let Ok(Done::Allocated(_)) = w.pool.ask(w.asker(), Command::Allocate(wish("a"))).await else { panic!() };
        w.report(1, |r| r.result_id = Some(number.to_string())).await.unwrap();
        w.release("a").await.unwrap();
    }
    let start = Timestamp::from_millis(crate::world::START);
    // One row of the old ones is dated late.
    w.raw.run(&format!("UPDATE journal SET at = {} WHERE seq = 5", start.plus(MINUTE).millis())).await;
    let cutoff = start.plus(4 * SECOND);
    let mut pruned = 0;
    loop {
        let some = w.store.prune_logs(cutoff, cutoff, 2).await.unwrap();
        assert!(some <= 4);
        pruned += some;
        if some == 0 {
            break;
        }
    }
    let oldest = async |table: &str| w.raw.number(&format!("SELECT MIN(seq) FROM {table}")).await;
    assert_eq!((oldest("journal").await, oldest("results").await), (5, 4), "what stays has no gap");
    assert_eq!(pruned, 4 + 3);
    w.examine().await;
    assert_eq!(w.store.prune_logs(start.plus(2 * MINUTE), start, 100).await.unwrap(), 19 - 4);
    assert_eq!(w.raw.number("SELECT COUNT(*) FROM journal").await, 0);
    // What is new goes on where the numbers were.
    w.allocate("a").await.unwrap();
    assert_eq!(w.raw.number("SELECT MIN(seq) FROM journal").await, 20);
}

async fn a_pruned_history_ends_where_it_was_pruned(w: &World) {
    w.add(1).await;
    for _ in 0..5 {
        w.wait(SECOND);
        w.allocate("a").await.unwrap();
        w.release("a").await.unwrap();
    }
    let by_account = HistoryFilter { account: Some(key("a")), ..HistoryFilter::default() };
    let by_api_id = HistoryFilter { api_id: Some(api_id(1)), ..HistoryFilter::default() };
    let cursor = w.store.history(&w.tenant, &by_api_id, None, 8).await.unwrap().next.unwrap();
    w.store.prune_logs(w.now(), w.now(), 100).await.unwrap();
    for filter in [&by_account, &by_api_id, &HistoryFilter::default()] {
        assert_eq!(walk(w, filter, 1).await.len(), 2);
        // A client that comes late with a cursor that was pruned gets an end, not the beginning.
        let late = w.store.history(&w.tenant, filter, Some(cursor), 8).await.unwrap();
        assert!(late.rows.is_empty() && late.next.is_none(), "{filter:?}");
    }
}
