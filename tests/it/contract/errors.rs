//! §1: every failure that can occur, by status, number, slug and Retry-After.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{POOL, pool};
use crate::harness::{Kind, Place};
use crate::on_both;

async fn refusals_have_their_numbers(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let (owner, service) = (server.owner().await, server.service(&["credpool:*"]).await);
    let allocate = async |body: Value| service.post(&pool("allocate"), body).await;
    let told = |what: &str, value: &str| json!([{ "field": what, "message": value }]);
    let report = async |account: &str, error: &str| {
        let body = json!({ "api_id": 1_000_001, "success": false, "error": error, "account_id": account });
        service.post(&pool("result"), body).await.data().clone()
    };

    let none = allocate(json!({ "account_id": "a" })).await;
    let reasons = &none.problem(409, 3002, "none_available")["reasons"];
    assert_eq!(*reasons, json!({ "disabled": 0, "banned": 0, "cooling": 0, "level": 0, "group": 0, "rule": 0 }));
    assert_eq!(none.header("retry-after"), "");

    owner.import(1_000_001, 1, 2).await;
    for account in ["a", "b"] {
        allocate(json!({ "account_id": account })).await.data();
    }
    let full = allocate(json!({ "account_id": "c" })).await;
    full.problem(409, 3001, "pool_full");
    assert!(full.header("retry-after").parse::<u32>().unwrap() >= 1);
    let pinned = json!({ "account_id": "c", "api_id": 1_000_001 });
    let full = allocate(pinned).await;
    assert_eq!(full.problem(409, 3005, "pinned_unavailable")["details"], told("pinned", "full"));
    let unknown = allocate(json!({ "account_id": "c", "api_id": 77 })).await;
    assert_eq!(unknown.problem(409, 3005, "pinned_unavailable")["details"], told("pinned", "unknown"));

    // A cooling account keeps what it has and gets nothing new; the end of it is told.
    owner.import(1_000_002, 1, 9).await;
    assert_eq!(report("d", "FLOOD_WAIT_600").await["action"], "account_cooled");
    let cooling = allocate(json!({ "account_id": "d" })).await;
    let details = &cooling.problem(409, 3008, "account_unavailable")["details"];
    assert_eq!((&details[0], &details[1]["field"]), (&told("account", "cooling")[0], &json!("until")));
    assert!(chrono::DateTime::parse_from_rfc3339(details[1]["message"].as_str().unwrap()).is_ok(), "{details}");
    assert!((590..=600).contains(&cooling.header("retry-after").parse::<u32>().unwrap()));
    for (account, error, state) in [("e", "FROZEN_METHOD_INVALID", "frozen"), ("f", "USER_DEACTIVATED", "retired")] {
        report(account, error).await;
        let ended = allocate(json!({ "account_id": account })).await;
        assert_eq!(ended.problem(409, 3008, "account_unavailable")["details"], told("account", state));
        assert_eq!(ended.header("retry-after"), "", "it does not end");
    }
    let fresh = allocate(json!({ "account_id": "a", "fresh": true })).await;
    assert_eq!(fresh.data()["existing"], false);

    let wait = report("a", "FLOOD_WAIT_600").await;
    assert_eq!(wait["action"], "account_cooled");
    let kept = allocate(json!({ "account_id": "a" })).await;
    assert!(kept.data()["existing"] == true && kept.data()["account_cooldown_until"].is_string());
    allocate(json!({ "account_id": "a", "fresh": true })).await.problem(409, 3008, "account_unavailable");
    server.stop().await;
    place.assert_sound();
}

/// What is broken inside is told to the log, under the request id; the client reads constant text.
async fn what_breaks_inside_stays_inside(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_001, 2, 5).await;
    let ids: Vec<Value> = owner.get(&format!("{POOL}?sort=api_id")).await.data()["items"].as_array().unwrap().clone();
    let id = ids[0]["id"].as_str().unwrap();
    place.execute("UPDATE credentials SET api_hash = (SELECT verifier FROM keyring) WHERE api_id = 1000001").await;

    let path = pool(&format!("{id}/reveal"));
    let marked = owner.with("x-request-id", "broken-inside");
    let reply = marked.post(&path, json!({ "reason": "r" })).await;
    let error = reply.problem(500, 5001, "internal").clone();
    let other = owner.post(&pool("allocate"), json!({ "account_id": "a", "api_id": 1_000_001 })).await;
    assert_eq!(other.problem(500, 5001, "internal")["message"], error["message"], "constant text");
    assert!(!reply.text.contains("api_hash") && !reply.text.contains("credentials"), "{}", reply.text);
    let log = server.logged();
    assert!(log.lines().any(|line| line.contains("broken-inside") && line.contains("does not open")), "{log}");

    // One damaged member never fails its neighbours.
    let requests = json!([{ "account_id": "b", "api_id": 1_000_001 }, { "account_id": "c", "api_id": 1_000_002 }]);
    let reply = owner.post(&pool("allocate/batch"), json!({ "requests": requests })).await;
    let results = &reply.data()["results"];
    assert_eq!((&results[0]["error"]["number"], &results[1]["success"]), (&json!(5001), &json!(true)));
    server.stop().await;
    let doctor = place.run(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&doctor.stdout).contains(id), "doctor names it");
}

/// A body whose length nobody told is measured as it comes; the client reads why it was refused.
async fn a_body_without_a_length_is_measured(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let mut stream = TcpStream::connect(server.base.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: pool\r\nAuthorization: {}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        pool("groups"),
        owner.header("authorization"),
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    for _ in 0..48 {
        stream.write_all(chunk.as_bytes()).await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("\"number\":2006"), "{answer}");
}

/// A database that somebody else holds for too long is not our caller's fault: come back later.
async fn too_busy_says_when_to_come_back(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_001, 1, 5).await;
    let held = place.hold().await;
    let (writes, allocates, reads) = tokio::join!(
        owner.ask("POST", "/api/admin/api-pool/groups", json!({ "name": "g" })),
        owner.ask("POST", "/api/admin/api-pool/allocate", json!({ "account_id": "a" })),
        owner.get(POOL),
    );
    for reply in [&writes, &allocates] {
        reply.problem(503, 5002, "overloaded");
        assert_eq!(reply.header("retry-after"), "1");
    }
    reads.data();
    drop(held);
    let mut after = owner.post(&pool("allocate"), json!({ "account_id": "a" })).await;
    for _ in 0..50 {
        if after.status != 503 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        after = owner.post(&pool("allocate"), json!({ "account_id": "a" })).await;
    }
    assert_eq!(after.data()["existing"], false, "nothing was written before");
    owner.post(&pool("groups"), json!({ "name": "g" })).await.data();
    server.stop().await;
    place.assert_sound();
}

on_both!(
    refusals_have_their_numbers,
    what_breaks_inside_stays_inside,
    a_body_without_a_length_is_measured,
    too_busy_says_when_to_come_back,
);
