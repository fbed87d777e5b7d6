//! §4: saved views of tables: one's own, and nobody else's.

use serde_json::{Value, json};

use super::fields::page;
use super::has_shape;
use super::users::add;
use crate::harness::{Kind, Place};
use crate::on_both;

const VIEWS: &str = "/api/admin/views";

fn view() -> Value {
    json!({
        "id": "ulid", "page": "text", "name": "text", "definition": "object", "created_at": "time",
        "updated_at": "time", "version": "int",
    })
}

async fn are_saved_changed_and_removed(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let whole = json!({ "page": "credentials", "name": "tired ones", "definition": { "sort": "-fail_count", "columns": [1, "名"] } });
    let saved = owner.post(VIEWS, whole.clone()).await;
    has_shape(saved.data(), &view());
    for (field, value) in whole.as_object().unwrap() {
        assert_eq!(saved.data()[field], *value, "{field}");
    }
    assert_eq!((saved.header("etag"), &saved.data()["version"]), ("\"1\"", &json!(1)));
    owner.post(VIEWS, whole).await.problem(409, 2003, "already_exists");
    // The same name on another page is another view.
    let other = json!({ "page": "jobs", "name": "tired ones", "definition": {} });
    let other = owner.post(VIEWS, other).await.data()["id"].clone();
    let path = format!("{VIEWS}/{}", saved.data()["id"].as_str().unwrap());
    assert_eq!(owner.get(&path).await.data(), saved.data());
    let listed = owner.get(&format!("{VIEWS}?sort=created_at")).await;
    has_shape(listed.data(), &page(&view()));
    assert_eq!((&listed.data()["total"], &listed.data()["items"][0]), (&json!(2), saved.data()));
    let of_page = owner.get(&format!("{VIEWS}?page=jobs")).await;
    assert_eq!((&of_page.data()["total"], &of_page.data()["items"][0]["id"]), (&json!(1), &other));
    let first = owner.get(&format!("{VIEWS}?sort=created_at&limit=1")).await;
    let next = format!("{VIEWS}?sort=created_at&limit=1&cursor={}", first.data()["next_cursor"].as_str().unwrap());
    assert_eq!(owner.get(&next).await.data()["items"][0]["id"], other);

    let changed = owner.ask("PUT", &path, json!({ "name": "slow ones" })).await;
    has_shape(changed.data(), &view());
    assert_eq!((&changed.data()["name"], changed.header("etag")), (&json!("slow ones"), "\"2\""));
    assert_eq!(changed.data()["definition"], saved.data()["definition"], "absent keeps");
    assert_eq!(owner.ask("PUT", &path, json!({ "definition": null })).await.data()["definition"], json!({}));
    owner.ask("PUT", &path, json!({ "page": "jobs", "name": "tired ones" })).await.problem(409, 2003, "already_exists");
    let stale = owner.with("if-match", "\"1\"");
    stale.ask("PUT", &path, json!({ "name": "late" })).await.problem(412, 2005, "stale");
    stale.ask("DELETE", &path, Value::Null).await.problem(412, 2005, "stale");
    has_shape(owner.ask("DELETE", &path, Value::Null).await.data(), &json!({ "id": "ulid" }));
    for (method, body) in [("GET", Value::Null), ("PUT", json!({})), ("DELETE", Value::Null)] {
        owner.ask(method, &path, body).await.problem(404, 2002, "not_found");
    }
    server.stop().await;
    place.assert_sound();
}

async fn are_nobody_elses(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    add(&owner, "ann", "long enough it is", "auditor").await;
    let ann = server.sign_in("ann", "long enough it is").await;
    let body = json!({ "page": "credentials", "name": "mine", "definition": { "q": "x" } });
    let hers = ann.ok("POST", VIEWS, body.clone()).await;
    let his = owner.ok("POST", VIEWS, body).await;
    assert_ne!(hers["id"], his["id"], "names are one's own too");
    let path = format!("{VIEWS}/{}", hers["id"].as_str().unwrap());
    // Not even the owner's: there is nothing of that name for them.
    for (method, body) in [("GET", Value::Null), ("PUT", json!({ "name": "taken" })), ("DELETE", Value::Null)] {
        owner.ask(method, &path, body).await.problem(404, 2002, "not_found");
    }
    let listed = owner.get(VIEWS).await;
    assert_eq!((&listed.data()["total"], &listed.data()["items"][0]["id"]), (&json!(1), &his["id"]));
    assert_eq!(*ann.get(&path).await.data(), hers);
}

async fn wrong_ones_are_refused(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let good = json!({ "page": "credentials", "name": "fine", "definition": {} });
    let path = format!("{VIEWS}/{}", owner.ok("POST", VIEWS, good.clone()).await["id"].as_str().unwrap());
    for (field, value) in [
        ("page", json!("")),
        ("page", json!("x".repeat(201))),
        ("page", Value::Null),
        ("name", json!(" ")),
        ("name", json!("a\u{0}b")),
        ("name", Value::Null),
        ("definition", json!([])),
        ("definition", json!("x")),
        ("definition", json!({ "a": "x".repeat(16_400) })),
        ("definition", json!({ "a": "b\u{0}c" })),
        ("owner", json!("ann")),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        owner.post(VIEWS, body).await.wrong(field);
        owner.ask("PUT", &path, json!({ field: value })).await.wrong(field);
    }
    for missing in ["page", "name", "definition"] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(missing);
        owner.post(VIEWS, body).await.wrong(missing);
    }
    owner.get(&format!("{VIEWS}?owner=ann")).await.wrong("owner");
    assert_eq!(owner.get(&path).await.header("etag"), "\"1\"", "nothing of it was written");
    assert_eq!(owner.get(VIEWS).await.data()["total"], 1);
}

on_both!(are_saved_changed_and_removed, are_nobody_elses, wrong_ones_are_refused);
