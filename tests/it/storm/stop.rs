//! SIGTERM under load: what was accepted is answered, what was answered is kept, and nobody new is
//! let in.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::ledger::{Held, look_up};
use crate::harness::{Api, Kind, PATIENCE, Place};
use crate::on_both;

on_both!(everything_accepted_is_answered);

const FIRST: usize = 3_000_000;
const CREDENTIALS: usize = 500;
const SLOTS: usize = 100;
/// Clients that allocate one by one, and clients that allocate in batches.
const SINGLES: usize = 16;
const BATCHES: usize = 8;
const BATCH: usize = 250;
/// The account of the request that takes long.
const SLOW: &str = "slow";
const LOAD: Duration = Duration::from_secs(2);
/// A request that was sent so long before the signal has been accepted.
const WELL_BEFORE: Duration = Duration::from_secs(1);

/// A request and what came of it.
struct Asked {
    at: Instant,
    done: Instant,
    outcome: reqwest::Result<(StatusCode, Value)>,
}

async fn everything_accepted_is_answered(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(FIRST, CREDENTIALS, SLOTS).await;
    let body = json!({ "product": "it", "scopes": ["credpool:*"] });
    let issued = owner.ok("POST", "/api/admin/service-tokens", body).await;
    let token = issued["token"].as_str().unwrap();
    let service = server.anonymous().with("x-service-token", token);

    // Half of this request is there when the signal comes: it counts as accepted, too.
    let mut slow = SlowRequest::begin(&service).await;
    let clients: Vec<_> = (0..SINGLES + BATCHES).map(|n| tokio::spawn(load(service.clone(), n))).collect();
    tokio::time::sleep(LOAD).await;
    let signalled = Instant::now();
    server.terminate();
    let address = server.base.trim_start_matches("http://");
    while TcpStream::connect(address).await.is_ok() {
        assert!(signalled.elapsed() < Duration::from_secs(5), "new connections are still let in");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let slow = slow.finish().await;
    let (clients, ()) = tokio::join!(join_all(clients), server.ended());
    println!("ended {:.1?} after the signal", signalled.elapsed());

    let mut told = HashMap::from([(SLOW.to_owned(), Held::allocated(SLOW, &slow["data"]))]);
    let (mut under_way, mut refused, mut cut) = (0, 0, 0);
    for Asked { at, done, outcome } in clients.into_iter().flat_map(Result::unwrap) {
        let accepted = at + WELL_BEFORE < signalled;
        match outcome {
            Ok((StatusCode::OK, answer)) => {
                under_way += usize::from(at < signalled && signalled < done);
                told.extend(allocations(&answer["data"]));
            }
            Ok((StatusCode::SERVICE_UNAVAILABLE, _)) if !accepted => refused += 1,
            Err(error) if !accepted && !error.is_timeout() => cut += 1,
            other => panic!("sent {:?} before the signal: {other:?}", signalled.saturating_duration_since(at)),
        }
    }
    let count = told.len();
    println!("{count} allocations told; {under_way} requests under way, {refused} refused, {cut} connections closed");
    assert!(under_way > 0, "nothing was under way: nothing was tried");

    let server = place.serve().await;
    let accounts: Vec<&str> = told.keys().map(String::as_str).collect();
    assert!(look_up(&owner.at(&server.base), &accounts).await == told, "what was answered is not what there is");
    server.stop().await;
    place.assert_sound();
}

/// Allocates for ever new accounts until there is no answer, or no more.
async fn load(caller: Api, client: usize) -> Vec<Asked> {
    let mut asked = Vec::new();
    for turn in 0.. {
        let (path, body) = if client < SINGLES {
            ("/api/admin/api-pool/allocate", json!({ "account_id": format!("{client}:{turn}") }))
        } else {
            let request = |n| json!({ "account_id": format!("{client}:{turn}:{n}") });
            let requests: Vec<Value> = (0..BATCH).map(request).collect();
            ("/api/admin/api-pool/allocate/batch", json!({ "requests": requests }))
        };
        let at = Instant::now();
        let outcome = caller.send("POST", path, body).await;
        let over = !matches!(&outcome, Ok((StatusCode::OK, _)));
        asked.push(Asked { at, done: Instant::now(), outcome });
        if over {
            break;
        }
    }
    asked
}

/// The allocations that an answer tells of: one, or those of a batch that were not refused.
fn allocations(data: &Value) -> Vec<(String, Held)> {
    let one = |data: &Value| {
        let account = data["account_id"].as_str().unwrap().to_owned();
        let held = Held::allocated(&account, data);
        (account, held)
    };
    let Some(results) = data["results"].as_array() else { return vec![one(data)] };
    let done = results.iter().filter(|result| {
        assert!(result["success"] == true || result["error"]["number"] == 5002, "{result}");
        result["success"] == true
    });
    done.map(|result| one(&result["data"])).collect()
}

/// A request that arrives in two halves.
struct SlowRequest {
    stream: TcpStream,
    rest: String,
}

impl SlowRequest {
    async fn begin(caller: &Api) -> Self {
        let request = caller.wire("POST", "/api/admin/api-pool/allocate", &json!({ "account_id": SLOW }));
        let (part, rest) = request.split_at(request.len() - SLOW.len());
        let mut stream = TcpStream::connect(caller.base.trim_start_matches("http://")).await.unwrap();
        stream.write_all(part.as_bytes()).await.unwrap();
        Self { stream, rest: rest.to_owned() }
    }

    /// Sends the rest; the answer's body.
    async fn finish(&mut self) -> Value {
        self.stream.write_all(self.rest.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = self.stream.read_to_string(&mut answer);
        tokio::time::timeout(PATIENCE, read).await.expect("it is answered in time").expect("it is answered");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }
}
