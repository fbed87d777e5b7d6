//! The master key: given, or on SQLite made at the first start in a file beside the database.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use store::Ambient;
use store::open::Location;
use store::seal::MasterKey;

const HOW: &str = "API_POOL_MASTER_KEY must be 32 bytes in base64 or hexadecimal, or id:key,id:key";

/// The keys for a database.
pub fn load(given: Option<&SecretString>, location: &Location, ambient: &Ambient) -> anyhow::Result<Vec<MasterKey>> {
    match (given, location) {
        (Some(text), _) => parse(text.expose_secret()),
        (None, Location::Sqlite(database)) => {
            let file = key_file(database);
            // Looked at first: who makes a database has made its key before.
            let sealed = fs::metadata(database).is_ok_and(|file| file.is_file() && file.len() > 0);
            if sealed && !file.exists() {
                bail!(
                    "the key file {} is missing and API_POOL_MASTER_KEY is not given: without the key of {} its secrets don't open",
                    file.display(),
                    database.display()
                );
            }
            let text = read_or_make(&file, ambient)?;
            parse(&text).with_context(|| format!("{} holds no key", file.display()))
        }
        (None, Location::Postgres(_)) => {
            bail!("PostgreSQL needs API_POOL_MASTER_KEY: 32 random bytes, for example from `openssl rand -base64 32`")
        }
    }
}

/// Beside the database: `api_pool.db` has `api_pool.db.key`.
pub fn key_file(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".key");
    PathBuf::from(name)
}

/// Two processes may start at once: one makes the file, whole, and both read it.
fn read_or_make(file: &Path, ambient: &Ambient) -> anyhow::Result<String> {
    if !file.exists() {
        let key = STANDARD.encode(ambient.random::<32>());
        let unique = file.with_extension(format!("key.{}", ambient.new_id()));
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unique);
        let mut made = made.with_context(|| format!("cannot make the key file {}", file.display()))?;
        made.write_all(key.as_bytes())?;
        made.sync_all()?;
        // A link fails when the name is taken, as O_EXCL does, and what it names is whole.
        let linked = fs::hard_link(&unique, file);
        fs::remove_file(&unique)?;
        if let Err(error) = linked
            && error.kind() != std::io::ErrorKind::AlreadyExists
        {
            return Err(error).with_context(|| format!("cannot make the key file {}", file.display()));
        }
    }
    let mode = fs::metadata(file)?.permissions().mode() & 0o077;
    if mode != 0 {
        bail!("the key file {} can be read by others; chmod 600 it", file.display());
    }
    Ok(fs::read_to_string(file)?.trim().to_owned())
}

fn parse(text: &str) -> anyhow::Result<Vec<MasterKey>> {
    let text = text.trim();
    if let Some(key) = decode(text) {
        return Ok(vec![MasterKey::new(1, key)]);
    }
    let key = |part: &str| {
        let (id, key) = part.trim().split_once(':')?;
        Some(MasterKey::new(id.trim().parse().ok()?, decode(key.trim())?))
    };
    text.split(',').map(|part| key(part).ok_or_else(|| anyhow!(HOW))).collect()
}

fn decode(text: &str) -> Option<[u8; 32]> {
    let hex = || {
        let digits = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        digits
            .then(|| (0..32).filter_map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()).collect::<Vec<u8>>())
    };
    let base64 = || [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].iter().find_map(|e| e.decode(text).ok());
    hex().or_else(base64)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_in_several_spellings() {
        let hex = "07".repeat(32);
        let base64 = STANDARD.encode([7_u8; 32]);
        for text in [hex.clone(), base64.clone(), base64.trim_end_matches('=').to_owned()] {
            let keys = parse(&text).unwrap();
            assert_eq!((keys[0].id, keys[0].key.expose_secret()), (1, &[7; 32]));
        }
        let keys = parse(&format!("2:{hex},1:{base64}")).unwrap();
        assert_eq!(keys.iter().map(|k| k.id).collect::<Vec<_>>(), [2, 1]);
        for bad in ["", "short", "1:short", &"zz".repeat(32)] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
