//! §1 and §4: lists: pages, cursors, sorting, filters by field, `!=`, counts.

use serde_json::{Value, json};

use super::fields::{credential, page};
use super::{POOL, Reply, has_shape, pool};
use crate::harness::{Api, Kind, Place};
use crate::on_both;

/// Ten credentials that differ in everything a list knows.
async fn furnish(owner: &Api) -> String {
    let group = owner.ok("POST", &pool("groups"), json!({ "name": "g" })).await["id"].as_str().unwrap().to_owned();
    for n in 0..10 {
        let body = json!({
            "api_id": 1_000_000 + n, "api_hash": "x", "name": format!("name {}", (n * 7) % 10), "priority": n % 3,
            "group_id": (n < 4).then_some(&group), "is_premium": n > 7,
            "min_member_level": if n == 5 { "gold" } else { "free" }, "tags": if n < 2 { json!(["red", "50%"]) } else { json!(["blue"]) },
        });
        let id = owner.ok("POST", POOL, body).await["id"].as_str().unwrap().to_owned();
        match n {
            0 => owner.ok("POST", &pool(&format!("{id}/disable")), Value::Null).await,
            1 => owner.ok("POST", &pool(&format!("{id}/ban")), json!({ "reason": "r" })).await,
            2 => owner.ok("POST", &pool("allocate"), json!({ "account_id": "a", "api_id": 1_000_002 })).await,
            _ => Value::Null,
        };
    }
    group
}

fn ids(reply: &Reply) -> Vec<i64> {
    let items = reply.data()["items"].as_array().unwrap();
    items.iter().map(|one| one["api_id"].as_str().unwrap().parse::<i64>().unwrap() - 1_000_000).collect()
}

async fn filters_and_sorts(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let empty = owner.get(POOL).await;
    assert_eq!(*empty.data(), json!({ "items": [], "total": 0, "next_cursor": null }));
    let group = furnish(&owner).await;
    let all = owner.get(POOL).await;
    has_shape(all.data(), &page(&credential()));
    assert_eq!(ids(&all), (0..10).rev().collect::<Vec<_>>(), "the newest first");
    assert_eq!(ids(&owner.get(&pool("")).await), ids(&all), "with and without the slash");

    for (query, expected) in [
        ("sort=api_id&limit=3", vec![0, 1, 2]),
        ("sort=-api_id&limit=3", vec![9, 8, 7]),
        ("sort=created_at&limit=2", vec![0, 1]),
        ("sort=name&limit=3", vec![0, 3, 6]),
        ("sort=-current_accounts&limit=1", vec![2]),
        ("sort=-last_allocated_at&limit=1", vec![2]),
        ("sort=api_id&status=disabled,banned", vec![0, 1]),
        ("sort=api_id&status=in_use", vec![2]),
        ("sort=api_id&status!=available", vec![0, 1, 2]),
        ("sort=api_id&status!=available,in_use,banned", vec![0]),
        ("sort=api_id&q=NAME%209", vec![7]),
        ("sort=api_id&q=1000003", vec![3]),
        ("sort=api_id&q=0003", vec![]),
        ("sort=api_id&q=%25", vec![]),
        ("sort=api_id&tags=red", vec![0, 1]),
        ("sort=api_id&tags=50%25", vec![0, 1]),
        ("sort=api_id&tags=re", vec![]),
        ("sort=api_id&tags=red,none", vec![0, 1]),
        ("sort=api_id&tags!=red&limit=2", vec![2, 3]),
        ("sort=api_id&tags!=red,x&tags=red", vec![]),
        ("sort=api_id&min_member_level!=free", vec![5]),
        ("sort=-api_id&api_id=1000003,1000001,77", vec![3, 1]),
        ("sort=api_id&is_premium=true", vec![8, 9]),
        ("sort=api_id&is_premium=false&limit=2", vec![0, 1]),
        ("sort=api_id&min_member_level=gold,king", vec![5]),
        ("sort=api_id&min_member_level=free&is_premium=1", vec![8, 9]),
        ("sort=api_id&health_grade=poor,critical", vec![0, 1]),
        ("sort=-api_id&health_grade=excellent,good,fair&limit=1", vec![9]),
        ("sort=-api_id&health_grade!=poor,critical&limit=1", vec![9]),
        ("sort=api_id&health_grade!=excellent,good,fair", vec![0, 1]),
        ("status=&q=&sort=api_id&limit=1", vec![0]),
    ] {
        assert_eq!(ids(&owner.get(&format!("{POOL}?{query}")).await), expected, "{query}");
    }
    let in_group = owner.get(&format!("{POOL}?sort=api_id&group_id={group}")).await;
    assert_eq!((ids(&in_group), &in_group.data()["total"]), (vec![0, 1, 2, 3], &json!(4)));
    let outside = format!("{POOL}?sort=api_id&group_id!={group}&limit=2");
    let outside = owner.get(&outside).await;
    assert_eq!((ids(&outside), &outside.data()["total"]), (vec![4, 5], &json!(6)));
    assert_eq!(ids(&owner.get(&format!("{POOL}?sort=api_id&group_id=none,{group}&limit=5")).await), [0, 1, 2, 3, 4]);
    let one = all.data()["items"][4]["id"].as_str().unwrap();
    assert_eq!(ids(&owner.get(&format!("{POOL}?q={one}")).await), [5], "by our id");

    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("limit=1.5", "limit"),
        ("sort=colour", "sort"),
        ("sort=--name", "sort"),
        ("status=open", "status"),
        ("status!=open", "status!"),
        ("health_grade=great", "health_grade"),
        ("cursor=x", "cursor"),
        ("cursor=e30", "cursor"),
        ("colour=red", "colour"),
        ("limit=1&limit=2", "limit"),
        ("health_grade!=great", "health_grade!"),
        ("q=a%00b", "q"),
        ("q=%ff", "q"),
    ] {
        owner.get(&format!("{POOL}?{query}")).await.wrong(field);
    }
}

