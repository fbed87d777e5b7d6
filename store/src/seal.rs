//! Sealed secrets: XChaCha20-Poly1305 with key ids and associated data.
//!
//! A sealed value is `version (1) | key id (2, big endian) | nonce (24) | ciphertext and tag`. The
//! associated data is `tenant|table|column|id`, so that a value can't be moved to another row. The
//! working keys are derived from the master key with HKDF-SHA256, one for each purpose.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::Ambient;
use crate::error::{Result, StoreError};

const VERSION: u8 = 1;
const HEADER: usize = 3;
const NONCE: usize = 24;

/// A master key of 32 bytes, and the id under which values name it.
pub struct MasterKey {
    /// Stands in every value that this key sealed.
    pub id: u16,
    /// The key.
    pub key: SecretBox<[u8; 32]>,
}

impl MasterKey {
    /// From 32 bytes.
    pub fn new(id: u16, key: [u8; 32]) -> Self {
        Self { id, key: SecretBox::new(Box::new(key)) }
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

/// Which value of which row is sealed.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Whose.
    pub tenant: &'a str,
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row.
    pub id: &'a str,
}

impl Place<'_> {
    fn associated_data(&self) -> String {
        format!("{}|{}|{}|{}", self.tenant, self.table, self.column, self.id)
    }
}

/// Seals with the newest key, opens with any that it knows.
pub struct Sealer {
    ambient: Ambient,
    keys: Vec<(u16, XChaCha20Poly1305)>,
    signing: SecretBox<[u8; 32]>,
    hashing: SecretBox<[u8; 32]>,
}

impl Sealer {
    /// `keys` is not empty; the one with the highest id seals.
    pub fn new(mut keys: Vec<MasterKey>, ambient: Ambient) -> Result<Self> {
        keys.sort_by_key(|k| std::cmp::Reverse(k.id));
        let newest = keys.first().ok_or_else(|| StoreError::WrongKey("no master key is given".to_owned()))?;
        let signing = SecretBox::new(Box::new(*derive(newest, b"api-pool jwt")));
        // Of the oldest key, so that hashes are the same while keys rotate.
        let oldest = keys.last().unwrap_or(newest);
        let hashing = SecretBox::new(Box::new(*derive(oldest, b"api-pool hash")));
        let keys =
            keys.iter().map(|k| (k.id, XChaCha20Poly1305::new((&*derive(k, b"api-pool seal")).into()))).collect();
        Ok(Self { ambient, keys, signing, hashing })
    }

    /// The key that signs JWTs.
    pub fn signing_key(&self) -> &[u8; 32] {
        self.signing.expose_secret()
    }

    /// HMAC-SHA256 of some parts: tells whether two are alike, and nothing else.
    pub fn keyed_hash(&self, parts: &[&[u8]]) -> Vec<u8> {
        // A key shorter than a block is filled up with zeros, says RFC 2104.
        let mut block = [0; 64];
        block[..32].copy_from_slice(self.hashing.expose_secret());
        let mut hash = <Hmac<Sha256> as KeyInit>::new(&block.into());
        for part in parts {
            // With its length, so that two parts never run into one another.
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into_bytes().to_vec()
    }

    /// The ids of the keys, newest first.
    pub fn key_ids(&self) -> impl Iterator<Item = u16> + '_ {
        self.keys.iter().map(|(id, _)| *id)
    }

    /// Seals `secret` for `place` with the newest key.
    pub fn seal(&self, place: Place<'_>, secret: &[u8]) -> Result<Vec<u8>> {
        let (id, cipher) = &self.keys[0];
        self.seal_with(*id, cipher, place, secret)
    }

    /// Seals with a given key: a verifier of each key stands in the database.
    pub(crate) fn seal_as(&self, key_id: u16, place: Place<'_>, secret: &[u8]) -> Result<Vec<u8>> {
        let cipher = self.cipher(key_id)?;
        self.seal_with(key_id, cipher, place, secret)
    }

