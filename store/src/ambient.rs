//! Time and chance, handed in from the composition root so that tests can choose both.

use std::sync::{Arc, Mutex, PoisonError};

use domain::Timestamp;
use domain::id::new_ulid;
use rand::Rng;
use rand::rngs::StdRng;
use ulid::Ulid;

/// The clock and the source of randomness that everything impure shares.
#[derive(Clone)]
pub struct Ambient {
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    chance: Arc<Mutex<Chance>>,
}

struct Chance {
    rng: StdRng,
    last_id: Ulid,
}

impl Ambient {
    /// From a clock and a cryptographically secure generator.
    pub fn new(clock: impl Fn() -> Timestamp + Send + Sync + 'static, rng: StdRng) -> Self {
        Self { clock: Arc::new(clock), chance: Arc::new(Mutex::new(Chance { rng, last_id: Ulid::nil() })) }
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// A fresh ULID, above all that this process has made: what is made within a millisecond keeps
    /// its order.
    pub fn new_id(&self) -> String {
        let now = self.now();
        self.with_chance(|chance| {
            let fresh = new_ulid(now, &mut chance.rng);
            let following = chance.last_id.increment().ok().filter(|_| fresh <= chance.last_id);
            chance.last_id = following.unwrap_or(fresh);
            chance.last_id.to_string()
        })
    }

    /// `N` random bytes, good enough for keys.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.with_chance(|chance| chance.rng.fill_bytes(&mut bytes));
        bytes
    }

    fn with_chance<T>(&self, take: impl FnOnce(&mut Chance) -> T) -> T {
        // A panic while drawing bytes leaves the generator usable.
        take(&mut self.chance.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl std::fmt::Debug for Ambient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ambient")
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn ids_rise_within_a_millisecond() {
        let ambient = Ambient::new(|| Timestamp::from_millis(1), StdRng::seed_from_u64(1));
        let ids: Vec<String> = (0..100).map(|_| ambient.new_id()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
    }
}
