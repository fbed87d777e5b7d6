//! What this machine can do at most: a bare axum server that reads the same request and writes an
//! answer of the same shape, and does nothing in between.

use std::net::SocketAddr;

use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

#[derive(Deserialize)]
struct Asked {
    account_id: String,
}

#[derive(Serialize)]
struct Answer {
    success: bool,
    data: Data,
    meta: Meta,
}

#[derive(Serialize)]
struct Data {
    allocation_id: &'static str,
    api_id: &'static str,
    api_hash: &'static str,
    name: &'static str,
    account_id: String,
    group_id: Option<&'static str>,
    strategy_used: &'static str,
    existing: bool,
    member_level: &'static str,
    allocated_at: &'static str,
    expires_at: Option<&'static str>,
}

#[derive(Serialize)]
struct Meta {
    request_id: &'static str,
    timestamp: &'static str,
}

/// Serves on a free port of this machine, which it prints, until it is killed.
pub async fn serve() -> anyhow::Result<()> {
    let router = Router::new().route("/api/admin/api-pool/allocate", post(echo));
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("ready at http://{}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}

async fn echo(Json(asked): Json<Asked>) -> Json<Answer> {
    Json(Answer {
        success: true,
        data: Data {
            allocation_id: "01M8P377XNRTWXABR2DWQQBTPD",
            api_id: "1000000",
            api_hash: "00000000000000000000000000000000",
            name: "bench-1000000",
            account_id: asked.account_id,
            group_id: None,
            strategy_used: "balanced",
            existing: false,
            member_level: "free",
            allocated_at: "2026-01-01T00:00:00.000Z",
            expires_at: None,
        },
        meta: Meta { request_id: "01M8P377WVYDDSBNK9FV7MCXCE", timestamp: "2026-01-01T00:00:00.000Z" },
    })
}
