//! §4: one credential: add, read, change, remove, decide, reveal; `ETag` and `If-Match`.

use serde_json::{Value, json};

use super::fields::credential;
use super::{has_shape, pool};
use crate::harness::{Kind, Place};
use crate::on_both;

const HASH: &str = "0123456789abcdef0123456789abcdef";

async fn adds_changes_and_removes(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let group = owner.ok("POST", &pool("groups"), json!({ "name": "g" })).await["id"].clone();
    let whole = json!({
        "api_id": "1000001", "api_hash": HASH, "name": "main", "max_accounts": 7, "group_id": group, "priority": -3,
        "is_premium": true, "min_member_level": "gold", "tags": ["a", "b"], "source_phone": "+8613800000001",
        "note": "line\nline",
    });
    let added = owner.post(&pool(""), whole.clone()).await;
    has_shape(added.data(), &credential());
    let one = added.data();
    for field in
        ["api_id", "name", "max_accounts", "group_id", "priority", "is_premium", "min_member_level", "tags", "note"]
    {
        assert_eq!(one[field], whole[field], "{field}");
    }
    assert_eq!((&one["status"], &one["free_slots"], &one["group_name"]), (&json!("available"), &json!(7), &json!("g")));
    assert_eq!((added.header("etag"), &one["version"]), ("\"1\"", &json!(1)));
    assert!(!added.text.contains(HASH) && !added.text.contains("13800000001"), "masked: {}", added.text);

    // With the least, at the path without its slash, the api_id as a number.
    let least = json!({ "api_id": 1_000_002, "api_hash": "x", "name": "least" });
    let least = owner.post(super::POOL, least).await;
    assert_eq!((&least.data()["max_accounts"], &least.data()["min_member_level"]), (&json!(5), &json!("free")));
    assert_eq!((&least.data()["group_id"], &least.data()["tags"]), (&Value::Null, &json!([])));
    owner.post(&pool(""), whole.clone()).await.problem(409, 2003, "already_exists");

    let path = pool(one["id"].as_str().unwrap());
    assert_eq!(owner.get(&path).await.data(), one);
    // PUT merges: absent keeps, null clears.
    let change = json!({ "note": null, "group_id": null, "source_phone": "", "tags": null, "priority": 4 });
    let changed = owner.ask("PUT", &path, change).await;
    has_shape(changed.data(), &credential());
    for cleared in ["note", "group_id", "group_name", "source_phone_masked"] {
        assert!(changed.data()[cleared].is_null(), "{cleared}");
    }
    assert_eq!((&changed.data()["tags"], &changed.data()["priority"]), (&json!([]), &json!(4)));
    for kept in ["name", "max_accounts", "is_premium", "min_member_level", "api_hash_masked", "created_at"] {
        assert_eq!(changed.data()[kept], one[kept], "{kept}");
    }
    assert_eq!((changed.header("etag"), &changed.data()["version"]), ("\"2\"", &json!(2)));

    // Two people: the second gets 412, for a change as for a removal.
    let with = |tag: &str| owner.with("if-match", tag);
    with("\"1\"").ask("PUT", &path, json!({ "name": "late" })).await.problem(412, 2005, "stale");
    with("\"1\"").ask("DELETE", &path, Value::Null).await.problem(412, 2005, "stale");
    with("yesterday").ask("PUT", &path, json!({ "name": "late" })).await.problem(412, 2005, "stale");
    assert_eq!(with("\"2\"").ask("PUT", &path, json!({ "name": "in time" })).await.header("etag"), "\"3\"");
    assert_eq!(with("W/\"3\"").ask("PUT", &path, json!({ "name": "weak" })).await.header("etag"), "\"4\"");
    assert_eq!(with("*").ask("PUT", &path, json!({ "name": "any" })).await.data()["name"], "any");

    // The version moves with people's edits only.
    let pinned = json!({ "account_id": "a", "api_id": 1_000_001, "member_level": "king" });
    owner.post(&pool("allocate"), pinned.clone()).await.data();
    owner.post(&pool("result"), json!({ "api_id": 1_000_001, "success": true })).await.data();
    let used = owner.get(&path).await;
    assert_eq!((used.header("etag"), &used.data()["status"]), ("\"5\"", &json!("in_use")));
    assert_eq!((&used.data()["current_accounts"], &used.data()["free_slots"]), (&json!(1), &json!(6)));

    // A new hash replaces the old one.
    let new_hash = "f".repeat(32);
    owner.ask("PUT", &path, json!({ "api_hash": new_hash })).await.data();
    assert_eq!(owner.post(&pool("allocate"), pinned).await.data()["api_hash"], new_hash);

    owner.ask("DELETE", &path, Value::Null).await.problem(409, 2004, "conflict");
    let removed = owner.ask("DELETE", &format!("{path}?force=true"), Value::Null).await;
    has_shape(removed.data(), &json!({ "id": "ulid" }));
    assert!(owner.get(&pool("account?account_id=a")).await.data().is_null(), "its accounts were released");
    for (method, body) in [("GET", Value::Null), ("PUT", json!({})), ("DELETE", Value::Null)] {
        owner.ask(method, &path, body).await.problem(404, 2002, "not_found");
    }
    let again = owner.post(&pool(""), json!({ "api_id": 1_000_001, "api_hash": HASH, "name": "again" })).await;
    assert!(again.data()["id"] != one["id"], "a new one after the tombstone");
    server.stop().await;
    place.assert_sound();
}

