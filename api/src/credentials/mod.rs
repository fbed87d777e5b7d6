//! The pool's credentials: edit, decide, import, export.

mod actions;
mod edit;
mod export;
mod import;
mod view;

pub use actions::Nothing;
pub(crate) use export::neutral;
pub use export::{Export, ExportFormat};

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Sealed;

pub(crate) fn router() -> OpenApiRouter<Sealed> {
    OpenApiRouter::new()
        .routes(routes!(edit::list, edit::add))
        // Older clients call the collection with and without its slash.
        .route("/api/admin/api-pool", axum::routing::get(edit::list).post(edit::add))
        .routes(routes!(edit::get, edit::update, edit::delete))
        .routes(routes!(actions::enable))
        .routes(routes!(actions::disable))
        .routes(routes!(actions::ban))
        .routes(routes!(actions::unban))
        .routes(routes!(actions::reset_failures))
        .routes(routes!(actions::reveal))
        .routes(routes!(import::import))
        .route("/api/admin/api-pool/batch-import", axum::routing::post(import::import))
        .routes(routes!(import::undo))
        .routes(routes!(export::export))
}
