//! What is secret stays secret: no log, list, history, problem or database file holds it.

use serde_json::{Value, json};

use super::users::USERS;
use super::{POOL, Reply, pool};
use crate::harness::{Api, Kind, PASSWORD, Place, Server};
use crate::live::Listener;
use crate::on_both;

const HASH: &str = "5ec2e7a0b0c0d0e0f0a1b2c3d4e5f607";
const NEW_HASH: &str = "5ec2e7b0b0c0d0e0f0a1b2c3d4e5f608";
const LINE_HASH: &str = "5ec2e7c0b0c0d0e0f0a1b2c3d4e5f609";
const PHONE: &str = "+886912345678";
const ADMIN: &str = "5ecret of the owner";
const NEXT: &str = "5ecret of the owner, later";
const WRONG: &str = "5ecret mistyped";
const WORKER: &str = "5ecret of the operator";
const PROXY: &str = "5ecret-of-the-proxy";

/// Neither the database nor what lies beside it holds any of these in plain.
pub async fn assert_nowhere(place: &Place, secrets: &[&str]) {
    let dump = place.dump().await;
    let holds = |text: &str| dump.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("user:admin"), "what is no secret can be read");
    for secret in secrets {
        assert!(!holds(secret), "{secret} is in the database");
    }
}

/// A server that says all it can: `RUST_LOG` lets even the libraries below speak.
async fn talkative(place: &Place, password: &str) -> Server {
    let mut command = place.command();
    command.arg("serve").env("LOG_LEVEL", "trace").env("RUST_LOG", "trace").env("API_POOL_ADMIN_PASSWORD", password);
    Server::spawn(command, place.dir.path()).await
}

/// None of these is in any answer, in the log, or in the database, while it runs and after.
async fn assert_kept(place: &Place, server: Server, seen: &[Reply], secrets: &[&str]) {
    for secret in secrets {
        assert!(secret.len() >= 9, "too short to be looked for: {secret}");
        for reply in seen {
            assert!(!reply.text.contains(secret), "{secret} is in {}", reply.text);
            let headers = format!("{:?}", reply.headers);
            assert!(!headers.contains(secret), "{secret} is in {headers}");
        }
    }
    let log = server.logged();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "everything is logged");
    for secret in secrets {
        assert!(!log.contains(secret) && !server.printed().contains(secret), "{secret} is in the log");
    }
    assert_nowhere(place, secrets).await;
    server.stop().await;
    assert_nowhere(place, secrets).await;
    place.assert_sound();
}

/// Every list and every file that an owner can ask for.
async fn everything(owner: &Api) -> Vec<Reply> {
    let me = owner.get("/api/admin/me").await.data()["id"].as_str().unwrap().to_owned();
    let sessions = format!("{USERS}/{me}/sessions");
    let mut seen = Vec::new();
    for path in [
        POOL,
        "/api/admin/audit-logs?limit=500",
        "/api/admin/audit-logs?format=csv",
        "/api/admin/api-pool/history?limit=500",
        "/api/admin/api-pool/history?format=csv",
        "/api/admin/api-pool/export",
        "/api/admin/api-pool/export?format=json",
        "/api/admin/api-pool/allocations",
        "/api/admin/api-pool/groups",
        "/api/admin/api-pool/rules",
        "/api/admin/api-pool/health",
        "/api/admin/service-tokens",
        "/api/admin/settings",
        "/api/admin/views",
        "/api/admin/me",
        USERS,
        &sessions,
    ] {
        let reply = owner.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        seen.push(reply);
    }
    seen
}

async fn secrets_stay_secret(kind: Kind) {
    let place = Place::new(kind).await;
    let server = talkative(&place, ADMIN).await;
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
    let address = format!("socks5://user:{PROXY}@10.0.0.1:1080");
    let wish = json!({ "account_id": "a", "with_proxy": true, "proxy_country": PROXY });
    assert_eq!(service.post(&pool("allocate"), wish).await.status, 200);
    let report =
        json!({ "api_id": 1_000_001, "account_id": "a", "success": false, "error": format!("ProxyError: {address}") });
    seen.push(service.post(&pool("result"), report.clone()).await);
    assert_eq!(seen.last().unwrap().status, 200);
    let mut results = json!({ "results": [report.clone(), report] });
    results["results"][1]["proxy_id"] = json!(address);
    seen.push(service.post(&pool("results"), results.clone()).await);
    assert_eq!(seen.last().unwrap().data()["results"][1]["error"]["details"][0]["field"], "proxy_id");
    seen.push(service.post(&pool("result"), results["results"][1].clone()).await);
    seen.last().unwrap().wrong("proxy_id");
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
    let secrets = [HASH, NEW_HASH, LINE_HASH, PHONE, &PHONE[1..], ADMIN, NEXT, WRONG, WORKER, PROXY, &token, bare];
    seen.extend(everything(&owner).await);
    assert_kept(&place, server, &seen, &secrets).await;
}

