//! Clients that hang up before they are answered: what they have asked for counts and comes to its
//! end, and the log has its line.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::pool;
use super::users::add;
use crate::harness::{Api, Kind, PATIENCE, Place, Server};
use crate::on_both;

/// Sends a request and keeps the connection, without reading.
async fn send(server: &Server, caller: &Api, method: &str, path: &str, body: &Value) -> TcpStream {
    let host = server.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(caller.wire(method, path, body).as_bytes()).await.unwrap();
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
    let lines = |log: &str| log.lines().filter(|line| line.contains("path=\"/api/admin/login\"")).count();
    // The owner's own, and the first guess.
    until("one is answered", async || lines(&server.logged()) > 1).await;
    drop(streams);
    until("they are counted", async || owner.ok("GET", &ann, Value::Null).await["locked_until"].is_string()).await;
    // The log has a line for each, also for those that nobody waited for.
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

/// Whoever dawdles over a request's head, or sends one without end, does not keep its connection.
#[tokio::test(flavor = "multi_thread")]
async fn heads_come_soon_and_are_small() {
    let place = Place::new(Kind::Sqlite).await;
    let server = place.serve().await;
    let host = server.base.strip_prefix("http://").unwrap();
    let (mut slow, mut large) = (TcpStream::connect(host).await.unwrap(), TcpStream::connect(host).await.unwrap());
    slow.write_all(b"GET /api/health HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let head = format!("GET /api/health HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "x".repeat(256 << 10));
    let mut answer = vec![0; 12];
    // It may be cut off while it is still sending.
    if large.write_all(head.as_bytes()).await.is_ok() && large.read_exact(&mut answer).await.is_ok() {
        assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 431");
    }
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(40), slow.read_to_end(&mut rest)).await;
    ended.expect("it is cut off").unwrap();
    server.owner().await;
    // A stop waits for nobody who lies idle.
    let _idle = TcpStream::connect(host).await.unwrap();
    let started = Instant::now();
    server.stop().await;
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

on_both!(guesses_count, long_work_comes_to_its_end);
