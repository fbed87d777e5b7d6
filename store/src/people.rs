//! People who sign in: users, their passwords, and the lock after failed attempts.

use std::str::FromStr;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use domain::access::Role;
use domain::event::Action;
use domain::invalid::check_text;
use domain::time::MINUTE;
use domain::{Invalid, TenantId, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sqlx::FromRow;
use tokio::sync::Semaphore;

use crate::Store;
use crate::db::{args, sql};
use crate::error::{Result, StoreError, unique};
use crate::journal::{Entry, Origin};

/// Failed logins in a row that lock an account.
pub const ATTEMPTS: i64 = 5;
/// How long it stays locked, in milliseconds.
pub const LOCKED_FOR: i64 = 15 * MINUTE;
/// The shortest password, in characters.
pub const MIN_PASSWORD: usize = 10;
/// The longest password, in bytes: hashing more would only cost time.
pub const MAX_PASSWORD: usize = 1024;

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
    password_hash: String,
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
            password_hash: row.password_hash,
        })
    }
}

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

/// A hash of nothing that anybody knows: checking against it takes as long as against a real one,
/// so that a wrong name can't be told from a wrong password by the clock.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AtXGEPQXAMYYp+PrEzX9RhpdJbYFqMNYS8EvQMfyOcE";

/// Checks a new password.
pub fn check_password(invalid: &mut Invalid, field: &str, password: &SecretString) {
    let text = password.expose_secret();
    invalid.require(text.chars().count() >= MIN_PASSWORD, field, "must be at least 10 characters");
    invalid.require(text.len() <= MAX_PASSWORD, field, "must be at most 1024 bytes");
}

/// Each hashing takes 19 MiB and a core for a while: a flood of logins must not take them all.
static HASHING: Semaphore = Semaphore::const_new(4);

async fn hash(password: &SecretString) -> Result<String> {
    let _turn = HASHING.acquire().await;
    let password = password.clone();
    let hashed = tokio::task::spawn_blocking(move || {
        Argon2::default().hash_password(password.expose_secret().as_bytes()).map(|hash| hash.to_string())
    });
    hashed
        .await
        .map_err(|e| StoreError::Damaged(format!("hashing stopped: {e}")))?
        .map_err(|e| StoreError::Damaged(format!("a password could not be hashed: {e}")))
}

async fn verify(password: &SecretString, hash: &str) -> bool {
    let _turn = HASHING.acquire().await;
    let (password, hash) = (password.clone(), hash.to_owned());
    let checked = tokio::task::spawn_blocking(move || {
        PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok())
    });
    checked.await.unwrap_or(false)
}

const BY_NAME: &str =
    "SELECT id, tenant_id, username, role, locked_until, password_hash FROM users WHERE username = $1";

impl Store {
    /// Whether there is an owner yet.
    pub async fn has_owner(&self) -> Result<bool> {
        let statement = sql!("SELECT id FROM users WHERE role = $1 LIMIT 1");
        Ok(self.db().optional::<(String,)>(statement, args![Role::Owner.to_string()]).await?.is_some())
    }