/// An export takes the filters of a list, and nothing else of it.
async fn exports_find_what_lists_find(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let group = furnish(&owner).await;
    for query in [
        "",
        "q=NAME%209",
        "q=1000003",
        "status=disabled,banned",
        "status!=available",
        "status=in_use&q=1000002",
        "status=banned&status!=banned",
        &format!("group_id={group}"),
        &format!("group_id!={group}"),
        "group_id=none",
        "health_grade=poor,critical",
        "health_grade!=poor,critical",
        "tags=red",
        "tags!=red",
        "is_premium=true",
        "min_member_level=gold,king",
        "min_member_level!=free",
        "api_id=1000003,1000001,77",
        "status=&q=",
    ] {
        let listed = ids(&owner.get(&format!("{POOL}?sort=created_at&{query}")).await);
        let reply = owner.get(&pool(&format!("export?format=json&{query}"))).await;
        let of = |one: &Value| one["api_id"].as_str().unwrap().parse::<i64>().unwrap() - 1_000_000;
        let exported: Vec<i64> = reply.json.as_array().unwrap().iter().map(of).collect();
        assert_eq!(exported, listed, "{query}");
        let file = owner.get(&pool(&format!("export?{query}"))).await;
        assert_eq!((file.status, file.text.lines().count()), (200, listed.len() + 1), "{query}");
    }
    for (query, field) in [
        ("limit=1", "limit"),
        ("sort=name", "sort"),
        ("cursor=x", "cursor"),
        ("status=open", "status"),
        ("status!=open", "status!"),
        ("health_grade=great", "health_grade"),
        ("api_id=x", "api_id"),
        ("is_premium=maybe", "is_premium"),
        ("q=a%00b", "q"),
    ] {
        owner.get(&pool(&format!("export?{query}"))).await.wrong(field);
    }
    // More than are read at once.
    owner.import(2_000_000, 700, 1).await;
    owner.import(3_000_000, 700, 1).await;
    let file = owner.get(&pool("export?q=cred-3")).await;
    assert_eq!(file.text.lines().count(), 701);
    assert!(file.text.lines().skip(1).all(|line| line.starts_with('3')));
    let json = owner.get(&pool("export?format=json&q=cred-3&include_hash=true")).await;
    assert_eq!(json.json.as_array().unwrap().len(), 700);
    owner.get(&pool("export?q=&status=")).await;
    let audit = owner.get(&pool("history?action=api.exported&limit=2")).await;
    let noted = audit.data()["items"].as_array().unwrap().iter().map(|row| row["data"].clone()).collect::<Vec<_>>();
    let note = |hash: bool, filtered: bool| json!({ "include_hash": hash, "filtered": filtered });
    assert_eq!(noted, [note(false, false), note(true, true)]);
    server.stop().await;
    place.assert_sound();
}

