//! What a client is told, and when it is sent away.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;

use super::{Listener, Told, token};
use crate::contract::{has_shape, pool};
use crate::harness::{Kind, Place, Server};
use crate::on_both;

async fn events_of_every_process_arrive(kind: Kind) {
    let place = Place::new(kind).await;
    let (here, there) = (place.start("api").await, place.start("api").await);
    let owner = here.owner().await;
    let mut listener = Listener::of(&here, &owner, None).await;
    owner.import(1_000_001, 1, 5).await;
    listener.event("api.added").await;
    let elsewhere = owner.at(&there.base);
    let given = elsewhere.ok("POST", &pool("allocate"), json!({ "account_id": "+8613800000001" })).await;
    let told = listener.event("api.allocated").await;
    let shape = json!({
        "type": "text", "event": "text", "key": "text", "version": "int", "cursor": "text", "timestamp": "time",
        "data": "object",
    });
    has_shape(&told, &shape);
    assert_eq!(told["key"], "account:+8613800000001");
    assert_eq!(told["data"]["allocation_id"], given["allocation_id"]);
    assert_eq!((&told["data"]["api_id"], &told["data"]["actor"]), (&json!("1000001"), &json!("user:admin")));
    elsewhere.ok("POST", &pool("release"), json!({ "account_id": "+8613800000001" })).await;
    assert_eq!(listener.event("api.released").await["data"]["reason"], "released");
    assert!(!here.logged().contains(" ERROR "));

    // From workers too: most of the pool is taken, which their clock finds within a minute.
    let worker = place.start("worker").await;
    for account in 0..5 {
        owner.ok("POST", &pool("allocate"), json!({ "account_id": account.to_string() })).await;
    }
    let full = tokio::time::timeout(Duration::from_secs(100), listener.event("capacity.critical"));
    assert_eq!(full.await.unwrap()["data"]["actor"], "job:check_capacity");
    worker.stop().await;
}

async fn what_was_missed_is_replayed(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_001, 1, 50).await;
    let mut listener = Listener::of(&server, &owner, None).await;
    owner.ok("POST", &pool("allocate"), json!({ "account_id": "seen" })).await;
    let cursor = listener.event("api.allocated").await["cursor"].as_str().unwrap().to_owned();
    drop(listener);
    for account in ["a", "b", "c"] {
        owner.ok("POST", &pool("allocate"), json!({ "account_id": account })).await;
    }
    let mut back = Listener::of(&server, &owner, Some(&cursor)).await;
    for account in ["a", "b", "c"] {
        assert_eq!(back.event("api.allocated").await["data"]["account_id"], account);
    }
    owner.ok("POST", &pool("allocate"), json!({ "account_id": "d" })).await;
    assert_eq!(back.event("api.allocated").await["data"]["account_id"], "d", "and it goes on");

    // Several about one thing are all told.
    for _ in 0..5 {
        let failed = json!({ "api_id": 1_000_001, "success": false, "error": "API_ID_INVALID" });
        owner.ok("POST", &pool("result"), failed).await;
    }
    let mut back = Listener::of(&server, &owner, Some(&cursor)).await;
    let told = back.drain().await;
    let failed = told.iter().filter(|message| message["event"] == "api.failed").count();
    assert_eq!(failed, 5, "{told:?}");

    // What is not one of ours, or from another life of the database.
    for since in ["x", "-1", "1.5", ""] {
        let mut odd = Listener::connect(&server).await;
        odd.say(&json!({ "type": "auth", "token": token(&owner), "since": since })).await;
        assert_eq!(odd.message().await["type"], "ready");
        let error = odd.message().await;
        assert_eq!((&error["type"], &error["error"]["number"]), (&json!("error"), &json!(2001)), "{since}");
        assert_eq!(odd.next().await, Told::Closed(1008));
    }
    let mut ahead = Listener::of(&server, &owner, Some("999999999")).await;
    assert_eq!(ahead.message().await["type"], "lagged");
}

