//! Refused permissions and failed logins that no counter holds, noted in the journal: the first at
//! once, those that follow within a minute as a number in one row when it is over. A client that
//! keeps asking for what it may not have must not fill the journal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::TenantId;
use domain::event::Action;
use domain::time::MINUTE;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::Store;
use crate::error::Result;
use crate::journal::{Entry, Origin};

/// How far apart rows of the same kind are, in milliseconds.
const APART: i64 = MINUTE;
/// Kinds that are remembered; when there are more, new ones are not noted until some are forgotten.
const KINDS: usize = 10_000;
/// How often it is looked at what was gathered.
const LOOK: Duration = Duration::from_secs(5);
/// Rows of one transaction.
const STEP: usize = 50;

/// Something that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// What it is called.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// What was asked for, where there is more than one thing.
    pub asked: Option<Asked>,
}

/// A method and a route, as it is declared: never what a client has put there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asked {
    /// `GET`, `POST`, …
    pub method: String,
    /// `{id}` and all.
    pub route: String,
}

impl Refusal {
    /// Of something that there is one of.
    pub fn new(action: Action, reason: impl Into<String>) -> Self {
        Self { action, reason: reason.into(), asked: None }
    }

    fn entry(&self, repeated: u64) -> Entry {
        let mut data = json!({ "reason": self.reason, "repeated": repeated });
        if let (Some(asked), Value::Object(fields)) = (&self.asked, &mut data) {
            fields.insert("method".to_owned(), json!(asked.method));
            fields.insert("route".to_owned(), json!(asked.route));
        }
        Entry::new(self.action).data(data)
    }
}

/// Who was refused what, from where: those of a kind are gathered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kind {
    tenant: TenantId,
    actor: Arc<str>,
    ip: Option<Arc<str>>,
    refusal: Refusal,
}

/// What is remembered of a kind.
#[derive(Debug)]
struct Seen {
    /// When it was last noted, in milliseconds.
    noted_at: i64,
    /// How often it came since.
    more: u64,
    /// By whom it came last.
    last: Origin,
}

/// What this process remembers.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    seen: Mutex<HashMap<Kind, Seen>>,
}

impl Refusals {
    fn seen(&self) -> MutexGuard<'_, HashMap<Kind, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `Some` when it is to be noted: how often it came since the last time.
    fn count(&self, kind: Kind, origin: &Origin, now: i64) -> Option<u64> {
        let mut seen = self.seen();
        if seen.len() >= KINDS {
            seen.retain(|_, one| one.more > 0 || now - one.noted_at < APART);
        }
        if seen.len() >= KINDS && !seen.contains_key(&kind) {
            return None;
        }
        let new = || Seen { noted_at: i64::MIN / 2, more: 0, last: origin.clone() };
        let one = seen.entry(kind).or_insert_with(new);
        if now - one.noted_at < APART {
            one.more += 1;
            one.last = origin.clone();
            return None;
        }
        one.noted_at = now;
        Some(std::mem::take(&mut one.more))
    }

    /// What was gathered and is to be noted now: of the kinds whose minute is over, or of all. Those of
    /// which nothing came are forgotten.
    fn take(&self, now: i64, all: bool) -> Vec<(Kind, Origin, u64)> {
        let mut seen = self.seen();
        seen.retain(|_, one| one.more > 0 || now - one.noted_at < APART);
        let due = seen.iter_mut().filter(|(_, one)| one.more > 0 && (all || now - one.noted_at >= APART));
        let take = |(kind, one): (&Kind, &mut Seen)| {
            one.noted_at = now;
            (kind.clone(), one.last.clone(), std::mem::take(&mut one.more))
        };
        due.map(take).collect()
    }

    /// They could not be noted.
    fn give_back(&self, taken: Vec<(Kind, Origin, u64)>) {
        let mut seen = self.seen();
        for (kind, last, more) in taken {
            seen.entry(kind).or_insert(Seen { noted_at: 0, more: 0, last }).more += more;
        }
    }
}

