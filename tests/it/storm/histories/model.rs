//! The pool as its clients may see it, one request after the other: who gets what, and who is refused
//! why. Which of several free credentials ranks first is left open.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stateright::semantics::SequentialSpec;

use crate::storm::ledger::Held;

/// A request. Accounts are named by number, credentials by `api_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Allocate { account: usize, pinned: Option<usize> },
    Release { account: usize },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Given(Held, Via),
    Released(Held),
    Refused(Refusal),
    /// None came: it was done somehow, or not at all.
    Nothing,
}

/// How an account came to its credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    Existing,
    Affinity,
    Pinned,
    Ranked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    PoolFull,
    NoneAvailable,
    HoldsAnother,
    NotEligible,
    PinnedFull,
    NotAllocated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Credential {
    pub slots: usize,
    pub eligible: bool,
}

/// A request without an answer may have gone in several ways, and which one shows only later. So the
/// pool is in one of several states, and each answer leaves those that it agrees with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pool {
    credentials: Arc<BTreeMap<usize, Credential>>,
    states: BTreeSet<State>,
    /// The allocations that clients were told of.
    told: BTreeSet<String>,
}

/// What each account has.
type State = Vec<Account>;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Account {
    holding: Option<Holding>,
    former: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Holding {
    credential: usize,
    /// Unknown until somebody is told.
    allocation: Option<String>,
}

/// One way in which a request may go.
enum Way {
    /// The account holds this from now on, or did before.
    Given(Holding, Via),
    Released(Holding),
    Refused(Refusal),
}

impl Pool {
    /// Nobody holds anything.
    pub fn new(credentials: BTreeMap<usize, Credential>, accounts: usize) -> Self {
        let states = BTreeSet::from([vec![Account::default(); accounts]]);
        Self { credentials: Arc::new(credentials), states, told: BTreeSet::new() }
    }

    /// Every way in which a request may go.
    fn ways(&self, state: &State, op: Op) -> Vec<Way> {
        match op {
            Op::Allocate { account, pinned } => match (&state[account].holding, pinned) {
                (Some(holding), Some(pinned)) if holding.credential != pinned => {
                    vec![Way::Refused(Refusal::HoldsAnother)]
                }
                (Some(holding), _) => vec![Way::Given(holding.clone(), Via::Existing)],
                (None, Some(pinned)) => vec![self.pinned(state, pinned)],
                (None, None) => self.chosen(state, state[account].former),
            },
            Op::Release { account } => {
                let holding = state[account].holding.clone();
                vec![holding.map_or(Way::Refused(Refusal::NotAllocated), Way::Released)]
            }
        }
    }

    fn pinned(&self, state: &State, pinned: usize) -> Way {
        if !self.is_eligible(pinned) {
            Way::Refused(Refusal::NotEligible)
        } else if self.has_room(state, pinned) {
            Way::bind(pinned, Via::Pinned)
        } else {
            Way::Refused(Refusal::PinnedFull)
        }
    }

    /// The former credential if that can be, else any.
    fn chosen(&self, state: &State, former: Option<usize>) -> Vec<Way> {
        let mut eligible = self.credentials.keys().copied().filter(|id| self.is_eligible(*id)).peekable();
        if eligible.peek().is_none() {
            return vec![Way::Refused(Refusal::NoneAvailable)];
        }
        let free: Vec<usize> = eligible.filter(|id| self.has_room(state, *id)).collect();
        if let Some(former) = former.filter(|former| free.contains(former)) {
            return vec![Way::bind(former, Via::Affinity)];
        }
        if free.is_empty() {
            return vec![Way::Refused(Refusal::PoolFull)];
        }
        free.into_iter().map(|id| Way::bind(id, Via::Ranked)).collect()
    }

    fn is_eligible(&self, id: usize) -> bool {
        self.credentials.get(&id).is_some_and(|credential| credential.eligible)
    }

    fn has_room(&self, state: &State, id: usize) -> bool {
        let held = state.iter().flat_map(|account| &account.holding).filter(|holding| holding.credential == id);
        held.count() < self.credentials[&id].slots
    }

    /// Whether the client may be told this of that.
    fn may_be(&self, holding: &Holding, held: &Held) -> bool {
        let known = holding.allocation.as_ref();
        held.api_id == holding.credential.to_string()
            && known.map_or(!self.told.contains(&held.allocation_id), |known| *known == held.allocation_id)
    }

    /// What is so after a request went this way and was answered so; nothing when the answer is
    /// another than it would have been.
    fn after(&self, state: &State, op: Op, way: Way, answer: &Answer) -> Option<State> {
        let (Op::Allocate { account, .. } | Op::Release { account }) = op;
        let mut state = state.clone();
        let mine = &mut state[account];
        match (way, answer) {
            (Way::Given(mut holding, via), Answer::Given(held, told_via))
                if via == *told_via && self.may_be(&holding, held) =>
            {
                holding.allocation = Some(held.allocation_id.clone());
                mine.holding = Some(holding);
            }
            (Way::Given(holding, _), Answer::Nothing) => mine.holding = Some(holding),
            (Way::Released(holding), Answer::Released(held)) if self.may_be(&holding, held) => mine.leave(&holding),
            (Way::Released(holding), Answer::Nothing) => mine.leave(&holding),
            (Way::Refused(why), Answer::Refused(told)) if why == *told => {}
            (Way::Refused(_), Answer::Nothing) => {}
            _ => return None,
        }
        Some(state)
    }
}

impl Way {
    fn bind(credential: usize, via: Via) -> Self {
        Self::Given(Holding { credential, allocation: None }, via)
    }
}

impl Account {
    fn leave(&mut self, holding: &Holding) {
        *self = Self { holding: None, former: Some(holding.credential) };
    }
}

impl SequentialSpec for Pool {
    type Op = Op;
    type Ret = Answer;

    /// Without an answer.
    fn invoke(&mut self, op: &Op) -> Answer {
        self.is_valid_step(op, &Answer::Nothing);
        Answer::Nothing
    }

    fn is_valid_step(&mut self, op: &Op, answer: &Answer) -> bool {
        let after = |state| self.ways(state, *op).into_iter().filter_map(|way| self.after(state, *op, way, answer));
        let mut states: BTreeSet<State> = self.states.iter().flat_map(after).collect();
        if *answer == Answer::Nothing {
            states.append(&mut self.states);
        }
        self.states = states;
        if let Answer::Given(held, _) | Answer::Released(held) = answer {
            self.told.insert(held.allocation_id.clone());
        }
        !self.states.is_empty()
    }
}
