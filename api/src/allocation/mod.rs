//! The hot path: allocate, release, renew, report, and questions about accounts.

mod account;
mod allocate;
mod preview;
mod release;
mod report;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Sealed;

pub(crate) fn router() -> OpenApiRouter<Sealed> {
    OpenApiRouter::new()
        .routes(routes!(allocate::allocate))
        .routes(routes!(allocate::allocate_batch))
        .routes(routes!(preview::preview))
        .routes(routes!(release::release))
        .routes(routes!(release::renew))
        .routes(routes!(report::report))
        .routes(routes!(report::report_batch))
        .routes(routes!(account::account))
        .routes(routes!(account::lookup))
}
