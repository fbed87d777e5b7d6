//! Sessions: one for each sign-in, kept alive by refresh tokens.
//!
//! A refresh token is used once and replaced by the next; all of a session are one family. When one
//! that was replaced comes again, somebody else has it, and the whole session ends. The one just
//! replaced is good for [`GRACE`] more and [`USES`] in all, because two tabs of a browser may use it at
//! once, and an answer may be lost: each use within that time gets a token of its own. Once one of
//! those is used in its turn, the one before is no longer the one just replaced.
//!
//! Of a session the newest [`FAMILY`] tokens are kept. An older one is nobody's: refused, no more.

use domain::event::Action;
use domain::time::{DAY, MINUTE, SECOND};
use domain::{TenantId, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sqlx::FromRow;

use super::{Row as UserRow, User, select};
use crate::credentials::hex;
use crate::db::{Tx, args, sql};
use crate::error::{Result, StoreError};
use crate::journal::{Entry, Origin};
use crate::slice::{sliced, sought};
use crate::tokens::token_hash;
use crate::{Slice, Store, Total};

/// How long a refresh token that was just replaced is still good, in milliseconds.
pub const GRACE: i64 = 30 * SECOND;
/// How often a refresh token may be used in that time, in all.
pub const USES: i64 = 5;
/// How many refresh tokens of a session are kept: those of five days of a page that is always open.
pub const FAMILY: i64 = 500;
/// How long a session lives without being used, in milliseconds.
pub const IDLE: i64 = 30 * DAY;
/// How long a revoked session is remembered in memory, in milliseconds: longer than a JWT lives.
pub(crate) const REMEMBERED: i64 = 20 * MINUTE;
/// The longest user agent that is kept, in characters.
const USER_AGENT: usize = 200;

/// A session that was just opened or refreshed.
#[derive(Debug)]
pub struct Opened {
    /// The session.
    pub session_id: String,
    /// Good for one refresh; kept as a hash only.
    pub refresh_token: SecretString,
    /// When it ends, unless it is used before.
    pub expires_at: Timestamp,
}

/// A session as people see it.
#[derive(Clone, Debug, FromRow)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// From where it was opened.
    pub ip: Option<String>,
    /// With what.
    pub user_agent: Option<String>,
    /// When, in milliseconds.
    pub created_at: i64,
    /// When it was last refreshed, in milliseconds.
    pub used_at: i64,
    /// When it ends, in milliseconds.
    pub expires_at: i64,
}

/// Why a session is not refreshed.
#[derive(Debug)]
pub enum RefreshError {
    /// Nobody's, ended, or used before.
    Refused,
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for RefreshError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A refresh token with its session.
#[derive(FromRow)]
struct Held {
    session_id: String,
    user_id: String,
    replaced_at: Option<i64>,
    revoked_at: Option<i64>,
    expires_at: i64,
}

macro_rules! select_live {
    ($rest:expr) => {
        sql!(concat!(
            "SELECT id, ip, user_agent, created_at, used_at, expires_at FROM sessions
             WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2",
            $rest
        ))
    };
}

impl Store {
    /// Takes a refresh token and answers the next one.
    pub async fn refresh_session(&self, origin: &Origin, token: &SecretString) -> Result<(User, Opened), RefreshError> {
        let (now, hash) = (self.now(), token_hash(token.expose_secret()));
        let mut tx = self.begin().await?;
        let Some(held) = tx.held(&hash).await? else { return Err(RefreshError::Refused) };
        let user: Option<UserRow> = tx.optional(select!("WHERE u.id = $1"), args![&held.user_id]).await?;
        let user: User = user.ok_or(StoreError::NotFound("user"))?.try_into()?;
        if held.revoked_at.is_some() || held.expires_at <= now.millis() {
            return Err(RefreshError::Refused);
        }
        if let Some(at) = held.replaced_at
            && (now.millis() - at > GRACE || tx.is_spent(&hash, &held.session_id, at).await?)
        {
            tx.revoke_session(&held.session_id, now).await?;
            let origin = user.origin(origin);
            let entry = Entry::new(Action::SessionReused).data(json!({ "session_id": held.session_id }));
            tx.record(&user.tenant, &origin, now, &[entry]).await?;
            tx.commit().await?;
            return Err(RefreshError::Refused);
        }
        let statement =
            sql!("UPDATE refresh_tokens SET replaced_at = $1 WHERE token_hash = $2 AND replaced_at IS NULL");
        tx.execute(statement, args![now, hash]).await?;
        tx.execute(
            sql!("UPDATE sessions SET used_at = $1, expires_at = $2 WHERE id = $3"),
            args![now, now.plus(IDLE), &held.session_id],
        )
        .await?;
        let refresh_token = tx.add_refresh_token(self, &held.session_id).await?;
        tx.forget_refresh_tokens(&held.session_id, now).await?;
        tx.commit().await?;
        Ok((user, Opened { session_id: held.session_id, refresh_token, expires_at: now.plus(IDLE) }))
    }

