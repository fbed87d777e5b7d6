//! §4: settings: each with value, default and source; locked by what the process was started with.

use serde_json::{Value, json};

use super::{POOL, Reply, has_shape, pool};
use crate::harness::{Kind, Place, Server};
use crate::on_both;

const SETTINGS: &str = "/api/admin/settings";
const KEYS: [&str; 7] = [
    "strategy",
    "capacity.warning_percent",
    "capacity.critical_percent",
    "capacity.banned_percent",
    "retention.journal_days",
    "retention.results_days",
    "retention.jobs_days",
];

fn settings() -> Value {
    let one = json!({
        "key": "text", "description": "text", "value": "any", "default": "any",
        "source": "default|setting|file|environment|command_line", "locked": "bool", "kind": "strategy|percent|days",
        "updated_by": "text?", "updated_at": "time?",
    });
    json!({ "settings": [one], "version": "int" })
}

/// One setting of an answer.
fn setting<'a>(reply: &'a Reply, key: &str) -> &'a Value {
    reply.data()["settings"].as_array().unwrap().iter().find(|one| one["key"] == key).unwrap()
}

async fn are_told_and_changed(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let first = owner.get(SETTINGS).await;
    has_shape(first.data(), &settings());
    let keys: Vec<&str> =
        first.data()["settings"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect();
    assert_eq!((keys, first.header("etag")), (KEYS.to_vec(), "\"1\""));
    for key in KEYS {
        let one = setting(&first, key);
        assert_eq!((&one["value"], &one["source"]), (&one["default"], &json!("default")), "{key}");
        assert!(one["locked"] == false && one["updated_by"].is_null() && one["updated_at"].is_null(), "{key}");
    }

    let change = json!({ "strategy": "health", "retention.jobs_days": 30 });
    let changed = owner.ask("PUT", SETTINGS, change).await;
    has_shape(changed.data(), &settings());
    let strategy = setting(&changed, "strategy");
    assert_eq!((&strategy["value"], &strategy["default"]), (&json!("health"), &json!("balanced")));
    assert_eq!((&strategy["source"], &strategy["updated_by"]), (&json!("setting"), &json!("user:admin")));
    assert!(super::is_time(strategy["updated_at"].as_str().unwrap()));
    assert_eq!((&setting(&changed, "retention.jobs_days")["value"], changed.header("etag")), (&json!(30), "\"2\""));
    assert_eq!(owner.get(SETTINGS).await.data(), changed.data());
    assert_eq!(owner.get(&pool("strategies")).await.data()["current"], "health");
    // What is absent stays; null goes back to the default.
    let back = owner.ask("PUT", SETTINGS, json!({ "retention.jobs_days": null })).await;
    assert_eq!(setting(&back, "retention.jobs_days"), setting(&first, "retention.jobs_days"));
    assert_eq!(setting(&back, "strategy")["value"], "health");
    // What changes nothing moves nothing.
    assert_eq!(owner.ask("PUT", SETTINGS, json!({ "strategy": "health" })).await.header("etag"), "\"3\"");
    assert_eq!(owner.ask("PUT", SETTINGS, json!({})).await.header("etag"), "\"3\"");

    let with = |tag: &str| owner.with("if-match", tag);
    with("\"2\"").ask("PUT", SETTINGS, json!({ "strategy": "balanced" })).await.problem(412, 2005, "stale");
    with("\"3\"").ask("PUT", SETTINGS, json!({ "strategy": "round_robin" })).await.data();
    // The older way is the same setting.
    owner.post(&pool("strategy"), json!({ "strategy": "least_failures" })).await.data();
    let now = owner.get(SETTINGS).await;
    assert_eq!((&setting(&now, "strategy")["value"], now.header("etag")), (&json!("least_failures"), "\"5\""));
    server.stop().await;
    let server = place.serve().await;
    let kept = server.owner().await.get(SETTINGS).await;
    assert_eq!(kept.data(), now.data(), "survives a restart");
    place.assert_sound();
}

async fn wrong_ones_name_the_key(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    for (key, value) in [
        ("strategy", json!("best")),
        ("strategy", json!(1)),
        ("strategy", json!(["health"])),
        ("capacity.warning_percent", json!(101)),
        ("capacity.warning_percent", json!(-0.1)),
        ("capacity.critical_percent", json!("90")),
        ("capacity.banned_percent", json!(true)),
        ("retention.journal_days", json!(0)),
        ("retention.results_days", json!(1.5)),
        ("retention.jobs_days", json!(36_501)),
        ("retention.jobs_days", json!(1e300)),
        ("retention", json!({ "jobs_days": 5 })),
        ("http_port", json!(80)),
        ("master_key", json!("x")),
        ("Strategy", json!("health")),
        ("unknown", Value::Null),
    ] {
        // Together with a good one: neither is written.
        let reply = owner.ask("PUT", SETTINGS, json!({ key: value, "capacity.banned_percent": 33 })).await;
        if key == "capacity.banned_percent" {
            owner.ask("PUT", SETTINGS, json!({ key: value })).await.wrong(key);
        } else {
            reply.wrong(key);
        }
    }
    let falling = json!({ "capacity.warning_percent": 96, "capacity.critical_percent": 95 });
    owner.ask("PUT", SETTINGS, falling).await.wrong("capacity.warning_percent");
    owner.ask("PUT", SETTINGS, json!({ "capacity.critical_percent": 1 })).await.wrong("capacity.warning_percent");
    let now = owner.get(SETTINGS).await;
    assert_eq!(setting(&now, "capacity.critical_percent")["source"], "default");
}

async fn what_the_start_said_is_locked(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    server.owner().await.ok("PUT", SETTINGS, json!({ "capacity.warning_percent": 50 })).await;
    server.stop().await;
    let file = place.dir.path().join("pool.toml");
    std::fs::write(&file, "[retention]\njobs_days = 9\n").unwrap();
    let mut command = place.command();
    command.arg("--config").arg(file).arg("serve").env("API_POOL_CAPACITY__WARNING_PERCENT", "70");
    let server = Server::spawn(command, place.dir.path()).await;
    let owner = server.owner().await;
    let told = owner.get(SETTINGS).await;
    has_shape(told.data(), &settings());
    for (key, value, source) in
        [("capacity.warning_percent", json!(70), "environment"), ("retention.jobs_days", json!(9), "file")]
    {
        let one = setting(&told, key);
        assert_eq!(one["value"].as_f64(), value.as_f64(), "{key}");
        assert_eq!((&one["source"], &one["locked"]), (&json!(source), &json!(true)), "{key}");
        for change in [json!({ key: 60 }), json!({ key: null }), json!({ key: 60, "strategy": "health" })] {
            let refused = owner.ask("PUT", SETTINGS, change).await;
            let said = refused.problem(409, 2004, "conflict")["message"].as_str().unwrap();
            assert!(said.contains(key) && said.contains("locked by the"), "{said}");
        }
    }
    assert_eq!(owner.get(SETTINGS).await.data(), told.data(), "nothing of it was written");
    owner.ask("PUT", SETTINGS, json!({ "strategy": "health" })).await.data();
    server.stop().await;
    // Without it, what people have set counts again.
    let server = place.serve().await;
    let free = server.owner().await.get(SETTINGS).await;
    let one = setting(&free, "capacity.warning_percent");
    assert_eq!((one["value"].as_f64(), &one["source"], &one["locked"]), (Some(50.0), &json!("setting"), &json!(false)));
}

async fn hold_on_every_process_at_once(kind: Kind) {
    let place = Place::new(kind).await;
    let (here, there) = (place.start("api").await, place.start("api").await);
    let owner = here.owner().await;
    let far = owner.at(&there.base);
    owner.import(1_000_000, 1, 90).await;
    for (round, strategy) in ["health", "round_robin", "least_failures", "success_rate", "balanced"].iter().enumerate()
    {
        owner.ok("PUT", SETTINGS, json!({ "strategy": strategy })).await;
        let given = far.post(&format!("{POOL}/allocate"), json!({ "account_id": round.to_string() })).await;
        assert_eq!(given.data()["strategy_used"], *strategy);
        assert_eq!(setting(&far.get(SETTINGS).await, "strategy")["value"], *strategy);
    }
}

on_both!(are_told_and_changed, wrong_ones_name_the_key, what_the_start_said_is_locked, hold_on_every_process_at_once,);
