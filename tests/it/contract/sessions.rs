//! §2: staying signed in: refresh tokens of programs and of pages, and sessions that end, on every
//! process within a second.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::fields::page;
use super::users::{USERS, add};
use super::{Reply, has_shape, pool};
use crate::harness::{Api, Kind, PASSWORD, Place, Server};
use crate::on_both;

const REFRESH: &str = "/api/admin/refresh";
const LOGOUT: &str = "/api/admin/logout";
const ME: &str = "/api/admin/me";
const SECRET: &str = "long enough it is";

async fn login(caller: &Api, username: &str, password: &str) -> Reply {
    caller.post("/api/admin/login", json!({ "username": username, "password": password })).await
}

fn answer() -> Value {
    let user = json!({ "id": "ulid", "username": "text", "role": "owner|admin|operator|auditor", "tenant_id": "text" });
    json!({ "token": "text", "expires_at": "time", "user": user })
}

/// The same person with this token.
fn bearer(server: &Server, reply: &Reply) -> Api {
    server.anonymous().with("authorization", &format!("Bearer {}", reply.data()["token"].as_str().unwrap()))
}

/// The cookie's value and its attributes.
fn cookie(reply: &Reply) -> (String, Vec<String>) {
    let mut parts = reply.header("set-cookie").split(';').map(|part| part.trim().to_lowercase());
    let first = parts.next().unwrap();
    let mut attributes: Vec<String> = parts.collect();
    attributes.sort();
    (first, attributes)
}

async fn programs_refresh_with_the_body(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let program = server.anonymous();
    let mut shape = answer();
    shape["refresh_token"] = json!("text");
    let first = login(&program, "admin", PASSWORD).await;
    has_shape(first.data(), &shape);
    assert_eq!(first.header("set-cookie"), "", "a program has no use for it");
    let token = |reply: &Reply| reply.data()["refresh_token"].as_str().unwrap().to_owned();
    let refresh = async |token: &str| program.post(REFRESH, json!({ "refresh_token": token })).await;

    let second = refresh(&token(&first)).await;
    has_shape(second.data(), &shape);
    assert!(token(&second) != token(&first) && second.header("set-cookie").is_empty());
    assert_eq!(second.data()["user"], first.data()["user"]);
    bearer(&server, &second).get(ME).await.data();
    // Of one session all along.
    let session = async |reply: &Reply| bearer(&server, reply).get(ME).await.data()["session_id"].clone();
    assert_eq!(session(&first).await, session(&second).await);
    // Two tabs at once, or an answer that was lost: the one just replaced still works, and what it
    // gives works too.
    let late = refresh(&token(&first)).await;
    let (left, right) = futures::future::join(refresh(&token(&second)), refresh(&token(&second))).await;
    for reply in [&late, &left, &right] {
        refresh(&token(reply)).await.data();
    }
    for (body, field) in [
        (json!({}), "refresh_token"),
        (Value::Null, "refresh_token"),
        (json!({ "refresh_token": null }), "refresh_token"),
        (json!({ "refresh_token": 5 }), "refresh_token"),
        (json!({ "refresh_token": "x", "surprise": 1 }), "surprise"),
    ] {
        program.post(REFRESH, body).await.wrong(field);
    }
    let jwt = first.data()["token"].as_str().unwrap();
    for wrong in ["", "x", "rt_0000", jwt, "\u{0}", &"x".repeat(8_000)] {
        refresh(wrong).await.problem(401, 1001, "unauthenticated");
    }
    // What refreshes is no token for anything else.
    let misused = program.with("authorization", &format!("Bearer {}", token(&right)));
    misused.get(ME).await.problem(401, 1001, "unauthenticated");
}