impl Store {
    /// Notes that something was refused.
    pub async fn note_refusal(&self, tenant: &TenantId, origin: &Origin, refusal: Refusal) -> Result<()> {
        let (actor, ip) = (origin.actor.clone(), origin.ip.clone());
        let kind = Kind { tenant: tenant.clone(), actor, ip, refusal: refusal.clone() };
        let Some(repeated) = self.inner.refusals.count(kind, origin, self.now().millis()) else { return Ok(()) };
        let mut tx = self.begin().await?;
        tx.record(tenant, origin, self.now(), &[refusal.entry(repeated)]).await?;
        tx.commit().await
    }

    /// Notes what was gathered, whose minute is over, or `all` of it. How many rows that are.
    pub async fn note_gathered(&self, all: bool) -> Result<usize> {
        let mut gathered = self.inner.refusals.take(self.now().millis(), all);
        if self.is_read_only() {
            return Ok(0);
        }
        let rows = gathered.len();
        while !gathered.is_empty() {
            let rest = gathered.split_off(gathered.len().min(STEP));
            if let Err(error) = self.write_gathered(&gathered).await {
                gathered.extend(rest);
                self.inner.refusals.give_back(gathered);
                return Err(error);
            }
            gathered = rest;
        }
        Ok(rows)
    }

    async fn write_gathered(&self, gathered: &[(Kind, Origin, u64)]) -> Result<()> {
        let mut tx = self.begin().await?;
        for (kind, last, times) in gathered {
            // The row is the last of them itself.
            let entry = kind.refusal.entry(times - 1);
            tx.record(&kind.tenant, last, self.now(), &[entry]).await?;
        }
        tx.commit().await
    }

    /// Notes what is gathered when its minute is over, and all of it at the end.
    pub async fn gather_refusals(self, stop: CancellationToken) {
        loop {
            let stopped = stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none();
            if let Err(error) = self.note_gathered(stopped).await {
                tracing::warn!(%error, "refusals were not noted");
            }
            if stopped {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(actor: &str) -> Kind {
        let refusal = Refusal::new(Action::AccessDenied, "why");
        Kind { tenant: TenantId::default(), actor: actor.into(), ip: None, refusal }
    }

    #[test]
    fn the_first_is_noted_and_the_rest_is_counted() {
        let refusals = Refusals::default();
        let count = |actor: &str, now| refusals.count(kind(actor), &Origin::internal(actor), now);
        assert_eq!(count("a", 0), Some(0));
        assert_eq!((count("a", 1), count("a", APART - 1), count("b", 1)), (None, None, Some(0)));
        assert_eq!(count("a", APART), Some(2));
        assert_eq!(count("a", 3 * APART), Some(0));
        for kind in 0..2 * KINDS {
            count(&kind.to_string(), 3 * APART);
        }
        assert!(refusals.seen().len() <= KINDS);
    }

    #[test]
    fn what_is_gathered_is_due_when_its_minute_is_over() {
        let refusals = Refusals::default();
        let count = |actor: &str, now| refusals.count(kind(actor), &Origin::internal(actor), now);
        let take = |now, all| refusals.take(now, all).into_iter().map(|(_, _, more)| more).collect::<Vec<_>>();
        for now in 0..4 {
            count("a", now);
        }
        count("b", 0);
        assert_eq!((take(APART - 1, false), take(APART, false)), (vec![], vec![3]));
        assert_eq!(refusals.seen().len(), 1, "nothing more came of the other");
        // Another minute begins.
        assert_eq!((count("a", APART + 1), take(APART + 2, true)), (None, vec![1]));
        refusals.give_back(vec![(kind("a"), Origin::internal("a"), 1)]);
        assert_eq!(take(APART + 3, true), [1]);
        assert_eq!(take(3 * APART, false), [] as [u64; 0]);
        assert!(refusals.seen().is_empty());
    }
}
