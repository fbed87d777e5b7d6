//! The invariants, checked against the database as it is. Reads only, in bounded steps.

use domain::TenantId;
use domain::credential::Shelf;
use domain::{CredentialId, GroupId, MemberLevel};

use crate::Store;
use crate::credentials::{hash_place, phone_place};
use crate::db::{Sql, args, sql};
use crate::error::Result;

/// Findings of one kind that are listed; the rest is counted.
const LISTED: usize = 20;
/// Rows read at once where every row is looked at.
const STEP: usize = 1_000;

/// One check and what it found.
#[derive(Debug)]
pub struct Check {
    /// What must hold.
    pub name: &'static str,
    /// Where it does not, at most [`LISTED`] and one line that says how many more.
    pub findings: Vec<String>,
}

impl Check {
    fn new(name: &'static str, mut findings: Vec<String>) -> Self {
        let more = findings.len().saturating_sub(LISTED);
        findings.truncate(LISTED);
        if more > 0 {
            findings.push(format!("… and {more} more"));
        }
        Self { name, findings }
    }
}

impl Store {
    /// Checks everything. `progress` is told which check is running.
    pub async fn doctor(&self, mut progress: impl FnMut(&'static str)) -> Result<Vec<Check>> {
        let queries: [(&'static str, Sql); 7] = [
            ("every credential's count equals its standing allocations", sql!(COUNTS)),
            ("no credential holds more than its slots allowed when it was given out", sql!(CAPACITY)),
            ("every allocation is on a credential of its own tenant that is not deleted", sql!(STRAYS)),
            ("the journal has no gap and ends where its counter says", sql!(JOURNAL_GAPS)),
            ("accounts point at their newest journal row", sql!(ACCOUNT_HEADS)),
            ("credentials point at their newest journal row", sql!(CREDENTIAL_HEADS)),
            ("standing allocations are in the journal, or older than it", sql!(UNRECORDED)),
        ];
        let mut checks = Vec::new();
        for (name, query) in queries {
            progress(name);
            let rows: Vec<(String,)> = self.db().all(query, args![]).await?;
            checks.push(Check::new(name, rows.into_iter().map(|(text,)| text).collect()));
        }
        progress(SECRETS_OPEN);
        checks.push(Check::new(SECRETS_OPEN, self.sealed_that_do_not_open().await?));
        progress(SHELVES_TRUE);
        checks.push(Check::new(SHELVES_TRUE, self.wrong_shelves().await?));
        Ok(checks)
    }

    async fn sealed_that_do_not_open(&self) -> Result<Vec<String>> {
        type Row = (String, String, Vec<u8>, Option<Vec<u8>>);
        let (mut findings, mut after) = (Vec::new(), String::new());
        loop {
            let rows: Vec<Row> = self
                .db()
                .all(
                    sql!(
                        "SELECT id, tenant_id, api_hash, source_phone FROM credentials WHERE id > $1 ORDER BY id LIMIT $2"
                    ),
                    args![&after, STEP],
                )
                .await?;
            let Some(last) = rows.last() else { return Ok(findings) };
            after.clone_from(&last.0);
            for (id, tenant, hash, phone) in rows {
                let (tenant, id) = (TenantId::from(tenant), CredentialId::from(id));
                if self.sealer().open(hash_place(&tenant, &id), &hash).is_err() {
                    findings.push(format!("credential {id}: api_hash"));
                }
                if phone.is_some_and(|phone| self.sealer().open(phone_place(&tenant, &id), &phone).is_err()) {
                    findings.push(format!("credential {id}: source_phone"));
                }
            }
        }
    }

    async fn wrong_shelves(&self) -> Result<Vec<String>> {
        type Row = (String, String, Option<String>, bool, i64);
        let (mut findings, mut after) = (Vec::new(), String::new());
        loop {
            let rows: Vec<Row> = self
                .db()
                .all(
                    sql!(
                        "SELECT id, shelf, group_id, is_premium, min_member_level FROM credentials
                         WHERE id > $1 AND deleted_at IS NULL ORDER BY id LIMIT $2"
                    ),
                    args![&after, STEP],
                )
                .await?;
            let Some(last) = rows.last() else { return Ok(findings) };
            after.clone_from(&last.0);
            for (id, shelf, group, is_premium, level) in rows {
                let group = group.map(GroupId::from);
                let expected = Shelf { group, is_premium, min_level: MemberLevel::from_rank(level) }.key();
                if shelf != expected {
                    findings.push(format!("credential {id} stands on {shelf}, not on {expected}"));
                }
            }
        }
    }
}

const SECRETS_OPEN: &str = "every secret opens with the master key";
const SHELVES_TRUE: &str = "every credential stands on the shelf of its group, premium flag and level";

const COUNTS: &str = "
    SELECT 'credential ' || c.id || ' counts ' || CAST(c.current_accounts AS TEXT) || ' accounts, but '
           || CAST(COALESCE(a.held, 0) AS TEXT) || ' hold it'
    FROM credentials c LEFT JOIN
         (SELECT credential_id, COUNT(*) AS held FROM accounts WHERE credential_id IS NOT NULL GROUP BY credential_id) a
         ON a.credential_id = c.id
    WHERE c.current_accounts <> COALESCE(a.held, 0)";

/// More accounts than slots are right only when a person lowered the slots since: then the last
/// allocation is older than the last edit.
const CAPACITY: &str = "
    SELECT 'credential ' || id || ' has ' || CAST(current_accounts AS TEXT) || ' accounts on '
           || CAST(max_accounts AS TEXT) || ' slots'
    FROM credentials WHERE current_accounts > max_accounts AND (version = 1 OR last_allocated_at > updated_at)";

const STRAYS: &str = "
    SELECT 'account ' || a.account_id || ' holds credential ' || a.credential_id
    FROM accounts a JOIN credentials c ON c.id = a.credential_id
    WHERE c.deleted_at IS NOT NULL OR c.tenant_id <> a.tenant_id";

const JOURNAL_GAPS: &str = "
    SELECT 'the journal has ' || CAST(COUNT(*) AS TEXT) || ' rows from ' || CAST(MIN(j.seq) AS TEXT) || ' to '
           || CAST(MAX(j.seq) AS TEXT) || ', and its counter says ' || CAST(h.journal AS TEXT)
    FROM heads h CROSS JOIN journal j GROUP BY h.journal
    HAVING MAX(j.seq) <> h.journal OR COUNT(*) <> MAX(j.seq) - MIN(j.seq) + 1";

const ACCOUNT_HEADS: &str = "
    SELECT 'account ' || a.account_id || ' points at ' || CAST(a.last_seq AS TEXT) || ', its newest row is '
           || CAST(n.newest AS TEXT)
    FROM accounts a JOIN
         (SELECT tenant_id, account_id, MAX(seq) AS newest FROM journal WHERE account_id IS NOT NULL
          GROUP BY tenant_id, account_id) n
         ON n.tenant_id = a.tenant_id AND n.account_id = a.account_id
    WHERE n.newest <> a.last_seq";

const CREDENTIAL_HEADS: &str = "
    SELECT 'credential ' || c.id || ' points at ' || CAST(c.last_seq AS TEXT) || ', its newest row is '
           || CAST(n.newest AS TEXT)
    FROM credentials c JOIN
         (SELECT credential_id, MAX(seq) AS newest FROM journal WHERE credential_id IS NOT NULL GROUP BY credential_id) n
         ON n.credential_id = c.id
    WHERE n.newest <> c.last_seq";

const UNRECORDED: &str = "
    SELECT 'account ' || a.account_id || ' holds an allocation that no journal row records'
    FROM accounts a LEFT JOIN
         (SELECT DISTINCT tenant_id, account_id, at FROM journal WHERE action = 'api.allocated') n
         ON n.tenant_id = a.tenant_id AND n.account_id = a.account_id AND n.at = a.allocated_at
    WHERE a.allocation_id IS NOT NULL AND a.allocated_at > (SELECT COALESCE(MIN(at), 0) FROM journal)
      AND n.at IS NULL";
