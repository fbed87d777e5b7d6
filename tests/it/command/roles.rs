//! `serve`, `api` and `worker`; and who wins: default < file < environment < flags.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::contract::{POOL, pool};
use crate::harness::{Kind, PATIENCE, Place, Server, free_port, upload};
use crate::on_both;

/// An api does no jobs, a worker binds no port; together they are one pool.
async fn api_and_worker_share_a_database(kind: Kind) {
    let place = Place::new(kind).await;
    let api = place.start("api").await;
    let owner = api.owner().await;
    let reply = owner.post(&pool("batch"), upload(1_000_000, 10_001, 1)).await;
    assert_eq!(reply.status, 202);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(owner.get(&format!("{POOL}?limit=1")).await.data()["total"], 0, "the api does no jobs");

    let port = free_port();
    let mut command = place.command();
    command.arg("worker").env("HTTP_PORT", port.to_string());
    let worker = Server::spawn(command, place.dir.path()).await;
    let started = Instant::now();
    while owner.get(&pool("history?action=batch.imported")).await.data()["items"].as_array().unwrap().is_empty() {
        assert!(started.elapsed() < PATIENCE, "{}", worker.logged());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "a worker binds no port");
    assert_eq!(owner.get(&format!("{POOL}?limit=1")).await.data()["total_is_capped"], true);
    owner.ok("POST", &pool("allocate"), json!({ "account_id": "a" })).await;
    worker.stop().await;
    owner.ok("POST", &pool("allocate"), json!({ "account_id": "b" })).await;
    api.stop().await;
    place.assert_sound();
}

async fn answers_at(command: Command, place: &Place, port: u16) {
    let server = Server::spawn(command, place.dir.path()).await;
    assert_eq!(server.base, format!("http://127.0.0.1:{port}"));
    let health = server.anonymous().send("GET", "/api/health", Value::Null).await.unwrap();
    assert_eq!(health.1["status"], "ok");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn layers_win_in_order() {
    let place = Place::new(Kind::Sqlite).await;
    let [of_file, of_env, of_prefix, of_flag] = std::array::from_fn(|_| free_port());
    let path = place.dir.path().join("pool.toml");
    fs::write(&path, format!("http_port = {of_file}\n\n[capacity]\nwarning_percent = 70.0\n")).unwrap();
    let command = |layers: &[(&str, u16)], flags: &[&str]| {
        let mut command = place.command();
        command.env_remove("HTTP_PORT").arg("serve").args(flags);
        for (name, port) in layers {
            command.env(name, port.to_string());
        }
        command
    };
    let file = ["--config", path.to_str().unwrap()];
    answers_at(command(&[], &file), &place, of_file).await;
    answers_at(command(&[("HTTP_PORT", of_env)], &file), &place, of_env).await;
    answers_at(command(&[("HTTP_PORT", of_env), ("API_POOL_HTTP_PORT", of_prefix)], &file), &place, of_prefix).await;
    let flag = of_flag.to_string();
    let flags = [file[0], file[1], "--http-port", &flag];
    answers_at(command(&[("HTTP_PORT", of_env), ("API_POOL_HTTP_PORT", of_prefix)], &flags), &place, of_flag).await;
    // The file may be named by the environment; an empty name counts as absent.
    let mut named = command(&[], &[]);
    named.env("API_POOL_CONFIG", &path).env("HTTP_PORT", "");
    answers_at(named, &place, of_file).await;
    // Flags may stand before the command too, and the database's path is a layer like any other.
    let mut elsewhere = place.command();
    elsewhere.args(["--http-port", &flag, "--database-path", "elsewhere/deep/other.db", "serve"]);
    answers_at(elsewhere, &place, of_flag).await;
    assert!(place.dir.path().join("elsewhere/deep/other.db").exists());
}

/// What nobody configures is documented: port 8080 on loopback, the file under `./data`.
#[tokio::test(flavor = "multi_thread")]
async fn defaults_are_as_documented() {
    let place = Place::new(Kind::Sqlite).await;
    let mut command = place.command();
    command.env_remove("DATABASE_PATH").env_remove("API_POOL_MASTER_KEY").arg("migrate");
    let printed = super::done(&command.output().unwrap());
    assert!(printed.contains("data/api_pool.db"), "{printed}");
    assert!(
        place.dir.path().join("data/api_pool.db").exists() && place.dir.path().join("data/api_pool.db.key").exists()
    );
    let help = super::done(&place.run(&["--help"]));
    assert!(
        help.contains("[default: 8080]")
            && help.contains("[default: 127.0.0.1]")
            && help.contains("[default: ./data/api_pool.db]")
    );
}

on_both!(api_and_worker_share_a_database);
