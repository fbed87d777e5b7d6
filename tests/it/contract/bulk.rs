//! §4: one action on many credentials: by id or by filter, each with its own outcome.

use serde_json::{Value, json};

use super::{POOL, Reply, has_shape, pool};
use crate::harness::{Api, Kind, Place};
use crate::on_both;

const NOBODYS: &str = "01J0000000000000000000000";

async fn bulk(owner: &Api, body: Value) -> Reply {
    let reply = owner.post(&pool("bulk"), body).await;
    if reply.status == 200 {
        let error = json!({ "code": "text", "number": "int", "message": "text", "details?": "any" });
        let line = json!({ "id": "text", "success": "bool", "error?": error });
        has_shape(reply.data(), &json!({ "succeeded": "int", "failed": "int", "results": [line] }));
        let results = reply.data()["results"].as_array().unwrap();
        let succeeded = results.iter().filter(|one| one["success"] == true).count();
        assert_eq!(reply.data()["succeeded"], succeeded, "{}", reply.text);
        assert_eq!(reply.data()["failed"], results.len() - succeeded, "{}", reply.text);
        assert!(results.iter().all(|one| one["error"].is_null() == (one["success"] == true)), "{}", reply.text);
    }
    reply
}

/// The id of each line, and the number of its failure or 0.
fn outcomes(reply: &Reply) -> Vec<(&str, u64)> {
    let results = reply.data()["results"].as_array().unwrap();
    let number = |one: &Value| one["error"]["number"].as_u64().unwrap_or_default();
    results.iter().map(|one| (one["id"].as_str().unwrap(), number(one))).collect()
}

/// The credentials' ids in order of their `api_id`s.
async fn ids(owner: &Api, query: &str) -> Vec<String> {
    let rows = owner.all(&format!("{POOL}?sort=api_id{query}")).await;
    rows.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

async fn each_action_by_ids(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_000, 5, 3).await;
    let all = ids(&owner, "").await;
    let [one, two, banned, held, last] = [0, 1, 2, 3, 4].map(|index| all[index].as_str());
    owner.ok("POST", &pool(&format!("{banned}/ban")), json!({ "reason": "r" })).await;
    owner.ok("POST", &pool("allocate"), json!({ "account_id": "held", "api_id": 1_000_003 })).await;

    // In the order in which they came, each once.
    let named = json!({ "ids": [last, banned, NOBODYS, one, last, one], "action": "disable" });
    let reply = bulk(&owner, named).await;
    assert_eq!(outcomes(&reply), [(last, 0), (banned, 2004), (NOBODYS, 2002), (one, 0)]);
    assert_eq!(ids(&owner, "&status=disabled").await, [one, last]);
    let again = bulk(&owner, json!({ "ids": [one, two], "action": "disable" })).await;
    assert_eq!(outcomes(&again), [(one, 0), (two, 0)], "twice is once");
    assert_eq!(owner.get(&pool(one)).await.header("etag"), "\"2\"");
    let reply = bulk(&owner, json!({ "ids": [one, two, banned], "action": "enable" })).await;
    assert_eq!(outcomes(&reply), [(one, 0), (two, 0), (banned, 2004)]);
    assert_eq!(ids(&owner, "&status=disabled").await, [last]);

    let group = owner.ok("POST", &pool("groups"), json!({ "name": "g" })).await["id"].as_str().unwrap().to_owned();
    let reply = bulk(&owner, json!({ "ids": [one, banned], "action": "assign_group", "group_id": group })).await;
    assert_eq!(outcomes(&reply), [(one, 0), (banned, 0)]);
    assert_eq!(ids(&owner, &format!("&group_id={group}")).await, [one, banned]);
    let asked = json!({ "account_id": "x", "group_id": group });
    assert_eq!(owner.post(&pool("allocate"), asked).await.data()["api_id"], "1000000", "for the next allocation");
    bulk(&owner, json!({ "ids": [banned], "action": "assign_group", "group_id": null })).await.data();
    bulk(&owner, json!({ "ids": [one], "action": "assign_group" })).await.data();
    assert!(ids(&owner, &format!("&group_id={group}")).await.is_empty());

    let reply = bulk(&owner, json!({ "ids": [held, banned, two], "action": "delete" })).await;
    assert_eq!(outcomes(&reply), [(held, 2004), (banned, 0), (two, 0)], "what accounts hold stays");
    assert_eq!(ids(&owner, "").await, [one, held, last]);
    let gone = bulk(&owner, json!({ "ids": [two], "action": "delete" })).await;
    assert_eq!(outcomes(&gone), [(two, 2002)]);

    // One line in the history for each that changed, by whom, and none for what did not.
    for (action, expected) in [("api.disabled", 3), ("api.enabled", 2), ("api.updated", 4), ("api.removed", 2)] {
        let told = owner.get(&pool(&format!("history?action={action}"))).await;
        assert_eq!(told.data()["total"], expected, "{action}");
        let rows = told.data()["items"].as_array().unwrap();
        assert!(rows.iter().all(|one| one["operator"] == "user:admin" && one["data"]["bulk"] == true), "{}", told.text);
    }
    server.stop().await;
    place.assert_sound();
}

