//! §2: the first owner, signing in, the lock, passwords, service tokens.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::fields::page;
use super::{ask, has_shape, is_time, pool};
use crate::harness::{Api, Kind, PASSWORD, Place, Server};
use crate::on_both;

const LOGIN: &str = "/api/admin/login";
const TOKENS: &str = "/api/admin/service-tokens";

async fn login(server: &Server, username: &str, password: &str) -> super::Reply {
    server.anonymous().post(LOGIN, json!({ "username": username, "password": password })).await
}

async fn the_first_owner(kind: Kind) {
    let place = Place::new(kind).await;
    let mut command = place.command();
    command.arg("serve").env_remove("API_POOL_ADMIN_PASSWORD").env("API_POOL_ADMIN_USERNAME", "first");
    let server = Server::spawn(command, place.dir.path()).await;
    let printed = server.printed();
    let password = printed.lines().find_map(|l| l.split_once("shown only now: ")).unwrap().1.trim().to_owned();
    assert!(password.len() >= 16, "{printed}");
    let reply = login(&server, "first", &password).await;
    let user = json!({ "id": "ulid", "username": "text", "role": "owner|admin", "tenant_id": "text" });
    has_shape(reply.data(), &json!({ "token": "text", "expires_at": "time", "refresh_token": "text", "user": user }));
    assert_eq!(
        (&reply.data()["user"]["role"], &reply.data()["user"]["tenant_id"]),
        (&json!("owner"), &json!("default"))
    );
    assert!(!server.logged().contains(&password));
    login(&server, "admin", PASSWORD).await.problem(401, 1001, "unauthenticated");
    server.stop().await;

    // Only the first start makes one, and only once it is told.
    let server = place.serve().await;
    assert!(!server.printed().contains("First start") && !server.printed().contains(&password));
    login(&server, "admin", PASSWORD).await.problem(401, 1001, "unauthenticated");
    login(&server, "first", &password).await.data();
}

async fn signs_in_and_changes_passwords(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    assert!(!server.printed().contains(PASSWORD), "a chosen password is not printed");
    let owner = server.owner().await;
    let me = owner.get("/api/admin/me").await;
    let shape = json!({
        "id": "ulid", "username": "text", "role": "owner|admin", "tenant_id": "text", "session_id": "ulid",
        "permissions": ["text"],
    });
    has_shape(me.data(), &shape);
    assert_eq!((&me.data()["username"], &me.data()["role"]), (&json!("admin"), &json!("owner")));
    let table = owner.get("/api/admin/permissions").await;
    let roles: Value = ["owner", "admin", "operator", "auditor"]
        .into_iter()
        .map(|r| (r.to_owned(), json!(["text"])))
        .collect::<serde_json::Map<_, _>>()
        .into();
    has_shape(table.data(), &json!({ "roles": roles, "permissions": ["text"] }));
    assert_eq!(me.data()["permissions"], table.data()["roles"]["owner"]);
    // People reach the endpoints of services with their JWT.
    owner.import(1_000_001, 1, 5).await;
    owner.post(&pool("allocate"), json!({ "account_id": "a" })).await.data();

    let change = async |old: &str, new: &str| {
        let body = json!({ "old_password": old, "new_password": new });
        owner.post("/api/admin/change-password", body).await
    };
    change("wrong", "a new password").await.wrong("old_password");
    change(PASSWORD, "short").await.wrong("new_password");
    change(PASSWORD, &"x".repeat(1025)).await.wrong("new_password");
    assert!(change(PASSWORD, "a new password").await.data().is_null());
    login(&server, "admin", PASSWORD).await.problem(401, 1001, "unauthenticated");
    login(&server, "admin", "a new password").await.data();
    for (body, field) in [
        (json!({}), "username"),
        (json!({ "username": "admin" }), "password"),
        (json!({ "username": "a\u{0}", "password": "x" }), "username"),
        (json!({ "username": "x".repeat(257), "password": "x" }), "username"),
        (json!({ "username": "admin", "password": "x", "surprise": 1 }), "surprise"),
    ] {
        server.anonymous().post(LOGIN, body).await.wrong(field);
    }
}

