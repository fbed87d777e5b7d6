//! Whether a history is linearizable: whether the requests could have happened one by one, each
//! between its question and its answer, so that the model gives these answers.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Instant;

use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};

use super::model::{Answer, Op, Pool};
use super::record::Record;

/// The records up to the first answer that cannot be explained; nothing when all can.
pub fn wrong(pool: &Pool, mut records: Vec<Record>) -> Option<Vec<Record>> {
    records.sort_by_key(|record| record.asked);
    let events = events(&records);
    if is_linearizable(pool, &records, &events) {
        return None;
    }
    let mut moments = events.iter().filter(|event| event.is_answer).map(|event| event.at);
    let wrong = moments.find_map(|end| {
        let so_far: Vec<Record> = records.iter().filter(|r| r.asked <= end).map(|r| r.until(end)).collect();
        let events = self::events(&so_far);
        (!is_linearizable(pool, &so_far, &events)).then_some(so_far)
    });
    Some(wrong.unwrap_or(records))
}

/// A question or an answer. Of the same moment, questions go first, which proves less.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    at: Instant,
    is_answer: bool,
    record: usize,
}

fn events(records: &[Record]) -> Vec<Event> {
    let mut events = Vec::new();
    for (number, record) in records.iter().enumerate() {
        events.push(Event { at: record.asked, is_answer: false, record: number });
        events.extend(record.answered.as_ref().map(|(at, _)| Event { at: *at, is_answer: true, record: number }));
    }
    events.sort_unstable();
    events
}

fn is_linearizable(pool: &Pool, records: &[Record], events: &[Event]) -> bool {
    let mut tester = LinearizabilityTester::new(Search::new(pool));
    for Event { is_answer, record: number, .. } in events {
        let Record { thread, op, answered, .. } = &records[*number];
        let taken = match answered {
            Some((_, answer)) if *is_answer => tester.on_return(*thread, answer.clone()),
            _ => tester.on_invoke(*thread, (*number, *op)),
        };
        taken.unwrap();
    }
    // Whatever got no answer may be done at any moment until all is over, or never.
    for Record { thread, .. } in records.iter().filter(|record| record.answered.is_none()) {
        tester.on_return(*thread, Answer::Nothing).unwrap();
    }
    tester.is_consistent()
}

/// The tester tries one order after the other, and most of them come to the same. Where it has
/// been before with the same requests done and the same pool, it has failed.
#[derive(Clone)]
struct Search {
    pool: Pool,
    /// One bit for each request.
    done: u64,
    been: Rc<RefCell<HashSet<(u64, Pool)>>>,
}

impl Search {
    fn new(pool: &Pool) -> Self {
        Self { pool: pool.clone(), done: 0, been: Rc::default() }
    }
}

impl SequentialSpec for Search {
    type Op = (usize, Op);
    type Ret = Answer;

    fn invoke(&mut self, (number, op): &(usize, Op)) -> Answer {
        self.done |= 1 << number;
        self.pool.invoke(op)
    }

    fn is_valid_step(&mut self, (number, op): &(usize, Op), answer: &Answer) -> bool {
        self.done |= 1 << number;
        self.pool.is_valid_step(op, answer) && self.been.borrow_mut().insert((self.done, self.pool.clone()))
    }
}
