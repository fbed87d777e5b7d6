//! Service tokens: `svc_<product>_<random>`, kept as SHA-256, shown once.

use domain::access::Scope;
use domain::event::Action;
use domain::invalid::{SHORT_TEXT, check_text};
use domain::{Invalid, MemberLevel, TenantId, Timestamp};
use secrecy::SecretString;
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::FromRow;

use crate::credentials::hex;
use crate::db::{args, sql};
use crate::error::{Result, StoreError};
use crate::journal::{Entry, Origin};
use crate::slice::{sliced, sought};
use crate::{Slice, Store, Total};

/// What a person says of a token.
#[derive(Clone, Debug)]
pub struct TokenDraft {
    /// The product that will use it: lower-case letters, digits and `-`.
    pub product: String,
    /// What it is good for.
    pub scopes: Vec<Scope>,
    /// The level of its accounts.
    pub member_level: MemberLevel,
    /// For people.
    pub note: Option<String>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

impl TokenDraft {
    /// Everything that is wrong with it, whenever that is.
    pub fn check(&self) -> Result<(), Invalid> {
        let mut invalid = Invalid::default();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let named = (1..=32).contains(&self.product.len()) && self.product.chars().all(plain);
        invalid.require(named, "product", "must be 1 to 32 lower-case letters, digits or '-'");
        invalid.require(!self.scopes.is_empty(), "scopes", "must name at least one");
        if let Some(note) = &self.note {
            check_text(&mut invalid, "note", note, SHORT_TEXT);
        }
        invalid.into_result()
    }
}

/// A token as people see it.
#[derive(Clone, Debug, FromRow)]
pub struct TokenRow {
    /// Its id.
    pub id: String,
    /// The product.
    pub product: String,
    /// Scopes, a JSON array of texts.
    pub scopes: String,
    /// The level's rank.
    pub member_level: i64,
    /// For people.
    pub note: Option<String>,
    /// Who issued it.
    pub created_by: String,
    /// When, in milliseconds.
    pub created_at: i64,
    /// When it ends, in milliseconds.
    pub expires_at: Option<i64>,
}

/// The text under which a token is looked up.
pub fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

macro_rules! select {
    ($rest:expr) => {
        sql!(concat!(
            "SELECT id, product, scopes, member_level, note, created_by, created_at, expires_at
             FROM service_tokens WHERE tenant_id = $1 AND revoked_at IS NULL",
            $rest
        ))
    };
}

impl Store {
    /// Issues a token; its text is answered here and nowhere else. `None` when the request's key had
    /// issued it before.
    pub async fn issue_token(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        draft: &TokenDraft,
    ) -> Result<(String, Option<SecretString>)> {
        draft.check()?;
        let id = self.ambient().new_id();
        let token = format!("svc_{}_{}", draft.product, hex(&self.ambient().random::<24>()));
        let mut tx = self.begin().await?;
        if let Some(made) = tx.claim(tenant, origin.once.as_ref(), &id, self.now()).await? {
            return Ok((made, None));
        }
        if draft.expires_at.is_some_and(|end| end <= self.now()) {
            return Err(Invalid::field("expires_at", "must be in the future").into());
        }
        tx.execute(
            sql!(
                "INSERT INTO service_tokens (id, tenant_id, product, token_hash, scopes, member_level, note, created_by,
                     created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
            ),
            args![
                &id,
                tenant,
                &draft.product,
                token_hash(&token),
                json!(draft.scopes).to_string(),
                draft.member_level.rank(),
                draft.note.clone(),
                &origin.actor,
                self.now(),
                draft.expires_at
            ],
        )
        .await?;
        tx.bump_revision().await?;
        let after = json!({
            "product": draft.product, "scopes": draft.scopes, "member_level": draft.member_level, "note": draft.note,
            "expires_at": draft.expires_at,
        });
        let data = json!({ "token_id": id, "after": after });
        tx.record(tenant, origin, self.now(), &[Entry::new(Action::TokenIssued).data(data)]).await?;
        tx.commit().await?;
        Ok((id, Some(SecretString::from(token))))
    }

    /// Live tokens, sought by product.
    pub async fn tokens(&self, tenant: &TenantId, slice: &Slice) -> Result<Vec<TokenRow>> {
        let statement = sliced!(slice, select, "id", "product", "$2", "$3", "$4");
        self.db().all(statement, args![tenant, slice.after(), slice.pattern(), slice.rows()]).await
    }

    /// How many live tokens there are, on all pages.
    pub async fn count_tokens(&self, tenant: &TenantId, slice: &Slice) -> Result<Total> {
        let statement = sql!(concat!(
            "SELECT COUNT(*) FROM service_tokens WHERE tenant_id = $1 AND revoked_at IS NULL",
            sought!("product", "$2")
        ));
        let (counted,): (i64,) = self.db().one(statement, args![tenant, slice.pattern()]).await?;
        Ok(Total::of(counted))
    }

    /// Revokes a token, for every process within [`crate::compiled::FRESH_FOR`].
    pub async fn revoke_token(&self, tenant: &TenantId, origin: &Origin, id: &str) -> Result<()> {
        let mut tx = self.begin().await?;
        let revoked: Option<(String,)> = tx
            .optional(
                sql!(
                    "UPDATE service_tokens SET revoked_at = $1 WHERE id = $2 AND tenant_id = $3 AND revoked_at IS NULL
                     RETURNING product"
                ),
                args![self.now(), id, tenant],
            )
            .await?;
        let (product,) = revoked.ok_or(StoreError::NotFound("token"))?;
        tx.bump_revision().await?;
        let data = json!({ "token_id": id, "product": product });
        tx.record(tenant, origin, self.now(), &[Entry::new(Action::TokenRevoked).data(data)]).await?;
        tx.commit().await
    }
}
