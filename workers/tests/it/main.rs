//! The work, on real databases: every story is told on both.

#![allow(clippy::unwrap_used, reason = "a story that can't go on has failed")]

mod databases;
mod death;
mod failures;
mod queues;
mod stage;
mod work;

/// Tells each story on both databases.
macro_rules! on_both {
    ($($story:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::$story(crate::databases::Database::sqlite()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::$story(crate::databases::Database::postgres().await).await;
            })*
        }
    };
}
pub(crate) use on_both;
