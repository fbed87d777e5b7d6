//! What clients were told, and what follows from it. A client knows no exact moments, only that a
//! thing was done between its question and the answer; every check here holds in spite of that.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::{Api, api_hash};

/// What an account holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub allocation_id: String,
    pub api_id: String,
}

impl Held {
    pub fn read(data: &Value) -> Self {
        let text = |field: &str| data[field].as_str().unwrap_or_else(|| panic!("no {field}: {data}")).to_owned();
        Self { allocation_id: text("allocation_id"), api_id: text("api_id") }
    }

    /// From the `data` of an allocation, which must be whole.
    pub fn allocated(account: &str, data: &Value) -> Self {
        let held = Self::read(data);
        assert_eq!(data["account_id"], account, "an answer for somebody else: {data}");
        let hash = api_hash(held.api_id.parse().unwrap());
        assert_eq!(data["api_hash"], hash, "the hash of another credential: {data}");
        held
    }
}

/// An answer, as its client saw it.
#[derive(Debug)]
pub struct Told {
    pub account: String,
    pub asked: Instant,
    pub answered: Instant,
    pub what: What,
}

#[derive(Debug)]
pub enum What {
    Allocated { held: Held, existing: bool, strategy: String },
    Released(Held),
}

/// One allocation from its birth to its end.
#[derive(Debug)]
struct Holding {
    account: String,
    held: Held,
    strategy: String,
    asked: Instant,
    told: Instant,
    /// When its end was asked for, and when it was told.
    ended: Option<(Instant, Instant)>,
}

impl Holding {
    /// Whether it may have stood at some moment between the two.
    fn may_overlap(&self, from: Instant, until: Instant) -> bool {
        self.asked <= until && self.ended.is_none_or(|(_, told)| told >= from)
    }
}

/// Everything that was told.
#[derive(Debug, Default)]
pub struct Ledger {
    holdings: HashMap<String, Holding>,
}

impl Ledger {
    /// Takes in a wave of answers. Each allocation is born once, ends once, and whoever asks again
    /// in between is told of the same one.
    pub fn enter(&mut self, wave: Vec<Told>) {
        let (births, others): (Vec<_>, Vec<_>) =
            wave.into_iter().partition(|t| matches!(t.what, What::Allocated { existing: false, .. }));
        for Told { account, asked, answered, what } in births {
            let What::Allocated { held, strategy, .. } = what else { continue };
            let id = held.allocation_id.clone();
            let born = Holding { account, held, strategy, asked, told: answered, ended: None };
            let twin = self.holdings.insert(id, born);
            assert!(twin.is_none(), "an allocation was born twice: {twin:?}");
        }
        for told in others {
            let (What::Allocated { held, .. } | What::Released(held)) = &told.what;
            let Some(holding) = self.holdings.get_mut(&held.allocation_id) else {
                panic!("nobody was given this allocation first: {told:?}")
            };
            assert_eq!((&holding.account, &holding.held), (&told.account, held), "another one than before: {told:?}");
            if matches!(told.what, What::Released(_)) {
                assert!(holding.ended.is_none(), "ended twice: {holding:?}");
                holding.ended = Some((told.asked, told.answered));
            }
        }
    }

    /// How many allocations there have been.
    pub fn born(&self) -> usize {
        self.holdings.len()
    }

    /// The fewest and the most standing allocations that a credential has.
    pub fn spread(&self) -> (usize, usize) {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for held in self.standing().into_values() {
            *counts.entry(held.api_id).or_default() += 1;
        }
        (counts.values().copied().min().unwrap_or(0), counts.values().copied().max().unwrap_or(0))
    }

    /// What must stand in the end, by account.
    pub fn standing(&self) -> BTreeMap<String, Held> {
        let mut standing = BTreeMap::new();
        for holding in self.holdings.values().filter(|h| h.ended.is_none()) {
            let other = standing.insert(holding.account.clone(), holding.held.clone());
            assert!(other.is_none(), "{} holds two: {:?} and {other:?}", holding.account, holding.held);
        }
        standing
    }

    /// At no moment can it be proven that an account held two, or that a credential held more than
    /// its slots.
    pub fn assert_never_too_many(&self, slots: usize) {
        let sure = || self.holdings.values().map(|h| (h, h.told, h.ended.map(|(asked, _)| asked)));
        assert_never_more_than(1, sure().map(|(h, from, until)| (&h.account, from, until)));
        assert_never_more_than(slots, sure().map(|(h, from, until)| (&h.held.api_id, from, until)));
    }