async fn pages_refresh_with_a_cookie(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let page = server.anonymous().with("x-requested-with", "XMLHttpRequest");
    let first = login(&page, "admin", PASSWORD).await;
    has_shape(first.data(), &answer());
    let (value, attributes) = cookie(&first);
    let strict = ["httponly", "max-age=2592000", "path=/api/admin", "samesite=strict"];
    assert_eq!(attributes, strict, "{}", first.header("set-cookie"));
    let secret = value.split_once('=').unwrap().1;
    assert!(secret.len() > 40 && !first.text.contains(secret), "not in the body");

    let with_cookie = page.with("cookie", &format!("theme=dark; {value}; lang=en"));
    let second = with_cookie.post(REFRESH, Value::Null).await;
    has_shape(second.data(), &answer());
    let (next, attributes) = cookie(&second);
    assert!(next != value && attributes == strict, "{}", second.header("set-cookie"));
    bearer(&server, &second).get(ME).await.data();

    // Another site can send the cookie, but not the header: then the cookie counts for nothing.
    let other_site = server.anonymous().with("cookie", &next);
    other_site.post(REFRESH, Value::Null).await.wrong("refresh_token");
    other_site.get(ME).await.problem(401, 1001, "unauthenticated");
    other_site.post(LOGOUT, Value::Null).await.problem(401, 1001, "unauthenticated");
    // Nor does the header without the cookie, or with one that is nobody's, which is taken away.
    page.post(REFRESH, Value::Null).await.problem(401, 1001, "unauthenticated");
    page.post(REFRESH, json!({ "refresh_token": secret })).await.problem(401, 1001, "unauthenticated");
    let name = value.split_once('=').unwrap().0;
    let nobodys = page.with("cookie", &format!("{name}=rt_nobodys")).post(REFRESH, Value::Null).await;
    nobodys.problem(401, 1001, "unauthenticated");
    let (emptied, attributes) = cookie(&nobodys);
    assert!(emptied == format!("{name}=") && attributes.contains(&"max-age=0".to_owned()), "{emptied}");

    let signed_in = bearer(&server, &second).with("x-requested-with", "fetch").with("cookie", &next);
    let left = signed_in.post(LOGOUT, Value::Null).await;
    has_shape(left.data(), &json!({ "sessions_ended": "int" }));
    assert_eq!((&left.data()["sessions_ended"], cookie(&left).0), (&json!(1), format!("{name}=")));
    page.with("cookie", &next).post(REFRESH, Value::Null).await.problem(401, 1001, "unauthenticated");
    server.stop().await;

    let mut command = place.command();
    command.arg("serve").env("API_POOL_SECURE_COOKIES", "true");
    let server = Server::spawn(command, place.dir.path()).await;
    let page = server.anonymous().with("x-requested-with", "XMLHttpRequest");
    let (_, attributes) = cookie(&login(&page, "admin", PASSWORD).await);
    assert!(attributes.contains(&"secure".to_owned()), "{attributes:?}");
}

/// The program's clock is real, so its memory is made older instead.
async fn a_token_used_long_before_ends_the_session(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let (program, owner) = (server.anonymous(), server.owner().await);
    let token = |reply: &Reply| reply.data()["refresh_token"].as_str().unwrap().to_owned();
    let refresh = async |token: &str| program.post(REFRESH, json!({ "refresh_token": token })).await;
    add(&owner, "ann", SECRET, "operator").await;
    let first = login(&program, "ann", SECRET).await;
    let second = refresh(&token(&first)).await;
    place.execute("UPDATE refresh_tokens SET replaced_at = replaced_at - 29000 WHERE replaced_at IS NOT NULL").await;
    refresh(&token(&first)).await.data();
    place.execute("UPDATE refresh_tokens SET replaced_at = replaced_at - 2000 WHERE replaced_at IS NOT NULL").await;
    let third = login(&program, "ann", SECRET).await;
    refresh(&token(&first)).await.problem(401, 1001, "unauthenticated");
    refresh(&token(&second)).await.problem(401, 1001, "unauthenticated");
    until_refused(&bearer(&server, &second), 401).await;
    refresh(&token(&third)).await.data();
    let told = owner.get("/api/admin/audit-logs?action=session.reused").await;
    let row = &told.data()["items"][0];
    assert_eq!(
        (&told.data()["total"], &row["actor"], &row["outcome"]),
        (&json!(1), &json!("user:ann"), &json!("failure"))
    );

    // One that nobody has used for thirty days has ended too.
    let idle = login(&program, "ann", SECRET).await;
    place.execute("UPDATE sessions SET expires_at = expires_at - 2592000000").await;
    refresh(&token(&idle)).await.problem(401, 1001, "unauthenticated");
}

