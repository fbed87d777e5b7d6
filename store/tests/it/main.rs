//! The store's conformance: every story is told on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that meets the unexpected should stop there")]
#![allow(clippy::items_after_statements, reason = "a story names a thing where it comes up")]
#![allow(clippy::assigning_clones, reason = "how fast a draft is filled in does not matter here")]
#![allow(clippy::doc_markdown, reason = "SQLite and PostgreSQL are names, not code")]

mod examine;
mod raw;
mod server;
mod world;

mod allocate;
mod batch;
mod bulk;
mod concurrency;
mod copy;
mod credential_lists;
mod credentials;
mod crowd;
mod doctor;
mod groups;
mod imports;
mod journal;
mod leases;
mod once;
mod opening;
mod outages;
mod people;
mod pool;
mod reports;
mod rules;
mod secrets;
mod sessions;
mod settings;
mod trend;
mod users;
