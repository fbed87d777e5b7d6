//! `copy`: from SQLite to PostgreSQL, with everything.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::{done, refused};
use crate::contract::pool;
use crate::harness::{Api, Kind, Place, Server};

/// A pool with a past: standing and ended allocations, leases, results, rules, people, settings.
async fn lived(place: &Place) -> (Vec<(String, Value)>, Value) {
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_001, 40, 5).await;
    let group = owner.ok("POST", &pool("groups"), json!({ "name": "north", "strategy": "health" })).await;
    let body = json!({
        "api_id": 2_000_001, "api_hash": "0123456789abcdef0123456789abcdef", "name": "帳號", "group_id": group["id"],
        "is_premium": true, "source_phone": "+886912345678", "tags": ["a", "b"], "max_accounts": 50,
    });
    owner.ok("POST", &pool(""), body).await;
    let rule = json!({ "name": "to north", "effect": "bind", "match": { "account": "n:*" }, "target": { "group_id": group["id"] } });
    owner.ok("POST", &pool("rules"), rule).await;
    owner.ok("PUT", "/api/admin/settings", json!({ "capacity.warning_percent": 61.5 })).await;
    owner.ok("POST", "/api/admin/views", json!({ "page": "p", "name": "n", "definition": { "x": 1 } })).await;
    let token =
        owner.ok("POST", "/api/admin/service-tokens", json!({ "product": "it", "scopes": ["credpool:*"] })).await;
    let mut held = Vec::new();
    for number in 0..60 {
        let account = if number % 5 == 0 { format!("n:{number}") } else { format!("+86138{number:08}") };
        let body =
            json!({ "account_id": account, "ttl_seconds": if number % 7 == 0 { json!(3600) } else { Value::Null } });
        let given = owner.ok("POST", &pool("allocate"), body).await;
        let result = json!({ "api_id": given["api_id"], "account_id": account, "success": number % 3 > 0, "error": "x", "latency_ms": 7 });
        owner.ok("POST", &pool("result"), result).await;
        if number % 2 == 0 {
            owner.ok("POST", &pool("release"), json!({ "account_id": account })).await;
        }
        held.push((account, given));
    }
    server.stop().await;
    (held, token)
}

fn copy(from: &Place, to: &Place) -> Command {
    let mut command = from.command();
    command.args([
        "copy",
        "--from",
        &format!("sqlite:{}", from.database().display()),
        "--to",
        to.url.as_ref().unwrap(),
    ]);
    command
}

