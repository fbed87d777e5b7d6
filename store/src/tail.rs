//! The journal as a stream: what was committed since a number, in its order.
//!
//! Numbers have no gaps and are in the order of commits, so who has seen one has seen all before it,
//! whichever process wrote them.

use sqlx::FromRow;

use crate::Store;
use crate::db::{args, sql};
use crate::error::Result;

/// A row of the journal on its way to those who listen.
#[derive(Clone, Debug, FromRow)]
pub struct Event {
    /// Its number.
    pub seq: i64,
    /// Whose.
    pub tenant_id: String,
    /// When, in milliseconds.
    pub at: i64,
    /// What.
    pub action: String,
    /// By whom.
    pub actor: String,
    /// Which account.
    pub account_id: Option<String>,
    /// Our id of the credential.
    pub credential_id: Option<String>,
    /// Telegram's id of it.
    pub api_id: Option<i64>,
    /// Particulars, as JSON text.
    pub data: Option<String>,
}

impl Store {
    /// The number of the newest row.
    pub async fn newest_event(&self) -> Result<i64> {
        Ok(self.db().one::<(i64,)>(sql!("SELECT journal FROM heads WHERE id = 1"), args![]).await?.0)
    }

    /// The number of the oldest row that is still there; `None` when there is none.
    pub async fn oldest_event(&self) -> Result<Option<i64>> {
        Ok(self.db().one::<(Option<i64>,)>(sql!("SELECT MIN(seq) FROM journal"), args![]).await?.0)
    }

    /// Up to `limit` rows behind `after`, of all tenants, in order.
    pub async fn events_after(&self, after: i64, limit: usize) -> Result<Vec<Event>> {
        self.db()
            .all(
                sql!(
                    "SELECT j.seq, j.tenant_id, j.at, j.action, j.actor, j.account_id, j.credential_id, c.api_id, j.data
                     FROM journal j LEFT JOIN credentials c ON c.id = j.credential_id
                     WHERE j.seq > $1 ORDER BY j.seq LIMIT $2"
                ),
                args![after, limit],
            )
            .await
    }
}
