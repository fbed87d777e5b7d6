//! Who asks, and whether they may.
//!
//! Handlers reach the application only through [`May`] (somebody with a permission) or [`Anyone`]
//! (said aloud). The router's state gives nothing else away, so a handler that forgets to say who
//! may call it has nothing to work with and does not compile.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use domain::access::Permission;
use domain::event::Action;
use domain::{MemberLevel, TenantId};
use store::allocator::Asker;
use store::compiled::{Compiled, ServiceToken};
use store::tokens::token_hash;
use store::{Asked, Once, Origin, Refusal, Store};

use crate::auth::{Claims, Signer};
use crate::error::{ApiError, Code, Result};
use crate::{AppState, Sealed, address, context};

/// A person or a service.
#[derive(Clone, Debug)]
pub enum Principal {
    /// Signed in with a password.
    Person(Claims),
    /// Holds a token.
    Service(Arc<ServiceToken>),
}

impl Principal {
    /// As the journal calls it.
    pub(crate) fn name(&self) -> Arc<str> {
        match self {
            Self::Person(claims) => format!("user:{}", claims.name).into(),
            Self::Service(token) => Arc::clone(&token.actor),
        }
    }

    /// Who it is, whatever they are called in a while.
    fn identity(&self) -> String {
        match self {
            Self::Person(claims) => claims.sub.clone(),
            Self::Service(token) => token.actor.to_string(),
        }
    }

    pub(crate) fn permits(&self, permission: Permission) -> bool {
        match self {
            Self::Person(claims) => claims.role.permits(permission),
            Self::Service(token) => token.scopes.iter().any(|scope| scope.permits(permission)),
        }
    }

    pub(crate) fn tenant(&self) -> TenantId {
        match self {
            Self::Person(claims) => claims.tenant(),
            Self::Service(token) => token.tenant.clone(),
        }
    }

    fn meets(&self, need: Need) -> Result<(), String> {
        match need {
            Need::Permission(permission) if !self.permits(permission) => {
                Err(format!("this needs the permission {permission}"))
            }
            Need::Person if matches!(self, Self::Service(_)) => Err("this is for people, not for services".to_owned()),
            Need::Permission(_) | Need::Person => Ok(()),
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

    /// The person, where services have no business.
    pub fn person(&self) -> Result<&Claims> {
        match &self.principal {
            Principal::Person(claims) => Ok(claims),
            Principal::Service(_) => Err(ApiError::new(Code::Forbidden, "this is for people, not for services")),
        }
    }
}

/// What somebody has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Somebody who has this permission.
    Permission(Permission),
    /// Any person who is signed in.
    Person,
}

/// A right as a type, so that it stands in a handler's signature.
pub trait Right: Send + Sync + 'static {
    /// What it asks for.
    const NEED: Need;
}

/// The rights by name.
pub mod rights {
    use domain::access::Permission;

    use super::{Need, Right};

