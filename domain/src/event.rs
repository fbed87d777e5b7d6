//! The names of what happens, as the journal and the event stream use them.

/// What a journal row records. The text is the wire's event name where the contract has one.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::EnumString, strum::AsRefStr, strum::EnumIter,
)]
#[allow(missing_docs, reason = "the names say it; the wire's text stands beside each")]
pub enum Action {
    #[strum(serialize = "api.allocated")]
    Allocated,
    #[strum(serialize = "api.released")]
    Released,
    #[strum(serialize = "api.renewed")]
    Renewed,
    #[strum(serialize = "api.failed")]
    Failed,
    #[strum(serialize = "api.recovered")]
    Recovered,
    #[strum(serialize = "api.flagged")]
    Flagged,
    #[strum(serialize = "api.cooled")]
    Cooled,
    #[strum(serialize = "api.disabled")]
    Disabled,
    #[strum(serialize = "api.enabled")]
    Enabled,
    #[strum(serialize = "api.banned")]
    Banned,
    #[strum(serialize = "api.unbanned")]
    Unbanned,
    #[strum(serialize = "api.added")]
    Added,
    #[strum(serialize = "api.updated")]
    Updated,
    #[strum(serialize = "api.removed")]
    Removed,
    #[strum(serialize = "api.failures_reset")]
    FailuresReset,
    #[strum(serialize = "api.revealed")]
    Revealed,
    #[strum(serialize = "api.exported")]
    Exported,
    #[strum(serialize = "account.cooled")]
    AccountCooled,
    #[strum(serialize = "account.frozen")]
    AccountFrozen,
    #[strum(serialize = "account.retired")]
    AccountRetired,
    #[strum(serialize = "account.must_log_in")]
    AccountMustLogIn,
    #[strum(serialize = "client.misbehaved")]
    ClientMisbehaved,
    #[strum(serialize = "batch.imported")]
    BatchImported,
    #[strum(serialize = "batch.undone")]
    BatchUndone,
    #[strum(serialize = "group.added")]
    GroupAdded,
    #[strum(serialize = "group.updated")]
    GroupUpdated,
    #[strum(serialize = "group.removed")]
    GroupRemoved,
    #[strum(serialize = "rule.added")]
    RuleAdded,
    #[strum(serialize = "rule.updated")]
    RuleUpdated,
    #[strum(serialize = "rule.removed")]
    RuleRemoved,
    #[strum(serialize = "strategy.changed")]
    StrategyChanged,
    #[strum(serialize = "settings.changed")]
    SettingsChanged,
    #[strum(serialize = "view.saved")]
    ViewSaved,
    #[strum(serialize = "view.removed")]
    ViewRemoved,
    #[strum(serialize = "capacity.warning")]
    CapacityWarning,
    #[strum(serialize = "capacity.critical")]
    CapacityCritical,
    #[strum(serialize = "capacity.restored")]
    CapacityRestored,
    #[strum(serialize = "user.added")]
    UserAdded,
    #[strum(serialize = "user.updated")]
    UserUpdated,
    #[strum(serialize = "user.removed")]
    UserRemoved,
    #[strum(serialize = "user.signed_in")]
    SignedIn,
    #[strum(serialize = "user.signed_out")]
    SignedOut,
    #[strum(serialize = "user.sign_in_failed")]
    SignInFailed,
    #[strum(serialize = "user.locked")]
    UserLocked,
    #[strum(serialize = "user.password_changed")]
    PasswordChanged,
    #[strum(serialize = "session.revoked")]
    SessionRevoked,
    #[strum(serialize = "session.reused")]
    SessionReused,
    #[strum(serialize = "access.denied")]
    AccessDenied,
    #[strum(serialize = "token.issued")]
    TokenIssued,
    #[strum(serialize = "token.revoked")]
    TokenRevoked,
    #[strum(serialize = "job.parked")]
    JobParked,
    #[strum(serialize = "journal.pruned")]
    Pruned,
}

/// How what a row records came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::EnumString, strum::EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was refused, or failed for good.
    Failure,
}

impl Action {
    /// Whether what was tried was done.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::SignInFailed | Self::UserLocked | Self::SessionReused | Self::AccessDenied | Self::JobParked => {
                Outcome::Failure
            }
            _ => Outcome::Success,
        }
    }

    /// Whether it goes to everybody who may see the pool; the rest only to those who read the audit log.
    pub fn is_live(self) -> bool {
        let name: &str = self.as_ref();
        self.is_pool_history() || name.starts_with("job.")
    }

    /// Whether the pool's history (`/history`) shows it; the audit log shows all.
    pub fn is_pool_history(self) -> bool {
        let name: &str = self.as_ref();
        ["api.", "account.", "batch.", "capacity.", "group.", "rule.", "strategy."]
            .iter()
            .any(|prefix| name.starts_with(prefix))
    }
}
