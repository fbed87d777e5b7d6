//! Lists of credentials: every page in every order, and what filters find.

use std::collections::HashSet;

use store::Total;
use store::credentials::{Credential, Filter, Page, Sort, SortKey};
use strum::IntoEnumIterator;

use crate::world::{World, api_id, key, on_both, origin};

on_both! {
    pages_are_complete_in_every_order,
    filters_choose_and_hide,
    a_search_finds_parts_of_names_and_starts_of_ids,
    tags_are_matched_as_they_are,
    counting_stops,
}

fn page(sort: Sort, descending: bool, limit: usize) -> Page {
    Page { sort, descending, after: None, limit }
}

/// All pages, one after the other, as a client walks them.
async fn walk(w: &World, filter: &Filter, mut page: Page) -> Vec<Credential> {
    let mut all = Vec::new();
    loop {
        let rows = w.store.credentials(&w.tenant, filter, &page).await.unwrap();
        assert!(rows.len() <= page.limit);
        let full = rows.len() == page.limit;
        page.after = rows.last().map(|last| (page.sort.key(last), last.id.as_str().to_owned()));
        all.extend(rows);
        if !full {
            return all;
        }
    }
}

fn rank(sort: Sort, one: &Credential) -> (i64, String, String) {
    let id = one.id.as_str().to_owned();
    match sort.key(one) {
        SortKey::Int(number) => (number, String::new(), id),
        SortKey::Text(text) => (0, text, id),
    }
}

async fn pages_are_complete_in_every_order(w: &World) {
    let names = ["Zoe", "adam", "Ärger", "帳號", "same", "same"];
    for number in 0..17 {
        w.add_with(100 - number * 3, |d| {
            d.name = names[number as usize % names.len()].to_owned();
            d.priority = number % 3;
            d.max_accounts = 1 + number % 2;
        })
        .await;
        w.wait(number % 2);
    }
    for account in 0..9 {
        w.wait(account % 2);
        w.allocate(&account.to_string()).await.unwrap();
    }
    for number in [100, 97, 94, 94] {
        w.report(number, |_| {}).await.unwrap();
        w.fails(number - 30, "x", "API_ID_INVALID").await;
    }
    w.raw.run("UPDATE credentials SET health_score = api_id % 4 * 10").await;
    let everything = Filter::default();
    for sort in Sort::iter() {
        let mut expected = walk(w, &everything, page(Sort::CreatedAt, false, 500)).await;
        assert_eq!(expected.len(), 17);
        expected.sort_by_key(|one| rank(sort, one));
        for descending in [false, true] {
            let ids: Vec<&str> = expected.iter().map(|one| one.id.as_str()).collect();
            for limit in [1, 4, 17, 500] {
                let walked = walk(w, &everything, page(sort, descending, limit)).await;
                let walked: Vec<&str> = walked.iter().map(|one| one.id.as_str()).collect();
                assert_eq!(walked, ids, "{sort} descending={descending} limit={limit}");
            }
            expected.reverse();
        }
    }
    let filtered = Filter { q: "same".to_owned(), ..Filter::default() };
    assert_eq!(walk(w, &filtered, page(Sort::Name, true, 1)).await.len(), 5);
}

async fn found(w: &World, filter: &Filter) -> Vec<i64> {
    let rows = walk(w, filter, page(Sort::ApiId, false, 2)).await;
    let ids: Vec<i64> = rows.iter().map(|one| one.api_id.get()).collect();
    assert_eq!(ids.len(), ids.iter().collect::<HashSet<_>>().len(), "a page repeats");
    assert_eq!(w.store.count_credentials(&w.tenant, filter).await.unwrap().number, ids.len() as i64);
    ids
}

