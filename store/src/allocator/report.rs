//! Result reports, applied to a batch's working set.
//!
//! A report charges only the party at fault, and does only what the error's code decides by
//! itself; the rest is kept as `pending` until evidence decides.

use std::collections::HashMap;
use std::str::FromStr;

use domain::account::later;
use domain::blame::{self, Action as Deed, BlameConfig, Consequence, ErrorCode, Fault};
use domain::credential::Standing;
use domain::event::Action;
use domain::time::DAY;
use domain::{AccountKey, AccountState, CredentialId, TenantId, Timestamp};
use serde_json::{Value, json};

use super::batch::Batch;
use super::bind::Outcome;
use super::command::{Command, Refused, Report, Reported};
use super::{Asker, Work};
use crate::db::{args, sql};
use crate::error::Result;
use crate::journal::Entry;

/// A report may be this old, so that clients can catch up after being offline; older ones count
/// as that old, and those of a clock that is ahead as new.
const OLDEST_REPORT: i64 = 7 * DAY;
/// The flag of a credential that one account saw refused.
const API_ID_INVALID: &str = "api_id_invalid";

pub(crate) const SEEN_RESULTS: &str = "
    SELECT r.tenant_id, r.result_id, r.fault FROM EACH($1) AS e CROSS JOIN results r
    WHERE r.tenant_id = e.value ->> 't' AND r.result_id = e.value ->> 'i' AND r.result_id IS NOT NULL";

/// The caller's own id of a report, with who they are: two callers may count alike.
fn name_of(asker: &Asker, report: &Report) -> Option<String> {
    report.result_id.as_ref().map(|id| format!("{}\n{id}", asker.origin.actor))
}

impl Batch {
    /// Which of the batch's reports were noted before.
    pub(super) async fn load_seen_results(&mut self, work: &[Work]) -> Result<()> {
        let ids: Vec<Value> = work
            .iter()
            .filter_map(|Work { asker, command, .. }| match command {
                Command::Report(report) => Some(json!({ "t": asker.tenant.as_str(), "i": name_of(asker, report)? })),
                _ => None,
            })
            .collect();
        if !ids.is_empty() {
            let rows: Vec<(String, String, String)> =
                self.tx.all(sql!(SEEN_RESULTS), args![Value::Array(ids).to_string()]).await?;
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
        let before = self.set.credential(&id)?.status();
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
        self.results.push(json!({
            "t": asker.tenant.as_str(),
            "w": at.millis(),
            "c": id.as_str(),
            "a": report.account.as_ref().map(AccountKey::as_str),
            "p": report.proxy_id,
            "ok": report.success,
            "x": code.map(|c| c.canonical.as_str()),
            "f": fault.to_string(),
            "ch": consequence.charges_credential(),
            "l": report.latency_ms,
            "o": asker.origin.actor,
            "n": self.now.millis(),
            "i": name_of(asker, report),
        }));
        if let Some(name) = name_of(asker, report) {
            self.seen_results.insert((asker.tenant.clone(), name), fault.to_string());
        }
    }

    /// A success ends a row of failures, and clears a suspicion that it contradicts.
    fn succeed(&mut self, asker: &Asker, report: &Report, id: &CredentialId) -> Result<bool> {
        let prior = self.rules(&asker.tenant)?.prior;
        let credential = self.set.credential(id)?;
        let failures = std::mem::take(&mut credential.consecutive_failures);
        credential.success_count += 1;
        credential.flag = None;
        credential.flagged_by = None;
        credential.candidate.success_score =
            prior.posterior_millionths(credential.success_count, credential.fail_count);
        credential.dirty = true;
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
                let credential = self.set.credential(id)?;
                if !std::mem::replace(&mut credential.login_only, true) {
                    credential.dirty = true;
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
        let credential = self.set.credential(id)?;
        credential.fail_count += 1;
        credential.consecutive_failures += 1;
        credential.candidate.recent_failures += 1;
        credential.last_failure_at = Some(credential.last_failure_at.map_or(at, |last| last.max(at)));
        credential.candidate.success_score =
            prior.posterior_millionths(credential.success_count, credential.fail_count);
        credential.dirty = true;
        let data = json!({ "code": code, "consecutive_failures": credential.consecutive_failures });
        self.note(asker, with_account(Entry::new(Action::Failed).credential(id).data(data), report));
        Ok(())
    }

    /// The first report flags; a confirming one from another account bans.
    fn flag_or_ban(&mut self, asker: &Asker, report: &Report, id: &CredentialId, code: &str) -> Result<Deed> {
        let account = report.account.as_ref().map(|a| a.as_str().to_owned());
        let credential = self.set.credential(id)?;
        let confirmed = credential.flag.as_deref() == Some(API_ID_INVALID)
            && account.is_some()
            && credential.flagged_by.is_some()
            && credential.flagged_by != account;
        if confirmed {
            return self.ban(asker, report, id, code);
        }
        if credential.flag.is_none() || credential.flagged_by.is_none() {
            credential.flag = Some(API_ID_INVALID.to_owned());
            credential.flagged_by = account;
            credential.dirty = true;
            let data = json!({ "code": code });
            self.note(asker, with_account(Entry::new(Action::Flagged).credential(id).data(data), report));
        }
        Ok(Deed::CredentialFlagged)
    }

    fn ban(&mut self, asker: &Asker, report: &Report, id: &CredentialId, code: &str) -> Result<Deed> {
        let credential = self.set.credential(id)?;
        if credential.candidate.standing != Standing::Banned {
            credential.candidate.standing = Standing::Banned;
            credential.ban_reason = Some(code.to_owned());
            credential.dirty = true;
            self.banned.push(id.clone());
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
        let credential = self.set.credential(id)?;
        Ok(Reported {
            recorded: true,
            fault,
            action,
            previous_status: before.unwrap_or_else(|| credential.status()),
            new_status: credential.status(),
            consecutive_failures: credential.consecutive_failures,
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
