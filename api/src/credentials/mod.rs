//! The pool's credentials: edit, decide, import, export.

mod actions;
mod bulk;
mod edit;
mod export;
mod import;
mod view;

pub use actions::Nothing;
pub(crate) use export::neutral;
pub use export::{Export, ExportFormat};

use utoipa_axum::router::OpenApiRouter;

use crate::Sealed;
use crate::door::doors;

pub(crate) fn router() -> OpenApiRouter<Sealed> {
    OpenApiRouter::new()
        .routes(doors!(edit::list, edit::add))
        // Older clients call the collection with and without its slash.
        .route("/api/admin/api-pool", axum::routing::get(edit::list).post(edit::add))
        .routes(doors!(edit::get, edit::update, edit::delete))
        .routes(doors!(actions::enable))
        .routes(doors!(actions::disable))
        .routes(doors!(actions::ban))
        .routes(doors!(actions::unban))
        .routes(doors!(actions::reset_failures))
        .routes(doors!(actions::reveal))
        .routes(doors!(import::import))
        .route("/api/admin/api-pool/batch-import", axum::routing::post(import::import))
        .routes(doors!(import::undo))
        .routes(doors!(bulk::bulk))
        .routes(doors!(export::export))
}
