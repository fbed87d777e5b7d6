//! Where requests meet each other, or say less than they could.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};

use super::users::USERS;
use super::{POOL, pool};
use crate::harness::{Kind, Place, Server};
use crate::on_both;

async fn null_clears_what_can_be_cleared(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let whole = json!({
        "api_id": 1_000_001, "api_hash": "x", "name": "main", "max_accounts": 7, "priority": 3, "is_premium": true,
        "min_member_level": "gold",
    });
    let path = pool(owner.post(POOL, whole).await.data()["id"].as_str().unwrap());
    let nulls = json!({ "max_accounts": null, "priority": null, "is_premium": null, "min_member_level": null });
    let cleared = owner.ask("PUT", &path, nulls).await;
    for (field, value) in [
        ("max_accounts", json!(5)),
        ("priority", json!(0)),
        ("is_premium", json!(false)),
        ("min_member_level", json!("free")),
    ] {
        assert_eq!(cleared.data()[field], value, "{field}");
    }
    for field in ["name", "api_hash"] {
        owner.ask("PUT", &path, json!({ field: null })).await.wrong(field);
    }
    let group = pool(&format!(
        "groups/{}",
        owner.ok("POST", &pool("groups"), json!({ "name": "g" })).await["id"].as_str().unwrap()
    ));
    owner.ask("PUT", &group, json!({ "name": null })).await.wrong("name");

    // Without If-Match nobody is refused, however many come at once.
    for path in [&path, &group] {
        let edits = (0..12).map(|n| owner.ask("PUT", path, json!({ "name": format!("again {n}") })));
        assert!(join_all(edits).await.iter().all(|reply| reply.status == 200), "{path}");
        assert!(owner.get(path).await.data()["version"].as_i64().unwrap() >= 13);
    }
    let decisions = ["disable", "enable"].iter().cycle().take(12).map(|verb| {
        let path = format!("{path}/{verb}");
        let owner = &owner;
        async move { owner.post(&path, Value::Null).await.status }
    });
    assert!(join_all(decisions).await.iter().all(|status| *status == 200));
}

const TOKENS: &str = "/api/admin/service-tokens";

