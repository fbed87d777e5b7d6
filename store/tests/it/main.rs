//! The store's conformance: every story is told on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that meets the unexpected should stop there")]

mod server;
mod world;

mod allocate;
mod concurrency;
mod credentials;
mod doctor;
mod groups;
mod imports;
mod journal;
mod leases;
mod opening;
mod people;
mod pool;
mod reports;
mod secrets;
