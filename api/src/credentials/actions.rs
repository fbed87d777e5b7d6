//! Decisions about one credential.

use domain::invalid::{SHORT_TEXT, check_text};
use domain::{CredentialId, Invalid};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use store::Store;
use utoipa::ToSchema;

use super::edit::answer;
use super::view::CredentialView;
use crate::answer::Answer;
use crate::error::Result;
use crate::extract::{Caller, Id, May, Strict, rights};
use crate::fields::ApiIdText;

/// Nothing is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A reason, for the journal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Why, in at most 200 characters.
    reason: String,
}

impl Reason {
    fn check(&self) -> Result<&str> {
        let mut invalid = Invalid::default();
        invalid.require(!self.reason.trim().is_empty(), "reason", "is required");
        check_text(&mut invalid, "reason", &self.reason, SHORT_TEXT);
        invalid.into_result()?;
        Ok(&self.reason)
    }
}

async fn after(store: &Store, caller: &Caller, id: &CredentialId) -> Result<Answer<CredentialView>> {
    Ok(answer(store.credential(&caller.tenant, id).await?))
}

/// An action without particulars.
macro_rules! action {
    ($(#[$doc:meta])* $name:ident, $path:literal, $method:ident $(, unless $conflict:literal)?) => {
        $(#[$doc])*
        #[utoipa::path(
            post, path = $path, tag = "credentials", request_body = Nothing, params(("id" = String, Path)),
            responses(
                (status = 200, description = "Done", body = Answer<CredentialView>),
                $((status = 409, description = $conflict),)?
            )
        )]
        pub async fn $name(
            may: May<rights::WriteCredentials>,
            Id(id): Id,
            Strict(Nothing {}): Strict<Nothing>,
        ) -> Result<Answer<CredentialView>> {
            let (id, store, caller) = (CredentialId::from(id), &may.app.store, &may.caller);
            store.$method(&caller.tenant, &caller.origin, &id).await?;
            after(store, caller, &id).await
        }
    };
}

action!(
    /// Switches a credential on. A ban must be lifted first.
    enable, "/api/admin/api-pool/{id}/enable", enable_credential, unless "It is banned"
);
action!(
    /// Switches a credential off. Accounts on it keep it.
    disable, "/api/admin/api-pool/{id}/disable", disable_credential, unless "It is banned"
);
action!(
    /// Lifts a ban.
    unban, "/api/admin/api-pool/{id}/unban", unban_credential, unless "It is not banned"
);
action!(
    /// Forgives: failures in a row, recent failures, cooldown and suspicion start anew.
    reset_failures, "/api/admin/api-pool/{id}/reset-failures", reset_failures
);

/// Bans a credential. Its accounts are refused (3004) until they ask for a fresh one.
#[utoipa::path(
    post, path = "/api/admin/api-pool/{id}/ban", tag = "credentials", request_body = Reason, params(("id" = String, Path)),
    responses((status = 200, description = "Banned", body = Answer<CredentialView>))
)]
pub async fn ban(
    may: May<rights::WriteCredentials>,
    Id(id): Id,
    Strict(reason): Strict<Reason>,
) -> Result<Answer<CredentialView>> {
    let (id, store, caller) = (CredentialId::from(id), &may.app.store, &may.caller);
    store.ban_credential(&caller.tenant, &caller.origin, &id, reason.check()?).await?;
    after(store, caller, &id).await
}

/// A plain secret.
#[derive(Serialize, ToSchema)]
pub struct Revealed {
    api_id: ApiIdText,
    api_hash: String,
}

/// Shows the plain `api_hash`, for a reason that the journal keeps.
#[utoipa::path(
    post, path = "/api/admin/api-pool/{id}/reveal", tag = "credentials", request_body = Reason, params(("id" = String, Path)),
    responses((status = 200, description = "The secret", body = Answer<Revealed>))
)]
pub async fn reveal(may: May<rights::Reveal>, Id(id): Id, Strict(reason): Strict<Reason>) -> Result<Answer<Revealed>> {
    let (id, caller) = (CredentialId::from(id), &may.caller);
    let (credential, hash) = may.app.store.reveal(&caller.tenant, &caller.origin, &id, reason.check()?).await?;
    Ok(Answer::new(Revealed { api_id: ApiIdText(credential.api_id), api_hash: hash.expose_secret().to_owned() }))
}
