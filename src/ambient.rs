//! The one place where the real clock and the system's randomness come in.

use domain::Timestamp;
use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};
use store::Ambient;

/// The real clock, and a generator seeded by the system.
pub fn system() -> anyhow::Result<Ambient> {
    let rng = StdRng::try_from_rng(&mut SysRng)?;
    Ok(Ambient::new(now, rng))
}

#[allow(clippy::disallowed_methods, reason = "this is the one module that reads the clock")]
fn now() -> Timestamp {
    Timestamp::from_millis(chrono::Utc::now().timestamp_millis())
}
