//! Whether the program is alive, and whether it is ready.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use axum::Json;

use crate::Sealed;
use crate::door::doors;
use crate::error::{ApiError, Code, Result};
use crate::extract::Anyone;

pub(crate) fn router() -> OpenApiRouter<Sealed> {
    OpenApiRouter::new().routes(doors!(health)).routes(doors!(ready))
}

/// Alive.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthView {
    /// `ok` while it can serve.
    status: &'static str,
    version: String,
}

/// Ready.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadyView {
    status: &'static str,
    database: &'static str,
    queue: &'static str,
}

fn away(what: &str) -> ApiError {
    ApiError::new(Code::Overloaded, what).retry_after(1)
}

/// Whether the program can serve: it can't while the database does not answer, as of at most a second
/// ago. For uptime monitors. A liveness probe that restarts the program should rather look whether its
/// port is open: a restart brings no database back.
#[utoipa::path(
    get, path = "/api/health", tag = "system",
    responses(
        (status = 200, description = "It can", body = HealthView),
        (status = 503, description = "Degraded: the database does not answer"),
    )
)]
pub async fn health(anyone: Anyone) -> Result<Json<HealthView>> {
    if !anyone.app.store.answers().await {
        return Err(away("degraded: the database does not answer"));
    }
    Ok(Json(HealthView { status: "ok", version: anyone.app.config.version.clone() }))
}

/// Whether clients should be sent here: the database and the queue answer, and it is not draining.
#[utoipa::path(
    get, path = "/api/ready", tag = "system",
    responses(
        (status = 200, description = "Ready", body = ReadyView),
        (status = 503, description = "Not ready"),
    )
)]
pub async fn ready(anyone: Anyone) -> Result<Json<ReadyView>> {
    if anyone.app.is_draining() {
        return Err(away("shutting down"));
    }
    if !anyone.app.store.answers().await {
        return Err(away("the database does not answer"));
    }
    let queue = anyone.app.store.due_jobs(jobs::Queue::Quick).await;
    queue.map_err(|_| away("the queue does not answer"))?;
    Ok(Json(ReadyView { status: "ready", database: "ok", queue: "ok" }))
}