async fn by_filter_when_it_finds_as_many(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_000, 450, 1).await;
    owner.import(2_000_000, 3, 1).await;
    let by = async |filter: Value, expected: i64, action: &str| {
        bulk(&owner, json!({ "filter": filter, "expected": expected, "action": action })).await
    };
    // Somebody has added one in between: nothing is done.
    for wrong in [0, 452, 454, -1, i64::MAX] {
        by(json!({}), wrong, "disable").await.problem(409, 2004, "conflict");
    }
    assert!(ids(&owner, "&status=disabled").await.is_empty());
    let done = by(json!({ "q": "cred-2000" }), 3, "disable").await;
    assert_eq!((&done.data()["succeeded"], &done.data()["failed"]), (&json!(3), &json!(0)));
    // As a list takes it: by comma, as a list, with a negation, as a truth.
    for (filter, expected) in [
        (json!({ "status": "disabled,banned" }), 3),
        (json!({ "status": ["disabled", "banned"] }), 3),
        (json!({ "status!": "disabled" }), 450),
        (json!({ "is_premium": false, "status": "disabled" }), 3),
        (json!({ "is_premium": true }), 0),
        (json!({ "group_id": "none", "tag": null }), 453),
    ] {
        // Out of any group, where they are already: the filter finds the same each time.
        let reply = by(filter.clone(), expected, "assign_group").await;
        assert_eq!(reply.data()["succeeded"], expected, "{filter}");
    }
    let removed = by(json!({}), 453, "delete").await;
    assert_eq!(removed.data()["results"].as_array().unwrap().len(), 453);
    assert_eq!(owner.get(POOL).await.data()["total"], 0);
    server.stop().await;
    place.assert_sound();
}

