//! Result reports, applied to a batch's working set.
//!
//! A report charges only the party at fault, and does only what the error's code decides by
//! itself; the rest is kept as `pending` until evidence decides.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use domain::account::later;
use domain::blame::{self, Action as Deed, BlameConfig, Consequence, ErrorCode, Fault};
use domain::credential::Standing;
use domain::event::Action;
use domain::time::DAY;
use domain::{AccountKey, AccountState, CredentialId, TenantId, Timestamp};
use serde_json::json;

use super::batch::Batch;
use super::bind::Outcome;
use super::command::{Command, Refused, Report, Reported};
use super::{Asker, Work};
use crate::db::Arg;
use crate::error::Result;
use crate::journal::Entry;
use crate::rows::{Rows, row, rows_sql};

/// A report may be this old, so that clients can catch up after being offline; older ones count
/// as that old, and those of a clock that is ahead as new.
const OLDEST_REPORT: i64 = 7 * DAY;
/// The flag of a credential that one account saw refused.
const API_ID_INVALID: &str = "api_id_invalid";

pub(crate) const SEEN_RESULTS: &str = "
    WITH ROWS(e: t TEXT, i TEXT) SELECT r.tenant_id, r.result_id, r.fault FROM e CROSS JOIN results r
    WHERE r.tenant_id = e.t AND r.result_id = e.i AND r.result_id IS NOT NULL";

/// A report as it is kept, before it has a number.
pub(crate) struct Raw {
    tenant: TenantId,
    at: Timestamp,
    credential: CredentialId,
    account: Option<AccountKey>,
    proxy_id: Option<String>,
    success: bool,
    code: Option<String>,
    fault: Fault,
    charged: bool,
    latency_ms: Option<i64>,
    reporter: Arc<str>,
    result_id: Option<String>,
}

impl Raw {
    /// As a row of `results`.
    pub(super) fn row(self, seq: i64, noted_at: Timestamp) -> [Arg; 14] {
        row![
            seq,
            &self.tenant,
            self.at,
            &self.credential,
            self.account.as_ref().map(AccountKey::shared),
            self.proxy_id,
            self.success,
            self.code,
            self.fault.as_ref(),
            self.charged,
            self.latency_ms,
            self.reporter,
            noted_at,
            self.result_id,
        ]
    }
}

/// The caller's own id of a report, with who they are: two callers may count alike.
fn name_of(asker: &Asker, report: &Report) -> Option<String> {
    report.result_id.as_ref().map(|id| format!("{}\n{id}", asker.origin.actor))
}

impl Batch {
    /// Which of the batch's reports were noted before.
    pub(super) async fn load_seen_results(&mut self, work: &[Work]) -> Result<()> {
        let ids: Rows = work
            .iter()
            .filter_map(|Work { asker, command, .. }| match command {
                Command::Report(report) => Some(row![&asker.tenant, name_of(asker, report)?]),
                _ => None,
            })
            .collect();
        if !ids.is_empty() {
            let rows: Vec<(String, String, String)> = self.tx.all_of(rows_sql!(SEEN_RESULTS), ids).await?;
            let seen: HashMap<_, _> =
                rows.into_iter().map(|(tenant, id, fault)| ((TenantId::from(tenant), id), fault)).collect();
            self.seen_results = seen;
        }
        Ok(())
    }

    pub(super) fn report(&mut self, asker: &Asker, report: &Report, config: &BlameConfig) -> Outcome<Reported> {
        let Some(id) = self.set.by_api_id(&asker.tenant, report.api_id).cloned() else {
            return Ok(Err(Refused::UnknownCredential));
        };
        if let Some(fault) = self.seen_before(asker, report) {
            return self.answer(&id, fault, Deed::None, None, false).map(|r| Ok(Reported { recorded: false, ..r }));
        }
        let before = self.set.look_up(&id)?.status();
        let code = report.error.as_deref().filter(|_| !report.success).map(blame::recognise);
        let at = self.moment_of(report);
        let verdict = Self::verdict(report, code.as_ref(), config);
        self.keep_raw(asker, report, &id, code.as_ref(), verdict, at);

        let mut recovered = false;
        let deed = if report.success {
            recovered = self.succeed(asker, report, &id)?;
            Deed::None
        } else {
            self.follow(asker, report, &id, code.as_ref(), verdict.consequence, at)?
        };
        self.answer(&id, verdict.fault, deed, Some(before), recovered).map(Ok)
    }

    fn seen_before(&mut self, asker: &Asker, report: &Report) -> Option<Fault> {
        let key = (asker.tenant.clone(), name_of(asker, report)?);
        self.seen_results.get(&key).map(|fault| Fault::from_str(fault).unwrap_or(Fault::Pending))
    }

