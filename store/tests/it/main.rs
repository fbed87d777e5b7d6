//! The store's conformance: every story is told on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that meets the unexpected should stop there")]

mod server;
mod world;

mod allocate;
mod leases;
mod reports;
