//! Passwords: argon2id, a few at a time.

use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version, password_hash};
use domain::Invalid;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::{Result, StoreError};

/// The shortest password, in characters.
pub const MIN_PASSWORD: usize = 10;
/// The longest password, in bytes: hashing more would only cost time.
pub const MAX_PASSWORD: usize = 1024;

/// A hash of nothing that anybody knows: checking against it takes as long as against a real one,
/// so that a wrong name can't be told from a wrong password by the clock.
pub(super) const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AtXGEPQXAMYYp+PrEzX9RhpdJbYFqMNYS8EvQMfyOcE";

/// Checks a new password.
pub fn check_password(invalid: &mut Invalid, field: &str, password: &SecretString) {
    let text = password.expose_secret();
    invalid.require(text.chars().count() >= MIN_PASSWORD, field, "must be at least 10 characters");
    invalid.require(text.len() <= MAX_PASSWORD, field, "must be at most 1024 bytes");
}

/// Hashings at once: each takes 19 MiB and a core for a while, and a flood of logins must not take
/// them all.
const TURNS: usize = 4;
/// Hashings that wait for a turn. More are turned away: whoever hangs up goes on waiting.
const WAITING: usize = 256;

static HASHING: Semaphore = Semaphore::const_new(TURNS);
static QUEUE: Semaphore = Semaphore::const_new(TURNS + WAITING);

/// The memory of hashings that have ended, for those that come: one for each turn at most. Given
/// back to the system each time, it would lie about in pieces.
static MEMORY: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

pub(super) async fn hash(password: &SecretString) -> Result<String> {
    let password = password.clone();
    let hashed = in_turn(move |turn| turn.hash(&password)).await?;
    hashed.map_err(|e| StoreError::Damaged(format!("a password could not be hashed: {e}")))
}

pub(super) async fn verify(password: &SecretString, hash: &str) -> Result<bool> {
    let (password, hash) = (password.clone(), hash.to_owned());
    in_turn(move |turn| turn.verify(&password, &hash).unwrap_or(false)).await
}

/// Does it when its turn has come, off the async threads.
async fn in_turn<T: Send + 'static>(work: impl FnOnce(&mut Turn) -> T + Send + 'static) -> Result<T> {
    let place = QUEUE.try_acquire().map_err(|_| StoreError::Busy("passwords to check"))?;
    let permit = HASHING.acquire().await.map_err(|e| StoreError::Damaged(format!("no hashing: {e}")))?;
    let mut turn = Turn { memory: memory().pop().unwrap_or_default(), _permit: permit, _place: place };
    let done = tokio::task::spawn_blocking(move || work(&mut turn));
    done.await.map_err(|e| StoreError::Damaged(format!("hashing stopped: {e}")))
}

fn memory() -> std::sync::MutexGuard<'static, Vec<Vec<Block>>> {
    MEMORY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A turn to hash, with its memory. It ends with the hashing itself, which goes on when the client
/// has hung up.
struct Turn {
    memory: Vec<Block>,
    _permit: SemaphorePermit<'static>,
    _place: SemaphorePermit<'static>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Before the permit: whoever is next finds it there.
        memory().push(std::mem::take(&mut self.memory));
    }
}

impl Turn {
    fn hash(&mut self, password: &SecretString) -> password_hash::Result<String> {
        let salt = Salt::new(&password_hash::try_generate_salt()?)?;
        let hash = self.digest(&Argon2::default(), password, &salt, Params::DEFAULT_OUTPUT_LEN)?;
        let whole = PasswordHash {
            algorithm: Algorithm::default().ident(),
            version: Some(Version::default().into()),
            params: ParamsString::try_from(&Params::default())?,
            salt: Some(salt),
            hash: Some(hash),
        };
        Ok(whole.to_string())
    }

    fn verify(&mut self, password: &SecretString, hash: &str) -> password_hash::Result<bool> {
        let kept = PasswordHash::new(hash)?;
        let (Some(salt), Some(expected)) = (kept.salt, kept.hash) else { return Ok(false) };
        let algorithm = Algorithm::try_from(kept.algorithm.as_str())?;
        let version = kept.version.map(Version::try_from).transpose()?.unwrap_or_default();
        let argon = Argon2::new(algorithm, version, Params::try_from(&kept)?);
        // The comparison of outputs takes the same time wherever they differ.
        Ok(self.digest(&argon, password, &salt, expected.len())? == expected)
    }

    fn digest(
        &mut self,
        argon: &Argon2<'_>,
        password: &SecretString,
        salt: &Salt,
        length: usize,
    ) -> password_hash::Result<Output> {
        let blocks = argon.params().block_count();
        if self.memory.len() < blocks {
            self.memory.resize(blocks, Block::new());
        }
        let mut buffer = [0; Output::MAX_LENGTH];
        let out = buffer.get_mut(..length).ok_or(password_hash::Error::OutputSize)?;
        let password = password.expose_secret().as_bytes();
        argon.hash_password_into_with_memory(password, salt, out, &mut self.memory)?;
        Ok(Output::new(out)?)
    }
}

#[cfg(test)]
mod tests {
    use argon2::PasswordVerifier;
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_turn_lasts_as_long_as_the_hashing() {
        let password = SecretString::from("x");
        // The client hangs up at once; the hashing has begun.
        assert!(verify(&password, NOBODY).now_or_never().is_none());
        assert!(hash(&password).now_or_never().is_none());
        assert_eq!(HASHING.available_permits(), 2);
        drop(HASHING.acquire_many(4).await);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn many_hashings_share_the_memory_of_four() {
        let password = SecretString::from("correct horse");
        let hashed = hash(&password).await.unwrap();
        Argon2::default().verify_password(b"correct horse", hashed.as_str()).unwrap();
        let address = memory()[0].as_ptr() as usize;
        let checks = (0..16).map(|_| verify(&password, &hashed));
        let checked = futures::future::join_all(checks).await;
        assert!(checked.into_iter().all(Result::unwrap));
        assert!(!verify(&SecretString::from("another"), &hashed).await.unwrap());
        assert!(!verify(&password, "no hash").await.unwrap());
        let kept = memory();
        assert!((1..=TURNS).contains(&kept.len()), "{}", kept.len());
        assert!(kept.iter().any(|one| one.as_ptr() as usize == address), "it is used again");
        assert!(kept.iter().all(|one| one.len() == Params::default().block_count()));
    }

    #[tokio::test]
    async fn too_many_that_wait_are_turned_away() {
        let password = SecretString::from("x");
        let _all = QUEUE.acquire_many((TURNS + WAITING) as u32).await.unwrap();
        assert!(matches!(verify(&password, NOBODY).await, Err(StoreError::Busy(_))));
    }
}
