//! §1: two people edit one thing: the second is told, whatever the thing is, and loses nothing of
//! what the first has done.

use futures::future::join_all;
use serde_json::{Value, json};

use super::hostile::Operation;
use super::users::USERS;
use super::{POOL, pool};
use crate::harness::{Kind, Place};
use crate::on_both;

async fn the_second_of_two_is_told(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let user = json!({ "username": "ann", "password": "long enough it is", "role": "operator" });
    let things = [
        (POOL.to_owned(), json!({ "api_id": 1_000_001, "api_hash": "x", "name": "n" }), ["name", "one", "two"]),
        (pool("groups"), json!({ "name": "n" }), ["name", "one", "two"]),
        (pool("rules"), json!({ "name": "n", "effect": "deny" }), ["name", "one", "two"]),
        (USERS.to_owned(), user, ["username", "one", "two"]),
        ("/api/admin/views".to_owned(), json!({ "page": "p", "name": "n", "definition": {} }), ["name", "one", "two"]),
    ];
    let mut covered = vec![("PUT", "/api/admin/settings".to_owned())];
    for (list, body, [field, one, two]) in things {
        let path = format!("{list}/{}", owner.ok("POST", &list, body).await["id"].as_str().unwrap());
        let tag = owner.get(&path).await.header("etag").to_owned();
        assert!(!tag.is_empty(), "{path}");
        let with = |tag: &str| owner.with("if-match", tag);
        let first = with(&tag).ask("PUT", &path, json!({ field: one })).await;
        assert_eq!(first.data()[field], one, "{path}");
        assert!(!first.header("etag").is_empty() && first.header("etag") != tag, "{path}");
        with(&tag).ask("PUT", &path, json!({ field: two })).await.problem(412, 2005, "stale");
        with(&tag).ask("DELETE", &path, Value::Null).await.problem(412, 2005, "stale");
        for odd in ["\"\"", "\"x\"", "*\"", "\"-1\"", "\"1\", \"2\""] {
            with(odd).ask("PUT", &path, json!({ field: two })).await.problem(412, 2005, "stale");
        }
        let now = owner.get(&path).await;
        assert_eq!((now.data(), now.header("etag")), (first.data(), first.header("etag")), "the first one's stands");

        // An edit that changes nothing is none.
        let same = owner.ask("PUT", &path, json!({ field: one })).await;
        let empty = owner.ask("PUT", &path, json!({})).await;
        assert_eq!((same.header("etag"), empty.header("etag")), (now.header("etag"), now.header("etag")), "{path}");

        // Of many with the same tag, one.
        let tag = now.header("etag").to_owned();
        let edits = (0..8).map(|n| {
            let (api, path) = (with(&tag), &path);
            async move { api.ask("PUT", path, json!({ field: format!("edit-{n}") })).await.status }
        });
        let mut statuses = join_all(edits).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412], "{path}");
        let tag = owner.get(&path).await.header("etag").to_owned();
        with(&tag).ask("DELETE", &path, Value::Null).await.data();
        with(&tag).ask("DELETE", &path, Value::Null).await.problem(404, 2002, "not_found");
        let (folder, _) = path.rsplit_once('/').unwrap();
        covered.extend(["PUT", "DELETE"].map(|method| (method, format!("{folder}/{{id}}"))));
    }

    let settings = "/api/admin/settings";
    let tag = owner.get(settings).await.header("etag").to_owned();
    let stale = owner.with("if-match", &tag);
    stale.ask("PUT", settings, json!({ "strategy": "health" })).await.data();
    stale.ask("PUT", settings, json!({ "strategy": "balanced" })).await.problem(412, 2005, "stale");
    assert_eq!(owner.get(&pool("strategies")).await.data()["current"], "health");

    // Whatever takes the header is here, or in the story of rules, or this grows.
    covered.push(("PUT", pool("rules/{id}/toggle")));
    let document = server.anonymous().get("/api/openapi.json").await.json;
    let mut covered: Vec<String> = covered.iter().map(|(method, path)| format!("{method} {path}")).collect();
    covered.sort();
    assert_eq!(Operation::that_take(&document, "If-Match"), covered);
    server.stop().await;
    place.assert_sound();
}

on_both!(the_second_of_two_is_told);
