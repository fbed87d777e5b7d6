//! The model and the check by hand-written histories: a wrong one is found out, a right one is not.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use super::check;
use super::model::{Answer, Credential, Op, Pool, Refusal, Via};
use super::record::Record;
use crate::storm::ledger::Held;

/// The credential that is not to be given.
const OFF: usize = 9;

/// What was asked and answered, in milliseconds from the start.
struct History {
    start: Instant,
    records: Vec<Record>,
}

impl History {
    fn new() -> Self {
        Self { start: Instant::now(), records: Vec::new() }
    }

    fn told(mut self, op: Op, when: Range<u64>, answer: Answer) -> Self {
        let [asked, answered] = [when.start, when.end].map(|ms| self.start + Duration::from_millis(ms));
        let thread = (self.records.len(), 0);
        self.records.push(Record { thread, op, asked, answered: Some((answered, answer)) });
        self
    }

    /// The process died.
    fn lost(mut self, op: Op, asked: u64) -> Self {
        let (thread, asked) = ((self.records.len(), 0), self.start + Duration::from_millis(asked));
        self.records.push(Record { thread, op, asked, answered: None });
        self
    }

    /// With credentials 1, 2, … that have so many slots, and one that is switched off.
    fn is_right(&self, slots: &[usize]) -> bool {
        let on = (1..).zip(slots).map(|(id, slots)| (id, Credential { slots: *slots, eligible: true }));
        let off = (OFF, Credential { slots: 1, eligible: false });
        let pool = Pool::new(on.chain([off]).collect(), 3);
        check::wrong(&pool, self.records.clone()).is_none()
    }
}

fn wants(account: usize) -> Op {
    Op::Allocate { account, pinned: None }
}

fn pins(account: usize, id: usize) -> Op {
    Op::Allocate { account, pinned: Some(id) }
}

fn leaves(account: usize) -> Op {
    Op::Release { account }
}

fn held(allocation: &str, id: usize) -> Held {
    Held { allocation_id: allocation.to_owned(), api_id: id.to_string() }
}

fn given(allocation: &str, id: usize, via: Via) -> Answer {
    Answer::Given(held(allocation, id), via)
}

fn released(allocation: &str, id: usize) -> Answer {
    Answer::Released(held(allocation, id))
}

fn refused(why: Refusal) -> Answer {
    Answer::Refused(why)
}

#[test]
fn over_capacity() {
    let first = || History::new().told(wants(0), 0..9, given("a", 1, Via::Ranked));
    assert!(!first().told(wants(1), 5..20, given("b", 1, Via::Ranked)).is_right(&[1]));
    assert!(!first().told(pins(1, 1), 5..20, given("b", 1, Via::Pinned)).is_right(&[1]));
    assert!(first().told(wants(1), 5..20, given("b", 1, Via::Ranked)).is_right(&[2]));
}

#[test]
fn a_refusal_that_is_not_true() {
    let full = || refused(Refusal::PoolFull);
    let first = || History::new().told(wants(0), 0..10, given("a", 1, Via::Ranked));
    assert!(!first().told(wants(1), 11..20, full()).is_right(&[1, 1]));
    assert!(!first().told(pins(1, 2), 11..20, refused(Refusal::PinnedFull)).is_right(&[1, 1]));
    assert!(!first().told(pins(1, 1), 11..20, refused(Refusal::NotEligible)).is_right(&[1]));
    assert!(!first().told(pins(0, 1), 11..20, refused(Refusal::HoldsAnother)).is_right(&[1]));
    assert!(!first().told(leaves(0), 11..20, refused(Refusal::NotAllocated)).is_right(&[1]));
    assert!(!first().told(wants(1), 11..20, refused(Refusal::NoneAvailable)).is_right(&[1]));
    assert!(first().told(wants(1), 11..20, full()).is_right(&[1]));
    // It was true until the answer to a release, and never after.
    let left = || first().told(leaves(0), 11..20, released("a", 1));
    assert!(left().told(wants(1), 19..30, full()).is_right(&[1]));
    assert!(!left().told(wants(1), 21..30, full()).is_right(&[1]));
}

#[test]
fn a_credential_that_is_not_to_be_given() {
    assert!(!History::new().told(wants(0), 0..10, given("a", OFF, Via::Ranked)).is_right(&[1]));
    assert!(!History::new().told(pins(0, OFF), 0..10, given("a", OFF, Via::Pinned)).is_right(&[1]));
    assert!(!History::new().told(pins(0, 2), 0..10, given("a", 1, Via::Pinned)).is_right(&[1, 1]));
    assert!(!History::new().told(wants(0), 0..10, refused(Refusal::PoolFull)).is_right(&[]));
    assert!(History::new().told(wants(0), 0..10, refused(Refusal::NoneAvailable)).is_right(&[]));
}

#[test]
fn an_account_that_is_moved() {
    let first = || History::new().told(wants(0), 0..10, given("a", 1, Via::Ranked));
    assert!(first().told(wants(0), 11..20, given("a", 1, Via::Existing)).is_right(&[1, 1]));
    assert!(!first().told(wants(0), 11..20, given("a", 2, Via::Existing)).is_right(&[1, 1]));
    assert!(!first().told(wants(0), 11..20, given("b", 1, Via::Existing)).is_right(&[1, 1]));
    assert!(!first().told(wants(0), 11..20, given("b", 2, Via::Ranked)).is_right(&[1, 1]));
    assert!(!first().told(pins(0, 2), 11..20, given("b", 2, Via::Pinned)).is_right(&[1, 1]));
    assert!(!first().told(leaves(0), 11..20, released("b", 1)).is_right(&[1, 1]));
}