async fn five_failures_lock(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    for _ in 0..4 {
        login(&server, "admin", "wrong password").await.problem(401, 1001, "unauthenticated");
    }
    login(&server, "admin", PASSWORD).await.data();
    for _ in 0..4 {
        login(&server, "admin", "wrong password").await.problem(401, 1001, "unauthenticated");
    }
    let last = login(&server, "admin", "wrong password").await;
    for locked in [last, login(&server, "admin", PASSWORD).await] {
        locked.problem(423, 1004, "account_locked");
        assert!((890..=900).contains(&locked.header("retry-after").parse::<u32>().unwrap()), "15 minutes");
    }
    for _ in 0..7 {
        let nobody = login(&server, "nobody", PASSWORD).await;
        assert_eq!(nobody.problem(401, 1001, "unauthenticated")["message"], "wrong name or password");
    }
    // The lock is of the account, on every process; a person with access to the machine lifts it.
    let other = place.start("api").await;
    login(&other, "admin", PASSWORD).await.problem(423, 1004, "account_locked");
    let output = crate::command::with_input(&place, &["user", "passwd", "admin"], "another password\n");
    assert!(output.status.success(), "{output:?}");
    login(&server, "admin", "another password").await.data();
}

/// Many guesses at once are no way round the lock.
async fn a_flood_of_guesses_locks_too(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    for _ in 0..4 {
        login(&server, "admin", "wrong password").await.problem(401, 1001, "unauthenticated");
    }
    let guesses = futures::future::join_all((0..30).map(|_| login(&server, "admin", "wrong password")));
    let right = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        login(&server, "admin", PASSWORD).await
    };
    let (guesses, right) = tokio::join!(guesses, right);
    assert!(guesses.iter().all(|guess| matches!(guess.status, 401 | 423)));
    right.problem(423, 1004, "account_locked");
}

fn token() -> Value {
    let level = "free|bronze|silver|gold|diamond|star|king";
    json!({
        "id": "ulid", "product": "text", "scopes": ["text"], "member_level": level, "note": "text?", "created_by": "text",
        "created_at": "time", "expires_at": "time?",
    })
}

async fn service_tokens_live_and_end(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let soon =
        (chrono::DateTime::<chrono::Utc>::from(std::time::UNIX_EPOCH) + chrono::Duration::days(36_000)).to_rfc3339();
    let body = json!({
        "product": "chat-x", "scopes": ["credpool:allocate", "credpool:report"], "member_level": "gold", "note": "n",
        "expires_at": soon,
    });
    let issued = owner.post(TOKENS, body).await;
    let mut shape = token();
    for gone in ["created_by", "created_at"] {
        shape.as_object_mut().unwrap().remove(gone);
    }
    shape["token"] = json!("text");
    has_shape(issued.data(), &shape);
    let text = issued.data()["token"].as_str().unwrap();
    assert!(text.starts_with("svc_chat-x_") && is_time(issued.data()["expires_at"].as_str().unwrap()));
    let least = owner.post(TOKENS, json!({ "product": "p", "scopes": ["credpool:*"] })).await;
    assert_eq!((&least.data()["member_level"], &least.data()["expires_at"]), (&json!("free"), &Value::Null));

    let listed = owner.get(TOKENS).await;
    has_shape(listed.data(), &page(&token()));
    assert!(listed.data()["total"] == 2 && !listed.text.contains(text), "only here, only once");
    let first = owner.get(&format!("{TOKENS}?sort=created_at&limit=1")).await;
    let next = format!("{TOKENS}?sort=created_at&limit=1&cursor={}", first.data()["next_cursor"].as_str().unwrap());
    assert_eq!(owner.get(&next).await.data()["items"][0]["product"], "p");

    // Either header; the scheme's case does not matter.
    for (name, value) in [
        ("x-service-token", text.to_owned()),
        ("authorization", format!("Bearer {text}")),
        ("authorization", format!("bearer {text}")),
    ] {
        let reply = server.anonymous().with(name, &value).post(&pool("allocate"), json!({ "account_id": "a" })).await;
        reply.problem(409, 3002, "none_available");
    }
    let path = format!("{TOKENS}/{}", issued.data()["id"].as_str().unwrap());
    has_shape(owner.ask("DELETE", &path, Value::Null).await.data(), &json!({ "id": "ulid" }));
    owner.ask("DELETE", &path, Value::Null).await.problem(404, 2002, "not_found");
    assert_eq!(owner.get(TOKENS).await.data()["total"], 1);
    for (field, value) in [
        ("product", json!("")),
        ("product", json!("Chat")),
        ("product", json!("x".repeat(33))),
        ("scopes", json!([])),
        ("scopes", json!(["credpool:everything"])),
        ("scopes", json!(["pool:allocate"])),
        ("member_level", json!("emperor")),
        ("note", json!("x".repeat(201))),
        ("expires_at", json!("2001-01-01T00:00:00Z")),
        ("expires_at", json!("soon")),
        ("surprise", json!(1)),
    ] {
        let mut body = json!({ "product": "p", "scopes": ["credpool:*"] });
        body[field] = value;
        owner.post(TOKENS, body).await.wrong(field);
    }
    owner.post(TOKENS, json!({ "product": "p" })).await.wrong("scopes");
}

