//! A token is revoked while many clients allocate with it, on two processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::contract::pool;
use crate::harness::{Kind, Place};
use crate::on_both;

const CLIENTS: usize = 24;
/// How long after the revocation was answered a request may still be let in.
const GRACE: Duration = Duration::from_secs(1);

async fn nobody_allocates_with_a_revoked_token(kind: Kind) {
    let place = Place::new(kind).await;
    let (here, there) = (place.start("api").await, place.start("api").await);
    let owner = here.owner().await;
    owner.import(1_000_000, 500, 500).await;
    let body = json!({ "product": "storm", "scopes": ["credpool:*"] });
    let issued = owner.ok("POST", "/api/admin/service-tokens", body).await;
    let service = here.anonymous().with("x-service-token", issued["token"].as_str().unwrap());
    let callers = [service.clone(), service.at(&there.base)];

    let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (caller, stop, next) = (callers[client % 2].clone(), stop.clone(), next.clone());
            tokio::spawn(async move {
                let mut answers = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let account = format!("storm:{}", next.fetch_add(1, Ordering::Relaxed));
                    let asked = Instant::now();
                    let (status, _) = caller.allocate(&account).await.unwrap();
                    answers.push((client % 2, asked, Instant::now(), status.as_u16()));
                }
                answers
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let id = issued["id"].as_str().unwrap();
    let revoking = Instant::now();
    owner.ok("DELETE", &format!("/api/admin/service-tokens/{id}"), Value::Null).await;
    let revoked = Instant::now();
    tokio::time::sleep(3 * GRACE).await;
    stop.store(true, Ordering::Relaxed);

    let mut let_in = 0;
    let mut refused = [0, 0];
    for client in clients {
        for (process, asked, answered, status) in client.await.unwrap() {
            match status {
                200 => {
                    assert!(asked < revoked + GRACE, "let in {:?} after it was revoked", asked - revoked);
                    let_in += 1;
                }
                401 => {
                    assert!(answered > revoking, "refused before it was revoked");
                    refused[process] += 1;
                }
                other => panic!("{other}"),
            }
        }
    }
    println!("{let_in} let in, {refused:?} refused");
    assert!(let_in > 100 && refused.iter().all(|count| *count > 100), "{let_in} {refused:?}");
    let held = owner.ok("GET", &pool("stats"), Value::Null).await["used"].as_u64().unwrap();
    assert_eq!(held, let_in, "what was refused was not allocated");
    place.assert_sound();
}

on_both!(nobody_allocates_with_a_revoked_token);
