//! The newest events of the journal in memory, and who waits for more.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use store::Store;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

use super::event::Rendered;

/// Events in memory. A client that falls further back is told so.
const KEPT: usize = 2_000;
/// The most who have not yet said who they are.
const STRANGERS: usize = 256;
/// Rows read at once.
const STEP: usize = 500;
/// How often the journal is looked at while somebody listens: one read of one row.
const LOOK: Duration = Duration::from_millis(100);

/// The newest events, and a bell for those who wait for more.
#[derive(Debug)]
pub(crate) struct Hub {
    recent: RwLock<Recent>,
    /// The number of the newest event that is here.
    head: watch::Sender<i64>,
    clients: AtomicUsize,
    /// The same, as monitoring sees it.
    shown: Gauge,
    arrival: Notify,
    /// Places for those who have not yet said who they are.
    strangers: Arc<Semaphore>,
}

/// A stretch of the journal without gaps: everything behind `base`.
#[derive(Debug, Default)]
struct Recent {
    base: i64,
    events: VecDeque<Arc<Rendered>>,
}

/// What a client gets when it asks for what is new.
pub(crate) enum News {
    /// These, in order.
    Events(Vec<Arc<Rendered>>),
    /// Some of what it asks for is no longer here.
    Missed,
}

/// A client's place; given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat(Arc<Hub>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Ordering::Relaxed);
        self.0.shown.dec();
    }
}

impl Hub {
    /// Begins to tail the journal for as long as the hub lives.
    pub fn start(store: Store, shown: Gauge) -> Arc<Self> {
        let hub = Arc::new(Self {
            recent: RwLock::default(),
            head: watch::Sender::new(0),
            clients: AtomicUsize::new(0),
            shown,
            arrival: Notify::new(),
            strangers: Arc::new(Semaphore::new(STRANGERS)),
        });
        tokio::spawn(tail(store, Arc::downgrade(&hub)));
        hub
    }

    /// A place for one who has not yet said who they are, if there are not too many.
    pub fn stranger(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.strangers).try_acquire_owned().ok()
    }

    /// A place for a client, if there are not too many.
    pub fn seat(self: &Arc<Self>, most: usize) -> Option<Seat> {
        let seat = Seat(Arc::clone(self));
        let others = self.clients.fetch_add(1, Ordering::Relaxed);
        self.shown.inc();
        self.arrival.notify_one();
        // Dropping the seat gives it back.
        (others < most).then_some(seat)
    }

    /// How many listen.
    pub fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    /// Rings when there is more.
    pub fn listen(&self) -> watch::Receiver<i64> {
        self.head.subscribe()
    }

    /// What came behind `cursor`, and the number of the newest.
    pub fn since(&self, cursor: i64) -> (News, i64) {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let head = recent.head();
        if cursor < recent.base {
            return (News::Missed, head);
        }
        let skip = (cursor - recent.base) as usize;
        (News::Events(recent.events.iter().skip(skip).cloned().collect()), head)
    }

    fn take_in(&self, events: Vec<Rendered>) {
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            if event.seq != recent.head() + 1 {
                // A gap: what was before it is of no use any more.
                recent.events.clear();
                recent.base = event.seq - 1;
            }
            recent.events.push_back(Arc::new(event));
            if recent.events.len() > KEPT {
                recent.events.pop_front();
                recent.base += 1;
            }
        }
        let head = recent.head();
        drop(recent);
        self.head.send_replace(head);
    }

    /// Begins anew behind `seq`.
    fn skip_to(&self, seq: i64) {
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        *recent = Recent { base: seq, events: VecDeque::new() };
        drop(recent);
        self.head.send_replace(seq);
    }
}

impl Recent {
    fn head(&self) -> i64 {
        self.base + self.events.len() as i64
    }
}

/// Reads while somebody listens, and waits while nobody does.
async fn tail(store: Store, hub: Weak<Hub>) {
    let mut troubled = false;
    loop {
        let Some(hub) = hub.upgrade() else { return };
        if hub.clients() == 0 {
            // Not for ever: the hub itself may go.
            let arrival = tokio::time::timeout(Duration::from_secs(1), hub.arrival.notified()).await;
            if arrival.is_err() {
                continue;
            }
        }
        match follow(&store, &hub).await {
            Ok(()) => troubled = false,
            Err(error) if !troubled => {
                tracing::warn!(%error, "live events wait for the database");
                troubled = true;
            }
            Err(_) => {}
        }
        drop(hub);
        tokio::time::sleep(LOOK).await;
    }
}

async fn follow(store: &Store, hub: &Hub) -> store::Result<()> {
    let (newest, head) = (store.newest_event().await?, *hub.head.borrow());
    if newest - head > KEPT as i64 || newest < head {
        // Too far behind to show each: whoever waited for them is told that they missed some.
        hub.skip_to(newest);
        return Ok(());
    }
    let mut head = head;
    while head < newest {
        let events = store.events_after(head, STEP).await?;
        let Some(last) = events.last() else { return Ok(()) };
        head = last.seq;
        hub.take_in(events.into_iter().map(Rendered::from).collect());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::TenantId;

    use super::*;

    fn hub() -> Arc<Hub> {
        Arc::new(Hub {
            recent: RwLock::default(),
            head: watch::Sender::new(0),
            clients: AtomicUsize::new(0),
            shown: Gauge::default(),
            arrival: Notify::new(),
            strangers: Arc::new(Semaphore::new(STRANGERS)),
        })
    }

    fn events(from: i64, to: i64) -> Vec<Rendered> {
        let event = |seq| Rendered {
            seq,
            tenant: TenantId::default(),
            audit_only: false,
            subject: seq.to_string(),
            text: String::new().into(),
        };
        (from..=to).map(event).collect()
    }

    fn numbers(hub: &Hub, cursor: i64) -> Option<Vec<i64>> {
        match hub.since(cursor).0 {
            News::Events(events) => Some(events.iter().map(|event| event.seq).collect()),
            News::Missed => None,
        }
    }

    #[test]
    fn a_client_gets_what_came_behind_its_cursor() {
        let hub = hub();
        hub.skip_to(10);
        hub.take_in(events(11, 14));
        assert_eq!(numbers(&hub, 12), Some(vec![13, 14]));
        assert_eq!((numbers(&hub, 14), numbers(&hub, 9)), (Some(vec![]), None));
        hub.take_in(events(15, 14 + KEPT as i64));
        assert_eq!(numbers(&hub, 13), None, "what is too old is gone");
        assert_eq!(numbers(&hub, 14).unwrap().len(), KEPT);
        // Behind a gap it begins anew.
        hub.take_in(events(9_000, 9_001));
        assert_eq!((numbers(&hub, 14), numbers(&hub, 8_999)), (None, Some(vec![9_000, 9_001])));
    }

    #[test]
    fn seats_are_given_back() {
        let hub = hub();
        let seats: Vec<_> = (0..3).map(|_| hub.seat(2)).collect();
        assert!(seats[1].is_some() && seats[2].is_none());
        assert_eq!(hub.clients(), 2);
        drop(seats);
        assert_eq!(hub.clients(), 0);
    }
}