async fn rows(api: &Api, path: &str) -> Vec<Value> {
    api.all(&format!("{path}?")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_account_finds_its_credential() {
    let (old, new) = (Place::new(Kind::Sqlite).await, Place::new(Kind::Postgres).await);
    let (held, token) = lived(&old).await;
    let said = done(&copy(&old, &new).output().unwrap());
    assert!(said.contains("accounts") && said.contains("the same on both sides"), "{said}");
    new.assert_sound();

    let server = new.serve().await;
    assert!(!server.printed().contains("First start"), "the people have moved too");
    let owner = server.owner().await;
    let service = server.anonymous().with("x-service-token", token["token"].as_str().unwrap());
    for (number, (account, before)) in held.iter().enumerate() {
        let after = service.ok("POST", &pool("allocate"), json!({ "account_id": account })).await;
        assert_eq!((&after["api_id"], &after["api_hash"]), (&before["api_id"], &before["api_hash"]), "{account}");
        let used = if number % 2 == 0 { "affinity" } else { "existing" };
        assert_eq!(after["strategy_used"], used, "{account}");
        assert_eq!(after["allocation_id"] == before["allocation_id"], number % 2 == 1, "{account}");
    }
    let settings = owner.ok("GET", "/api/admin/settings", Value::Null).await;
    assert!(settings["settings"].as_array().unwrap().iter().any(|one| one["value"] == 61.5));
    assert_eq!(rows(&owner, &pool("rules")).await[0]["name"], "to north");
    assert_eq!(rows(&owner, "/api/admin/views").await[0]["definition"], json!({ "x": 1 }));
    let history = rows(&owner, "/api/admin/audit-logs").await;
    assert!(history.iter().any(|row| row["action"] == "api.added" && row["actor"] == "user:admin"));
    server.stop().await;
    new.assert_sound();

    // Once is enough, and only into what is empty.
    refused(&copy(&old, &new).output().unwrap(), "holds a copy already");
    let full = Place::new(Kind::Postgres).await;
    full.serve().await.stop().await;
    refused(&copy(&old, &full).output().unwrap(), "not empty");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_source_is_refused_unless_it_only_reads() {
    let (old, new) = (Place::new(Kind::Sqlite).await, Place::new(Kind::Postgres).await);
    let (held, token) = lived(&old).await;
    for role in ["serve", "api", "worker"] {
        let running = old.start(role).await;
        refused(&copy(&old, &new).output().unwrap(), "in use by a running process");
        running.stop().await;
    }
    // By another name it is the same file.
    let link = old.dir.path().join("link.db");
    std::os::unix::fs::symlink("pool.db", &link).unwrap();
    let running = old.start("worker").await;
    let mut by_link = old.command();
    let from = format!("sqlite:{}", link.display());
    by_link.args(["copy", "--from", &from, "--to", new.url.as_ref().unwrap()]);
    refused(&by_link.output().unwrap(), "in use by a running process");
    running.stop().await;
    let mut command = old.command();
    command.arg("serve").env("API_POOL_READ_ONLY", "true");
    let reading = Server::spawn(command, old.dir.path()).await;
    done(&copy(&old, &new).output().unwrap());
    let service = reading.anonymous().with("x-service-token", token["token"].as_str().unwrap());
    let (account, before) = &held[1];
    let standing = service.ok("GET", &pool(&format!("account?account_id={account}")), Value::Null).await;
    assert_eq!(standing["allocation_id"], before["allocation_id"]);
    let refused = service.post(&pool("allocate"), json!({ "account_id": account })).await;
    assert_eq!(refused.problem(503, 5002, "overloaded")["retry_after"], 30);
    reading.anonymous().post("/api/admin/login", json!({ "username": "admin", "password": "x" })).await.problem(
        503,
        5002,
        "overloaded",
    );
    assert!(!reading.logged().contains("panicked"));
    reading.stop().await;
    new.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_somebody_works_on_is_refused() {
    let (old, new) = (Place::new(Kind::Sqlite).await, Place::new(Kind::Postgres).await);
    done(&old.run(&["migrate"]));
    let mut named = new.command();
    // Whatever else its connections are called.
    named.arg("worker").env("PGAPPNAME", "somebody");
    let running = Server::spawn(named, new.dir.path()).await;
    refused(&copy(&old, &new).output().unwrap(), "the target is in use");
    running.stop().await;
    // It has left no mark there.
    done(&new.run(&["doctor"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_was_killed_goes_on() {
    let (old, new) = (Place::new(Kind::Sqlite).await, Place::new(Kind::Postgres).await);
    let server = old.serve().await;
    server.owner().await.import(1_000_001, 9_000, 5).await;
    server.stop().await;
    done(&new.run(&["migrate"]));
    let mut killed = 0;
    loop {
        let mut running = copy(&old, &new).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(700 + 500 * killed)).await;
        if running.try_wait().unwrap().is_some() {
            done(&running.wait_with_output().unwrap());
            break;
        }
        running.kill().unwrap();
        running.wait().unwrap();
        killed += 1;
        if new.count("SELECT COUNT(*) FROM credentials").await > 0 {
            let doctor = new.run(&["doctor"]);
            if doctor.status.success() {
                // Killed between its last commit and its last word.
                break;
            }
            refused(&doctor, "did not come to its end");
        }
        assert!(killed < 40, "it never ends");
    }
    assert!(killed > 0, "it was killed at least once");
    new.assert_sound();
    assert_eq!(new.count("SELECT COUNT(*) FROM credentials").await, 9_000);
    // It can be told where from, and nothing else.
    refused(
        &old.run(&["copy", "--from", "sqlite:nowhere.db", "--to", "postgres://x@127.0.0.1/x"]),
        "there is no database",
    );
    refused(
        &old.run(&["copy", "--from", "postgres://x", "--to", "postgres://x@127.0.0.1/x"]),
        "--from must be sqlite:FILE",
    );
    let from = format!("sqlite:{}", old.database().display());
    refused(&old.run(&["copy", "--from", &from, "--to", "mysql://x"]), "--to");
}
