//! Tokens of people: short JWTs, signed with HS256 under a key that is derived from the master key.

use domain::access::Role;
use domain::time::MINUTE;
use domain::{TenantId, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use store::people::User;

use crate::error::{ApiError, Code, Result};

/// How long a JWT is good for, in milliseconds.
pub const TOKEN_LIFE: i64 = 15 * MINUTE;

/// What a JWT says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// The user's id.
    pub sub: String,
    /// The session's id.
    pub sid: String,
    /// The user's name.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// Their tenant.
    pub tenant: String,
    /// When it was issued, in seconds.
    pub iat: i64,
    /// When it ends, in seconds.
    pub exp: i64,
}

impl Claims {
    /// The user's tenant.
    pub fn tenant(&self) -> TenantId {
        TenantId::from(self.tenant.as_str())
    }
}

/// Signs and checks.
pub struct Signer {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl Signer {
    /// With a key of 32 bytes.
    pub fn new(key: &[u8; 32]) -> Self {
        Self { encoding: EncodingKey::from_secret(key), decoding: DecodingKey::from_secret(key) }
    }

    /// A token for `user`, and when it ends.
    pub fn sign(&self, user: &User, session: &str, now: Timestamp) -> Result<(String, Timestamp)> {
        let expires_at = now.plus(TOKEN_LIFE);
        let claims = Claims {
            sub: user.id.clone(),
            sid: session.to_owned(),
            name: user.username.clone(),
            role: user.role,
            tenant: user.tenant.as_str().to_owned(),
            iat: now.millis() / 1000,
            exp: expires_at.millis() / 1000,
        };
        let token =
            encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).map_err(|e| ApiError::internal(&e))?;
        Ok((token, Timestamp::from_millis(claims.exp * 1000)))
    }

    /// What `token` says, if it is ours and has not expired.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims> {
        let mut validation = Validation::new(Algorithm::HS256);
        // Our own clock decides, so that tests can move it.
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["exp", "sub"]);
        let claims = decode::<Claims>(token, &self.decoding, &validation)
            .map_err(|_| ApiError::new(Code::Unauthenticated, "the token is not valid"))?
            .claims;
        if claims.exp.saturating_mul(1000) <= now.millis() {
            return Err(ApiError::new(Code::TokenExpired, "the token has expired; sign in again"));
        }
        Ok(claims)
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer")
    }
}