    fn seal_with(&self, id: u16, cipher: &XChaCha20Poly1305, place: Place<'_>, secret: &[u8]) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE] = self.ambient.random();
        let aad = place.associated_data();
        let ciphertext = cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: secret, aad: aad.as_bytes() })
            .map_err(|_| StoreError::Damaged("a value could not be sealed".to_owned()))?;
        let mut sealed = Vec::with_capacity(HEADER + NONCE + ciphertext.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&id.to_be_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }

    /// Opens a value that was sealed for `place`.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        if sealed.len() < HEADER + NONCE || sealed[0] != VERSION {
            return Err(damaged(place));
        }
        let cipher = self.cipher(u16::from_be_bytes([sealed[1], sealed[2]]))?;
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&sealed[HEADER..HEADER + NONCE]);
        let aad = place.associated_data();
        let payload = Payload { msg: &sealed[HEADER + NONCE..], aad: aad.as_bytes() };
        cipher.decrypt(&XNonce::from(nonce), payload).map(Zeroizing::new).map_err(|_| damaged(place))
    }

    /// Opens a text.
    pub fn open_text(&self, place: Place<'_>, sealed: &[u8]) -> Result<SecretString> {
        let bytes = self.open(place, sealed)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| damaged(place))?;
        Ok(SecretString::from(text))
    }

    fn cipher(&self, id: u16) -> Result<&XChaCha20Poly1305> {
        self.keys
            .iter()
            .find(|(known, _)| *known == id)
            .map(|(_, cipher)| cipher)
            .ok_or_else(|| StoreError::WrongKey(format!("key {id} is not among the keys that were given")))
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.key_ids()).finish()
    }
}

fn derive(master: &MasterKey, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    // HKDF-SHA256 gives up to 8,160 bytes, so 32 can't fail.
    let expanded = Hkdf::<Sha256>::new(None, master.key.expose_secret()).expand(purpose, &mut *key);
    debug_assert!(expanded.is_ok());
    key
}

fn damaged(place: Place<'_>) -> StoreError {
    StoreError::Damaged(format!("{}.{} of {} does not open", place.table, place.column, place.id))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn sealer(keys: &[(u16, u8)]) -> Sealer {
        let ambient = Ambient::new(domain::Timestamp::default, rand::rngs::StdRng::seed_from_u64(1));
        Sealer::new(keys.iter().map(|(id, byte)| MasterKey::new(*id, [*byte; 32])).collect(), ambient).unwrap()
    }

    const PLACE: Place<'_> = Place { tenant: "t", table: "credentials", column: "api_hash", id: "1" };

    #[test]
    fn opens_only_where_it_was_sealed() {
        let sealer = sealer(&[(1, 7)]);
        let value = sealer.seal(PLACE, b"secret").unwrap();
        assert_eq!(sealer.open(PLACE, &value).unwrap().as_slice(), b"secret");
        assert!(sealer.open(Place { id: "2", ..PLACE }, &value).is_err());
        assert!(sealer.open(Place { tenant: "u", ..PLACE }, &value).is_err());
        assert!(sealer.open(Place { column: "source_phone", ..PLACE }, &value).is_err());
        for at in 0..value.len() {
            let mut bent = value.clone();
            bent[at] ^= 1;
            assert!(sealer.open(PLACE, &bent).is_err(), "byte {at}");
        }
        assert!(sealer.open(PLACE, &value[..10]).is_err());
    }

    #[test]
    fn a_new_key_seals_and_the_old_one_still_opens() {
        let old = sealer(&[(1, 7)]).seal(PLACE, b"old").unwrap();
        let both = sealer(&[(1, 7), (2, 9)]);
        assert_eq!(both.open(PLACE, &old).unwrap().as_slice(), b"old");
        let new = both.seal(PLACE, b"new").unwrap();
        assert_eq!(new[1..3], [0, 2]);
        assert!(sealer(&[(1, 7)]).open(PLACE, &new).is_err());
    }

    #[test]
    fn the_same_text_never_looks_the_same() {
        let sealer = sealer(&[(1, 7)]);
        assert_ne!(sealer.seal(PLACE, b"x").unwrap(), sealer.seal(PLACE, b"x").unwrap());
    }
}
