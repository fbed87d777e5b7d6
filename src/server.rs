//! Serves a router over HTTP/1.1, `WebSocket` included, with bounds: on connections, on how long a
//! request's head may take to come, and on what is read ahead of it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::extract::connect_info::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// How long a request's head may take to come, and how long a connection may lie idle.
const HEAD: Duration = Duration::from_secs(20);
/// What is read ahead of a connection, in bytes; a head may be twice as long at most.
const BUFFER: usize = 64 << 10;
/// The most connections, as far as the limit of open files allows. Those beyond wait to be accepted.
const CONNECTIONS: u64 = 32_768;
/// Open files for everything else: the database, live clients.
const OTHERS: u64 = 256;
/// Files have run out: some connections will end in a while.
const TROUBLED: Duration = Duration::from_secs(1);

/// Serves until `stop`, then finishes what runs.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(most_connections()));
    let connections = TaskTracker::new();
    let accepting = async {
        loop {
            // Never closed.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let (stream, address) = accept(&listener).await;
            connections.spawn(connection(stream, address, router.clone(), stop.clone(), place));
        }
    };
    stop.run_until_cancelled(accepting).await;
    drop(listener);
    connections.close();
    connections.wait().await;
}

fn most_connections() -> usize {
    let files = rlimit::getrlimit(rlimit::Resource::NOFILE).map_or(1_024, |(soft, _)| soft);
    files.saturating_sub(OTHERS).clamp(64, CONNECTIONS) as usize
}

/// The next connection. One that has failed already is nobody's trouble.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "connections can't be accepted");
                tokio::time::sleep(TROUBLED).await;
            }
        }
    }
}

fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
    stop: CancellationToken,
    _place: OwnedSemaphorePermit,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection waits to fill its packets");
    }
    let service = router.map_request(move |request: axum::http::Request<Incoming>| {
        let mut request: Request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(ConnectInfo(address));
        request
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    let mut served = std::pin::pin!(served);
    let outcome = tokio::select! {
        outcome = &mut served => outcome,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection ended badly");
    }
}