async fn every_wrong_field_is_named(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let body = json!({ "account_id": "x", "strategy": "best", "member_level": "emperor", "ttl_seconds": 0 });
    let reply = owner.post(&pool("allocate"), body).await;
    for field in ["strategy", "member_level", "ttl_seconds"] {
        reply.wrong(field);
    }
    let long = "x".repeat(300);
    let token = json!({ "product": "A!", "scopes": ["credpool:*", "x"], "member_level": "e", "note": long, "expires_at": "soon" });
    let rule = json!({ "name": "", "effect": "zz", "priority": 10_000_000, "expires_at": "x", "match": { "ip": "x" } });
    let credential = json!({ "api_id": 4, "api_hash": "a b", "name": "", "min_member_level": "z", "max_accounts": -1 });
    for (path, body, fields) in [
        (USERS.to_owned(), json!({}), vec!["username", "password", "role"]),
        (
            USERS.to_owned(),
            json!({ "username": "a b", "password": "x", "role": "bad" }),
            vec!["username", "password", "role"],
        ),
        (
            USERS.to_owned(),
            json!({ "username": 1, "password": 2, "role": 3, "x": 4 }),
            vec!["password", "role", "username", "x"],
        ),
        (TOKENS.to_owned(), token, vec!["scopes[1]", "member_level", "expires_at", "product", "note"]),
        (pool("groups"), json!({ "name": "", "color": "red", "strategy": "best" }), vec!["strategy", "name", "color"]),
        (pool("rules"), rule, vec!["effect", "expires_at", "name", "priority", "match.ip"]),
        (pool("rules"), json!({ "effect": "bind", "target": { "api_id": 0 } }), vec!["target.api_id", "name"]),
        (POOL.to_owned(), credential, vec!["min_member_level", "api_id", "api_hash", "name", "max_accounts"]),
    ] {
        assert_eq!(owner.post(&path, body).await.wrong_fields(), fields, "{path}");
    }
    let reply = owner.get(&format!("{POOL}?limit=0&sort=zz&status=open&is_premium=2&foo=1&bar=2")).await;
    assert_eq!(reply.wrong_fields(), ["status", "is_premium", "sort", "limit", "bar", "foo"]);
    // What is made up is not repeated at length, nor without end.
    let many: serde_json::Map<_, _> = (0..900).map(|n| (format!("{n}{}", "x".repeat(900)), json!(1))).collect();
    let reply = owner.post(&pool("groups"), Value::Object(many)).await;
    assert!(reply.wrong_fields().len() <= 50 && reply.text.len() < 20_000, "{}", reply.text.len());
    let twice = owner.request("POST", &pool("allocate")).body(r#"{"account_id":"x","account_id":"y"}"#);
    super::ask(twice).await.wrong("account_id");
    // A mask is no secret, and nothing can be tried on more lines than are answered.
    let masked = json!({ "api_id": 1, "api_hash": "0123…cdef", "name": "x" });
    owner.post(POOL, masked).await.wrong("api_hash");
    let lines = (0..10_001).map(|n| format!("{}:x", 1_000_000 + n)).collect::<Vec<_>>().join("\n");
    owner.post(&pool("batch"), json!({ "data": lines, "dry_run": true })).await.wrong("dry_run");
    owner.post(&pool("batch"), json!({ "data": lines, "group_id": "nowhere" })).await.wrong("group_id");
    // What is nothing is of no type.
    let nothing = owner.request("POST", &pool("nope/enable")).header("content-type", "text/plain").body("");
    super::ask(nothing).await.problem(404, 2002, "not_found");
    // What is empty has not come.
    owner.import(1_000_000, 1, 1).await;
    let held = owner.with("x-service-token", "").post(&pool("allocate"), json!({ "account_id": "a" })).await;
    let release = json!({ "account_id": "", "allocation_id": held.data()["allocation_id"] });
    assert_eq!(owner.post(&pool("release"), release).await.data()["account_id"], "a");
    let refused = owner.post(&pool("allocate"), json!({ "account_id": "a", "require_proxy": true })).await;
    assert_eq!(refused.problem(409, 3002, "none_available")["reasons"]["banned"], 0);
}

async fn an_ended_lease_holds_nothing(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let batch = owner.import(1_000_000, 2, 1).await["batch_id"].as_str().unwrap().to_owned();
    let undo = async || owner.post(&pool(&format!("batch/{batch}/undo")), Value::Null).await;
    owner.ok("POST", &pool("allocate"), json!({ "account_id": "a", "ttl_seconds": 2 })).await;
    undo().await.problem(409, 2004, "conflict");
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    assert_eq!(undo().await.data()["removed"], 2);
    // Each credential's history says how it ended.
    let told = owner.get(&pool("history?action=api.removed")).await;
    assert_eq!(told.data()["total"], 2);
    assert_eq!(owner.get(&pool("history?api_id=1000000&action=api.removed")).await.data()["total"], 1);
    server.stop().await;
    place.assert_sound();
}

async fn figures_are_true(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_000, 2, 4).await;
    let report = async |error: Option<&str>| {
        let body = json!({ "api_id": 1_000_000, "success": error.is_none(), "error": error, "account_id": "a" });
        owner.ok("POST", &pool("result"), body).await;
    };
    report(None).await;
    for nobodys in ["SESSION_PASSWORD_NEEDED", "PHONE_CODE_INVALID", "SLOWMODE_WAIT_5"] {
        report(Some(nobodys)).await;
    }
    report(Some("Timeout")).await;
    let stats = owner.get(&pool("stats?hours=1")).await;
    let results = &stats.data()["results"];
    assert_eq!((&results["total"], &results["successes"], &results["failures"]), (&json!(5), &json!(1), &json!(1)));
    assert_eq!((&results["success_rate"], &results["by_fault"]), (&json!(0.5), &json!({ "proxy": 1 })));

    // A credential that drains takes no room from the others.
    for account in ["a", "b", "c"] {
        owner.ok("POST", &pool("allocate"), json!({ "account_id": account, "api_id": 1_000_000 })).await;
    }
    let id = owner.get(&pool("?q=1000000")).await.data()["items"][0]["id"].as_str().unwrap().to_owned();
    owner.ok("PUT", &pool(&id), json!({ "max_accounts": 1 })).await;
    let stats = owner.get(&pool("stats")).await;
    let figures = ["slots", "used", "free"].map(|name| stats.data()[name].as_i64().unwrap());
    assert_eq!(figures, [5, 1, 4]);
}

#[tokio::test]
async fn a_start_makes_the_owner_that_is_missing() {
    let place = Place::new(Kind::Sqlite).await;
    let add = |name: &str| {
        use std::io::Write;
        let mut command = place.command();
        command.args(["user", "add", name, "--role", "auditor"]).stdin(std::process::Stdio::piped());
        let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"a long password\n").unwrap();
        assert!(child.wait().unwrap().success());
    };
    add("bob");
    // Whose name is taken by somebody else must have another.
    let taken = place.command().arg("serve").env("API_POOL_ADMIN_USERNAME", "bob").output().unwrap();
    let said = String::from_utf8_lossy(&taken.stderr).into_owned();
    assert!(taken.status.code() == Some(2) && said.contains("API_POOL_ADMIN_USERNAME"), "{said}");
    let server = place.serve().await;
    server.owner().await.get(&pool("stats")).await.data();
    server.stop().await;
}

#[tokio::test]
async fn who_drains_is_not_ready() {
    let place = Place::new(Kind::Sqlite).await;
    let mut command = place.command();
    command.arg("serve").env("API_POOL_DRAIN_SECONDS", "2");
    let server = Server::spawn(command, place.dir.path()).await;
    let anonymous = server.anonymous();
    assert_eq!(anonymous.get("/api/ready").await.status, 200);
    server.terminate();
    let mut said_no = false;
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_millis(25)).await;
        let reply = anonymous.get("/api/ready").await;
        said_no |= reply.status == 503;
        assert_eq!(anonymous.get("/api/health").await.status, 200, "it still serves");
        if said_no {
            break;
        }
    }
    assert!(said_no);
    server.ended().await;
}

on_both!(null_clears_what_can_be_cleared, every_wrong_field_is_named, an_ended_lease_holds_nothing, figures_are_true);