    fn moment_of(&self, report: &Report) -> Timestamp {
        report.at.map_or(self.now, |at| at.clamp(self.now.plus(-OLDEST_REPORT), self.now))
    }

    /// A failure without words is pending like one with unknown words.
    fn verdict(report: &Report, code: Option<&ErrorCode>, config: &BlameConfig) -> blame::Verdict {
        match code {
            _ if report.success => blame::Verdict { fault: Fault::None, consequence: Consequence::Nothing },
            Some(code) => blame::judge(code, config),
            None => blame::Verdict { fault: Fault::Pending, consequence: Consequence::AwaitEvidence },
        }
    }

    fn keep_raw(
        &mut self,
        asker: &Asker,
        report: &Report,
        id: &CredentialId,
        code: Option<&ErrorCode>,
        blame::Verdict { fault, consequence }: blame::Verdict,
        at: Timestamp,
    ) {
        self.results.push(Raw {
            tenant: asker.tenant.clone(),
            at,
            credential: id.clone(),
            account: report.account.clone(),
            proxy_id: report.proxy_id.clone(),
            success: report.success,
            code: code.map(|c| c.canonical.clone()),
            fault,
            charged: consequence.charges_credential(),
            latency_ms: report.latency_ms,
            reporter: Arc::clone(&asker.origin.actor),
            result_id: name_of(asker, report),
        });
        if let Some(name) = name_of(asker, report) {
            self.seen_results.insert((asker.tenant.clone(), name), fault.to_string());
        }
    }

    /// A success ends a row of failures, and clears a suspicion that it contradicts.
    fn succeed(&mut self, asker: &Asker, report: &Report, id: &CredentialId) -> Result<bool> {
        let prior = self.rules(&asker.tenant)?.prior;
        let (candidate, tally) = self.set.tallied(id)?;
        let failures = std::mem::take(&mut tally.consecutive_failures);
        tally.success_count += 1;
        tally.flag = None;
        tally.flagged_by = None;
        candidate.success_score = prior.posterior_millionths(tally.success_count, tally.fail_count);
        if failures > 0 {
            let data = json!({ "after_failures": failures });
            let entry = Entry::new(Action::Recovered).credential(id).data(data);
            self.note(asker, with_account(entry, report));
        }
        Ok(failures > 0)
    }

    /// Does what the code alone decides.
    fn follow(
        &mut self,
        asker: &Asker,
        report: &Report,
        id: &CredentialId,
        code: Option<&ErrorCode>,
        consequence: Consequence,
        at: Timestamp,
    ) -> Result<Deed> {
        let code = code.map_or("UNKNOWN", |c| c.canonical.as_str());
        if consequence.charges_credential() {
            self.charge(asker, report, id, code, at)?;
        }
        match consequence {
            Consequence::FlagCredentialThenBan => self.flag_or_ban(asker, report, id, code),
            Consequence::BanCredential { .. } => self.ban(asker, report, id, code),
            Consequence::MarkLoginOnly => {
                let (_, tally) = self.set.tallied(id)?;
                if !std::mem::replace(&mut tally.login_only, true) {
                    let data = json!({ "code": code, "login_only": true });
                    self.note(asker, with_account(Entry::new(Action::Flagged).credential(id).data(data), report));
                }
                Ok(Deed::CredentialFlagged)
            }
            Consequence::CoolAccount { seconds }
            | Consequence::FloodCoolAccount { seconds }
            | Consequence::PhoneFloodCoolAccount { seconds } => {
                Ok(self.cool_account(asker, report, id, code, at.plus(i64::from(seconds) * 1000)))
            }
            Consequence::FreezeAccount => Ok(self.set_account(asker, report, id, code, AccountState::Frozen)),
            Consequence::RetireAccount => Ok(self.set_account(asker, report, id, code, AccountState::Retired)),
            Consequence::AccountMustLogIn => {
                self.tell(asker, report, id, Action::AccountMustLogIn, code);
                Ok(Deed::None)
            }
            Consequence::FlagAccountHolders | Consequence::AlertClient => {
                self.tell(asker, report, id, Action::ClientMisbehaved, code);
                Ok(Deed::None)
            }
            // Proxies have no rows yet, and a pool-wide outage takes evidence.
            Consequence::CoolProxy { .. }
            | Consequence::CountProxyFailure
            | Consequence::CountOutage
            | Consequence::AwaitEvidence
            | Consequence::Nothing => Ok(Deed::None),
        }
    }

