//! What is secret stays secret: no log, list, history, problem or database file holds it.

use serde_json::json;

use super::{POOL, pool};
use crate::harness::{Kind, Place, Server};
use crate::on_both;

const HASH: &str = "5ec2e7a0b0c0d0e0f0a1b2c3d4e5f607";
const NEW_HASH: &str = "5ec2e7b0b0c0d0e0f0a1b2c3d4e5f608";
const LINE_HASH: &str = "5ec2e7c0b0c0d0e0f0a1b2c3d4e5f609";
const PHONE: &str = "+886912345678";
const ADMIN: &str = "5ecret of the owner";
const NEXT: &str = "5ecret of the owner, later";
const WRONG: &str = "5ecret mistyped";
const WORKER: &str = "5ecret of the operator";

/// Neither the database nor what lies beside it holds any of these in plain.
pub async fn assert_nowhere(place: &Place, secrets: &[&str]) {
    let dump = place.dump().await;
    let holds = |text: &str| dump.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("user:admin"), "what is no secret can be read");
    for secret in secrets {
        assert!(!holds(secret), "{secret} is in the database");
    }
}

async fn secrets_stay_secret(kind: Kind) {
    let place = Place::new(kind).await;
    let mut command = place.command();
    // `RUST_LOG` lets even the libraries below speak.
    command.arg("serve").env("LOG_LEVEL", "trace").env("RUST_LOG", "trace").env("API_POOL_ADMIN_PASSWORD", ADMIN);
    let server = Server::spawn(command, place.dir.path()).await;
    let owner = server.sign_in("admin", ADMIN).await;
    let jwt = owner.header("authorization").to_owned();
    let issued =
        owner.ok("POST", "/api/admin/service-tokens", json!({ "product": "it", "scopes": ["credpool:*"] })).await;
    let token = issued["token"].as_str().unwrap().to_owned();
    let service = server.anonymous().with("x-service-token", &token);
    let output = crate::command::with_input(&place, &["user", "add", "worker"], &format!("{WORKER}\n"));
    assert!(output.status.success());

    // Everything that takes or gives a secret, done well and done badly.
    let mut seen = Vec::new();
    let body = json!({ "api_id": 1_000_001, "api_hash": HASH, "name": "n", "source_phone": PHONE });
    seen.push(owner.post(POOL, body.clone()).await);
    let id = seen[0].data()["id"].as_str().unwrap().to_owned();
    seen.push(owner.post(POOL, body).await);
    seen.push(owner.post(POOL, json!({ "api_id": HASH, "api_hash": 1, "name": PHONE })).await);
    seen.push(owner.post(POOL, json!({ "api_id": 1_000_002, "api_hash": [HASH], "name": "n" })).await);
    seen.push(
        owner.post(POOL, json!({ "api_id": 1_000_002, "api_hash": format!("{HASH} {HASH}"), "name": "n" })).await,
    );
    let data =
        format!("1000003,{LINE_HASH},x\n{LINE_HASH},1000004\n1000005,{LINE_HASH} {LINE_HASH}\n17349,{LINE_HASH}\n");
    seen.push(owner.post(&pool("batch"), json!({ "data": data })).await);
    seen.push(owner.post(&pool("batch"), json!({ "data": [LINE_HASH] })).await);
    seen.push(owner.ask("PUT", &pool(&id), json!({ "api_hash": NEW_HASH, "max_accounts": NEW_HASH })).await);
    seen.push(owner.ask("PUT", &pool(&id), json!({ "api_hash": NEW_HASH, "source_phone": PHONE })).await);
    for (username, password) in [("admin", WRONG), ("worker", WRONG), ("nobody", WRONG)] {
        seen.push(owner.post("/api/admin/login", json!({ "username": username, "password": password })).await);
    }
    seen.push(owner.post("/api/admin/login", json!({ "username": ["x"], "password": WRONG })).await);
    seen.push(owner.post("/api/admin/change-password", json!({ "old_password": WRONG, "new_password": NEXT })).await);
    seen.push(owner.post("/api/admin/change-password", json!({ "old_password": ADMIN, "new_password": NEXT })).await);
    assert_eq!(seen.last().unwrap().status, 200);
    seen.push(server.anonymous().with("x-service-token", &format!("{token}x")).get(POOL).await);
    seen.push(server.anonymous().with("authorization", &format!("{jwt}x")).get(POOL).await);
    seen.push(service.get(POOL).await);

    let given = service.post(&pool("allocate"), json!({ "account_id": "a", "api_id": 1_000_001 })).await;
    assert_eq!(given.data()["api_hash"], NEW_HASH);
    let shown = owner.post(&pool(&format!("{id}/reveal")), json!({ "reason": "r" })).await;
    assert_eq!(shown.data()["api_hash"], NEW_HASH);
    assert!(owner.get(&pool("export?include_hash=true")).await.text.contains(NEW_HASH));
    for path in [
        "",
        "?q=1000001",
        "export",
        "export?format=json",
        "history",
        "history?format=csv",
        "allocations",
        "groups",
        "health",
        "stats",
        "account?account_id=a",
        &id,
        &format!("{id}/health"),
    ] {
        seen.push(owner.get(&pool(path)).await);
    }
    seen.push(owner.post(&pool("accounts/lookup"), json!({ "account_ids": ["a"] })).await);
    seen.push(owner.post(&pool("allocate/preview"), json!({ "account_id": "b" })).await);
    seen.push(owner.get("/api/admin/service-tokens").await);
    seen.push(owner.get("/api/admin/me").await);

    let bare = jwt.strip_prefix("Bearer ").unwrap();
    let secrets = [HASH, NEW_HASH, LINE_HASH, PHONE, &PHONE[1..], ADMIN, NEXT, WRONG, WORKER, &token, bare];
    for reply in &seen {
        for secret in secrets {
            assert!(!reply.text.contains(secret), "{secret} is in {}", reply.text);
        }
    }
    let log = server.logged();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "everything is logged");
    for secret in secrets {
        assert!(!log.contains(secret) && !server.printed().contains(secret), "{secret} is in the log");
    }
    assert_nowhere(&place, &secrets).await;
    server.stop().await;
    assert_nowhere(&place, &secrets).await;
    place.assert_sound();
}

on_both!(secrets_stay_secret);
