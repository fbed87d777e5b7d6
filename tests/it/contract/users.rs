//! §2: users: added, changed, removed, their passwords reset; somebody always owns the place.

use futures::future::join;
use serde_json::{Value, json};

use super::fields::page;
use super::{Reply, has_shape};
use crate::harness::{Api, Kind, PASSWORD, Place, Server};
use crate::on_both;

pub const USERS: &str = "/api/admin/users";
const SECRET: &str = "long enough it is";

fn user() -> Value {
    json!({
        "id": "ulid", "username": "text", "role": "owner|admin|operator|auditor", "locked_until": "time?",
        "last_login_at": "time?", "created_at": "time", "updated_at": "time", "version": "int",
    })
}

/// Adds somebody; the path to them.
pub async fn add(owner: &Api, username: &str, password: &str, role: &str) -> String {
    let body = json!({ "username": username, "password": password, "role": role });
    format!("{USERS}/{}", owner.ok("POST", USERS, body).await["id"].as_str().unwrap())
}

async fn login(server: &Server, username: &str, password: &str) -> Reply {
    let body = json!({ "username": username, "password": password });
    server.anonymous().post("/api/admin/login", body).await
}

async fn are_added_changed_and_removed(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let added = owner.post(USERS, json!({ "username": "ann", "password": SECRET, "role": "operator" })).await;
    has_shape(added.data(), &user());
    assert_eq!((&added.data()["username"], &added.data()["role"]), (&json!("ann"), &json!("operator")));
    assert!(added.header("etag") == "\"1\"" && added.data()["last_login_at"].is_null() && !added.text.contains(SECRET));
    let taken = json!({ "username": "ann", "password": SECRET, "role": "auditor" });
    owner.post(USERS, taken).await.problem(409, 2003, "already_exists");

    let path = format!("{USERS}/{}", added.data()["id"].as_str().unwrap());
    let ann = server.sign_in("ann", SECRET).await;
    let read = owner.get(&path).await;
    has_shape(read.data(), &user());
    assert!(read.data()["last_login_at"].is_string(), "{}", read.text);
    assert_eq!((read.header("etag"), &read.data()["version"]), ("\"1\"", &json!(1)), "signing in is no edit");
    let listed = owner.get(&format!("{USERS}?sort=created_at")).await;
    has_shape(listed.data(), &page(&user()));
    assert_eq!((&listed.data()["total"], &listed.data()["items"][1]), (&json!(2), read.data()), "the oldest first");
    let first = owner.get(&format!("{USERS}?sort=created_at&limit=1")).await;
    assert_eq!(first.data()["items"][0]["username"], "admin");
    let next = format!("{USERS}?sort=created_at&limit=1&cursor={}", first.data()["next_cursor"].as_str().unwrap());
    let second = owner.get(&next).await;
    assert_eq!((&second.data()["items"][0]["username"], &second.data()["next_cursor"]), (&json!("ann"), &Value::Null));

    let changed = owner.ask("PUT", &path, json!({ "username": "anna" })).await;
    has_shape(changed.data(), &user());
    assert_eq!((&changed.data()["username"], &changed.data()["role"]), (&json!("anna"), &json!("operator")));
    assert_eq!(changed.header("etag"), "\"2\"");
    assert_eq!(owner.ask("PUT", &path, json!({ "role": "auditor" })).await.data()["role"], "auditor");
    owner.ask("PUT", &path, json!({ "username": "admin" })).await.problem(409, 2003, "already_exists");
    login(&server, "ann", SECRET).await.problem(401, 1001, "unauthenticated");
    // The name in a token is looked up, not believed.
    assert_eq!(ann.get("/api/admin/me").await.data()["username"], "anna");
    login(&server, "anna", SECRET).await.data();

    has_shape(owner.ask("DELETE", &path, Value::Null).await.data(), &json!({ "id": "ulid" }));
    login(&server, "anna", SECRET).await.problem(401, 1001, "unauthenticated");
    for (method, body) in [("GET", Value::Null), ("PUT", json!({ "role": "owner" })), ("DELETE", Value::Null)] {
        owner.ask(method, &path, body).await.problem(404, 2002, "not_found");
    }
    owner.post(&format!("{path}/reset-password"), json!({})).await.problem(404, 2002, "not_found");
    owner.get(&format!("{path}/sessions")).await.problem(404, 2002, "not_found");
    add(&owner, "ann", SECRET, "auditor").await;
    server.stop().await;
    place.assert_sound();
}