    /// Whose live session a refresh token is of, also one that was replaced.
    pub async fn session_of_refresh_token(&self, token: &SecretString) -> Result<Option<(User, String)>> {
        let statement = sql!(
            "SELECT s.id, s.user_id FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id
             WHERE t.token_hash = $1 AND s.revoked_at IS NULL AND s.expires_at > $2"
        );
        let hash = token_hash(token.expose_secret());
        let found: Option<(String, String)> = self.db().optional(statement, args![hash, self.now()]).await?;
        let Some((session, user)) = found else { return Ok(None) };
        let user: Option<UserRow> = self.db().optional(select!("WHERE u.id = $1"), args![user]).await?;
        user.map(|row| Ok((User::try_from(row)?, session))).transpose()
    }

    /// Ends a session that its own person has left; `false` when it had ended.
    pub async fn sign_out(&self, tenant: &TenantId, origin: &Origin, session: &str) -> Result<bool> {
        self.begin().await?.sign_out(tenant, origin, session, self.now()).await
    }

    /// Ends all sessions of a user. How many there were.
    pub async fn sign_out_everywhere(&self, tenant: &TenantId, origin: &Origin, user_id: &str) -> Result<u64> {
        let mut tx = self.begin().await?;
        let ended = tx.revoke_sessions(user_id, None, self.now()).await?;
        let data = json!({ "user_id": user_id, "sessions_ended": ended });
        tx.record(tenant, origin, self.now(), &[Entry::new(Action::SignedOut).data(data)]).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// Live sessions of a user, sought by user agent.
    pub async fn sessions(&self, user_id: &str, slice: &Slice) -> Result<Vec<Session>> {
        let statement = sliced!(slice, select_live, "id", "user_agent", "$3", "$4", "$5");
        self.db().all(statement, args![user_id, self.now(), slice.after(), slice.pattern(), slice.rows()]).await
    }

    /// How many of them there are, on all pages.
    pub async fn count_sessions(&self, user_id: &str, slice: &Slice) -> Result<Total> {
        let statement = sql!(concat!(
            "SELECT COUNT(*) FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2",
            sought!("user_agent", "$3")
        ));
        let (counted,): (i64,) = self.db().one(statement, args![user_id, self.now(), slice.pattern()]).await?;
        Ok(Total::of(counted))
    }

    /// Whose session it is; `None` when there is no live one in this tenant.
    pub async fn session_user(&self, tenant: &TenantId, session: &str) -> Result<Option<String>> {
        let statement = sql!(
            "SELECT user_id FROM sessions WHERE id = $1 AND tenant_id = $2 AND revoked_at IS NULL AND expires_at > $3"
        );
        let row: Option<(String,)> = self.db().optional(statement, args![session, tenant, self.now()]).await?;
        Ok(row.map(|(user,)| user))
    }

    /// Ends somebody's session, everywhere within [`crate::compiled::FRESH_FOR`].
    pub async fn revoke_session(&self, tenant: &TenantId, origin: &Origin, session: &str) -> Result<()> {
        let mut tx = self.begin().await?;
        if !tx.revoke_session(session, self.now()).await? {
            return Err(StoreError::NotFound("session"));
        }
        let of = sql!(
            "SELECT u.id, u.username FROM sessions s JOIN users u ON u.id = s.user_id
             WHERE s.id = $1 AND s.tenant_id = $2"
        );
        let (user_id, username): (String, String) = tx.one(of, args![session, tenant]).await?;
        let data = json!({ "session_id": session, "user_id": user_id, "username": username });
        let entry = Entry::new(Action::SessionRevoked).data(data);
        tx.record(tenant, origin, self.now(), &[entry]).await?;
        tx.commit().await
    }

    /// Forgets sessions that ended before then. How many.
    pub async fn prune_sessions(&self, before: Timestamp) -> Result<u64> {
        let mut tx = self.begin().await?;
        let ended = tx.execute(sql!("DELETE FROM sessions WHERE expires_at < $1"), args![before]).await?;
        let revoked = tx.execute(sql!("DELETE FROM sessions WHERE revoked_at < $1"), args![before]).await?;
        tx.commit().await?;
        Ok(ended + revoked)
    }
}

impl Tx {
    pub(super) async fn open_session(
        &mut self,
        store: &Store,
        user: &User,
        origin: &Origin,
        user_agent: Option<&str>,
    ) -> Result<Opened> {
        let (now, session_id) = (store.now(), store.ambient().new_id());
        let printable = |text: &str| text.chars().filter(|c| !c.is_control()).take(USER_AGENT).collect::<String>();
        self.execute(
            sql!(
                "INSERT INTO sessions (id, tenant_id, user_id, ip, user_agent, created_at, used_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $6, $7)"
            ),
            args![
                &session_id,
                &user.tenant,
                &user.id,
                origin.ip.clone(),
                user_agent.map(printable),
                now,
                now.plus(IDLE)
            ],
        )
        .await?;
        let refresh_token = self.add_refresh_token(store, &session_id).await?;
        Ok(Opened { session_id, refresh_token, expires_at: now.plus(IDLE) })
    }

