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
    let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|index| all[index].as_str());
    owner.ok("POST", &pool(&format!("{c}/ban")), json!({ "reason": "r" })).await;
    owner.ok("POST", &pool("allocate"), json!({ "account_id": "held", "api_id": 1_000_003 })).await;

    // In the order in which they came, each once.
    let named = json!({ "ids": [e, c, NOBODYS, a, e, a], "action": "disable" });
    let reply = bulk(&owner, named).await;
    assert_eq!(outcomes(&reply), [(e, 0), (c, 2004), (NOBODYS, 2002), (a, 0)]);
    assert_eq!(ids(&owner, "&status=disabled").await, [a, e]);
    let again = bulk(&owner, json!({ "ids": [a, b], "action": "disable" })).await;
    assert_eq!(outcomes(&again), [(a, 0), (b, 0)], "twice is once");
    assert_eq!(owner.get(&pool(a)).await.header("etag"), "\"2\"");
    let reply = bulk(&owner, json!({ "ids": [a, b, c], "action": "enable" })).await;
    assert_eq!(outcomes(&reply), [(a, 0), (b, 0), (c, 2004)]);
    assert_eq!(ids(&owner, "&status=disabled").await, [e]);

    let group = owner.ok("POST", &pool("groups"), json!({ "name": "g" })).await["id"].as_str().unwrap().to_owned();
    let reply = bulk(&owner, json!({ "ids": [a, c], "action": "assign_group", "group_id": group })).await;
    assert_eq!(outcomes(&reply), [(a, 0), (c, 0)]);
    assert_eq!(ids(&owner, &format!("&group_id={group}")).await, [a, c]);
    let asked = json!({ "account_id": "x", "group_id": group });
    assert_eq!(owner.post(&pool("allocate"), asked).await.data()["api_id"], "1000000", "for the next allocation");
    bulk(&owner, json!({ "ids": [c], "action": "assign_group", "group_id": null })).await.data();
    bulk(&owner, json!({ "ids": [a], "action": "assign_group" })).await.data();
    assert!(ids(&owner, &format!("&group_id={group}")).await.is_empty());

    let reply = bulk(&owner, json!({ "ids": [d, c, b], "action": "delete" })).await;
    assert_eq!(outcomes(&reply), [(d, 2004), (c, 0), (b, 0)], "what accounts hold stays");
    assert_eq!(ids(&owner, "").await, [a, d, e]);
    let gone = bulk(&owner, json!({ "ids": [b], "action": "delete" })).await;
    assert_eq!(outcomes(&gone), [(b, 2002)]);

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
        ("expected", json!({ "filter": {}, "action": "disable" })),
        ("expected", json!({ "filter": {}, "expected": "2", "action": "disable" })),
        ("filter", json!({ "filter": [], "expected": 2, "action": "disable" })),
        ("status", json!({ "filter": { "status": "open" }, "expected": 2, "action": "disable" })),
        ("status", json!({ "filter": { "status": { "a": 1 } }, "expected": 2, "action": "disable" })),
        ("colour", json!({ "filter": { "colour": "red" }, "expected": 2, "action": "disable" })),
        // What a list takes beside its filter is none.
        ("limit", json!({ "filter": { "limit": 1 }, "expected": 1, "action": "disable" })),
        ("sort", json!({ "filter": { "sort": "name" }, "expected": 2, "action": "disable" })),
        ("group_id", json!({ "ids": [one], "action": "disable", "group_id": "x" })),
        ("group_id", json!({ "ids": [one], "action": "assign_group", "group_id": NOBODYS })),
        ("surprise", json!({ "ids": [one], "action": "disable", "surprise": 1 })),
    ] {
        bulk(&owner, body.clone()).await.wrong(field);
    }
    assert_eq!(ids(&owner, "&status=available").await.len(), 2, "nothing of it was done");
}

on_both!(each_action_by_ids, by_filter_when_it_finds_as_many, wrong_ones_are_refused);
