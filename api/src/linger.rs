//! Reads what is left of a request before it is answered.
//!
//! A client that is still sending when its connection closes sees a reset and not the answer: that
//! its upload is too large, or that its token has expired.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::Request;
use axum::response::Response;
use futures::{Stream, StreamExt};
use tokio::sync::oneshot;

/// What the connection takes in by itself, in bytes.
const SMALL: u64 = 16 << 10;
/// The most that is read for nothing, in bytes: twice the largest import.
const MOST: usize = 32 << 20;
/// And how long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes a large body back from a handler that did not want all of it.
pub async fn around(request: Request, answer: impl AsyncFnOnce(Request) -> Response) -> Response {
    if request.body().size_hint().upper().is_some_and(|length| length <= SMALL) {
        return answer(request).await;
    }
    let (back, mut rest) = oneshot::channel();
    let lend = |body: Body| Body::from_stream(Lent { body: Some(body.into_data_stream()), back: Some(back) });
    let response = answer(request.map(lend)).await;
    if let Ok(body) = rest.try_recv()
        && tokio::time::timeout(PATIENCE, discard(body)).await.is_err()
    {
        tracing::debug!("a client did not come to the end of its body");
    }
    response
}

async fn discard(mut body: BodyDataStream) {
    let mut read = 0;
    while let Some(Ok(chunk)) = body.next().await {
        read += chunk.len();
        if read > MOST {
            break;
        }
    }
}

/// A body that goes back when it is dropped before its end.
struct Lent {
    body: Option<BodyDataStream>,
    back: Option<oneshot::Sender<BodyDataStream>>,
}

impl Stream for Lent {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let next = Pin::new(body).poll_next(context);
        if matches!(next, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        next
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(body), Some(back)) = (self.body.take(), self.back.take()) {
            // Nobody waits any more when the client has hung up.
            drop(back.send(body));
        }
    }
}