#[test]
fn an_account_that_comes_back() {
    let left = || {
        let first = History::new().told(wants(0), 0..10, given("a", 1, Via::Ranked));
        first.told(leaves(0), 11..20, released("a", 1))
    };
    assert!(left().told(wants(0), 21..30, given("b", 1, Via::Affinity)).is_right(&[1, 1]));
    assert!(!left().told(wants(0), 21..30, given("a", 1, Via::Affinity)).is_right(&[1, 1]));
    assert!(!left().told(wants(0), 21..30, given("b", 2, Via::Ranked)).is_right(&[1, 1]));
    let taken = || left().told(pins(1, 1), 21..30, given("b", 1, Via::Pinned));
    assert!(taken().told(wants(0), 31..40, given("c", 2, Via::Ranked)).is_right(&[1, 1]));
    assert!(!taken().told(wants(0), 31..40, given("c", 1, Via::Affinity)).is_right(&[1, 1]));
}

#[test]
fn an_answered_allocation_is_lost_in_a_crash() {
    let crash = || History::new().told(wants(0), 0..10, given("a", 1, Via::Ranked)).lost(wants(1), 5);
    assert!(crash().told(wants(0), 500..510, given("a", 1, Via::Existing)).is_right(&[2]));
    assert!(!crash().told(wants(0), 500..510, given("b", 1, Via::Ranked)).is_right(&[2]));
    assert!(!crash().told(leaves(0), 500..510, refused(Refusal::NotAllocated)).is_right(&[2]));
    assert!(!crash().told(wants(2), 500..510, given("b", 1, Via::Ranked)).is_right(&[1]));
}

#[test]
fn an_answered_release_is_lost_in_a_crash() {
    let first = || History::new().told(wants(0), 0..10, given("a", 1, Via::Ranked));
    let left = || first().told(leaves(0), 11..20, released("a", 1)).lost(wants(1), 15);
    assert!(!left().told(wants(0), 500..510, given("a", 1, Via::Existing)).is_right(&[2]));
    assert!(!left().told(wants(2), 500..510, refused(Refusal::PoolFull)).is_right(&[2]));
}

/// It was done or was not, as long as everybody sees it alike.
#[test]
fn an_unanswered_request() {
    let full = || refused(Refusal::PoolFull);
    let crash = || History::new().lost(wants(0), 0);
    assert!(crash().told(wants(1), 500..510, full()).is_right(&[1]));
    assert!(crash().told(wants(1), 500..510, given("a", 1, Via::Ranked)).is_right(&[1]));
    let done = || crash().told(wants(1), 500..510, full());
    assert!(done().told(wants(0), 511..520, given("a", 1, Via::Existing)).is_right(&[1]));
    assert!(!done().told(wants(0), 511..520, given("a", 1, Via::Ranked)).is_right(&[1]));
    assert!(!done().told(wants(0), 511..520, full()).is_right(&[1]));
    // Any of the free ones may be what it got, and it stays that one.
    for id in [1, 2] {
        let found = || crash().told(wants(0), 500..510, given("a", id, Via::Existing));
        assert!(found().is_right(&[1, 1]));
        assert!(!found().told(pins(1, id), 511..520, given("b", id, Via::Pinned)).is_right(&[1, 1]));
    }
    let none = || crash().told(leaves(0), 500..510, refused(Refusal::NotAllocated));
    assert!(none().told(wants(1), 511..520, given("a", 1, Via::Ranked)).is_right(&[1]));
}

/// What died with its process is never done later.
#[test]
fn a_request_that_died() {
    let comes_true_later = |history: History| {
        let taken = history.told(wants(1), 11..20, given("a", 1, Via::Ranked));
        let left = taken.told(leaves(1), 21..30, released("a", 1));
        left.told(wants(0), 31..40, given("b", 1, Via::Existing)).is_right(&[1])
    };
    assert!(comes_true_later(History::new().lost(wants(0), 0)));
    assert!(!comes_true_later(History::new().told(wants(0), 0..10, Answer::Nothing)));
}

#[test]
fn nothing_is_done_before_it_is_asked() {
    let refusal = |when| History::new().told(wants(1), when, refused(Refusal::PoolFull));
    assert!(!refusal(0..10).lost(wants(0), 11).is_right(&[1]));
    assert!(refusal(0..10).lost(wants(0), 9).is_right(&[1]));
    assert!(!refusal(0..10).told(wants(0), 11..20, given("a", 1, Via::Ranked)).is_right(&[1]));
    assert!(refusal(0..10).told(wants(0), 9..20, given("a", 1, Via::Ranked)).is_right(&[1]));
}

/// The report ends with the first wrong answer.
#[test]
fn only_what_is_needed_is_shown() {
    let history = History::new()
        .told(wants(0), 0..10, given("a", 1, Via::Ranked))
        .told(leaves(1), 5..30, refused(Refusal::NotAllocated))
        .told(wants(1), 11..20, given("b", 1, Via::Ranked))
        .told(leaves(0), 21..30, released("a", 1));
    let pool = Pool::new(BTreeMap::from([(1, Credential { slots: 1, eligible: true })]), 2);
    let shown = check::wrong(&pool, history.records).unwrap();
    let answered: Vec<bool> = shown.iter().map(|record| record.answered.is_some()).collect();
    assert_eq!((shown.last().unwrap().op, answered), (wants(1), vec![true, false, true]));
}