async fn wrong_ones_are_refused(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_000, 2, 1).await;
    let one = &ids(&owner, "").await[0];
    let many: Vec<String> = (0..501).map(|n| format!("{NOBODYS}{n}")).collect();
    for (field, body) in [
        ("action", json!({ "ids": [one] })),
        ("action", json!({ "ids": [one], "action": "ban" })),
        ("action", json!({ "ids": [one], "action": "" })),
        ("ids", json!({ "action": "disable" })),
        ("ids", json!({ "ids": [one], "filter": {}, "expected": 2, "action": "disable" })),
        ("ids", json!({ "ids": [], "action": "disable" })),
        ("ids", json!({ "ids": many, "action": "disable" })),
        ("ids", json!({ "ids": ["a b"], "action": "disable" })),
        ("ids", json!({ "ids": one, "action": "disable" })),
        ("expected", json!({ "ids": [one], "expected": 1, "action": "disable" })),
        ("expected", json!({ "filter": {}, "action": "disable" })),
        ("expected", json!({ "filter": {}, "expected": "2", "action": "disable" })),
        ("filter", json!({ "filter": [], "expected": 2, "action": "disable" })),
        ("filter.status", json!({ "filter": { "status": "open" }, "expected": 2, "action": "disable" })),
        ("filter.status", json!({ "filter": { "status": { "a": 1 } }, "expected": 2, "action": "disable" })),
        ("filter.colour", json!({ "filter": { "colour": "red" }, "expected": 2, "action": "disable" })),
        // What a list takes beside its filter is none.
        ("filter.limit", json!({ "filter": { "limit": 1 }, "expected": 1, "action": "disable" })),
        ("filter.sort", json!({ "filter": { "sort": "name" }, "expected": 2, "action": "disable" })),
        ("group_id", json!({ "ids": [one], "action": "disable", "group_id": "x" })),
        ("group_id", json!({ "ids": [one], "action": "assign_group", "group_id": NOBODYS })),
        ("surprise", json!({ "ids": [one], "action": "disable", "surprise": 1 })),
    ] {
        bulk(&owner, body.clone()).await.wrong(field);
    }
    assert_eq!(ids(&owner, "&status=available").await.len(), 2, "nothing of it was done");
}

/// What a dry run says it would touch; that it says nothing else is its shape.
async fn would(owner: &Api, mut body: Value) -> Value {
    body["dry_run"] = json!(true);
    let reply = owner.post(&pool("bulk"), body).await;
    let by_status = json!({ "available": "int", "in_use": "int", "disabled": "int", "banned": "int" });
    let reach = json!({ "credentials": "int", "accounts": "int", "by_status": by_status });
    has_shape(reply.data(), &json!({ "succeeded": "int", "failed": "int", "results": ["any"], "would": reach }));
    let data = reply.data();
    assert_eq!((&data["succeeded"], &data["failed"], &data["results"]), (&json!(0), &json!(0), &json!([])));
    data["would"].clone()
}