/// What people sign in with, and stay signed in with.
async fn ways_in_stay_secret(kind: Kind) {
    let place = Place::new(kind).await;
    let server = talkative(&place, PASSWORD).await;
    let owner = server.owner().await;
    let mut seen = Vec::new();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let login = |password: &str| json!({ "username": "ann", "password": password });
    let refresh =
        async |token: &str| server.anonymous().post("/api/admin/refresh", json!({ "refresh_token": token })).await;

    // A password that is given, one that is made, and one that is chosen for somebody, each with a key.
    let keyed = owner.with("idempotency-key", "ann");
    let body = json!({ "username": "ann", "password": WORKER, "role": "operator" });
    seen.push(keyed.post(USERS, body.clone()).await);
    seen.push(keyed.post(USERS, body.clone()).await);
    let user = format!("{USERS}/{}", seen[0].data()["id"].as_str().unwrap());
    seen.push(keyed.post(USERS, json!({ "username": "ann", "password": NEXT, "role": "operator" })).await);
    seen.push(owner.post(USERS, body).await);
    seen.push(owner.post(USERS, json!({ "username": [WORKER], "password": NEXT, "role": NEXT })).await);
    let made = owner.post(&format!("{user}/reset-password"), Value::Null).await;
    let made = text(&made.data()["password"]);
    seen.push(owner.post(&format!("{user}/reset-password"), json!({ "password": "5ecret" })).await);
    let given = server.anonymous().post("/api/admin/login", login(&made)).await;
    let mut tokens = vec![text(&given.data()["refresh_token"])];
    let mut bearers = vec![text(&given.data()["token"])];
    seen.push(owner.post(&format!("{user}/reset-password"), json!({ "password": NEXT })).await);
    seen.push(refresh(&tokens[0]).await);

    // A program's tokens, used, replaced, mistyped.
    let given = server.anonymous().post("/api/admin/login", login(NEXT)).await;
    tokens.push(text(&given.data()["refresh_token"]));
    let next = refresh(&tokens[1]).await;
    tokens.push(text(&next.data()["refresh_token"]));
    bearers.extend([text(&given.data()["token"]), text(&next.data()["token"])]);
    seen.push(refresh(&format!("{}0", tokens[2])).await);
    seen.push(server.anonymous().with("x-service-token", &tokens[2]).get("/api/admin/me").await);
    // A page's cookies; asked for without the header, and at other paths.
    let page = server.anonymous().with("x-requested-with", "fetch");
    let cookie = |reply: &Reply| reply.header("set-cookie").split(['=', ';']).nth(1).unwrap().to_owned();
    let given = page.post("/api/admin/login", login(NEXT)).await;
    let name = given.header("set-cookie").split('=').next().unwrap().to_owned();
    let next = page.with("cookie", &format!("{name}={}", cookie(&given))).post("/api/admin/refresh", Value::Null).await;
    tokens.extend([cookie(&given), cookie(&next)]);
    bearers.extend([text(&given.data()["token"]), text(&next.data()["token"])]);
    let sent = server.anonymous().with("cookie", &format!("{name}={}", cookie(&next)));
    for path in ["/api/admin/refresh", "/api/admin/logout", "/api/nothing"] {
        seen.push(sent.post(path, Value::Null).await);
    }
    seen.push(sent.get("/api/admin/me").await);
    seen.push(page.with("cookie", &format!("{name}={}x", cookie(&next))).post("/api/admin/refresh", Value::Null).await);

    // A live client's, said twice, and a service's that may not listen.
    let ann = server.anonymous().with("authorization", &format!("Bearer {}", bearers[2]));
    let mut listener = Listener::of(&server, &ann, None).await;
    listener.say(&json!({ "type": "auth", "token": bearers[2] })).await;
    let service = owner
        .ok("POST", "/api/admin/service-tokens", json!({ "product": "live", "scopes": ["credpool:account"] }))
        .await;
    tokens.push(text(&service["token"]));
    let mut refused = Listener::connect(&server).await;
    refused.say(&json!({ "type": "auth", "token": tokens[tokens.len() - 1] })).await;
    assert_eq!(refused.message().await["type"], "error");
    // As somebody who looks everywhere, then with the session ended.
    seen.push(ann.get(&format!("{user}/sessions")).await);
    seen.push(owner.get(&format!("{user}/sessions")).await);
    seen.push(owner.get(&user).await);
    seen.extend(everything(&owner).await);
    seen.push(ann.post("/api/admin/logout", json!({ "everywhere": true })).await);
    for token in &tokens[1..] {
        seen.push(refresh(token).await);
    }
    seen.push(ann.get("/api/admin/me").await);
    let all = tokens.iter().chain(&bearers).map(String::as_str);
    let secrets: Vec<&str> = all.chain([WORKER, NEXT, PASSWORD, made.as_str()]).collect();
    assert_kept(&place, server, &seen, &secrets).await;
}

