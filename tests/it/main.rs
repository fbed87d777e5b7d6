//! Black box: starts the real program, on both databases, and talks to it as its users do.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

mod cluster;
mod command;
mod contract;
mod harness;
mod house;
mod live;
mod metrics;
mod small_disk;
mod storm;