    /// Charges the credential with a failure.
    fn charge(&mut self, asker: &Asker, report: &Report, id: &CredentialId, code: &str, at: Timestamp) -> Result<()> {
        let prior = self.rules(&asker.tenant)?.prior;
        let (candidate, tally) = self.set.tallied(id)?;
        tally.fail_count += 1;
        tally.consecutive_failures += 1;
        tally.last_failure_at = tally.last_failure_at.max(Some(at.millis()));
        candidate.recent_failures += 1;
        candidate.success_score = prior.posterior_millionths(tally.success_count, tally.fail_count);
        let data = json!({ "code": code, "consecutive_failures": tally.consecutive_failures });
        self.note(asker, with_account(Entry::new(Action::Failed).credential(id).data(data), report));
        Ok(())
    }

    /// The first report flags; a confirming one from another account bans.
    fn flag_or_ban(&mut self, asker: &Asker, report: &Report, id: &CredentialId, code: &str) -> Result<Deed> {
        let account = report.account.as_ref().map(|a| a.as_str().to_owned());
        let (_, tally) = self.set.tallied(id)?;
        let confirmed = tally.flag.as_deref() == Some(API_ID_INVALID)
            && account.is_some()
            && tally.flagged_by.is_some()
            && tally.flagged_by != account;
        if confirmed {
            return self.ban(asker, report, id, code);
        }
        if tally.flag.is_none() || tally.flagged_by.is_none() {
            tally.flag = Some(API_ID_INVALID.to_owned());
            tally.flagged_by = account;
            let data = json!({ "code": code });
            self.note(asker, with_account(Entry::new(Action::Flagged).credential(id).data(data), report));
        }
        Ok(Deed::CredentialFlagged)
    }

    fn ban(&mut self, asker: &Asker, report: &Report, id: &CredentialId, code: &str) -> Result<Deed> {
        let credential = self.set.credential(id)?;
        if credential.candidate.standing != Standing::Banned {
            credential.candidate.standing = Standing::Banned;
            self.banned.push((id.clone(), code.to_owned()));
            let data = json!({ "reason": code, "by": "evidence" });
            self.note(asker, with_account(Entry::new(Action::Banned).credential(id).data(data), report));
        }
        Ok(Deed::CredentialBanned)
    }

    fn cool_account(
        &mut self,
        asker: &Asker,
        report: &Report,
        id: &CredentialId,
        code: &str,
        until: Timestamp,
    ) -> Deed {
        let Some(key) = &report.account else { return Deed::None };
        let account = self.set.account(&asker.tenant, key);
        let end = later(account.cooldown_until, until);
        if account.cooldown_until != Some(end) {
            account.cooldown_until = Some(end);
            account.dirty = true;
            let data = json!({ "code": code, "until": end });
            self.note(asker, Entry::new(Action::AccountCooled).account(key).credential(id).data(data));
        }
        Deed::AccountCooled
    }

    fn set_account(
        &mut self,
        asker: &Asker,
        report: &Report,
        id: &CredentialId,
        code: &str,
        state: AccountState,
    ) -> Deed {
        let Some(key) = &report.account else { return Deed::None };
        let (action, deed) = match state {
            AccountState::Retired => (Action::AccountRetired, Deed::AccountRetired),
            _ => (Action::AccountFrozen, Deed::AccountFrozen),
        };
        let account = self.set.account(&asker.tenant, key);
        // A retired account stays retired.
        if account.state != state && account.state != AccountState::Retired {
            account.state = state;
            account.dirty = true;
            let data = json!({ "code": code });
            self.note(asker, Entry::new(action).account(key).credential(id).data(data));
        }
        deed
    }

    /// Something that people should see and that charges nobody.
    fn tell(&mut self, asker: &Asker, report: &Report, id: &CredentialId, action: Action, code: &str) {
        let entry = Entry::new(action).credential(id).data(json!({ "code": code }));
        self.note(asker, with_account(entry, report));
    }

    fn answer(
        &mut self,
        id: &CredentialId,
        fault: Fault,
        action: Deed,
        before: Option<domain::Status>,
        recovered: bool,
    ) -> Result<Reported> {
        let credential = self.set.look_up(id)?;
        Ok(Reported {
            recorded: true,
            fault,
            action,
            previous_status: before.unwrap_or_else(|| credential.status()),
            new_status: credential.status(),
            consecutive_failures: credential.tally()?.consecutive_failures,
            recovered,
        })
    }
}

fn with_account(entry: Entry, report: &Report) -> Entry {
    match &report.account {
        Some(account) => entry.account(account),
        None => entry,
    }
}
