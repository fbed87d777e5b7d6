//! Clients with accounts of their own: nobody else asks for these, so that each client knows exactly
//! what they hold, save where a request was not answered.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::ledger::Held;
use crate::contract::{Reply, pool, try_ask};
use crate::harness::Api;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Allocate,
    Release,
}

/// An account and what its only client knows of it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub account: String,
    /// What it held by the last answer.
    pub told: Option<Held>,
    /// What was asked since, and was not answered with what came of it.
    pub doubt: Option<Deed>,
}

impl Entry {
    /// An answer to an allocation. What was held before must be held still.
    pub fn now_holds(&mut self, held: Held) -> Result<(), String> {
        if self.told.as_ref().is_some_and(|told| *told != held) {
            return Err(format!("{self:?}, and now {held:?}"));
        }
        (self.told, self.doubt) = (Some(held), None);
        Ok(())
    }

    /// An answer, when `before` was in doubt.
    fn learn(&mut self, before: Option<Deed>, deed: Deed, reply: &Reply) -> Result<(), String> {
        let (data, number) = (&reply.json["data"], reply.json["error"]["number"].as_u64());
        let fits = match (deed, reply.status) {
            (Deed::Allocate, 200) => {
                // Only after a request without an answer it can be either.
                let fits = before.is_some() || data["existing"] == self.told.is_some();
                self.now_holds(Held::allocated(&self.account, data))?;
                fits
            }
            (Deed::Release, 200) => self.told.take() == Some(Held::read(data)),
            // The release that got no answer was done.
            (Deed::Release, 404) if number == Some(3006) && before == Some(Deed::Release) => {
                self.told = None;
                true
            }
            _ => false,
        };
        if !fits {
            return Err(format!("{self:?}: {deed:?} was answered with {} {}", reply.status, reply.text));
        }
        self.doubt = None;
        Ok(())
    }

    /// Whether it may hold this, by what its client was told.
    fn may_hold(&self, actual: Option<&Held>) -> bool {
        actual == self.told.as_ref()
            || match self.doubt {
                // Nothing was asked that is without an answer.
                None => false,
                Some(Deed::Allocate) => self.told.is_none(),
                Some(Deed::Release) => actual.is_none(),
            }
    }
}

/// Takes the database's word where there was no answer. What contradicts an answer, by account.
pub fn settle(entries: &mut [Entry], held: &HashMap<String, Held>) -> Vec<String> {
    let mut lies = Vec::new();
    for entry in entries {
        let actual = held.get(&entry.account);
        if !entry.may_hold(actual) {
            lies.push(format!("{entry:?}, but there is {actual:?}"));
        }
        (entry.told, entry.doubt) = (actual.cloned(), None);
    }
    lies
}

/// What all their accounts hold, as they know it.
pub fn standing(clients: &[Client]) -> BTreeMap<String, Held> {
    let held = |e: &Entry| Some((e.account.clone(), e.told.clone()?));
    clients.iter().flat_map(|c| c.entries().iter().filter_map(held).collect::<Vec<_>>()).collect()
}

/// What came of a request.
pub enum Outcome {
    Answered,
    /// The server could not do it, or could not tell.
    Failed(Reply),
    Unanswered(reqwest::Error),
}

pub struct Client {
    caller: Api,
    entries: Arc<Mutex<Vec<Entry>>>,
    chance: StdRng,
    pub answered: usize,
    /// Requests that were not answered with what came of them.
    pub doubts: usize,
}

impl Client {
    pub fn new(number: usize, caller: Api, accounts: usize, seed: u64) -> Self {
        let entry = |n| Entry { account: format!("wd:{number}:{n}"), told: None, doubt: None };
        let entries = Arc::new(Mutex::new((0..accounts).map(entry).collect()));
        Self { caller, entries, chance: StdRng::seed_from_u64(seed), answered: 0, doubts: 0 }
    }

    /// What it knows, also for those who look while it goes on.
    pub fn knowledge(&self) -> Arc<Mutex<Vec<Entry>>> {
        self.entries.clone()
    }

    pub fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap()
    }

    /// One request to this server; accounts that hold something are released as often as `releases`
    /// says. `Err` is what is wrong with the answer.
    pub async fn turn(&mut self, base: &str, releases: f64) -> Result<Outcome, String> {
        let (chosen, before, deed) = self.choose(releases);
        let path = match deed {
            Deed::Allocate => pool("allocate"),
            Deed::Release => pool("release"),
        };
        let body = {
            let entry = &mut self.entries()[chosen];
            entry.doubt = Some(deed);
            json!({ "account_id": entry.account })
        };
        let outcome = match try_ask(self.caller.at(base).request("POST", &path).json(&body)).await {
            Ok(reply) if reply.status < 500 => {
                self.entries()[chosen].learn(before, deed, &reply)?;
                self.answered += 1;
                return Ok(Outcome::Answered);
            }
            Ok(reply) => Outcome::Failed(reply),
            Err(error) => Outcome::Unanswered(error),
        };
        self.doubts += 1;
        Ok(outcome)
    }

    /// An account, what is in doubt of it, and what is asked. What got no answer is asked again first,
    /// as a good client does.
    fn choose(&mut self, releases: f64) -> (usize, Option<Deed>, Deed) {
        let entries = self.entries.lock().unwrap();
        let open = entries.iter().position(|e| e.doubt.is_some());
        let chosen = open.unwrap_or_else(|| self.chance.random_range(0..entries.len()));
        let entry = &entries[chosen];
        let release = entry.told.is_some() && self.chance.random_bool(releases);
        let deed = entry.doubt.unwrap_or(if release { Deed::Release } else { Deed::Allocate });
        (chosen, entry.doubt, deed)
    }
}
