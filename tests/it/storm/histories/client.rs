//! Clients that allocate and release at random in a small pool of their own, and write down what
//! they see.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::model::{Answer, Credential, Op, Pool, Refusal, Via};
use super::record::{Record, Thread};
use crate::harness::{Api, Kind};
use crate::storm::ledger::Held;

const FIRST: usize = 4_000_000;
/// From one pool's first credential to the next one's.
const STRIDE: usize = 10;
/// Requests of each client.
pub const REQUESTS: usize = 6;
/// A process that is dead or not yet ready is asked again after this long.
const PAUSE: Duration = Duration::from_millis(20);

/// Where the processes are that live.
pub type Bases = watch::Receiver<Vec<String>>;

/// A pool of its own, and those who use it. Small, so that they get in each other's way.
#[derive(Debug)]
pub struct Scenario {
    pub kind: Kind,
    pub number: usize,
    pub group: String,
    pub credentials: BTreeMap<usize, Credential>,
    pub accounts: usize,
    pub clients: usize,
}

impl Scenario {
    /// One in twenty has nothing that may be given.
    pub fn new(kind: Kind, number: usize, chance: &mut StdRng) -> Self {
        let eligible = if number.is_multiple_of(20) { 0.0 } else { 0.8 };
        let first = FIRST + number * STRIDE;
        let ids = first..first + chance.random_range(2..=4);
        let mut credential =
            || Credential { slots: chance.random_range(1..=2), eligible: chance.random_bool(eligible) };
        Self {
            kind,
            number,
            group: String::new(),
            credentials: ids.map(|id| (id, credential())).collect(),
            accounts: chance.random_range(3..=5),
            clients: chance.random_range(3..=4),
        }
    }

    pub fn pool(&self) -> Pool {
        Pool::new(self.credentials.clone(), self.accounts)
    }

    pub fn requests(&self) -> usize {
        self.clients * REQUESTS
    }

    fn account(&self, account: usize) -> String {
        format!("history:{}:{account}", self.number)
    }

    fn random(&self, chance: &mut StdRng) -> Op {
        let account = chance.random_range(0..self.accounts);
        let ids: Vec<usize> = self.credentials.keys().copied().collect();
        match chance.random_range(0..10) {
            0..4 => Op::Release { account },
            4..6 => Op::Allocate { account, pinned: ids.choose(chance).copied() },
            _ => Op::Allocate { account, pinned: None },
        }
    }
}

pub struct Client {
    scenario: Arc<Scenario>,
    caller: Api,
    bases: Bases,
    chance: StdRng,
    thread: Thread,
    records: Vec<Record>,
}

impl Client {
    pub fn new(number: usize, scenario: Arc<Scenario>, caller: Api, bases: Bases, seed: u64) -> Self {
        let chance = StdRng::seed_from_u64(seed);
        Self { scenario, caller, bases, chance, thread: (number, 0), records: Vec::new() }
    }

    /// Asks without a pause, whoever dies meanwhile.
    pub async fn trade(mut self, done: Arc<AtomicUsize>) -> Vec<Record> {
        for _ in 0..REQUESTS {
            let op = self.scenario.random(&mut self.chance);
            self.ask(op).await;
            done.fetch_add(1, Ordering::Relaxed);
        }
        self.records
    }

    /// Asks for each account once: what stands in the end must follow from what was told before.
    pub async fn look_back(mut self) -> Vec<Record> {
        for account in 0..self.scenario.accounts {
            self.ask(Op::Allocate { account, pinned: None }).await;
        }
        self.records
    }

    async fn ask(&mut self, op: Op) {
        loop {
            let base = self.anybody().await;
            let asked = Instant::now();
            let outcome = self.send(&base, op).await;
            let now = Instant::now();
            let answer = match outcome {
                Ok((status, body)) => self.read(op, status, &body),
                // It was never sent.
                Err(error) if error.is_connect() => {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
                // The dead do nothing more, but PostgreSQL may still commit what it was sent.
                Err(error) => {
                    assert!(!error.is_timeout(), "no answer at all: {error:?}");
                    (self.scenario.kind == Kind::Sqlite).then_some(Answer::Nothing)
                }
            };
            let thread = self.thread;
            self.thread.1 += usize::from(answer.is_none());
            self.records.push(Record { thread, op, asked, answered: answer.map(|answer| (now, answer)) });
            return;
        }
    }

    /// Any process that lives.
    async fn anybody(&mut self) -> String {
        let bases = self.bases.wait_for(|bases| !bases.is_empty()).await.unwrap();
        bases.choose(&mut self.chance).unwrap().clone()
    }

    async fn send(&self, base: &str, op: Op) -> reqwest::Result<(StatusCode, Value)> {
        let (path, body) = match op {
            Op::Allocate { account, pinned } => (
                "/api/admin/api-pool/allocate",
                json!({ "account_id": self.scenario.account(account), "group_id": self.scenario.group, "api_id": pinned }),
            ),
            Op::Release { account } => {
                ("/api/admin/api-pool/release", json!({ "account_id": self.scenario.account(account) }))
            }
        };
        self.caller.at(base).send("POST", path, body).await
    }

    /// What the answer says; nothing when it leaves open whether anything was done.
    fn read(&self, op: Op, status: StatusCode, body: &Value) -> Option<Answer> {
        if status.is_server_error() {
            return None;
        }
        let (data, error) = (&body["data"], &body["error"]);
        let problem = error["details"][0]["message"].as_str();
        let answer = match (op, status.as_u16(), error["number"].as_u64(), problem) {
            (Op::Allocate { account, .. }, 200, None, _) => {
                let via = via(data["strategy_used"].as_str().unwrap());
                assert_eq!(data["existing"], via == Via::Existing, "{body}");
                Answer::Given(Held::allocated(&self.scenario.account(account), data), via)
            }
            (Op::Release { .. }, 200, None, _) => Answer::Released(Held::read(data)),
            (Op::Release { .. }, 404, Some(3006), _) => Answer::Refused(Refusal::NotAllocated),
            (_, 409, Some(3001), _) => Answer::Refused(Refusal::PoolFull),
            (_, 409, Some(3002), _) => Answer::Refused(Refusal::NoneAvailable),
            (_, 409, Some(3005), Some("holds_another")) => Answer::Refused(Refusal::HoldsAnother),
            (_, 409, Some(3005), Some("full")) => Answer::Refused(Refusal::PinnedFull),
            (_, 409, Some(3005), Some("disabled" | "group")) => Answer::Refused(Refusal::NotEligible),
            _ => panic!("{op:?} was answered with {status} {body}"),
        };
        Some(answer)
    }
}

fn via(strategy_used: &str) -> Via {
    match strategy_used {
        "existing" => Via::Existing,
        "affinity" => Via::Affinity,
        "manual" => Via::Pinned,
        "balanced" => Via::Ranked,
        other => panic!("nobody has asked for {other}"),
    }
}
