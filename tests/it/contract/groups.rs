//! §4: groups; strategies and the tenant's strategy.

use serde_json::{Value, json};

use super::fields::page;
use super::{has_shape, pool};
use crate::harness::{Kind, Place};
use crate::on_both;

const STRATEGIES: &str = "balanced|success_rate|least_failures|round_robin|health";

fn group() -> Value {
    json!({
        "id": "ulid", "name": "text", "description": "text?", "color": "text?", "strategy": format!("{STRATEGIES}?"),
        "attributes": "object", "credentials": "int", "created_at": "time", "updated_at": "time", "version": "int",
    })
}

async fn groups_live(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let whole = json!({
        "name": "Asia", "description": "for\nAsia", "color": "#0072B2", "strategy": "round_robin",
        "attributes": { "cost": 3, "where": ["tw"] },
    });
    let added = owner.post(&pool("groups"), whole.clone()).await;
    has_shape(added.data(), &group());
    for field in ["name", "description", "color", "strategy", "attributes"] {
        assert_eq!(added.data()[field], whole[field], "{field}");
    }
    assert_eq!(added.header("etag"), "\"1\"");
    owner.post(&pool("groups"), json!({ "name": "Asia" })).await.problem(409, 2003, "already_exists");
    let other = owner.post(&pool("groups"), json!({ "name": "Europe" })).await;
    assert_eq!((&other.data()["attributes"], &other.data()["strategy"]), (&json!({}), &Value::Null));
    let (id, other) = (added.data()["id"].as_str().unwrap(), other.data()["id"].as_str().unwrap());
    let path = pool(&format!("groups/{id}"));

    let changed = owner.ask("PUT", &path, json!({ "description": null, "strategy": null, "color": null })).await;
    has_shape(changed.data(), &group());
    assert_eq!((&changed.data()["name"], &changed.data()["attributes"]), (&whole["name"], &whole["attributes"]));
    assert_eq!((&changed.data()["strategy"], &changed.data()["description"]), (&Value::Null, &Value::Null));
    assert_eq!(owner.ask("PUT", &path, json!({ "attributes": null })).await.data()["attributes"], json!({}));
    owner.ask("PUT", &path, json!({ "name": "Europe" })).await.problem(409, 2003, "already_exists");
    let stale = owner.with("if-match", "\"1\"");
    stale.ask("PUT", &path, json!({ "name": "late" })).await.problem(412, 2005, "stale");
    stale.ask("DELETE", &path, Value::Null).await.problem(412, 2005, "stale");
    assert_eq!(owner.get(&path).await.header("etag"), "\"3\"");

    let body = json!({ "api_id": 1_000_001, "api_hash": "x", "name": "n", "group_id": id });
    let member = owner.post(&pool(""), body).await.data()["id"].as_str().unwrap().to_owned();
    let listed = owner.get(&pool("groups?sort=created_at")).await;
    has_shape(listed.data(), &page(&group()));
    assert_eq!((&listed.data()["total"], &listed.data()["items"][0]["credentials"]), (&json!(2), &json!(1)));
    let first = owner.get(&pool("groups?sort=created_at&limit=1")).await;
    let cursor = first.data()["next_cursor"].as_str().unwrap();
    let second = owner.get(&pool(&format!("groups?sort=created_at&limit=1&cursor={cursor}"))).await;
    assert_eq!((&second.data()["items"][0]["id"], &second.data()["next_cursor"]), (&json!(other), &Value::Null));

    let held = json!({ "account_id": "held", "group_id": id });
    owner.post(&pool("allocate"), held.clone()).await.data();
    let removed = owner.ask("DELETE", &path, Value::Null).await;
    has_shape(removed.data(), &json!({ "id": "ulid" }));
    assert!(owner.get(&pool(&member)).await.data()["group_id"].is_null(), "its credentials move to none");
    // What an account holds it has back; a new one is told that there is no such group.
    assert_eq!(owner.post(&pool("allocate"), held.clone()).await.data()["existing"], true);
    assert_eq!(owner.post(&pool("allocate/preview"), held).await.data()["would_use"], "existing");
    for path in ["allocate", "allocate/preview"] {
        owner.post(&pool(path), json!({ "account_id": "new", "group_id": id })).await.wrong("group_id");
    }
    owner.post(&pool("allocate"), json!({ "account_id": "a" })).await.data();
    for (method, body) in [("GET", Value::Null), ("PUT", json!({ "name": "x" })), ("DELETE", Value::Null)] {
        owner.ask(method, &path, body).await.problem(404, 2002, "not_found");
    }
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("x".repeat(201))),
        ("description", json!("x".repeat(4_001))),
        ("color", json!("red")),
        ("color", json!("#12345")),
        ("strategy", json!("best")),
        ("attributes", json!([])),
        ("attributes", json!("x")),
        ("attributes", json!({ "a": "b\u{0}c" })),
        ("attributes", json!({ "a": "x".repeat(17_000) })),
        ("surprise", json!(1)),
    ] {
        let mut body = json!({ "name": "fine" });
        body[field] = value.clone();
        owner.post(&pool("groups"), body.clone()).await.wrong(field);
        owner.ask("PUT", &pool(&format!("groups/{other}")), body).await.wrong(field);
    }
    owner.post(&pool("groups"), json!({})).await.wrong("name");
    server.stop().await;
    place.assert_sound();
}

async fn the_tenant_has_a_strategy(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let shape = json!({
        "current": STRATEGIES, "strategies": [{ "name": STRATEGIES, "description": "text", "current": "bool" }],
    });
    let before = owner.get(&pool("strategies")).await;
    has_shape(before.data(), &shape);
    assert_eq!(
        (&before.data()["current"], before.data()["strategies"].as_array().unwrap().len()),
        (&json!("balanced"), 5)
    );
    let changed = owner.post(&pool("strategy"), json!({ "strategy": "round_robin" })).await;
    has_shape(changed.data(), &shape);
    owner.import(1_000_001, 1, 5).await;
    let got = owner.post(&pool("allocate"), json!({ "account_id": "a" })).await;
    assert_eq!(got.data()["strategy_used"], "round_robin");
    for body in [json!({}), json!({ "strategy": "" }), json!({ "strategy": "best" }), json!({ "strategy": 1 })] {
        owner.post(&pool("strategy"), body).await.wrong("strategy");
    }
    server.stop().await;
    let server = place.serve().await;
    let current = server.owner().await.get(&pool("strategies")).await;
    assert_eq!(current.data()["current"], "round_robin", "survives a restart");
}

on_both!(groups_live, the_tenant_has_a_strategy);
