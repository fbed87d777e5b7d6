//! What goes on when the client hangs up.
//!
//! A request's own future is dropped with its connection. What must not stop half-way, or must count
//! whether or not somebody waits for the answer, runs in a task of its own.

use crate::error::{ApiError, Result};

/// Does it to its end, and waits for that as long as the client does.
pub async fn to_its_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<T> {
    tokio::spawn(work).await.map_err(|error| ApiError::internal(&error))
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn it_goes_on_when_nobody_waits() {
        let (go, gone) = oneshot::channel();
        let (done, ended) = oneshot::channel();
        let work = async move {
            gone.await.unwrap();
            done.send(7).unwrap();
        };
        assert!(to_its_end(work).now_or_never().is_none());
        go.send(()).unwrap();
        assert_eq!(ended.await.unwrap(), 7);
    }
}
