//! The journal: one append-only log that is history, audit trail and event stream.
//!
//! A row is written in the transaction of the change that it records; when it can't be, the change
//! is refused. Sequence numbers come from one counter that the transaction holds until it commits,
//! so they have no gaps and are in the order of commits: a reader that has seen `seq` has seen all
//! before it. Each account and each credential points at its newest row, and every row at the one
//! before it of the same account and credential, so that a history needs no wide index.
//!
//! Here it is written; [`crate::history`] reads it.

use std::collections::HashMap;
use std::sync::Arc;

use domain::event::Action;
use domain::{AccountKey, CredentialId, TenantId, Timestamp};
use serde_json::{Value, json};

use crate::db::{Arg, Tx, args, json_texts, sql};
use crate::error::Result;
use crate::once::Once;
use crate::rows::{row, rows_sql};

/// Who asks, from where, and in which request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `user:<name>`, `svc:<product>`, `job:<name>`, `cli` or `anonymous`.
    pub actor: Arc<str>,
    /// The client's address.
    pub ip: Option<Arc<str>>,
    /// The request, or the job's run.
    pub request_id: Option<Arc<str>>,
    /// The request's idempotency key: what it makes is made once.
    pub once: Option<Once>,
}

impl Origin {
    /// The actor of a request whose caller is not known.
    pub const NOBODY: &'static str = "anonymous";

    /// Something inside the program, without an address.
    pub fn internal(actor: impl Into<Arc<str>>) -> Self {
        Self { actor: actor.into(), ip: None, request_id: None, once: None }
    }
}

/// One thing that happened, before it has a number.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(crate) action: Action,
    pub(crate) account: Option<AccountKey>,
    pub(crate) credential: Option<CredentialId>,
    pub(crate) data: Value,
}

impl Entry {
    /// An action without a subject yet.
    pub fn new(action: Action) -> Self {
        Self { action, account: None, credential: None, data: Value::Null }
    }

    /// About this account.
    #[must_use]
    pub fn account(mut self, account: &AccountKey) -> Self {
        self.account = Some(account.clone());
        self
    }

    /// About this credential.
    #[must_use]
    pub fn credential(mut self, credential: &CredentialId) -> Self {
        self.credential = Some(credential.clone());
        self
    }

    /// With particulars. Never a secret.
    #[must_use]
    pub fn data(mut self, data: Value) -> Self {
        self.data = data;
        self
    }
}

/// An entry with its number and its back-pointers, as it is inserted.
pub(crate) struct Numbered<'a> {
    pub seq: i64,
    pub tenant: &'a TenantId,
    pub origin: &'a Origin,
    pub entry: &'a Entry,
    pub account_prev: Option<i64>,
    pub credential_prev: Option<i64>,
}

impl Numbered<'_> {
    fn row(&self, at: Timestamp) -> [Arg; 12] {
        let entry = self.entry;
        row![
            self.seq,
            self.tenant,
            at,
            entry.action.as_ref(),
            &self.origin.actor,
            entry.account.as_ref().map(AccountKey::shared),
            self.account_prev,
            entry.credential.as_ref().map(CredentialId::shared),
            self.credential_prev,
            self.origin.ip.clone(),
            self.origin.request_id.clone(),
            (!entry.data.is_null()).then(|| entry.data.to_string()),
        ]
    }
}

/// Takes `journal` and `results` numbers; returns the first of each. Holds the counters until the
/// transaction ends, so it is the last thing before the rows are written.
pub(crate) async fn take_numbers(tx: &mut Tx, journal: usize, results: usize) -> Result<(i64, i64)> {
    let (last_journal, last_result): (i64, i64) = tx
        .one(
            sql!("UPDATE heads SET journal = journal + $1, results = results + $2 WHERE id = 1 RETURNING journal, results"),
            args![journal, results],
        )
        .await?;
    Ok((last_journal - journal as i64 + 1, last_result - results as i64 + 1))
}

