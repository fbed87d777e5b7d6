//! Clients that hang up before they are answered: what they have asked for counts and comes to its
//! end, and the log has its line.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::pool;
use super::users::add;
use crate::harness::{Api, Kind, PATIENCE, Place, Server};
use crate::on_both;

/// Sends a request and keeps the connection, without reading.
async fn send(server: &Server, caller: &Api, method: &str, path: &str, body: &Value) -> TcpStream {
    let host = server.base.strip_prefix("http://").unwrap();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (authorization, length) = (caller.header("authorization"), body.len());
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: {authorization}\r\ncontent-length: {length}\r\n\r\n"
    );
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    stream
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// More guesses at once than are checked at once, so that most of them still wait when all hang up.
async fn guesses_count(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let ann = add(&owner, "ann", "long enough it is", "operator").await;
    let guess = json!({ "username": "ann", "password": "a wrong guess" });
    let nobody = server.anonymous();
    let sent = (0..24).map(|_| send(&server, &nobody, "POST", "/api/admin/login", &guess));
    let streams = futures::future::join_all(sent).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    drop(streams);
    until("they are counted", async || owner.ok("GET", &ann, Value::Null).await["locked_until"].is_string()).await;
    // The log has a line for each, also for those that nobody waited for.
    let lines = |log: &str| log.lines().filter(|line| line.contains("path=\"/api/admin/login\"")).count();
    until("each has its line", async || lines(&server.logged()) == 25).await;
    assert!(server.logged().contains("status=499"), "{}", server.logged());
    server.stop().await;
    place.assert_sound();
}

/// Removing with `force`, and releasing all, end whether or not somebody waits.
async fn long_work_comes_to_its_end(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_001, 2, 2_000).await;
    let mut paths = Vec::new();
    for api_id in ["1000001", "1000002"] {
        for step in 0..3 {
            let wishes: Vec<_> = (0..500)
                .map(|account| json!({ "account_id": format!("{api_id} {step} {account}"), "api_id": api_id }))
                .collect();
            owner.ok("POST", &pool("allocate/batch"), json!({ "requests": wishes })).await;
        }
        let found = owner.ok("GET", &pool(&format!("?api_id={api_id}")), Value::Null).await;
        assert_eq!(found["items"][0]["current_accounts"], 1_500);
        paths.push(pool(found["items"][0]["id"].as_str().unwrap()));
    }
    let released = send(&server, &owner, "POST", &format!("{}/release-all", paths[0]), &json!({})).await;
    let removed = send(&server, &owner, "DELETE", &format!("{}?force=true", paths[1]), &Value::Null).await;
    tokio::time::sleep(Duration::from_millis(15)).await;
    drop((released, removed));
    let left = async || owner.ok("GET", &paths[0], Value::Null).await["current_accounts"].as_i64().unwrap();
    until("all are released", async || left().await == 0).await;
    let gone = async || owner.send("GET", &paths[1], Value::Null).await.unwrap().0 == 404;
    until("it is removed", gone).await;
    server.stop().await;
    place.assert_sound();
}

on_both!(guesses_count, long_work_comes_to_its_end);
