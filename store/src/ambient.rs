//! Time and chance, handed in from the composition root so that tests can choose both.

use std::sync::{Arc, Mutex, PoisonError};

use domain::Timestamp;
use domain::id::new_ulid;
use rand::Rng;
use rand::rngs::StdRng;

/// The clock and the source of randomness that everything impure shares.
#[derive(Clone)]
pub struct Ambient {
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    rng: Arc<Mutex<StdRng>>,
}

impl Ambient {
    /// From a clock and a cryptographically secure generator.
    pub fn new(clock: impl Fn() -> Timestamp + Send + Sync + 'static, rng: StdRng) -> Self {
        Self { clock: Arc::new(clock), rng: Arc::new(Mutex::new(rng)) }
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// A fresh ULID.
    pub fn new_id(&self) -> String {
        let now = self.now();
        self.with_rng(|rng| new_ulid(now, rng))
    }

    /// `N` random bytes, good enough for keys.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.with_rng(|rng| rng.fill_bytes(&mut bytes));
        bytes
    }

    fn with_rng<T>(&self, take: impl FnOnce(&mut StdRng) -> T) -> T {
        // A panic while drawing bytes leaves the generator usable.
        take(&mut self.rng.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl std::fmt::Debug for Ambient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ambient")
    }
}
