//! §1 and §4: envelopes, request ids, methods and paths; health, stats, documents.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{POOL, ask, assert_problem, has_shape, pool};
use crate::harness::{Kind, PATIENCE, Place};
use crate::on_both;

const GRADE: &str = "excellent|good|fair|poor|critical";

async fn answers_have_their_envelope(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let (owner, anonymous) = (server.owner().await, server.anonymous());
    // A sane request id is kept, any other is replaced; on failures too.
    for sane in ["abc-123", "A.b_c", "01J8Z9", &"x".repeat(64)] {
        let reply = owner.with("x-request-id", sane).get(POOL).await;
        assert_eq!((reply.header("x-request-id"), &reply.json["meta"]["request_id"]), (sane, &json!(sane)));
        let reply = anonymous.with("x-request-id", sane).get(POOL).await;
        reply.problem(401, 1001, "unauthenticated");
        assert_eq!((reply.header("x-request-id"), &reply.json["instance"]), (sane, &json!(POOL)));
    }
    for odd in ["", "a b", "<script>", "é", &"x".repeat(65)] {
        let reply = owner.with("x-request-id", odd).get(POOL).await;
        assert!(reply.header("x-request-id").len() == 26, "{odd}");
    }
    let (one, two) = (owner.get(POOL).await, owner.get(POOL).await);
    assert!(one.header("x-request-id") != two.header("x-request-id"));
    assert_eq!((one.header("cache-control"), one.header("x-content-type-options")), ("no-store", "nosniff"));

    for path in
        ["/api", "/api/", "/api/admin", "/api/admin/api-pool/a/b", "/api/admin/api-pool/groups/a/b", "/api/nothing"]
    {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            owner.ask(method, path, Value::Null).await.problem(404, 2002, "not_found");
        }
    }
    owner.ask("POST", "/nothing", json!({})).await.problem(404, 2002, "not_found");
    let reply = owner.ask("PATCH", POOL, json!({})).await;
    reply.problem(405, 2007, "method_not_allowed");
    assert!(reply.header("allow").contains("POST"), "{}", reply.header("allow"));

    // A missing Content-Type counts as JSON; another one does not.
    let send = async |kind: Option<&str>| {
        let request =
            owner.request("POST", &pool("groups")).body(format!(r#"{{"name":"{}"}}"#, kind.unwrap_or("none")));
        ask(match kind {
            Some(kind) => request.header("content-type", kind),
            None => request,
        })
        .await
    };
    for json in
        [None, Some("application/json"), Some("APPLICATION/JSON; charset=utf-8"), Some("application/merge-patch+json")]
    {
        send(json).await.data();
    }
    for other in ["text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data", "json", ""] {
        send(Some(other)).await.problem(415, 2008, "unsupported_media_type");
    }
}

async fn is_alive_and_ready(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let anonymous = server.anonymous();
    let health = anonymous.get("/api/health").await;
    has_shape(&health.json, &json!({ "status": "text", "version": "text" }));
    assert_eq!((health.status, &health.json["status"]), (200, &json!("ok")));
    let ready = anonymous.get("/api/ready").await;
    assert_eq!((ready.status, &ready.json), (200, &json!({ "status": "ready", "database": "ok", "queue": "ok" })));
    assert!(!ready.header("x-request-id").is_empty());
}

/// It says so soon, also to two hundred at once.
#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_it_is_not_well() {
    let place = Place::new(Kind::Postgres).await;
    let server = place.serve().await;
    let anonymous = server.anonymous();
    place.refuse_connections(true).await;
    let started = Instant::now();
    while anonymous.get("/api/health").await.status == 200 {
        assert!(started.elapsed() < Duration::from_secs(5), "it still says that all is well");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let reply = anonymous.get("/api/health").await;
    assert_eq!(reply.problem(503, 5002, "overloaded")["retry_after"], 1);
    assert_eq!(reply.json["detail"], "degraded: the database does not answer");
    anonymous.get("/api/ready").await.problem(503, 5002, "overloaded");
    let started = Instant::now();
    let many = (0..200).map(|_| anonymous.get("/api/health"));
    assert!(futures::future::join_all(many).await.iter().all(|reply| reply.status == 503));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());

    place.refuse_connections(false).await;
    let started = Instant::now();
    while anonymous.get("/api/health").await.status != 200 {
        assert!(started.elapsed() < PATIENCE, "it does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(anonymous.get("/api/ready").await.status, 200);
}

async fn tells_how_the_pool_is(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let named = json!({
        "id": "ulid", "api_id": "digits", "name": "text", "score": "int", "grade": GRADE,
        "status": "available|in_use|disabled|banned",
    });
    let grades: serde_json::Map<String, Value> =
        GRADE.split('|').map(|grade| (grade.to_owned(), json!("int"))).collect();
    let health = json!({
        "total_apis": "int", "average_score": "number", "overall_grade": GRADE, "grade_distribution": grades,
        "critical_apis": [named], "needs_attention": [named], "updated_at": "time?",
    });
    let stats = json!({
        "hours": "int", "credentials": "int",
        "by_status": { "available": "int", "in_use": "int", "disabled": "int", "banned": "int" },
        "slots": "int", "used": "int", "free": "int", "used_percent": "number",
        "results": { "total": "int", "successes": "int", "failures": "int", "success_rate": "number?", "by_fault": "object" },
    });
    for path in ["health", "stats"] {
        let empty = owner.get(&pool(path)).await;
        has_shape(empty.data(), if path == "health" { &health } else { &stats });
    }
    owner.import(1_000_001, 4, 5).await;
    let ids: Vec<String> = owner.get(&format!("{POOL}?sort=api_id")).await.data()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect();
    owner.ok("POST", &pool(&format!("{}/disable", ids[0])), Value::Null).await;
    owner.ok("POST", &pool(&format!("{}/ban", ids[1])), json!({ "reason": "r" })).await;
    for (account, result) in [("a", json!(null)), ("b", json!("Timeout")), ("c", json!("API_ID_INVALID"))] {
        owner.ok("POST", &pool("allocate"), json!({ "account_id": account, "api_id": 1_000_003 })).await;
        let body = json!({ "api_id": 1_000_003, "success": result.is_null(), "error": result, "account_id": account });
        owner.ok("POST", &pool("result"), body).await;
    }
    let figures = owner.get(&pool("stats?hours=1")).await;
    has_shape(figures.data(), &stats);
    let data = figures.data();
    assert_eq!(data["by_status"], json!({ "available": 1, "in_use": 1, "disabled": 1, "banned": 1 }));
    assert_eq!(
        (&data["slots"], &data["used"], &data["free"], &data["used_percent"]),
        (&json!(10), &json!(3), &json!(7), &json!(30.0))
    );
    let results = json!({
        "total": 3, "successes": 1, "failures": 2, "success_rate": 1.0 / 3.0, "by_fault": { "proxy": 1, "credential": 1 },
    });
    assert_eq!((&data["hours"], &data["results"]), (&json!(1), &results));
    for hours in ["0", "721", "x", "-1"] {
        owner.get(&pool(&format!("stats?hours={hours}"))).await.wrong("hours");
    }
    let whole = owner.get(&pool("health")).await;
    has_shape(whole.data(), &health);
    let counted: i64 =
        whole.data()["grade_distribution"].as_object().unwrap().values().map(|n| n.as_i64().unwrap()).sum();
    assert_eq!((counted, &whole.data()["total_apis"]), (4, &json!(4)));
    let one = owner.get(&pool(&format!("{}/health", ids[2]))).await;
    let parts = json!({
        "score": "int", "grade": GRADE, "success": "number", "stability": "number", "trend": "number",
        "freshness": "number", "sample": "number",
    });
    let mut shape = json!({
        "id": "ulid", "score": "int", "grade": GRADE, "parts": parts, "load": "number", "consecutive_failures": "int",
        "updated_at": "time?",
    });
    if one.data()["parts"].is_null() {
        shape["parts"] = json!("object?");
    }
    has_shape(one.data(), &shape);
    assert_eq!((&one.data()["load"], &one.data()["consecutive_failures"]), (&json!(0.6), &json!(1)));
    owner.get(&pool("01J0000000000000000000000/health")).await.problem(404, 2002, "not_found");
}

/// The document is of version 3.1, speaks of every path of the contract, and the page that shows it
/// loads nothing from outside.
#[tokio::test(flavor = "multi_thread")]
async fn documents_itself() {
    let place = Place::new(Kind::Sqlite).await;
    let server = place.serve().await;
    let anonymous = server.anonymous();
    let document = anonymous.get("/api/openapi.json").await;
    assert_eq!((document.status, document.header("content-type")), (200, "application/json"));
    assert!(document.json["openapi"].as_str().unwrap().starts_with("3.1"));
    for path in [
        "allocate",
        "allocate/batch",
        "allocate/preview",
        "release",
        "renew",
        "account",
        "accounts/lookup",
        "result",
        "results",
        "",
        "{id}",
        "{id}/enable",
        "{id}/disable",
        "{id}/ban",
        "{id}/unban",
        "{id}/reset-failures",
        "{id}/reveal",
        "{id}/release-all",
        "{id}/health",
        "batch",
        "export",
        "allocations",
        "groups",
        "groups/{id}",
        "strategies",
        "strategy",
        "history",
        "health",
        "stats",
        "trend",
    ] {
        assert!(document.json["paths"][pool(path)].is_object(), "{path}");
    }
    for (path, methods) in document.json["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(operation["responses"]["200"].is_object(), "{method} {path}");
            assert!(operation["summary"].is_string() || operation["description"].is_string(), "{method} {path}");
        }
    }
    // Never at the top of an answer, nor of what is in it.
    for (name, schema) in document.json["components"]["schemas"].as_object().unwrap() {
        let tops = [&schema["properties"], &schema["properties"]["data"]["properties"]];
        let is_answer = name.starts_with("Answer") || name == "Problem";
        assert!(!is_answer || tops.iter().all(|top| top["available"].is_null()), "{name}");
    }
    assert!(!document.text.contains("http_status"));

    let page = anonymous.get("/docs/").await;
    assert!(page.header("content-security-policy").starts_with("default-src 'self'"));
    assert_eq!(page.status, 200, "{}", page.text);
    let mut loaded = 0;
    for (_, rest) in ["src=\"", "href=\""]
        .iter()
        .flat_map(|word| page.text.match_indices(word).map(|(at, word)| (at, &page.text[at + word.len()..])))
    {
        let link = rest.split('"').next().unwrap();
        assert!(!link.contains("//"), "from outside: {link}");
        let asset = anonymous.get(&format!("/docs/{}", link.trim_start_matches("./"))).await;
        assert_eq!(asset.status, 200, "{link}");
        loaded += 1;
    }
    let start = anonymous.get("/docs/swagger-initializer.js").await;
    assert!(loaded >= 4 && start.text.contains("/api/openapi.json"));
    assert!(start.text.contains(r#""validatorUrl": "none""#), "the badge of validator.swagger.io: {}", start.text);
    assert_problem(&anonymous.get("/docs/nothing.js").await);
}

on_both!(answers_have_their_envelope, is_alive_and_ready, tells_how_the_pool_is);