/// The short token has ended, or is lost: signing out still ends the session.
async fn a_refresh_token_signs_out(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let (program, page) = (server.anonymous(), server.anonymous().with("x-requested-with", "fetch"));
    let expired = program.with("authorization", "Bearer nobodys");
    for caller in [&program, &expired] {
        let opened = login(&program, "admin", PASSWORD).await;
        let token = opened.data()["refresh_token"].clone();
        let left = caller.post(LOGOUT, json!({ "refresh_token": token })).await;
        assert_eq!(left.data()["sessions_ended"], 1);
        program.post(REFRESH, json!({ "refresh_token": token })).await.problem(401, 1001, "unauthenticated");
        until_refused(&bearer(&server, &opened), 401).await;
        caller.post(LOGOUT, json!({ "refresh_token": token })).await.problem(401, 1001, "unauthenticated");
    }
    let value = cookie(&login(&page, "admin", PASSWORD).await).0;
    // Not for another site, which can't send the header.
    program.with("cookie", &value).post(LOGOUT, Value::Null).await.problem(401, 1001, "unauthenticated");
    let left = page.with("cookie", &value).post(LOGOUT, Value::Null).await;
    assert_eq!(left.data()["sessions_ended"], 1);
    assert!(cookie(&left).0.ends_with('='), "the cookie is taken back");
    page.with("cookie", &value).post(REFRESH, Value::Null).await.problem(401, 1001, "unauthenticated");
    // Everywhere too, in one's own name.
    let (one, other) = (login(&program, "admin", PASSWORD).await, login(&program, "admin", PASSWORD).await);
    let body = json!({ "refresh_token": one.data()["refresh_token"], "everywhere": true });
    assert_eq!(program.post(LOGOUT, body).await.data()["sessions_ended"], 2);
    until_refused(&bearer(&server, &other), 401).await;
    let told = server.owner().await.get("/api/admin/audit-logs?action=user.signed_out").await;
    let actors: Vec<&Value> = told.data()["items"].as_array().unwrap().iter().map(|one| &one["actor"]).collect();
    assert!(actors.len() == 4 && actors.iter().all(|actor| **actor == "user:admin"), "{actors:?}");
}

async fn sessions_are_listed_and_ended(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let user = add(&owner, "ann", SECRET, "operator").await;
    let list = format!("{user}/sessions");
    let mut callers = Vec::new();
    for agent in ["first", "second", "third"] {
        let reply = login(&server.anonymous().with("user-agent", agent), "ann", SECRET).await;
        callers.push((bearer(&server, &reply), reply.data()["refresh_token"].clone()));
    }
    let session = json!({
        "id": "ulid", "ip": "text?", "user_agent": "text?", "created_at": "time", "last_used_at": "time",
        "expires_at": "time", "current": "bool",
    });
    let own = callers[1].0.get(&list).await;
    has_shape(own.data(), &page(&session));
    let items = own.data()["items"].as_array().unwrap();
    let agents: Vec<&str> = items.iter().map(|one| one["user_agent"].as_str().unwrap()).collect();
    let current: Vec<bool> = items.iter().map(|one| one["current"].as_bool().unwrap()).collect();
    assert_eq!((agents, current), (vec!["third", "second", "first"], vec![false, true, false]));
    assert!(items.iter().all(|one| one["ip"] == "127.0.0.1") && own.data()["total"] == 3);
    let seen = owner.get(&format!("{list}?limit=2")).await;
    assert!(seen.data()["items"].as_array().unwrap().iter().all(|one| one["current"] == false), "the owner's is none");
    let next = format!("{list}?limit=2&cursor={}", seen.data()["next_cursor"].as_str().unwrap());
    assert_eq!(owner.get(&next).await.data()["items"][0]["id"], items[2]["id"]);

    let path = |index: usize| format!("{USERS}/sessions/{}", items[index]["id"].as_str().unwrap());
    let ended = callers[1].0.ask("DELETE", &path(0), Value::Null).await;
    assert_eq!(*ended.data(), json!({ "id": items[0]["id"] }));
    callers[1].0.ask("DELETE", &path(0), Value::Null).await.problem(403, 1003, "forbidden");
    owner.ask("DELETE", &path(0), Value::Null).await.problem(404, 2002, "not_found");
    owner.ask("DELETE", &path(2), Value::Null).await.data();
    for index in [0, 2] {
        until_refused(&callers[index].0, 401).await;
        let refresh = server.anonymous().post(REFRESH, json!({ "refresh_token": callers[index].1 })).await;
        refresh.problem(401, 1001, "unauthenticated");
    }
    assert_eq!(callers[1].0.get(&list).await.data()["total"], 1, "one's own goes on");
    let left = callers[1].0.post(LOGOUT, json!({})).await;
    assert_eq!(*left.data(), json!({ "sessions_ended": 1 }));
    for (body, field) in [(json!({ "everywhere": "yes" }), "everywhere"), (json!({ "surprise": 1 }), "surprise")] {
        owner.post(LOGOUT, body).await.wrong(field);
    }
}