/// Inserts numbered rows with one statement.
pub(crate) async fn insert(tx: &mut Tx, at: Timestamp, rows: &[Numbered<'_>]) -> Result<()> {
    let statement = rows_sql!(
        "WITH ROWS(e: s BIGINT, t TEXT, w BIGINT, x TEXT, o TEXT, a TEXT, ap BIGINT, c TEXT, cp BIGINT, i TEXT, r TEXT, d TEXT)
         INSERT INTO journal (seq, tenant_id, at, action, actor, account_id, account_prev, credential_id,
                              credential_prev, ip, request_id, data)
         SELECT s, t, w, x, o, a, ap, c, cp, i, r, d FROM e"
    );
    tx.execute_of(statement, rows.iter().map(|row| row.row(at)).collect()).await?;
    Ok(())
}

impl Tx {
    /// Appends entries and moves the back-pointers of the accounts and credentials they are about.
    /// The last thing before the commit. Locks come in the allocator's order (accounts,
    /// credentials, counters), so that the two never wait for each other in a circle.
    pub(crate) async fn record(
        &mut self,
        tenant: &TenantId,
        origin: &Origin,
        at: Timestamp,
        entries: &[Entry],
    ) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut accounts = self.account_heads(tenant, entries).await?;
        let mut credentials = self.credential_heads(entries).await?;
        let (first, _) = take_numbers(self, entries.len(), 0).await?;
        let mut rows = Vec::with_capacity(entries.len());
        for (seq, entry) in (first..).zip(entries) {
            let account_prev = entry.account.as_ref().and_then(|a| advance(&mut accounts, a.as_str(), seq));
            let credential_prev = entry.credential.as_ref().and_then(|c| advance(&mut credentials, c.as_str(), seq));
            rows.push(Numbered { seq, tenant, origin, entry, account_prev, credential_prev });
        }
        insert(self, at, &rows).await?;
        self.move_heads(tenant, &accounts, &credentials).await
    }

    async fn account_heads(&mut self, tenant: &TenantId, entries: &[Entry]) -> Result<HashMap<String, i64>> {
        if entries.iter().all(|e| e.account.is_none()) {
            return Ok(HashMap::new());
        }
        let keys = json_texts(entries.iter().filter_map(|e| e.account.as_ref()).map(AccountKey::as_str));
        let rows: Vec<(String, i64)> = self
            .all(
                sql!(
                    "SELECT a.account_id, a.last_seq FROM accounts a
                     WHERE a.tenant_id = $1 AND a.account_id IN TEXTS($2) ORDER BY a.account_id FOR_UPDATE(a)"
                ),
                args![tenant, keys],
            )
            .await?;
        Ok(rows.into_iter().collect())
    }

    async fn credential_heads(&mut self, entries: &[Entry]) -> Result<HashMap<String, i64>> {
        if entries.iter().all(|e| e.credential.is_none()) {
            return Ok(HashMap::new());
        }
        let ids = json_texts(entries.iter().filter_map(|e| e.credential.as_ref()).map(CredentialId::as_str));
        let rows: Vec<(String, i64)> = self
            .all(
                sql!("SELECT c.id, c.last_seq FROM credentials c WHERE c.id IN TEXTS($1) ORDER BY c.id FOR_UPDATE(c)"),
                args![ids],
            )
            .await?;
        Ok(rows.into_iter().collect())
    }

    async fn move_heads(
        &mut self,
        tenant: &TenantId,
        accounts: &HashMap<String, i64>,
        credentials: &HashMap<String, i64>,
    ) -> Result<()> {
        if !accounts.is_empty() {
            self.execute(
                sql!(
                    "UPDATE accounts SET last_seq = CAST(e.value ->> 's' AS BIGINT) FROM EACH($1) AS e
                     WHERE accounts.tenant_id = $2 AND accounts.account_id = e.value ->> 'k'"
                ),
                args![heads_json(accounts), tenant],
            )
            .await?;
        }
        if !credentials.is_empty() {
            self.execute(
                sql!(
                    "UPDATE credentials SET last_seq = CAST(e.value ->> 's' AS BIGINT) FROM EACH($1) AS e
                     WHERE credentials.id = e.value ->> 'k'"
                ),
                args![heads_json(credentials)],
            )
            .await?;
        }
        Ok(())
    }
}

/// The former head becomes the back-pointer; `None` when there is no such row, or it has no past.
fn advance(heads: &mut HashMap<String, i64>, key: &str, seq: i64) -> Option<i64> {
    let head = heads.get_mut(key)?;
    Some(std::mem::replace(head, seq)).filter(|prev| *prev > 0)
}

fn heads_json(heads: &HashMap<String, i64>) -> String {
    heads.iter().map(|(key, seq)| json!({"k": key, "s": seq})).collect::<Value>().to_string()
}