    /// Who came back got the former credential, whenever that must have had a free slot: when fewer
    /// allocations than it has slots can have stood on it at any moment between question and answer.
    /// How many came back, and of how many of them this can be said.
    pub fn assert_returners_got_theirs(&self, slots: usize) -> (usize, usize) {
        let mut of_account: HashMap<&str, Vec<&Holding>> = HashMap::new();
        let mut of_credential: HashMap<&str, Vec<&Holding>> = HashMap::new();
        for holding in self.holdings.values() {
            of_account.entry(&holding.account).or_default().push(holding);
            of_credential.entry(&holding.held.api_id).or_default().push(holding);
        }
        let (mut returned, mut sure) = (0, 0);
        for holdings in of_account.values_mut() {
            holdings.sort_by_key(|h| h.told);
            for pair in holdings.windows(2) {
                let (former, now) = (&pair[0].held, pair[1]);
                returned += 1;
                let others = of_credential[former.api_id.as_str()].iter().filter(|other| {
                    other.held.allocation_id != now.held.allocation_id && other.may_overlap(now.asked, now.told)
                });
                if others.count() < slots {
                    sure += 1;
                    assert_eq!(
                        (&now.held.api_id, now.strategy.as_str()),
                        (&former.api_id, "affinity"),
                        "{} came back, its former credential had room: {now:?}",
                        now.account
                    );
                }
            }
        }
        (returned, sure)
    }
}

/// Sweeps over spans `(of what, from, until)`; at each moment a thing has at most `most`.
fn assert_never_more_than<'a>(most: usize, spans: impl Iterator<Item = (&'a String, Instant, Option<Instant>)>) {
    let mut edges: HashMap<&str, Vec<(Instant, i64)>> = HashMap::new();
    for (of, from, until) in spans {
        let edges = edges.entry(of).or_default();
        edges.push((from, 1));
        edges.extend(until.map(|until| (until, -1)));
    }
    for (of, mut edges) in edges {
        // At the same moment, ends come first.
        edges.sort_unstable();
        let mut held = 0;
        for (_, step) in edges {
            held += step;
            assert!(held <= most as i64, "{of} has {held} at one moment, of {most}");
        }
    }
}

/// Every credential, every standing allocation and every account is as `standing` says.
pub async fn assert_database_agrees(owner: &Api, standing: &BTreeMap<String, Held>, credentials: usize) {
    let mut held: HashMap<&str, i64> = HashMap::new();
    for one in standing.values() {
        *held.entry(&one.api_id).or_default() += 1;
    }
    let rows = owner.all("/api/admin/api-pool/?sort=name").await;
    assert_eq!(rows.len(), credentials, "credentials in the list");
    for row in &rows {
        let number = |field: &str| row[field].as_i64().unwrap();
        let expected = held.get(row["api_id"].as_str().unwrap()).copied().unwrap_or(0);
        assert_eq!(number("current_accounts"), expected, "clients were told otherwise: {row}");
        assert!(expected <= number("max_accounts"), "over capacity: {row}");
        assert_eq!(number("free_slots"), number("max_accounts") - expected, "{row}");
    }
    let listed = owner.all("/api/admin/api-pool/allocations?status=allocated").await;
    assert_eq!(listed.len(), standing.len(), "standing allocations in the list");
    for row in &listed {
        let account = row["account_id"].as_str().unwrap();
        let told = standing.get(account).unwrap_or_else(|| panic!("nobody was told of {row}"));
        assert_eq!((row["id"].as_str(), row["api_id"].as_str()), (Some(&*told.allocation_id), Some(&*told.api_id)));
    }
}

/// What these accounts hold by the database.
pub async fn look_up<T: AsRef<str> + serde::Serialize>(owner: &Api, accounts: &[T]) -> HashMap<String, Held> {
    let mut held = HashMap::new();
    for some in accounts.chunks(500) {
        let found = owner.ok("POST", "/api/admin/api-pool/accounts/lookup", json!({ "account_ids": some })).await;
        let items = found["items"].as_array().unwrap();
        assert_eq!(items.len() + found["missing"].as_array().unwrap().len(), some.len());
        held.extend(items.iter().map(|item| (item["account_id"].as_str().unwrap().to_owned(), Held::read(item))));
    }
    held
}