async fn filters_choose_and_hide(w: &World) {
    let (north, south) = (w.add_group("north").await, w.add_group("south").await);
    for number in 1..=6 {
        let id = w
            .add_with(number, |d| {
                d.group_id = [None, Some(north.clone()), Some(south.clone())][number as usize % 3].clone();
            })
            .await;
        let (store, tenant) = (&w.store, &w.tenant);
        match number {
            1 => store.disable_credential(tenant, &origin(), &id).await.unwrap(),
            2 => store.ban_credential(tenant, &origin(), &id, "x").await.unwrap(),
            3 => drop(w.ask("a", |a| a.pinned = Some(api_id(3))).await.unwrap()),
            _ => {}
        }
    }
    w.raw.run("UPDATE credentials SET health_score = api_id * 17").await;
    let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let all = Filter::default;
    let (north, south) = (north.as_str(), south.as_str());
    let cases = [
        (all(), vec![1, 2, 3, 4, 5, 6]),
        (Filter { status: list(&["available"]), ..all() }, vec![4, 5, 6]),
        (Filter { status: list(&["in_use", "banned"]), ..all() }, vec![2, 3]),
        (Filter { not_status: list(&["available"]), ..all() }, vec![1, 2, 3]),
        (Filter { not_status: list(&["disabled", "banned", "in_use"]), ..all() }, vec![4, 5, 6]),
        (Filter { group: list(&[north]), ..all() }, vec![1, 4]),
        (Filter { group: list(&["none", south]), ..all() }, vec![2, 3, 5, 6]),
        (Filter { not_group: list(&[north]), ..all() }, vec![2, 3, 5, 6]),
        (Filter { not_group: list(&["none"]), ..all() }, vec![1, 2, 4, 5]),
        (Filter { not_group: list(&[north]), not_status: list(&["banned"]), ..all() }, vec![3, 5, 6]),
        // 17 34 51 68 85 102
        (Filter { grade: list(&["critical"]), ..all() }, vec![1]),
        (Filter { grade: list(&["poor", "good"]), ..all() }, vec![2, 5]),
        (Filter { grade: list(&["fair", "excellent"]), ..all() }, vec![3, 4, 6]),
        (Filter { status: list(&["nonsense"]), ..all() }, vec![]),
        (Filter { status: list(&["available"]), group: list(&[north]), ..all() }, vec![4]),
    ];
    for (filter, expected) in cases {
        assert_eq!(found(w, &filter).await, expected, "{filter:?}");
    }
    let elsewhere = w.store.credentials(&"other".into(), &all(), &page(Sort::ApiId, false, 10)).await.unwrap();
    assert!(elsewhere.is_empty());
}

async fn a_search_finds_parts_of_names_and_starts_of_ids(w: &World) {
    let names = ["Alpha", "alphabet", "Привет", "100% sure", "100 sure", "under_score", "underXscore", "back\\slash"];
    let mut ids = Vec::new();
    for (number, name) in (120..).zip(names) {
        ids.push(w.add_with(number, |d| d.name = name.to_owned()).await);
    }
    let cases: [(&str, &[i64]); 11] = [
        ("ALPHA", &[120, 121]),
        ("lphab", &[121]),
        ("Привет", &[122]),
        ("рив", &[122]),
        ("0%", &[123]),
        ("r_s", &[125]),
        ("\\", &[127]),
        ("12", &[120, 121, 122, 123, 124, 125, 126, 127]),
        ("125", &[125]),
        ("25", &[]),
        (ids[3].as_str(), &[123]),
    ];
    for (q, expected) in cases {
        let filter = Filter { q: q.to_owned(), ..Filter::default() };
        assert_eq!(found(w, &filter).await, expected, "{q}");
    }
}

async fn tags_are_matched_as_they_are(w: &World) {
    let tags: [&[&str]; 6] = [&["vip"], &["VIP", "b"], &["vip2"], &["a\"b", "50%"], &["50x"], &["帳號", "vip"]];
    for (number, tags) in (1..).zip(tags) {
        w.add_with(number, |d| d.tags = tags.iter().map(|tag| (*tag).to_owned()).collect()).await;
    }
    let cases: [(&str, &[i64]); 7] =
        [("vip", &[1, 6]), ("VIP", &[2]), ("vi", &[]), ("a\"b", &[4]), ("50%", &[4]), ("帳號", &[6]), ("b", &[2])];
    for (tag, expected) in cases {
        let filter = Filter { tags: vec![tag.to_owned()], ..Filter::default() };
        assert_eq!(found(w, &filter).await, expected, "{tag}");
    }
}

async fn counting_stops(w: &World) {
    w.add(1).await;
    w.leave_damaged();
    // Copies of one row: their secrets do not open, but nobody asks.
    let columns =
        "tenant_id, api_hash, api_hash_masked, name, max_accounts, shelf, success_score, created_at, updated_at";
    let copied = w
        .raw
        .run(&format!(
            "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10100)
             INSERT INTO credentials (id, api_id, {columns})
             SELECT 'copy' || CAST(n.i AS TEXT), n.i, {columns} FROM n CROSS JOIN credentials"
        ))
        .await;
    assert_eq!(copied, 10_099);
    let total = w.store.count_credentials(&w.tenant, &Filter::default()).await.unwrap();
    assert_eq!(total, Total { number: 10_000, is_capped: true });
    let some = Filter { q: "99".to_owned(), ..Filter::default() };
    assert_eq!(w.store.count_credentials(&w.tenant, &some).await.unwrap().number, 1 + 10 + 100);
    assert!(w.store.account(&w.tenant, &key("a")).await.unwrap().is_none());
}