    macro_rules! rights {
        ($($name:ident),*) => {
            $(#[doc = concat!("See [`Permission::", stringify!($name), "`].")]
            #[derive(Debug)]
            pub struct $name;
            impl Right for $name {
                const NEED: Need = Need::Permission(Permission::$name);
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
        ReadAudit,
        WriteRules,
        ReadSettings,
        WriteSettings,
        ReadTokens,
        ManageTokens,
        ReadUsers,
        ManageUsers
    );

    /// Any person who is signed in.
    #[derive(Debug)]
    pub struct Person;
    impl Right for Person {
        const NEED: Need = Need::Person;
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

impl<R> May<R> {
    /// A further permission that depends on what is asked.
    pub async fn require(&self, permission: Permission) -> Result<()> {
        insist(&self.app.store, &self.caller, Need::Permission(permission), context::asked()).await
    }
}

impl<R: Right> FromRequestParts<Sealed> for May<R> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Sealed) -> Result<Self> {
        let app = state.open();
        let principal = identify(parts, &app).await?;
        let mut origin = origin(parts, &app, principal.name());
        origin.once = parts.extensions.get::<Once>().map(|once| once.of(&principal.identity()));
        context::asked_by(&origin.actor);
        let tenant = principal.tenant();
        let caller = Caller { principal, tenant, origin };
        insist(&app.store, &caller, R::NEED, context::asked()).await?;
        Ok(Self { app, caller, right: PhantomData })
    }
}

/// Refuses, and notes it, whoever is not what is needed.
pub(crate) async fn insist(store: &Store, caller: &Caller, need: Need, asked: Option<Asked>) -> Result<()> {
    let Err(why) = caller.principal.meets(need) else { return Ok(()) };
    Box::pin(refuse(store, caller, why, asked)).await
}

/// In a box: what seldom happens must not make every request's future large, which is copied.
async fn refuse(store: &Store, caller: &Caller, why: String, asked: Option<Asked>) -> Result<()> {
    let refusal = Refusal { asked, ..Refusal::new(Action::AccessDenied, why.as_str()) };
    if let Err(error) = store.note_refusal(&caller.tenant, &caller.origin, refusal).await {
        tracing::warn!(%error, "a refusal was not noted");
    }
    Err(ApiError::new(Code::Forbidden, why))
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
        let app = state.open();
        let origin = origin(parts, &app, Origin::NOBODY.into());
        Ok(Self { app, origin })
    }
}

fn origin(parts: &Parts, app: &AppState, actor: Arc<str>) -> Origin {
    let ip = address::of(parts, &app.config.trusted_proxies);
    Origin { actor, ip: ip.map(|ip| ip.to_string().into()), request_id: Some(context::request_id()), once: None }
}

/// Who sends a request.
pub(crate) async fn identify(parts: &Parts, app: &AppState) -> Result<Principal> {
    let header = |name| parts.headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim).filter(|v| !v.is_empty());
    let bearer = header(header::AUTHORIZATION.as_str())
        .and_then(|v| v.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    match (header("x-service-token"), bearer) {
        (Some(token), _) => service(&app.store, token).await,
        (None, Some(token)) => identify_token(&app.store, &app.signer, token).await,
        (None, None) => Err(ApiError::new(Code::Unauthenticated, "sign in, or send a service token")),
    }
}

/// Whose token it is: a person's JWT or a service's.
pub(crate) async fn identify_token(store: &Store, signer: &Signer, token: &str) -> Result<Principal> {
    if token.starts_with("svc_") { service(store, token).await } else { person(store, signer, token).await }
}

/// A JWT says who; what they are now, and whether their session still lives, is looked up in memory,
/// at most half a second old.
async fn person(store: &Store, signer: &Signer, token: &str) -> Result<Principal> {
    let invalid = || ApiError::new(Code::Unauthenticated, "the token is not valid");
    let mut claims = signer.verify(token, store.now())?;
    let compiled = known(store, |compiled| compiled.people.contains_key(&claims.sub)).await?;
    if compiled.revoked_sessions.contains(&claims.sid) {
        return Err(ApiError::new(Code::Unauthenticated, "the session has ended; sign in again"));
    }
    let person = compiled.people.get(&claims.sub).filter(|p| p.tenant == claims.tenant()).ok_or_else(invalid)?;
    claims.name.clone_from(&person.username);
    claims.role = person.role;
    Ok(Principal::Person(claims))
}

async fn service(store: &Store, token: &str) -> Result<Principal> {
    let hash = token_hash(token);
    let compiled = known(store, |compiled| compiled.tokens.contains_key(&hash)).await?;
    let known = compiled.tokens.get(&hash);
    let token = known.ok_or_else(|| ApiError::new(Code::Unauthenticated, "the service token is not valid"))?;
    if token.expires_at.is_some_and(|end| end <= store.now()) {
        return Err(ApiError::new(Code::TokenExpired, "the service token has expired"));
    }
    Ok(Principal::Service(Arc::clone(token)))
}

/// What is compiled; looked at anew when `there` is not yet in it: it may have been made a moment ago.
async fn known(store: &Store, there: impl Fn(&Compiled) -> bool) -> Result<Arc<Compiled>> {
    let compiled = store.compiled().await?;
    Ok(if there(&compiled) { compiled } else { Box::pin(store.compiled_now()).await? })
}