async fn a_flood_is_cut_short(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let mut listener = Listener::of(&server, &owner, None).await;
    // Quickly over, also on a slow machine: each second more has fifty events more.
    owner.import(1_000_001, 400, 5).await;
    let told = listener.drain().await;
    let events = told.iter().filter(|message| message["type"] == "event").count();
    let lagged = told.iter().filter(|message| message["type"] == "lagged").count();
    assert!((1..=150).contains(&events) && lagged > 0, "{events} events, {lagged} times lagged");
    // It hears what comes after, also within the second that is cut short.
    listener = Listener::of(&server, &owner, None).await;
    owner.import(1_100_001, 200, 5).await;
    while listener.message().await["type"] != "lagged" {}
    owner.ok("POST", &pool("groups"), json!({ "name": "at once" })).await;
    let waiting = async {
        loop {
            let message = listener.message().await;
            if message["type"] == "lagged" || message["event"] == "group.added" {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap();
    owner.ok("POST", &pool("allocate"), json!({ "account_id": "after" })).await;
    assert_eq!(listener.event("api.allocated").await["data"]["account_id"], "after");
    // Of many about one thing the last counts.
    let id = owner.ok("GET", &pool("?limit=1"), Value::Null).await["items"][0]["id"].as_str().unwrap().to_owned();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    for _ in 0..10 {
        owner.ok("POST", &pool(&format!("{id}/disable")), json!({})).await;
        owner.ok("POST", &pool(&format!("{id}/enable")), json!({})).await;
    }
    let told = listener.drain().await;
    let switched = told.iter().filter(|message| message["event"] == "api.enabled").count();
    assert!((1..10).contains(&switched), "{switched}");
}

async fn only_those_who_may_listen_do(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let refused = async |first: Value, number: u16| {
        let mut listener = Listener::connect(&server).await;
        listener.say(&first).await;
        let error = listener.message().await;
        assert_eq!((&error["type"], &error["error"]["number"]), (&json!("error"), &json!(number)), "{error}");
        assert_eq!(listener.next().await, Told::Closed(1008));
    };
    let service = server.service(&["credpool:*"]).await;
    refused(json!({ "type": "ping" }), 2000).await;
    refused(json!("hello"), 2000).await;
    refused(json!({ "type": "auth" }), 2000).await;
    refused(json!({ "type": "auth", "token": "nobody" }), 1001).await;
    refused(json!({ "type": "auth", "token": "svc_x_y" }), 1001).await;
    refused(json!({ "type": "auth", "token": token(&service) }), 1003).await;
    let plain = server.anonymous().get("/ws").await;
    plain.problem(400, 2000, "malformed");

    // The audit trail is for those who may read it.
    let output =
        crate::command::with_input(&place, &["user", "add", "op", "--role", "operator"], "long enough it is\n");
    assert!(output.status.success());
    let (owner, operator) = (server.owner().await, server.sign_in("op", "long enough it is").await);
    let (mut all, mut some) = (Listener::of(&server, &owner, None).await, Listener::of(&server, &operator, None).await);
    server.owner().await.import(1_000_001, 1, 1).await;
    all.event("user.signed_in").await;
    assert_eq!(some.message().await["event"], "api.added");
}

/// Those who don't say who they are have few places of their own, and not for long.
async fn strangers_take_no_seats(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let mut known = Listener::of(&server, &owner, None).await;
    let started = Instant::now();
    let mut strangers = Vec::new();
    for _ in 0..256 {
        strangers.push(Listener::connect(&server).await);
    }
    let url = format!("{}/ws", server.base.replacen("http", "ws", 1));
    let refused = tokio_tungstenite::connect_async(&url).await.unwrap_err();
    assert!(matches!(&refused, Error::Http(answer) if answer.status() == 503), "{refused}");
    owner.import(1_000_001, 1, 5).await;
    known.event("api.added").await;
    let (code, after) = sent_away(&mut strangers[0], started).await;
    assert!(code == 1008 && (4..20).contains(&after.as_secs()), "{code} {after:?}");
    drop(strangers);
    let started = Instant::now();
    while let Err(error) = tokio_tungstenite::connect_async(&url).await {
        assert!(started.elapsed() < Duration::from_secs(10), "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Listener::of(&server, &owner, None).await;
}

/// Whoever is refused stands in the audit trail, and whoever listens in the log.
async fn listeners_have_a_name(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let (owner, service) = (server.owner().await, server.service(&["credpool:*"]).await);
    let mut refused = Listener::connect(&server).await;
    refused.say(&json!({ "type": "auth", "token": token(&service) })).await;
    assert_eq!(sent_away(&mut refused, Instant::now()).await.0, 1008);
    let told = owner.ok("GET", "/api/admin/audit-logs?action=access.denied", Value::Null).await;
    let entry = &told["items"][0];
    assert_eq!((&told["total"], &entry["actor"], &entry["ip"]), (&json!(1), &json!("svc:it"), &json!("127.0.0.1")));
    assert_eq!((&entry["data"]["method"], &entry["data"]["route"]), (&json!("GET"), &json!("/ws")));
    let _listener = Listener::of(&server, &owner, None).await;
    let log = server.logged();
    for actor in ["svc:it", "user:admin"] {
        let named = |line: &str| line.contains("path=\"/ws\"") && line.contains(&format!("actor=\"{actor}\""));
        assert_eq!(log.lines().filter(|line| named(line)).count(), 1, "{actor}: {log}");
    }
}

/// Waits until it is sent away; with which code, and after how long.
async fn sent_away(listener: &mut Listener, since: Instant) -> (u16, Duration) {
    loop {
        if let Told::Closed(code) = listener.next().await {
            return (code, since.elapsed());
        }
    }
}

async fn who_may_no_longer_listen_is_sent_away(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let (owner, other) = (server.owner().await, server.owner().await);
    let mut listener = Listener::of(&server, &other, None).await;
    // A fresh token may take the place of the old one.
    listener.say(&json!({ "type": "auth", "token": token(&other) })).await;
    listener.say(&json!({ "type": "ping" })).await;
    while listener.message().await["type"] != "pong" {}
    let session = other.ok("GET", "/api/admin/me", Value::Null).await["session_id"].as_str().unwrap().to_owned();
    owner.ok("DELETE", &format!("/api/admin/users/sessions/{session}"), Value::Null).await;
    let (code, after) = sent_away(&mut listener, Instant::now()).await;
    assert!(code == 1008 && after < Duration::from_secs(4), "{code} {after:?}");

    let mut listener = Listener::of(&server, &owner, None).await;
    listener.say(&json!({ "type": "dance" })).await;
    assert_eq!(sent_away(&mut listener, Instant::now()).await.0, 1008);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stops_says_goodbye() {
    let place = Place::new(Kind::Sqlite).await;
    let mut command = place.command();
    command.arg("serve").env("API_POOL_DRAIN_SECONDS", "3");
    let server = Server::spawn(command, place.dir.path()).await;
    let owner = server.owner().await;
    let mut listener = Listener::of(&server, &owner, None).await;
    server.terminate();
    assert_eq!(sent_away(&mut listener, Instant::now()).await.0, 1001);
    server.ended().await;
}

on_both!(
    events_of_every_process_arrive,
    what_was_missed_is_replayed,
    a_flood_is_cut_short,
    only_those_who_may_listen_do,
    who_may_no_longer_listen_is_sent_away,
    strangers_take_no_seats,
    listeners_have_a_name,
);
