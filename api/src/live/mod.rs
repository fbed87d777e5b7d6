//! Live events: `GET /ws` tails the journal.
//!
//! One task a process reads what was committed, by whichever process, and keeps the newest of it in
//! memory, rendered once. A client keeps nothing but its place in it, so a thousand of them, asleep
//! or not, cost a thousand numbers and their sockets.

mod client;
mod event;
mod hub;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use store::Store;
use utoipa_axum::router::OpenApiRouter;

use crate::auth::Signer;
use crate::error::{ApiError, Code, Result};
use crate::extract::Anyone;
use crate::{Sealed, context};

use client::Stranger;
pub(crate) use hub::Hub;

/// The longest message of a client, in bytes: a token and a cursor.
const MESSAGE: usize = 16 << 10;
/// What a socket buffers each way, in bytes: a thousand clients must not take much.
const BUFFER: usize = 4 << 10;
/// Beyond this, in bytes, a client is too slow.
const BACKLOG: usize = 256 << 10;

pub(crate) fn router() -> OpenApiRouter<Sealed> {
    // Not in the document: OpenAPI has no words for a WebSocket. docs/live.md has.
    OpenApiRouter::new().route("/ws", get(live))
}

/// What a client needs of the application. Not the allocator: that ends with the last of its
/// handles, and clients may stay on until they are told to go.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    store: Store,
    signer: Arc<Signer>,
    hub: Arc<Hub>,
    draining: Arc<AtomicBool>,
}

async fn live(anyone: Anyone, upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>) -> Result<Response> {
    let upgrade = upgrade.map_err(|_| ApiError::new(Code::Malformed, "this path speaks WebSocket only"))?;
    let app = anyone.app;
    if app.is_draining() {
        return Err(ApiError::new(Code::Overloaded, "shutting down").retry_after(1));
    }
    let place = app.hub.stranger().ok_or_else(ApiError::overloaded)?;
    let stranger = Stranger { origin: anyone.origin, asked: context::asked(), line: context::line(), place };
    let live = Live {
        store: app.store.clone(),
        signer: Arc::clone(&app.signer),
        hub: Arc::clone(&app.hub),
        draining: Arc::clone(&app.draining),
    };
    let upgrade = upgrade
        .max_message_size(MESSAGE)
        .max_frame_size(MESSAGE)
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_write_buffer_size(BACKLOG);
    Ok(upgrade.on_upgrade(move |socket| client::serve(live, socket, stranger)).into_response())
}

impl Live {
    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
