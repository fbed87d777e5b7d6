//! People who sign in: their names and passwords, the lock after failed attempts, their sessions.

mod password;
pub mod sessions;
pub mod users;

use std::str::FromStr;

use domain::access::Role;
use domain::event::Action;
use domain::time::MINUTE;
use domain::{Invalid, TenantId, Timestamp};
use secrecy::SecretString;
use serde_json::json;
use sqlx::FromRow;

pub use password::{MAX_PASSWORD, MIN_PASSWORD, check_password};
use password::{NOBODY, hash, verify};
use sessions::Opened;

use crate::credentials::hex;
use crate::db::{Tx, args, sql};
use crate::error::{Result, StoreError};
use crate::journal::{Entry, Origin};
use crate::{Refusal, Store};

/// Failed logins in a row that lock an account.
pub const ATTEMPTS: i64 = 5;
/// How long it stays locked, in milliseconds.
pub const LOCKED_FOR: i64 = 15 * MINUTE;

/// A user.
#[derive(Clone)]
pub struct User {
    /// Their id.
    pub id: String,
    /// Their tenant.
    pub tenant: TenantId,
    /// The name they sign in with, unique in the installation.
    pub username: String,
    /// What they are.
    pub role: Role,
    /// Locked until then.
    pub locked_until: Option<Timestamp>,
    /// When they last signed in.
    pub last_login_at: Option<Timestamp>,
    /// When they were added.
    pub created_at: Timestamp,
    /// When a person last edited them.
    pub updated_at: Timestamp,
    /// Moves with people's edits.
    pub version: i64,
    password_hash: String,
}

impl User {
    /// Where a request came from, now that it is known who asks.
    pub fn origin(&self, origin: &Origin) -> Origin {
        Origin { actor: format!("user:{}", self.username).into(), ..origin.clone() }
    }
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the hash, which is worth an attack.
        write!(f, "User({}, {}, {})", self.username, self.role, self.tenant)
    }
}

#[derive(FromRow)]
struct Row {
    id: String,
    tenant_id: String,
    username: String,
    role: String,
    locked_until: i64,
    last_login_at: Option<i64>,
    created_at: i64,
    updated_at: i64,
    version: i64,
    password_hash: String,
}

impl TryFrom<Row> for User {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let role = Role::from_str(&row.role).map_err(|_| StoreError::Damaged(format!("role of {}", row.username)))?;
        Ok(Self {
            id: row.id,
            tenant: TenantId::from(row.tenant_id),
            username: row.username,
            role,
            locked_until: (row.locked_until > 0).then(|| Timestamp::from_millis(row.locked_until)),
            last_login_at: row.last_login_at.map(Timestamp::from_millis),
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
            version: row.version,
            password_hash: row.password_hash,
        })
    }
}

macro_rules! select {
    ($rest:expr) => {
        sql!(concat!(
            "SELECT u.id, u.tenant_id, u.username, u.role, u.locked_until, u.last_login_at, u.created_at, u.updated_at,
                 u.version, u.password_hash FROM users u ",
            $rest
        ))
    };
}
use select;