/// What is sent with a key is compared later by a hash of it, and not kept.
async fn what_comes_with_a_key_stays_secret(kind: Kind) {
    let place = Place::new(kind).await;
    let server = talkative(&place, PASSWORD).await;
    let owner = server.owner().await.with("idempotency-key", "k-of-a-secret");
    let mut seen = Vec::new();
    let body = json!({ "api_id": 1_000_001, "api_hash": HASH, "name": "n", "source_phone": PHONE });
    let twice = async |caller: &Api, path: &str, body: &Value| {
        let first = caller.post(path, body.clone()).await;
        assert_eq!(first.status, 200, "{path}: {}", first.text);
        let again = caller.post(path, body.clone()).await;
        assert_eq!(again.status, 200, "{path}: {}", again.text);
        [first, again]
    };
    let as_key = |key: &str| {
        let bearer = owner.header("authorization").to_owned();
        server.anonymous().with("authorization", &bearer).with("idempotency-key", key)
    };
    let [first, again] = twice(&owner, POOL, &body).await;
    let id = first.data()["id"].as_str().unwrap().to_owned();
    seen.extend([first, again]);
    let data = json!({ "data": format!("1000003,{LINE_HASH},x\n{LINE_HASH},1000004") });
    seen.extend(twice(&as_key("batch"), &pool("batch"), &data).await);
    let large = json!({ "data": format!("1000005:{NEW_HASH}\n").repeat(10_001) });
    seen.push(as_key("large").post(&pool("batch"), large).await);
    assert_eq!(seen.last().unwrap().status, 202);
    // A token is shown in the first answer, and never again.
    let wish = json!({ "product": "it", "scopes": ["credpool:*"] });
    let [issued, again] = twice(&as_key("token"), "/api/admin/service-tokens", &wish).await;
    let token = issued.data()["token"].as_str().unwrap().to_owned();
    seen.push(again);
    // Allocations are told again with the secret, which is opened anew and not kept.
    let service = |key: &str| server.anonymous().with("x-service-token", &token).with("idempotency-key", key);
    let wish = json!({ "account_id": "a", "api_id": 1_000_001 });
    for reply in twice(&service("one"), &pool("allocate"), &wish).await {
        assert_eq!(reply.data()["api_hash"], HASH);
    }
    let wish = json!({ "requests": [{ "account_id": "b", "api_id": 1_000_001 }] });
    for reply in twice(&service("many"), &pool("allocate/batch"), &wish).await {
        assert_eq!(reply.data()["results"][0]["data"]["api_hash"], HASH, "{}", reply.text);
    }
    // Neither a rule that is tried nor an action on many shows what it works on.
    let rule = json!({ "name": "r", "effect": "bind", "target": { "api_id": 1_000_001 } });
    let trial = json!({ "rule": rule, "request": { "account_id": "z" } });
    seen.push(owner.post(&pool("rules/try"), trial).await);
    for action in ["disable", "enable", "assign_group"] {
        seen.push(owner.post(&pool("bulk"), json!({ "ids": [id], "action": action })).await);
        let by_filter = json!({ "filter": { "q": "1000001" }, "expected": 1, "action": action });
        seen.push(owner.post(&pool("bulk"), by_filter).await);
    }
    assert!(seen.iter().all(|reply| reply.status < 300), "{seen:?}");
    seen.push(owner.post(&pool("bulk"), json!({ "filter": { "q": HASH, "api_hash": HASH }, "expected": 1 })).await);
    seen.extend(everything(&as_key("none")).await);

    let dump = place.dump().await;
    assert!(dump.windows(13).any(|window| window == b"k-of-a-secret"), "keys are kept");
    let jwt = owner.header("authorization").strip_prefix("Bearer ").unwrap().to_owned();
    let secrets = [HASH, NEW_HASH, LINE_HASH, PHONE, &PHONE[1..], &token, &jwt, PASSWORD];
    assert_kept(&place, server, &seen, &secrets).await;
}

on_both!(secrets_stay_secret, ways_in_stay_secret, what_comes_with_a_key_stays_secret);