/// Polls until this caller is refused; how long it took.
async fn refused_after(caller: &Api, revoked: Instant) -> Duration {
    loop {
        let reply = ask(caller.request("GET", &pool("account?account_id=a"))).await;
        if reply.status == 401 {
            reply.problem(401, 1001, "unauthenticated");
            return revoked.elapsed();
        }
        assert!(reply.status == 200 && revoked.elapsed() < Duration::from_secs(5), "{}", reply.text);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn a_revoked_token_is_refused_everywhere(kind: Kind) {
    let place = Place::new(kind).await;
    let (here, there) = (place.start("api").await, place.start("api").await);
    let owner = here.owner().await;
    let issued = owner.ok("POST", TOKENS, json!({ "product": "it", "scopes": ["credpool:account"] })).await;
    let (id, text) = (issued["id"].as_str().unwrap(), issued["token"].as_str().unwrap());
    let callers = [&here, &there].map(|server| server.anonymous().with("x-service-token", text));
    for caller in &callers {
        caller.get(&pool("account?account_id=a")).await.data();
    }
    owner.ok("DELETE", &format!("{TOKENS}/{id}"), Value::Null).await;
    let revoked = Instant::now();
    let (first, second) = tokio::join!(refused_after(&callers[0], revoked), refused_after(&callers[1], revoked));
    assert!(first < Duration::from_secs(1) && second < Duration::from_secs(1), "{first:?} {second:?}");
}

/// Tokens are checked in memory until one changes: nobody misses their table.
async fn a_token_is_checked_without_reading_it(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_001, 1, 1_000).await;
    let service = server.service(&["credpool:*"]).await;
    service.allocate("before").await.unwrap();
    place.run_sql("ALTER TABLE service_tokens RENAME TO elsewhere").await;
    // Longer than a copy counts as fresh.
    let started = Instant::now();
    for number in 0.. {
        let (status, body) = service.allocate(&format!("meanwhile {number}")).await.unwrap();
        assert_eq!(status, 200, "{body}");
        if started.elapsed() > Duration::from_secs(2) {
            break;
        }
    }
    place.run_sql("ALTER TABLE elsewhere RENAME TO service_tokens").await;
    server.stop().await;
    place.assert_sound();
}

on_both!(
    the_first_owner,
    a_token_is_checked_without_reading_it,
    signs_in_and_changes_passwords,
    five_failures_lock,
    a_flood_of_guesses_locks_too,
    service_tokens_live_and_end,
    a_revoked_token_is_refused_everywhere,
);
