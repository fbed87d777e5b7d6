//! A thousand clients, half of them asleep.

use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::json;

use super::Listener;
use crate::contract::pool;
use crate::harness::{Kind, Place};

const CLIENTS: usize = 1_000;
/// What the sleepers and the listeners together may cost, in kB: a thousand sockets with their
/// buffers and tasks, not a thousand backlogs.
const MOST: u64 = 150_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_clients_half_asleep() {
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let place = Place::new(Kind::Sqlite).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_001, 100, 1_000).await;
    let before = server.status().vmrss.unwrap();
    let connect = (0..CLIENTS).map(|_| Listener::of(&server, &owner, None));
    let mut listeners: Vec<Listener> = futures::stream::iter(connect).buffer_unordered(50).collect().await;
    let sleepers = listeners.split_off(CLIENTS / 2);

    // Some traffic for a while: those who listen hear each account that they wait for soon.
    let mut slowest = Duration::ZERO;
    for round in 0..10 {
        for other in 0..30 {
            let account = format!("other {round} {other}");
            owner.ok("POST", &pool("allocate"), json!({ "account_id": account })).await;
        }
        // Beyond fifty a second they would only be told that they lag.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let account = format!("waited for {round}");
        owner.ok("POST", &pool("allocate"), json!({ "account_id": account })).await;
        let said = Instant::now();
        let hear = listeners.iter_mut().map(async |listener| {
            while listener.event("api.allocated").await["data"]["account_id"] != account {}
            said.elapsed()
        });
        slowest = slowest.max(futures::future::join_all(hear).await.into_iter().max().unwrap());
    }
    assert!(slowest < Duration::from_secs(5), "the slowest waited for {slowest:?}");
    let grown = server.status().vmrss.unwrap().saturating_sub(before);
    assert!(grown < MOST, "{grown} kB more than before");
    owner.ok("GET", "/api/admin/me", serde_json::Value::Null).await;
    drop(sleepers);
    server.stop().await;
}
