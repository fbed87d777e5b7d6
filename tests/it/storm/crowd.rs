//! Ten thousand connections that lie idle, senders who dawdle, bodies that are too large, and
//! clients who hang up: the program stays small, and everybody else is served meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::harness::{Api, Kind, Place};
use crate::on_both;

on_both!(others_are_served_meanwhile);

const IDLE: usize = 10_000;
const SLOW: usize = 200;
const LARGE: usize = 32;
const CANCELLED: usize = 100;
const OTHERS: usize = 16;
/// How long the crowd stays.
const STAY: Duration = Duration::from_secs(8);
/// What the program may have in memory at most, in kB. A connection's buffers are a few kB; large
/// bodies are not kept.
const MOST: u64 = 500_000;
const ALLOCATE: &str = "/api/admin/api-pool/allocate";

async fn others_are_served_meanwhile(kind: Kind) {
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let place = Place::new(kind).await;
    let server = place.serve().await;
    server.owner().await.import(1_000_000, 100, 100_000).await;
    let service = server.service(&["credpool:*"]).await;
    let host = server.base.trim_start_matches("http://").to_owned();

    let connect = (0..IDLE).map(|_| TcpStream::connect(&host));
    let idle: Vec<_> = futures::stream::iter(connect).buffer_unordered(100).collect().await;
    assert!(idle.iter().all(Result::is_ok), "everybody gets in");
    let over = Arc::new(AtomicBool::new(false));
    let cancelled = Arc::new(AtomicUsize::new(0));
    let mut crowd = Vec::new();
    crowd.extend((0..SLOW).map(|n| tokio::spawn(dawdle(host.clone(), n, service.clone(), over.clone()))));
    crowd.extend((0..LARGE).map(|_| tokio::spawn(send_too_much(service.clone(), over.clone()))));
    let hang_up = |n| hang_up(host.clone(), n, service.clone(), over.clone(), cancelled.clone());
    crowd.extend((0..CANCELLED).map(|n| tokio::spawn(hang_up(n))));
    let started = Instant::now();
    let others = (0..OTHERS).map(|n| tokio::spawn(allocate(service.clone(), n, started + STAY)));
    let answered: usize = join_all(others).await.into_iter().map(Result::unwrap).sum();
    over.store(true, Ordering::Relaxed);
    join_all(crowd).await.into_iter().for_each(Result::unwrap);

    let (most, cancelled) = (server.status().vmhwm.unwrap(), cancelled.load(Ordering::Relaxed));
    println!("{answered} served, {cancelled} cancelled, {most} kB in memory at most");
    assert!(answered >= 4 * OTHERS && cancelled >= 4 * CANCELLED, "{answered} served, {cancelled} cancelled");
    assert!(most < MOST, "{most} kB in memory");
    let errors = server.logged().lines().filter(|line| line.contains(" ERROR ")).count();
    assert_eq!(errors, 0);
    // Those who are idle still are no reason to wait.
    drop(service);
    server.stop().await;
    drop(idle);
    place.assert_sound();
}

/// Sends a request byte by byte, and never comes to its end.
async fn dawdle(host: String, number: usize, caller: Api, over: Arc<AtomicBool>) {
    let mut stream = TcpStream::connect(&host).await.unwrap();
    let request = caller.wire("POST", ALLOCATE, &json!({ "account_id": format!("slow {number}") }));
    for byte in &request.as_bytes()[..request.len() - 1] {
        // Whoever dawdles may be cut off.
        if over.load(Ordering::Relaxed) || stream.write_all(&[*byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Bodies of a megabyte where a few kilobytes are the most, from each once a second.
async fn send_too_much(caller: Api, over: Arc<AtomicBool>) {
    let body = json!({ "account_id": "x".repeat(1 << 20) });
    while !over.load(Ordering::Relaxed) {
        let (status, answer) = caller.send("POST", ALLOCATE, body.clone()).await.unwrap();
        assert!(status.is_client_error() && answer["success"] == false, "{status} {answer}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Asks and does not wait for the answer.
async fn hang_up(host: String, number: usize, caller: Api, over: Arc<AtomicBool>, hung_up: Arc<AtomicUsize>) {
    for turn in 0.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let mut stream = TcpStream::connect(&host).await.unwrap();
        let request = caller.wire("POST", ALLOCATE, &json!({ "account_id": format!("cancelled {number} {turn}") }));
        stream.write_all(request.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(turn % 20)).await;
        hung_up.fetch_add(1, Ordering::Relaxed);
    }
}

/// Allocates for ever new accounts, as the others do whom nothing of it concerns.
async fn allocate(caller: Api, number: usize, until: Instant) -> usize {
    let mut served = 0;
    while Instant::now() < until {
        let account = format!("other {number} {served}");
        let data: Value = caller.ok("POST", ALLOCATE, json!({ "account_id": account })).await;
        assert_eq!(data["account_id"], account);
        served += 1;
    }
    served
}
