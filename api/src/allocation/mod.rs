//! The hot path: allocate, release, renew, report, and questions about accounts.

mod account;
mod allocate;
mod preview;
mod release;
mod report;

pub(crate) use allocate::AllocateRequest;
pub(crate) use preview::{PreviewView, preview_of};

use utoipa_axum::router::OpenApiRouter;

use crate::Sealed;
use crate::door::doors;

pub(crate) fn router() -> OpenApiRouter<Sealed> {
    OpenApiRouter::new()
        .routes(doors!(allocate::allocate))
        .routes(doors!(allocate::allocate_batch))
        .routes(doors!(preview::preview))
        .routes(doors!(release::release))
        .routes(doors!(release::renew))
        .routes(doors!(report::report))
        .routes(doors!(report::report_batch))
        .routes(doors!(account::account))
        .routes(doors!(account::lookup))
}
