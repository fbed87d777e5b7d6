//! Who asks, and whether they may.
//!
//! Handlers reach the application only through [`May`] (somebody with a permission) or [`Anyone`]
//! (said aloud). The router's state gives nothing else away, so a handler that forgets to say who
//! may call it has nothing to work with and does not compile.

use std::marker::PhantomData;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use domain::access::Permission;
use domain::{MemberLevel, TenantId};
use store::Origin;
use store::allocator::Asker;
use store::compiled::ServiceToken;
use store::tokens::token_hash;

use crate::auth::Claims;
use crate::error::{ApiError, Code, Result};
use crate::{AppState, Sealed, context};

/// A person or a service.
#[derive(Clone, Debug)]
pub enum Principal {
    /// Signed in with a password.
    Person(Claims),
    /// Holds a token.
    Service(ServiceToken),
}

impl Principal {
    fn name(&self) -> String {
        match self {
            Self::Person(claims) => format!("user:{}", claims.name),
            Self::Service(token) => format!("svc:{}", token.product),
        }
    }

    fn permits(&self, permission: Permission) -> bool {
        match self {
            Self::Person(claims) => claims.role.permits(permission),
            Self::Service(token) => token.scopes.iter().any(|scope| scope.permits(permission)),
        }
    }

    fn tenant(&self) -> TenantId {
        match self {
            Self::Person(claims) => claims.tenant(),
            Self::Service(token) => token.tenant.clone(),
        }
    }
}

/// Somebody who was let in.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who.
    pub principal: Principal,
    /// Their tenant.
    pub tenant: TenantId,
    /// For the journal.
    pub origin: Origin,
}

impl Caller {
    /// On whose behalf the allocator works.
    pub fn asker(&self) -> Asker {
        Asker { tenant: self.tenant.clone(), origin: self.origin.clone() }
    }

    /// The level of an allocation: a service has its token's, a person may say.
    pub fn level(&self, asked: Option<MemberLevel>) -> MemberLevel {
        match &self.principal {
            Principal::Service(token) => token.member_level,
            Principal::Person(claims) if claims.role.permits(Permission::SetLevel) => asked.unwrap_or_default(),
            Principal::Person(_) => MemberLevel::default(),
        }
    }

    /// A further permission that depends on what is asked.
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.principal.permits(permission) { Ok(()) } else { Err(forbidden(permission)) }
    }

    /// The person, where services have no business.
    pub fn person(&self) -> Result<&Claims> {
        match &self.principal {
            Principal::Person(claims) => Ok(claims),
            Principal::Service(_) => Err(ApiError::new(Code::Forbidden, "this is for people, not for services")),
        }
    }
}

fn forbidden(permission: Permission) -> ApiError {
    ApiError::new(Code::Forbidden, format!("this needs the permission {permission}"))
}

/// A right as a type, so that it stands in a handler's signature.
pub trait Right: Send + Sync + 'static {
    /// The permission it stands for; `None` asks only for somebody who is signed in.
    const PERMISSION: Option<Permission>;
}

/// The rights by name.
pub mod rights {
    use domain::access::Permission;

    use super::Right;

    macro_rules! rights {
        ($($name:ident),*) => {
            $(#[doc = concat!("See [`Permission::", stringify!($name), "`].")]
            #[derive(Debug)]
            pub struct $name;
            impl Right for $name {
                const PERMISSION: Option<Permission> = Some(Permission::$name);
            })*
        };
    }

    rights!(
        Allocate,
        Release,
        ReadAccount,
        Report,
        ReadCredentials,
        WriteCredentials,
        DeleteCredentials,
        Reveal,
        WriteSettings,
        ManageTokens
    );

    /// Anybody who is signed in.
    #[derive(Debug)]
    pub struct SignedIn;
    impl Right for SignedIn {
        const PERMISSION: Option<Permission> = None;
    }
}

/// The application, in the hands of somebody who has the right `R`.
#[derive(Debug)]
pub struct May<R> {
    /// The application.
    pub app: AppState,
    /// Who asks.
    pub caller: Caller,
    right: PhantomData<R>,
}

impl<R: Right> FromRequestParts<Sealed> for May<R> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Sealed) -> Result<Self> {
        let app = state.open();
        let principal = identify(parts, &app).await?;
        let origin = origin(parts, principal.name());
        context::asked_by(&origin.actor);
        if let Some(permission) = R::PERMISSION.filter(|p| !principal.permits(*p)) {
            return Err(forbidden(permission));
        }
        let tenant = principal.tenant();
        Ok(Self { app, caller: Caller { principal, tenant, origin }, right: PhantomData })
    }
}

/// The application, for everybody. Only for what has to be open: signing in, health, documents.
#[derive(Debug)]
pub struct Anyone {
    /// The application.
    pub app: AppState,
    /// For the journal.
    pub origin: Origin,
}

impl FromRequestParts<Sealed> for Anyone {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &Sealed) -> Result<Self, Self::Rejection> {
        Ok(Self { app: state.open(), origin: origin(parts, "anonymous".to_owned()) })
    }
}

fn origin(parts: &Parts, actor: String) -> Origin {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    Origin { actor, ip: peer.map(|p| p.0.ip().to_string()), request_id: Some(context::request_id()) }
}

async fn identify(parts: &Parts, app: &AppState) -> Result<Principal> {
    let header = |name| parts.headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim).filter(|v| !v.is_empty());
    let bearer = header(header::AUTHORIZATION.as_str())
        .and_then(|v| v.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    match (header("x-service-token"), bearer) {
        (Some(token), _) => service(token, app).await,
        (None, Some(token)) if token.starts_with("svc_") => service(token, app).await,
        (None, Some(token)) => app.signer.verify(token, app.store.now()).map(Principal::Person),
        (None, None) => Err(ApiError::new(Code::Unauthenticated, "sign in, or send a service token")),
    }
}

async fn service(token: &str, app: &AppState) -> Result<Principal> {
    let hash = token_hash(token);
    let mut compiled = app.store.compiled().await?;
    if !compiled.tokens.contains_key(&hash) {
        // It may have been issued a moment ago.
        compiled = app.store.compiled_now().await?;
    }
    let known = compiled.tokens.get(&hash);
    let token = known.ok_or_else(|| ApiError::new(Code::Unauthenticated, "the service token is not valid"))?;
    if token.expires_at.is_some_and(|end| end <= app.store.now()) {
        return Err(ApiError::new(Code::TokenExpired, "the service token has expired"));
    }
    Ok(Principal::Service(token.clone()))
}