/// Follows cursors to the end; every row once, in order.
async fn pages_join_without_gaps(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    furnish(&owner).await;
    for sort in [
        "created_at",
        "-created_at",
        "name",
        "-name",
        "api_id",
        "-api_id",
        "priority",
        "-priority",
        "-health_score",
        "current_accounts",
        "-success_count",
        "fail_count",
        "last_allocated_at",
    ] {
        let whole = ids(&owner.get(&format!("{POOL}?sort={sort}")).await);
        let (mut joined, mut cursor) = (Vec::new(), String::new());
        for _ in 0..5 {
            let reply = owner.get(&format!("{POOL}?sort={sort}&limit=3{cursor}")).await;
            joined.extend(ids(&reply));
            assert_eq!(reply.data()["total"], 10, "{sort}");
            let Some(next) = reply.data()["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(joined, whole, "{sort}");
    }
    let reply = owner.get(&format!("{POOL}?sort=name&limit=3")).await;
    let cursor = reply.data()["next_cursor"].as_str().unwrap();
    owner.get(&format!("{POOL}?sort=api_id&cursor={cursor}")).await.wrong("cursor");
    let exact = owner.get(&format!("{POOL}?limit=10")).await;
    assert!(exact.data()["next_cursor"].is_null(), "a full last page is the last");
}

/// What adds something of a name.
type Body<'a> = &'a dyn Fn(&str) -> Value;

/// The lists that stay short have the same grammar: `q`, `sort`, `limit`, `cursor`.
async fn short_lists_are_sought_and_sorted(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let named = |name: &str| json!({ "name": name });
    let lists: [(String, &str, Body); 5] = [
        (pool("groups"), "name", &named),
        (
            pool("rules"),
            "name",
            &|name| json!({ "name": name, "effect": "deny", "priority": i64::from(name == "red-2") }),
        ),
        ("/api/admin/views".to_owned(), "name", &|name| json!({ "name": name, "page": "p", "definition": {} })),
        (
            "/api/admin/service-tokens".to_owned(),
            "product",
            &|name| json!({ "product": name, "scopes": ["credpool:*"] }),
        ),
        (
            "/api/admin/users".to_owned(),
            "username",
            &|name| json!({ "username": name, "password": "long enough it is", "role": "auditor" }),
        ),
    ];
    for (list, field, body) in lists {
        for name in ["red-1", "blue-1", "red-2", "red-3", "x100"] {
            owner.ok("POST", &list, body(name)).await;
        }
        let page = async |query: &str| owner.get(&format!("{list}?{query}")).await;
        let shown = |reply: &Reply| -> Vec<String> {
            let items = reply.data()["items"].as_array().unwrap();
            items.iter().map(|one| one[field].as_str().unwrap().to_owned()).collect()
        };
        let usual = if list.ends_with("/rules") { ["red-2", "red-1", "red-3"] } else { ["red-3", "red-2", "red-1"] };
        for (query, expected) in [
            ("q=RED", usual.to_vec()),
            ("q=red&sort=created_at", vec!["red-1", "red-2", "red-3"]),
            ("q=red&sort=-created_at", vec!["red-3", "red-2", "red-1"]),
            ("q=ed-2&sort=", vec!["red-2"]),
            ("q=1%25", vec![]),
            ("q=_100", vec![]),
        ] {
            let reply = page(query).await;
            assert_eq!(shown(&reply), expected, "{list}?{query}");
            assert_eq!(reply.data()["total"], expected.len(), "{list}?{query}");
        }
        for sort in ["", "created_at", "-created_at"] {
            let (mut joined, mut cursor) = (Vec::new(), String::new());
            for _ in 0..3 {
                let reply = page(&format!("q=-&sort={sort}&limit=2{cursor}")).await;
                joined.extend(shown(&reply));
                assert_eq!(reply.data()["total"], 4, "{list} by {sort}");
                let Some(next) = reply.data()["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(joined, shown(&page(&format!("q=-&sort={sort}")).await), "{list} by {sort}");
        }
        for odd in ["name", "--created_at", "priority", "updated_at"] {
            page(&format!("sort={odd}")).await.wrong("sort");
        }
        page("colour=red").await.wrong("colour");
    }
}

on_both!(filters_and_sorts, exports_find_what_lists_find, pages_join_without_gaps, short_lists_are_sought_and_sorted,);
