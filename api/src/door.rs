//! What each operation of the OpenAPI document asks of its caller, read off the handler's signature:
//! so the document can't say anything else than what holds.

use domain::access::Scope;
use strum::IntoEnumIterator;
use utoipa::openapi::SecurityRequirement;
use utoipa::openapi::path::{Operation, PathItem, Paths};

use crate::error::Result;
use crate::extract::{Anyone, May, Need, Right};

/// A handler that says in its first argument who may call it.
pub(crate) trait Guarded<Arguments> {
    /// What a caller has to be; `None` when anybody may call.
    const NEED: Option<Need>;
}

macro_rules! guarded {
    ($($argument:ident),*) => {
        impl<F, Answer, R: Right, $($argument),*> Guarded<(May<R>, $($argument,)*)> for F
        where
            F: Fn(May<R>, $($argument),*) -> Answer,
        {
            const NEED: Option<Need> = Some(R::NEED);
        }
        // Who is refused may have another way in, of which the document is silent.
        impl<F, Answer, R: Right, $($argument),*> Guarded<(Result<May<R>>, $($argument,)*)> for F
        where
            F: Fn(Result<May<R>>, $($argument),*) -> Answer,
        {
            const NEED: Option<Need> = Some(R::NEED);
        }
        impl<F, Answer, $($argument),*> Guarded<(Anyone, $($argument,)*)> for F
        where
            F: Fn(Anyone, $($argument),*) -> Answer,
        {
            const NEED: Option<Need> = None;
        }
    };
}

guarded!();
guarded!(A);
guarded!(A, B);
guarded!(A, B, C);
guarded!(A, B, C, D);

/// What a handler asks of its caller.
pub(crate) fn need_of<F: Guarded<Arguments>, Arguments>(_: &F) -> Option<Need> {
    F::NEED
}

/// Writes it into the operation of that handler.
pub(crate) fn mark(paths: &mut Paths, handler: &str, need: Option<Need>) {
    let id = handler.rsplit("::").next().unwrap_or(handler).trim();
    for operation in paths.paths.values_mut().flat_map(operations) {
        if operation.operation_id.as_deref() == Some(id) {
            operation.security = Some(requirements(need));
        }
    }
}

/// The operations of a path.
pub(crate) fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch].into_iter().flatten()
}

/// A person with the permission, or a service with one of the scopes that hold it.
fn requirements(need: Option<Need>) -> Vec<SecurityRequirement> {
    match need {
        None => Vec::new(),
        Some(Need::Person) => vec![SecurityRequirement::new("person", Vec::<String>::new())],
        Some(Need::Permission(permission)) => {
            let mut all = vec![SecurityRequirement::new("person", [permission.to_string()])];
            let scope = Scope::iter().find(|scope| scope.permits(permission));
            all.extend(scope.map(|scope| SecurityRequirement::new("service", [scope.to_string()])));
            all
        }
    }
}

/// The routes of some handlers of one path, with what each asks of its caller.
macro_rules! doors {
    ($($($handler:ident)::+),+ $(,)?) => {{
        let mut routes = utoipa_axum::routes!($($($handler)::+),+);
        $($crate::door::mark(&mut routes.1, stringify!($($handler)::+), $crate::door::need_of(&$($handler)::+));)+
        routes
    }};
}
pub(crate) use doors;