async fn refuses_wrong_fields(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let good = json!({ "api_id": 1_000_001, "api_hash": HASH, "name": "main" });
    let id = owner.ok("POST", &pool(""), good.clone()).await["id"].as_str().unwrap().to_owned();
    for (field, value) in [
        ("api_id", json!(0)),
        ("api_id", json!(-1)),
        ("api_id", json!("2147483648")),
        ("api_id", json!("1e3")),
        ("api_id", json!(17349)),
        ("api_id", Value::Null),
        ("api_hash", json!("")),
        ("api_hash", json!("a b")),
        ("api_hash", json!("x".repeat(257))),
        ("name", json!(" ")),
        ("name", json!("x".repeat(201))),
        ("name", json!("a\u{0}b")),
        ("max_accounts", json!(0)),
        ("max_accounts", json!(100_001)),
        ("priority", json!(1_000_001)),
        ("min_member_level", json!("emperor")),
        ("group_id", json!("nowhere")),
        ("tags", json!([""])),
        ("tags", json!(vec!["t"; 51])),
        ("tags", json!(["x".repeat(65)])),
        ("source_phone", json!("1".repeat(65))),
        ("note", json!("x".repeat(4_001))),
        ("surprise", json!(1)),
    ] {
        let mut body = good.clone();
        body["api_id"] = json!(1_000_002);
        body[field] = value.clone();
        owner.post(&pool(""), body).await.wrong(field);
        if !["api_id"].contains(&field) {
            owner.ask("PUT", &pool(&id), json!({ field: value })).await.wrong(field);
        }
    }
    owner.ask("PUT", &pool(&id), json!({ "api_id": 5 })).await.wrong("api_id");
    for missing in ["api_id", "api_hash", "name"] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(missing);
        owner.post(&pool(""), body).await.wrong(missing);
    }
    assert_eq!(owner.get(&pool(&id)).await.header("etag"), "\"1\"", "nothing of it was written");
}

async fn obeys_decisions(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_001, 1, 5).await;
    let id = owner.get(super::POOL).await.data()["items"][0]["id"].as_str().unwrap().to_owned();
    let act = async |action: &str, body: Value| owner.post(&pool(&format!("{id}/{action}")), body).await;
    let allocate = async |account: &str, fresh: bool| {
        owner.post(&pool("allocate"), json!({ "account_id": account, "fresh": fresh })).await
    };
    allocate("a", false).await.data();

    let disabled = act("disable", Value::Null).await;
    has_shape(disabled.data(), &credential());
    assert_eq!((&disabled.data()["status"], disabled.header("etag")), (&json!("disabled"), "\"2\""));
    assert_eq!(allocate("a", false).await.data()["existing"], true, "accounts on it keep it");
    let refused = allocate("b", false).await;
    assert_eq!(refused.problem(409, 3002, "none_available")["reasons"]["disabled"], 1);
    assert_eq!(act("disable", json!({})).await.header("etag"), "\"2\"", "twice is once");
    assert_eq!(act("enable", json!({})).await.data()["status"], "in_use");

    act("ban", Value::Null).await.wrong("reason");
    act("ban", json!({ "reason": " " })).await.wrong("reason");
    let banned = act("ban", json!({ "reason": "leaked" })).await;
    assert_eq!((&banned.data()["status"], &banned.data()["ban_reason"]), (&json!("banned"), &json!("leaked")));
    allocate("a", false).await.problem(409, 3004, "credential_banned");
    act("enable", Value::Null).await.problem(409, 2004, "conflict");
    assert_eq!(act("unban", Value::Null).await.data()["ban_reason"], Value::Null);
    act("unban", Value::Null).await.problem(409, 2004, "conflict");
    assert_eq!(allocate("a", true).await.data()["existing"], false);

    let body = json!({ "api_id": 1_000_001, "success": false, "error": "API_ID_INVALID" });
    assert_eq!(owner.post(&pool("result"), body).await.data()["consecutive_failures"], 1);
    let forgiven = act("reset-failures", Value::Null).await;
    assert_eq!((&forgiven.data()["consecutive_failures"], &forgiven.data()["fail_count"]), (&json!(0), &json!(1)));

    act("reveal", json!({})).await.wrong("reason");
    let revealed = act("reveal", json!({ "reason": "moving house" })).await;
    has_shape(revealed.data(), &json!({ "api_id": "digits", "api_hash": "text" }));
    assert_eq!(revealed.data()["api_hash"], crate::harness::api_hash(1_000_001));
    assert_eq!(revealed.header("cache-control"), "no-store");
    let audit = owner.get(&pool("history?action=api.revealed")).await;
    let row = &audit.data()["items"][0];
    assert_eq!((&row["operator"], &row["data"]["reason"]), (&json!("user:admin"), &json!("moving house")));

    let released = act("release-all", Value::Null).await;
    has_shape(released.data(), &json!({ "id": "ulid", "released": "int" }));
    assert_eq!(released.data()["released"], 1);
    assert!(owner.get(&pool("account?account_id=a")).await.data().is_null());
    for action in ["enable", "disable", "unban", "reset-failures", "release-all"] {
        let path = pool(&format!("01J0000000000000000000000/{action}"));
        owner.post(&path, Value::Null).await.problem(404, 2002, "not_found");
        owner.post(&path, json!({ "surprise": 1 })).await.wrong("surprise");
    }
    server.stop().await;
    place.assert_sound();
}

on_both!(adds_changes_and_removes, refuses_wrong_fields, obeys_decisions);