/// Why somebody may not come in.
#[derive(Debug)]
pub enum SignInError {
    /// The name or the password is wrong; which of them is not told.
    Wrong,
    /// Too many failed attempts; locked until then.
    Locked(Timestamp),
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Store {
    /// Whether there is an owner yet.
    pub async fn has_owner(&self) -> Result<bool> {
        let statement = sql!("SELECT id FROM users WHERE role = $1 LIMIT 1");
        Ok(self.db().optional::<(String,)>(statement, args![Role::Owner.to_string()]).await?.is_some())
    }

    /// A user by the name they sign in with.
    pub async fn user_by_name(&self, username: &str) -> Result<Option<User>> {
        let statement = select!("WHERE u.username = $1");
        self.db().optional::<Row>(statement, args![username]).await?.map(User::try_from).transpose()
    }

    /// Checks a name and a password, and opens a session.
    pub async fn sign_in(
        &self,
        origin: &Origin,
        username: &str,
        password: &SecretString,
        user_agent: Option<&str>,
    ) -> Result<(User, Opened), SignInError> {
        let user = self.check_secret(origin, username, password).await?;
        let origin = user.origin(origin);
        let mut tx = self.admit(&origin, &user).await?;
        let opened = tx.open_session(self, &user, &origin, user_agent).await?;
        let data = json!({ "session_id": opened.session_id });
        tx.record(&user.tenant, &origin, self.now(), &[Entry::new(Action::SignedIn).data(data)]).await?;
        tx.commit().await?;
        Ok((user, opened))
    }

    /// The user of a name and a password; failures are counted and noted. Of a name that nobody has,
    /// the text is not: people type passwords there.
    async fn check_secret(
        &self,
        origin: &Origin,
        username: &str,
        password: &SecretString,
    ) -> Result<User, SignInError> {
        let Some(user) = self.user_by_name(username).await? else {
            verify(password, NOBODY).await?;
            let unknown = Refusal::new(Action::SignInFailed, "unknown name");
            self.note_refusal(&TenantId::default(), origin, unknown).await?;
            return Err(SignInError::Wrong);
        };
        if let Some(until) = user.locked_until.filter(|until| *until > self.now()) {
            return Err(self.note_locked(origin, &user, until).await?);
        }
        if verify(password, &user.password_hash).await? {
            Ok(user)
        } else {
            Err(self.note_failure(origin, &user).await?)
        }
    }

    /// Begins the transaction in which somebody comes in. Looked at again: of many guesses at once,
    /// those behind the fifth failure come too late, and so does a password that was changed since.
    async fn admit(&self, origin: &Origin, user: &User) -> Result<Tx, SignInError> {
        let mut tx = self.begin().await?;
        let let_in = tx
            .execute(
                sql!(
                    "UPDATE users SET failed_logins = 0, locked_until = 0, last_login_at = $1
                     WHERE id = $2 AND locked_until <= $1 AND password_hash = $3"
                ),
                args![self.now(), &user.id, &user.password_hash],
            )
            .await?;
        if let_in > 0 {
            return Ok(tx);
        }
        tx.rollback().await?;
        let locked = sql!("SELECT locked_until FROM users WHERE id = $1 AND locked_until > $2");
        let locked: Option<(i64,)> = self.db().optional(locked, args![&user.id, self.now()]).await?;
        let Some((until,)) = locked else { return Err(SignInError::Wrong) };
        Err(self.note_locked(origin, user, Timestamp::from_millis(until)).await?)
    }

    /// Notes an attempt behind a lock, which changes nothing else.
    async fn note_locked(&self, origin: &Origin, user: &User, until: Timestamp) -> Result<SignInError> {
        let refusal = Refusal::new(Action::SignInFailed, "the account is locked");
        self.note_refusal(&user.tenant, &user.origin(origin), refusal).await?;
        Ok(SignInError::Locked(until))
    }

    async fn note_failure(&self, origin: &Origin, user: &User) -> Result<SignInError> {
        let origin = user.origin(origin);
        let until = self.now().plus(LOCKED_FOR);
        let mut tx = self.begin().await?;
        let counted: Option<(i64,)> = tx
            .optional(
                sql!(
                    "UPDATE users SET failed_logins = failed_logins + 1 WHERE id = $1 AND locked_until <= $2
                     RETURNING failed_logins"
                ),
                args![&user.id, self.now()],
            )
            .await?;
        // Behind a lock, wrong guesses are answered as right ones are: nobody learns from them.
        let Some((failed,)) = counted else {
            tx.rollback().await?;
            return self.note_locked(&origin, user, until).await;
        };
        let mut entries = vec![Entry::new(Action::SignInFailed).data(json!({ "failed_logins": failed }))];
        let locked = failed >= ATTEMPTS;
        if locked {
            tx.execute(
                sql!("UPDATE users SET failed_logins = 0, locked_until = $1 WHERE id = $2"),
                args![until, &user.id],
            )
            .await?;
            entries.push(Entry::new(Action::UserLocked).data(json!({ "until": until })));
        }
        tx.record(&user.tenant, &origin, self.now(), &entries).await?;
        tx.commit().await?;
        Ok(if locked { SignInError::Locked(until) } else { SignInError::Wrong })
    }

    /// Changes one's own password. All other sessions end; `session` goes on.
    pub async fn change_password(
        &self,
        origin: &Origin,
        username: &str,
        session: &str,
        old: &SecretString,
        new: &SecretString,
    ) -> Result<(), SignInError> {
        let mut invalid = Invalid::default();
        check_password(&mut invalid, "new_password", new);
        invalid.into_result().map_err(StoreError::from)?;
        let user = self.check_secret(origin, username, old).await?;
        let hash = hash(new).await?;
        let mut tx = self.admit(origin, &user).await?;
        tx.write_password(self, origin, &user, &hash, Some(session)).await?;
        Ok(tx.commit().await?)
    }

    /// A password that nobody has chosen: 120 bits.
    pub fn random_password(&self) -> SecretString {
        SecretString::from(hex(&self.ambient().random::<15>()))
    }

    /// Sets a password, unlocks, and ends all sessions.
    pub async fn set_password(&self, origin: &Origin, user: &User, new: &SecretString) -> Result<()> {
        let mut invalid = Invalid::default();
        check_password(&mut invalid, "password", new);
        invalid.into_result()?;
        let hash = hash(new).await?;
        let mut tx = self.begin().await?;
        tx.write_password(self, origin, user, &hash, None).await?;
        tx.commit().await
    }
}

impl Tx {
    async fn write_password(
        &mut self,
        store: &Store,
        origin: &Origin,
        user: &User,
        hash: &str,
        except: Option<&str>,
    ) -> Result<()> {
        let now = store.now();
        let written = self
            .execute(
                sql!(
                    "UPDATE users SET password_hash = $1, failed_logins = 0, locked_until = 0, updated_at = $2,
                         version = version + 1 WHERE id = $3"
                ),
                args![hash, now, &user.id],
            )
            .await?;
        if written == 0 {
            return Err(StoreError::NotFound("user"));
        }
        let ended = self.revoke_sessions(&user.id, except, now).await?;
        let data = json!({ "user_id": user.id, "username": user.username, "sessions_ended": ended });
        self.record(&user.tenant, origin, now, &[Entry::new(Action::PasswordChanged).data(data)]).await
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::Ambient;
    use crate::open::{Location, PoolConfig};
    use crate::seal::MasterKey;

    #[tokio::test]
    async fn a_password_that_was_reset_since_lets_nobody_in() {
        let dir = tempfile::tempdir().unwrap();
        let ambient = Ambient::new(Timestamp::default, rand::rngs::StdRng::seed_from_u64(1));
        let location = Location::Sqlite(dir.path().join("pool.db"));
        let keys = vec![MasterKey::new(1, [7; 32])];
        let store = Store::open(&location, PoolConfig::default(), keys, ambient).await.unwrap();
        let (old, new) = (SecretString::from("correct horse"), SecretString::from("battery staple"));
        let by = Origin::internal("test");
        store.add_user(&TenantId::default(), &by, "ada", &old, Role::Owner).await.unwrap();
        // Their password has been found right; before they are let in, an owner resets it.
        let checked = store.check_secret(&by, "ada", &old).await.unwrap();
        store.set_password(&by, &checked, &new).await.unwrap();
        assert!(matches!(store.admit(&by, &checked).await, Err(SignInError::Wrong)));
        store.sign_in(&by, "ada", &new, None).await.unwrap();
        store.close().await;
    }
}
