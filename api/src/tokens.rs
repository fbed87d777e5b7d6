//! Service tokens.

use std::collections::BTreeSet;

use domain::access::Scope;
use domain::{MemberLevel, Timestamp};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use store::tokens::{TokenDraft, TokenRow};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::Sealed;
use crate::answer::{Answer, List};
use crate::door::doors;
use crate::error::{ApiError, Result, Wrong};
use crate::extract::{Cursor, Id, May, Query, Strict, one_of, rights};
use crate::fields::{Moment, choice, moment_in, word_list, words};

pub(crate) fn router() -> OpenApiRouter<Sealed> {
    OpenApiRouter::new().routes(doors!(list, issue)).routes(doors!(revoke))
}

/// A token, without its text.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenView {
    id: String,
    product: String,
    #[schema(schema_with = word_list::<Scope>)]
    scopes: Vec<Scope>,
    #[schema(schema_with = words::<MemberLevel>)]
    member_level: MemberLevel,
    note: Option<String>,
    created_by: String,
    created_at: Moment,
    expires_at: Option<Moment>,
}

impl From<TokenRow> for TokenView {
    fn from(row: TokenRow) -> Self {
        Self {
            id: row.id,
            product: row.product,
            scopes: serde_json::from_str(&row.scopes).unwrap_or_default(),
            member_level: MemberLevel::from_rank(row.member_level),
            note: row.note,
            created_by: row.created_by,
            created_at: Moment(Timestamp::from_millis(row.created_at)),
            expires_at: row.expires_at.map(|at| Moment(Timestamp::from_millis(at))),
        }
    }
}

/// Lists live tokens, the newest first.
#[utoipa::path(
    get, path = "/api/admin/service-tokens", tag = "tokens",
    params(
        ("q" = Option<String>, Query, description = "Part of the product"),
        ("sort" = Option<String>, Query),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 500),
        ("cursor" = Option<String>, Query),
    ),
    responses((status = 200, description = "A page", body = Answer<List<TokenView>>))
)]
pub async fn list(may: May<rights::ReadTokens>, mut query: Query) -> Result<Answer<List<TokenView>>> {
    let slice = query.slice();
    query.end()?;
    let (store, tenant) = (&may.app.store, &may.caller.tenant);
    let tokens = store.tokens(tenant, &slice).await?;
    let total = store.count_tokens(tenant, &slice).await?;
    Ok(Answer::new(List::page(tokens, slice.limit, total, |last| Cursor::write(&last.id), TokenView::from)))
}

/// A new token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Which product will use it: 1 to 32 lower-case letters, digits or `-`.
    product: String,
    /// `credpool:allocate`, `credpool:release`, `credpool:account`, `credpool:report`, `credpool:*`.
    scopes: Vec<String>,
    /// The level of its accounts; `free` when absent.
    member_level: Option<String>,
    note: Option<String>,
    expires_at: Option<String>,
}

/// A token with its text: only here, only once.
#[derive(Serialize, ToSchema)]
pub struct IssuedToken {
    id: String,
    /// `null` when a request with the same `Idempotency-Key` had issued it before: it was shown then.
    token: Option<String>,
    product: String,
    #[schema(schema_with = word_list::<Scope>)]
    scopes: Vec<Scope>,
    #[schema(schema_with = words::<MemberLevel>)]
    member_level: MemberLevel,
    note: Option<String>,
    expires_at: Option<Moment>,
}

/// Issues a token. Its text is answered once and kept nowhere.
#[utoipa::path(
    post, path = "/api/admin/service-tokens", tag = "tokens", request_body = NewToken,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, description = "Issued", body = Answer<IssuedToken>))
)]
pub async fn issue(may: May<rights::ManageTokens>, Strict(new): Strict<NewToken>) -> Result<Answer<IssuedToken>> {
    let mut wrong = Wrong::default();
    let scopes = new.scopes.iter().enumerate().map(|(index, scope)| {
        scope.parse().map_err(|_| ApiError::field(&format!("scopes[{index}]"), one_of::<Scope>()))
    });
    let scopes: BTreeSet<Scope> = scopes.filter_map(|scope| wrong.note(scope)).collect();
    let draft = TokenDraft {
        product: new.product,
        scopes: scopes.into_iter().collect(),
        member_level: wrong.or(None, choice("member_level", new.member_level.as_deref())).unwrap_or_default(),
        note: new.note,
        expires_at: wrong.or(None, moment_in("expires_at", new.expires_at.as_deref())),
    };
    wrong.note(draft.check());
    wrong.end()?;
    let caller = &may.caller;
    let (id, token) = may.app.store.issue_token(&caller.tenant, &caller.origin, &draft).await?;
    Ok(Answer::new(IssuedToken {
        id,
        token: token.map(|token| token.expose_secret().to_owned()),
        product: draft.product,
        scopes: draft.scopes,
        member_level: draft.member_level,
        note: draft.note,
        expires_at: draft.expires_at.map(Moment),
    }))
}

/// What was revoked.
#[derive(Debug, Serialize, ToSchema)]
pub struct RevokedToken {
    id: String,
}

/// Revokes a token, everywhere within a second.
#[utoipa::path(
    delete, path = "/api/admin/service-tokens/{id}", tag = "tokens", params(("id" = String, Path)),
    responses((status = 200, description = "Revoked", body = Answer<RevokedToken>))
)]
pub async fn revoke(may: May<rights::ManageTokens>, Id(id): Id) -> Result<Answer<RevokedToken>> {
    may.app.store.revoke_token(&may.caller.tenant, &may.caller.origin, &id).await?;
    Ok(Answer::new(RevokedToken { id }))
}