async fn wrong_ones_are_refused(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let path = add(&owner, "ann", SECRET, "operator").await;
    for (field, value) in [
        ("username", json!("")),
        ("username", json!(" ")),
        ("username", json!("x".repeat(65))),
        ("username", json!("a\u{0}b")),
        ("username", json!("a\nb")),
        ("username", json!("admin ")),
        ("username", json!("ad\u{200b}min")),
        ("username", json!("a,b")),
        ("username", json!(7)),
        ("role", json!("emperor")),
        ("role", json!("Owner")),
        ("role", Value::Null),
        ("password", json!("too short")),
        ("password", json!("x".repeat(1_025))),
        ("password", Value::Null),
        ("tenant_id", json!("other")),
    ] {
        let mut body = json!({ "username": "bob", "password": SECRET, "role": "operator" });
        body[field] = value.clone();
        owner.post(USERS, body).await.wrong(field);
        // A password is reset, never edited.
        owner.ask("PUT", &path, json!({ field: value })).await.wrong(field);
    }
    for missing in ["username", "password", "role"] {
        let mut body = json!({ "username": "bob", "password": SECRET, "role": "operator" });
        body.as_object_mut().unwrap().remove(missing);
        owner.post(USERS, body).await.wrong(missing);
    }
    owner.get(&format!("{USERS}?role=owner")).await.wrong("role");
    let one = owner.get(&path).await;
    assert_eq!((one.header("etag"), &one.data()["username"]), ("\"1\"", &json!("ann")), "nothing of it was written");
    assert_eq!(owner.get(USERS).await.data()["total"], 2);
}

async fn the_last_owner_stays(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let own = format!("{USERS}/{}", owner.get("/api/admin/me").await.data()["id"].as_str().unwrap());
    owner.ask("DELETE", &own, Value::Null).await.problem(409, 2004, "conflict");
    owner.ask("PUT", &own, json!({ "role": "admin" })).await.problem(409, 2004, "conflict");
    // Any other edit is fine.
    owner.ask("PUT", &own, json!({ "role": "owner" })).await.data();

    // Two who take it from each other at once don't both succeed.
    for round in 0..5 {
        let other = add(&owner, &format!("other-{round}"), SECRET, "owner").await;
        let them = server.sign_in(&format!("other-{round}"), SECRET).await;
        let mine = owner.ask("PUT", &other, json!({ "role": "auditor" }));
        let theirs = them.ask("PUT", &own, json!({ "role": "auditor" }));
        let (mine, theirs) = join(mine, theirs).await;
        let mine_won = mine.status == 200;
        let loser = if mine_won { &theirs } else { &mine };
        assert!([403, 409].contains(&loser.status), "{round}: {} {}", mine.text, theirs.text);
        if !mine_won {
            // Give it back for the next round.
            assert_eq!(theirs.status, 200, "{round}: {} {}", mine.text, theirs.text);
            them.ask("PUT", &own, json!({ "role": "owner" })).await.data();
            them.ask("PUT", &other, json!({ "role": "auditor" })).await.data();
        }
    }
    let owners = owner.all(&format!("{USERS}?")).await.iter().filter(|one| one["role"] == "owner").count();
    assert_eq!(owners, 1);
    server.stop().await;
    place.assert_sound();
}

async fn forgotten_passwords_are_reset(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let path = add(&owner, "ann", SECRET, "operator").await;
    for _ in 0..5 {
        login(&server, "ann", "wrong password").await;
    }
    login(&server, "ann", SECRET).await.problem(423, 1004, "account_locked");
    assert!(owner.get(&path).await.data()["locked_until"].is_string());

    // Without a password one is made, told once, and opens what was locked.
    let reset = format!("{path}/reset-password");
    let made = owner.post(&reset, Value::Null).await;
    has_shape(made.data(), &json!({ "id": "ulid", "password": "text" }));
    let password = made.data()["password"].as_str().unwrap();
    assert!(password.len() >= 20, "{password}");
    assert_eq!(made.header("cache-control"), "no-store");
    assert!(owner.get(&path).await.data()["locked_until"].is_null());
    login(&server, "ann", SECRET).await.problem(401, 1001, "unauthenticated");
    login(&server, "ann", password).await.data();
    let again = owner.post(&reset, json!({})).await;
    assert_ne!(again.data()["password"].as_str(), Some(password), "another each time");

    let chosen = owner.post(&reset, json!({ "password": PASSWORD })).await;
    has_shape(chosen.data(), &json!({ "id": "ulid" }));
    login(&server, "ann", PASSWORD).await.data();
    for (field, value) in [
        ("password", json!("short")),
        ("password", json!("x".repeat(1_025))),
        ("password", json!(1)),
        ("role", json!(1)),
    ] {
        owner.post(&reset, json!({ field: value })).await.wrong(field);
    }
    login(&server, "ann", PASSWORD).await.data();
}

on_both!(are_added_changed_and_removed, wrong_ones_are_refused, the_last_owner_stays, forgotten_passwords_are_reset,);