async fn a_dry_run_counts_and_changes_nothing(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_000, 6, 3).await;
    owner.import(2_000_000, 2, 3).await;
    let all = ids(&owner, "").await;
    owner.ok("POST", &pool(&format!("{}/ban", all[1])), json!({ "reason": "r" })).await;
    owner.ok("POST", &pool(&format!("{}/disable", all[2])), json!({})).await;
    for (account, api_id) in [("a", 1_000_000), ("b", 1_000_000), ("c", 1_000_003)] {
        owner.ok("POST", &pool("allocate"), json!({ "account_id": account, "api_id": api_id })).await;
    }
    let expected = |credentials: i64, accounts: i64, by: [i64; 4]| {
        json!({
            "credentials": credentials, "accounts": accounts,
            "by_status": { "available": by[0], "in_use": by[1], "disabled": by[2], "banned": by[3] },
        })
    };
    let rows = owner.get(&format!("{POOL}?sort=api_id")).await.data()["items"].clone();
    let told = owner.get(&pool("history")).await.data()["total"].clone();
    for action in ["enable", "disable", "assign_group", "delete"] {
        for (filter, reach) in [
            (json!({}), expected(8, 3, [4, 2, 1, 1])),
            (json!({ "status": "banned" }), expected(1, 0, [0, 0, 0, 1])),
            (json!({ "q": "cred-100" }), expected(6, 3, [2, 2, 1, 1])),
            (json!({ "q": "cred-100", "status!": ["in_use", "banned"] }), expected(3, 0, [2, 0, 1, 0])),
            (json!({ "api_id": "1000000,2000001,77" }), expected(2, 2, [1, 1, 0, 0])),
            (json!({ "api_id": ["1000000", "1000001"] }), expected(2, 2, [0, 1, 0, 1])),
            (json!({ "api_id": 1_000_003 }), expected(1, 1, [0, 1, 0, 0])),
            (json!({ "api_id": 1_000_003.0 }), expected(1, 1, [0, 1, 0, 0])),
            (json!({ "api_id": "" }), expected(8, 3, [4, 2, 1, 1])),
            (json!({ "tags": "none" }), expected(0, 0, [0; 4])),
        ] {
            let body = json!({ "filter": filter, "action": action });
            assert_eq!(would(&owner, body).await, reach, "{action} {filter}");
        }
        let named = json!({ "ids": [all[0], NOBODYS, all[1], all[0]], "action": action });
        assert_eq!(would(&owner, named).await, expected(2, 2, [0, 1, 0, 1]), "{action}: those that are there, once");
    }
    // It meets the refusals that the action itself would meet.
    let seen = |expected: i64| json!({ "filter": {}, "expected": expected, "action": "disable" });
    assert_eq!(would(&owner, seen(8)).await["credentials"], 8);
    for wrong in [0, 7, 9, -1] {
        let mut body = seen(wrong);
        body["dry_run"] = json!(true);
        owner.post(&pool("bulk"), body).await.problem(409, 2004, "conflict");
    }
    for (field, body) in [
        ("dry_run", json!({ "filter": {}, "action": "disable", "dry_run": "true" })),
        ("dry_run", json!({ "filter": {}, "action": "disable", "dry_run": 1 })),
        ("expected", json!({ "filter": {}, "action": "disable", "dry_run": false })),
        ("expected", json!({ "filter": {}, "action": "disable", "dry_run": null })),
        ("expected", json!({ "ids": [all[0]], "expected": 1, "action": "disable", "dry_run": true })),
        ("ids", json!({ "action": "disable", "dry_run": true })),
        ("ids", json!({ "ids": [all[0]], "filter": {}, "action": "disable", "dry_run": true })),
        ("ids", json!({ "ids": [], "action": "disable", "dry_run": true })),
        ("action", json!({ "filter": {}, "dry_run": true })),
        ("filter.colour", json!({ "filter": { "colour": "red" }, "action": "disable", "dry_run": true })),
        ("filter.api_id", json!({ "filter": { "api_id": "x" }, "action": "disable", "dry_run": true })),
        ("filter.api_id", json!({ "filter": { "api_id": 0 }, "action": "disable", "dry_run": true })),
        ("filter.api_id", json!({ "filter": { "api_id": [7] }, "action": "disable", "dry_run": true })),
        ("group_id", json!({ "filter": {}, "action": "assign_group", "group_id": NOBODYS, "dry_run": true })),
        ("group_id", json!({ "filter": {}, "action": "disable", "group_id": NOBODYS, "dry_run": true })),
    ] {
        owner.post(&pool("bulk"), body).await.wrong(field);
    }
    let operator = json!({ "username": "op", "password": "long enough it is", "role": "operator" });
    owner.ok("POST", "/api/admin/users", operator).await;
    let operator = server.sign_in("op", "long enough it is").await;
    let asked = |action: &str| json!({ "filter": {}, "action": action, "dry_run": true });
    operator.post(&pool("bulk"), asked("delete")).await.problem(403, 1003, "forbidden");
    operator.post(&pool("bulk"), asked("disable")).await.data();
    // Nothing has changed, and nothing is told of it.
    assert_eq!(owner.get(&format!("{POOL}?sort=api_id")).await.data()["items"], rows);
    assert_eq!(owner.get(&pool("history")).await.data()["total"], told);
    // The number is the one to send.
    let found = would(&owner, json!({ "filter": { "q": "cred-2000" }, "action": "delete" })).await;
    let body = json!({ "filter": { "q": "cred-2000" }, "expected": found["credentials"], "action": "delete", "dry_run": false });
    assert_eq!(bulk(&owner, body).await.data()["succeeded"], 2);
    server.stop().await;
    place.assert_sound();
}

on_both!(
    each_action_by_ids,
    by_filter_when_it_finds_as_many,
    wrong_ones_are_refused,
    a_dry_run_counts_and_changes_nothing,
);