/// Polls until this caller is refused, which must take less than a second.
async fn until_refused(caller: &Api, status: u16) {
    let started = Instant::now();
    let path = pool("allocate/preview");
    loop {
        let reply = caller.post(&path, json!({ "account_id": "a" })).await;
        if reply.status == status {
            let (number, slug) = if status == 401 { (1001, "unauthenticated") } else { (1003, "forbidden") };
            reply.problem(status, number, slug);
            return;
        }
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert!(started.elapsed() < Duration::from_secs(1), "still let in at {}", caller.base);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn ends_hold_on_every_process(kind: Kind) {
    let place = Place::new(kind).await;
    let (here, there) = (place.start("api").await, place.start("api").await);
    let owner = here.owner().await;
    for (way, status) in [
        ("logout", 401),
        ("logout everywhere", 401),
        ("change-password elsewhere", 401),
        ("reset-password", 401),
        ("session", 401),
        ("role", 403),
        ("removal", 401),
    ] {
        let name = way.replace(' ', "-");
        let user = add(&owner, &name, SECRET, "operator").await;
        let reply = login(&here.anonymous(), &name, SECRET).await;
        let (near, refresh) = (bearer(&here, &reply), reply.data()["refresh_token"].clone());
        let far = near.at(&there.base);
        let second = here.sign_in(&name, SECRET).await;
        for caller in [&near, &far] {
            caller.post(&pool("allocate/preview"), json!({ "account_id": "a" })).await.data();
        }
        let me = near.get(ME).await.data().clone();
        match way {
            "logout" => near.ok("POST", LOGOUT, Value::Null).await,
            "logout everywhere" => {
                let left = second.ok("POST", LOGOUT, json!({ "everywhere": true })).await;
                assert_eq!(left["sessions_ended"], 2);
                left
            }
            "change-password elsewhere" => {
                let body = json!({ "old_password": SECRET, "new_password": "another one, as long" });
                second.ok("POST", "/api/admin/change-password", body).await
            }
            "reset-password" => owner.ok("POST", &format!("{user}/reset-password"), Value::Null).await,
            "session" => {
                let path = format!("{USERS}/sessions/{}", me["session_id"].as_str().unwrap());
                owner.ok("DELETE", &path, Value::Null).await
            }
            "role" => owner.ok("PUT", &user, json!({ "role": "auditor" })).await,
            _ => owner.ok("DELETE", &user, Value::Null).await,
        };
        futures::future::join(until_refused(&near, status), until_refused(&far, status)).await;
        let again = there.anonymous().post(REFRESH, json!({ "refresh_token": refresh })).await;
        if status == 403 {
            assert_eq!(again.data()["user"]["role"], "auditor", "signed in still, as what they are now");
        } else {
            again.problem(401, 1001, "unauthenticated");
        }
        let others_live = ["logout", "change-password elsewhere", "session"].contains(&way);
        let of_second = second.at(&there.base).get(ME).await.status;
        assert_eq!(of_second == 200, others_live || status == 403, "{way}: the other session, {of_second}");
    }
    place.assert_sound();
}

on_both!(
    programs_refresh_with_the_body,
    pages_refresh_with_a_cookie,
    a_token_used_long_before_ends_the_session,
    sessions_are_listed_and_ended,
    a_refresh_token_signs_out,
    ends_hold_on_every_process,
);