    async fn add_refresh_token(&mut self, store: &Store, session_id: &str) -> Result<SecretString> {
        let token = format!("rt_{}", hex(&store.ambient().random::<32>()));
        self.execute(
            sql!("INSERT INTO refresh_tokens (token_hash, session_id, created_at) VALUES ($1, $2, $3)"),
            args![token_hash(&token), session_id, store.now()],
        )
        .await?;
        Ok(SecretString::from(token))
    }

    /// A refresh token with its session, both locked: the session first, as everywhere.
    async fn held(&mut self, hash: &[u8]) -> Result<Option<Held>> {
        let known = sql!("SELECT session_id FROM refresh_tokens WHERE token_hash = $1");
        let Some((session,)) = self.optional::<(String,)>(known, args![hash.to_vec()]).await? else { return Ok(None) };
        let locked = sql!("SELECT s.id FROM sessions s WHERE s.id = $1 FOR_UPDATE(s)");
        self.optional::<(String,)>(locked, args![session]).await?;
        self.optional(
            sql!(
                "SELECT t.session_id, s.user_id, t.replaced_at, s.revoked_at, s.expires_at
                 FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.token_hash = $1"
            ),
            args![hash.to_vec()],
        )
        .await
    }

    /// Whether a token that was replaced then has no use left: another of its session was replaced
    /// since, or it was used often enough.
    async fn is_spent(&mut self, hash: &[u8], session_id: &str, replaced_at: i64) -> Result<bool> {
        let statement = sql!(
            "SELECT COUNT(CASE WHEN replaced_at > $3 THEN 1 END), COUNT(*) FROM refresh_tokens
             WHERE session_id = $1 AND token_hash <> $2 AND (replaced_at > $3 OR created_at >= $3)"
        );
        let (newer, uses): (i64, i64) = self.one(statement, args![session_id, hash.to_vec(), replaced_at]).await?;
        Ok(newer > 0 || uses >= USES)
    }

    /// Keeps the newest of a session only.
    async fn forget_refresh_tokens(&mut self, session_id: &str, now: Timestamp) -> Result<u64> {
        let statement = sql!(
            "DELETE FROM refresh_tokens WHERE session_id = $1 AND (created_at < $2 OR created_at < (
                 SELECT created_at FROM refresh_tokens WHERE session_id = $1 ORDER BY created_at DESC LIMIT 1 OFFSET $3))"
        );
        self.execute(statement, args![session_id, now.plus(-IDLE), FAMILY - 1]).await
    }

    async fn sign_out(mut self, tenant: &TenantId, origin: &Origin, session: &str, now: Timestamp) -> Result<bool> {
        if !self.revoke_session(session, now).await? {
            self.rollback().await?;
            return Ok(false);
        }
        let entry = Entry::new(Action::SignedOut).data(json!({ "session_id": session }));
        self.record(tenant, origin, now, &[entry]).await?;
        self.commit().await?;
        Ok(true)
    }

    async fn revoke_session(&mut self, session: &str, now: Timestamp) -> Result<bool> {
        let statement = sql!("UPDATE sessions SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL");
        let revoked = self.execute(statement, args![now, session]).await? > 0;
        if revoked {
            self.bump_revision().await?;
        }
        Ok(revoked)
    }

    /// Ends the sessions of a user, but for one. How many there were.
    pub(super) async fn revoke_sessions(&mut self, user_id: &str, except: Option<&str>, now: Timestamp) -> Result<u64> {
        let statement =
            sql!("UPDATE sessions SET revoked_at = $1 WHERE user_id = $2 AND id <> $3 AND revoked_at IS NULL");
        let revoked = self.execute(statement, args![now, user_id, except.unwrap_or_default()]).await?;
        self.bump_revision().await?;
        Ok(revoked)
    }
}
