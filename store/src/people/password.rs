//! Passwords: argon2id, a few at a time.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use domain::Invalid;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

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

/// Each hashing takes 19 MiB and a core for a while: a flood of logins must not take them all.
/// A turn ends with the hashing itself, which goes on when the client has hung up.
static HASHING: Semaphore = Semaphore::const_new(4);

pub(super) async fn hash(password: &SecretString) -> Result<String> {
    let turn = HASHING.acquire().await;
    let password = password.clone();
    let hashed = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        Argon2::default().hash_password(password.expose_secret().as_bytes()).map(|hash| hash.to_string())
    });
    hashed
        .await
        .map_err(|e| StoreError::Damaged(format!("hashing stopped: {e}")))?
        .map_err(|e| StoreError::Damaged(format!("a password could not be hashed: {e}")))
}

pub(super) async fn verify(password: &SecretString, hash: &str) -> bool {
    let turn = HASHING.acquire().await;
    let (password, hash) = (password.clone(), hash.to_owned());
    let checked = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok())
    });
    checked.await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
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
}