    /// Adds a user.
    pub async fn add_user(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        username: &str,
        password: &SecretString,
        role: Role,
    ) -> Result<String> {
        let mut invalid = Invalid::default();
        invalid.require(!username.trim().is_empty(), "username", "is required");
        check_text(&mut invalid, "username", username, 64);
        check_password(&mut invalid, "password", password);
        invalid.into_result()?;
        let id = self.ambient().new_id();
        let hash = hash(password).await?;
        let mut tx = self.begin().await?;
        let inserted = tx
            .execute(
                sql!(
                    "INSERT INTO users (id, tenant_id, username, password_hash, role, created_at, updated_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $6)"
                ),
                args![&id, tenant, username, hash, role.to_string(), self.now()],
            )
            .await;
        unique(inserted, "users_username", "users.username", "username")?;
        let data = json!({ "user_id": id, "username": username, "role": role });
        tx.record(tenant, origin, self.now(), &[Entry::new(Action::UserAdded).data(data)]).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// A user by the name they sign in with.
    pub async fn user_by_name(&self, username: &str) -> Result<Option<User>> {
        self.db().optional::<Row>(sql!(BY_NAME), args![username]).await?.map(User::try_from).transpose()
    }

    /// Checks a name and a password, and counts. What happens to a user is in the journal; a name
    /// that nobody has is not.
    pub async fn sign_in(&self, origin: &Origin, username: &str, password: &SecretString) -> Result<User, SignInError> {
        let Some(user) = self.user_by_name(username).await? else {
            verify(password, NOBODY).await;
            return Err(SignInError::Wrong);
        };
        if let Some(until) = user.locked_until.filter(|until| *until > self.now()) {
            return Err(SignInError::Locked(until));
        }
        let fits = verify(password, &user.password_hash).await;
        let origin = Origin { actor: format!("user:{}", user.username), ..origin.clone() };
        if fits { self.note_success(&origin, user).await } else { Err(self.note_failure(&origin, &user).await?) }
    }

    async fn note_success(&self, origin: &Origin, user: User) -> Result<User, SignInError> {
        let mut tx = self.begin().await?;
        // Looked at again: of many guesses at once, those behind the fifth failure come too late.
        let let_in = tx
            .execute(
                sql!(
                    "UPDATE users SET failed_logins = 0, locked_until = 0, last_login_at = $1
                     WHERE id = $2 AND locked_until <= $1"
                ),
                args![self.now(), &user.id],
            )
            .await?;
        if let_in == 0 {
            tx.rollback().await?;
            return Err(SignInError::Locked(self.now().plus(LOCKED_FOR)));
        }
        tx.record(&user.tenant, origin, self.now(), &[Entry::new(Action::SignedIn)]).await?;
        tx.commit().await?;
        Ok(user)
    }

    async fn note_failure(&self, origin: &Origin, user: &User) -> Result<SignInError> {
        let until = self.now().plus(LOCKED_FOR);
        let mut tx = self.begin().await?;
        let (failed,): (i64,) = tx
            .one(
                sql!("UPDATE users SET failed_logins = failed_logins + 1 WHERE id = $1 RETURNING failed_logins"),
                args![&user.id],
            )
            .await?;
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
        tx.record(&user.tenant, origin, self.now(), &entries).await?;
        tx.commit().await?;
        Ok(if locked { SignInError::Locked(until) } else { SignInError::Wrong })
    }

    /// Changes one's own password.
    pub async fn change_password(
        &self,
        origin: &Origin,
        username: &str,
        old: &SecretString,
        new: &SecretString,
    ) -> Result<(), SignInError> {
        let mut invalid = Invalid::default();
        check_password(&mut invalid, "new_password", new);
        invalid.into_result().map_err(StoreError::from)?;
        let user = self.sign_in(origin, username, old).await?;
        Ok(self.set_password(origin, &user.username, new).await?)
    }

    /// Sets a password, and unlocks.
    pub async fn set_password(&self, origin: &Origin, username: &str, new: &SecretString) -> Result<()> {
        let mut invalid = Invalid::default();
        check_password(&mut invalid, "password", new);
        invalid.into_result()?;
        let user = self.user_by_name(username).await?.ok_or(StoreError::NotFound("user"))?;
        let hash = hash(new).await?;
        let mut tx = self.begin().await?;
        tx.execute(
            sql!(
                "UPDATE users SET password_hash = $1, failed_logins = 0, locked_until = 0, updated_at = $2,
                     version = version + 1 WHERE id = $3"
            ),
            args![hash, self.now(), &user.id],
        )
        .await?;
        let data = json!({ "username": username });
        tx.record(&user.tenant, origin, self.now(), &[Entry::new(Action::PasswordChanged).data(data)]).await?;
        tx.commit().await
    }
}
