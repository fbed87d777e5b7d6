//! The audit trail: who did what, from where, what it was before and after, and how it came out.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::fields::page;
use super::users::{USERS, add};
use super::{POOL, Reply, has_shape, pool};
use crate::harness::{Api, Kind, PATIENCE, Place};
use crate::on_both;

const AUDIT: &str = "/api/admin/audit-logs";
const SECRET: &str = "long enough it is";

fn entry() -> Value {
    json!({
        "id": "digits", "at": "time", "action": "text", "actor": "text", "outcome": "success|failure",
        "account_id": "text?", "api_id": "digits?", "credential_id": "ulid?", "ip": "text?", "request_id": "text?",
        "before": "object?", "after": "object?", "data": "object?",
    })
}

async fn audit(caller: &Api, query: &str) -> Reply {
    let reply = caller.get(&format!("{AUDIT}?{query}")).await;
    has_shape(reply.data(), &page(&entry()));
    reply
}

/// The newest entry of a query.
async fn newest(caller: &Api, query: &str) -> Value {
    let reply = audit(caller, query).await;
    assert!(reply.data()["total"].as_i64().unwrap() > 0, "{query}: nothing");
    reply.data()["items"][0].clone()
}

fn column(reply: &Reply, field: &str) -> Vec<String> {
    let items = reply.data()["items"].as_array().unwrap();
    items.iter().map(|one| one[field].as_str().unwrap_or_default().to_owned()).collect()
}

/// Every change by a person: the action, what it is about, before and after.
async fn changes_are_told(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    // Each call has a name of its own, by which its entry is found.
    let act = async |name: &str, method: &str, path: &str, body: Value| {
        let reply = owner.with("x-request-id", name).ask(method, path, body).await;
        reply.data().clone()
    };
    let told = async |name: &str, action: &str| {
        let entry = newest(&owner, &format!("request_id={name}")).await;
        let who =
            ["actor", "outcome", "ip", "action"].map(|field| entry[field].as_str().unwrap_or_default().to_owned());
        assert_eq!(who, ["user:admin", "success", "127.0.0.1", action], "{name}: {entry}");
        entry
    };
    let id = |one: &Value| one["id"].as_str().unwrap().to_owned();

    let group = act("group-1", "POST", &pool("groups"), json!({ "name": "g" })).await;
    assert_eq!(told("group-1", "group.added").await["before"], Value::Null);
    act("group-2", "PUT", &pool(&format!("groups/{}", id(&group))), json!({ "name": "h" })).await;
    let entry = told("group-2", "group.updated").await;
    assert_eq!((&entry["before"]["name"], &entry["after"]["name"]), (&json!("g"), &json!("h")), "{entry}");
    act("group-3", "DELETE", &pool(&format!("groups/{}", id(&group))), Value::Null).await;
    told("group-3", "group.removed").await;

    let hash = "0123456789abcdef0123456789abcdef";
    let body = json!({ "api_id": 1_000_001, "api_hash": hash, "name": "n", "source_phone": "+886912345678" });
    let one = act("one-1", "POST", POOL, body).await;
    let entry = told("one-1", "api.added").await;
    assert_eq!((&entry["credential_id"], &entry["api_id"]), (&one["id"], &json!("1000001")));
    let change = json!({ "name": "m", "api_hash": "f".repeat(32), "source_phone": "+886987654321" });
    act("one-2", "PUT", &pool(&id(&one)), change).await;
    let entry = told("one-2", "api.updated").await;
    assert_eq!((&entry["before"]["name"], &entry["after"]["name"]), (&json!("n"), &json!("m")), "{entry}");
    let text = entry.to_string();
    for secret in [hash, &"f".repeat(32), "912345678", "987654321"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(text.contains("api_hash"), "that it was replaced is told: {text}");
    act("one-3", "POST", &pool(&format!("{}/disable", id(&one))), Value::Null).await;
    let entry = told("one-3", "api.disabled").await;
    assert_eq!(
        (&entry["before"]["value"], &entry["after"]["value"]),
        (&json!("enabled"), &json!("disabled")),
        "{entry}"
    );

    let rule = act("rule-1", "POST", &pool("rules"), json!({ "name": "r", "effect": "deny" })).await;
    assert_eq!(told("rule-1", "rule.added").await["after"]["name"], "r");
    act("rule-2", "PUT", &pool(&format!("rules/{}/toggle", id(&rule))), Value::Null).await;
    let entry = told("rule-2", "rule.updated").await;
    assert_eq!((&entry["before"]["enabled"], &entry["after"]["enabled"]), (&json!(true), &json!(false)), "{entry}");
    act("rule-3", "DELETE", &pool(&format!("rules/{}", id(&rule))), Value::Null).await;
    assert_eq!(told("rule-3", "rule.removed").await["before"]["name"], "r");

    act("settings-1", "PUT", "/api/admin/settings", json!({ "strategy": "health" })).await;
    let entry = told("settings-1", "strategy.changed").await;
    assert_eq!((&entry["before"]["strategy"], &entry["after"]["strategy"]), (&json!("balanced"), &json!("health")));
    act("settings-2", "PUT", "/api/admin/settings", json!({ "retention.jobs_days": 3 })).await;
    let entry = told("settings-2", "settings.changed").await;
    assert_eq!(entry["after"], json!({ "retention.jobs_days": 3 }));

    let user = json!({ "username": "ann", "password": SECRET, "role": "operator" });
    let user = act("user-1", "POST", USERS, user).await;
    assert_eq!(told("user-1", "user.added").await["after"], json!({ "username": "ann", "role": "operator" }));
    act("user-2", "PUT", &format!("{USERS}/{}", id(&user)), json!({ "role": "auditor" })).await;
    let entry = told("user-2", "user.updated").await;
    assert_eq!((&entry["before"]["role"], &entry["after"]["role"]), (&json!("operator"), &json!("auditor")));
    act("user-3", "POST", &format!("{USERS}/{}/reset-password", id(&user)), Value::Null).await;
    assert_eq!(told("user-3", "user.password_changed").await["data"]["username"], "ann");
    act("user-4", "DELETE", &format!("{USERS}/{}", id(&user)), Value::Null).await;
    told("user-4", "user.removed").await;

    let token = json!({ "product": "it", "scopes": ["credpool:*"] });
    let token = act("token-1", "POST", "/api/admin/service-tokens", token).await;
    let entry = told("token-1", "token.issued").await;
    assert!(entry.to_string().contains("\"it\"") && !entry.to_string().contains(token["token"].as_str().unwrap()));
    act("token-2", "DELETE", &format!("/api/admin/service-tokens/{}", id(&token)), Value::Null).await;
    told("token-2", "token.revoked").await;
    let view = act("view-1", "POST", "/api/admin/views", json!({ "page": "p", "name": "v", "definition": {} })).await;
    assert_eq!(told("view-1", "view.saved").await["after"]["name"], "v");
    act("view-2", "DELETE", &format!("/api/admin/views/{}", id(&view)), Value::Null).await;
    told("view-2", "view.removed").await;
    act("logout", "POST", "/api/admin/logout", Value::Null).await;
    let after = server.owner().await;
    assert_eq!(newest(&after, "request_id=logout").await["action"], "user.signed_out");
    // What was refused changed nothing, and what only looks leaves nothing.
    let odd = after.with("x-request-id", "odd");
    odd.post(&pool("groups"), json!({ "name": "" })).await.wrong("name");
    odd.get(POOL).await.data();
    assert_eq!(audit(&after, "request_id=odd").await.data()["total"], 0);
}

/// Services and jobs, and whatever was refused.
async fn everybody_is_named(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_000, 1, 5).await;
    let service = server.service(&["credpool:allocate"]).await.with("x-request-id", "by-a-service");
    service.ok("POST", &pool("allocate"), json!({ "account_id": "a" })).await;
    let entry = newest(&owner, "request_id=by-a-service").await;
    assert_eq!((&entry["actor"], &entry["action"]), (&json!("svc:it"), &json!("api.allocated")));
    assert_eq!((&entry["account_id"], &entry["api_id"]), (&json!("a"), &json!("1000000")));

    // A job, and who has asked for it: an import that is too large to be waited for.
    let large = json!({ "data": "1000001:x\n".repeat(10_001) });
    assert_eq!(owner.post(&pool("batch"), large).await.status, 202);
    let started = Instant::now();
    let done = loop {
        let told = audit(&owner, "action=batch.imported&actor=job:import_credentials").await;
        if let Some(entry) = told.data()["items"].get(0) {
            break entry.clone();
        }
        assert!(started.elapsed() < PATIENCE, "no job has imported it");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert!(done["ip"].is_null() && done["outcome"] == "success", "{done}");
    assert_eq!(done["data"]["asked_by"], "user:admin");

    add(&owner, "ann", SECRET, "operator").await;
    let anonymous = server.anonymous().with("x-request-id", "wrong-password");
    let login = |name: &str| json!({ "username": name, "password": "5ecret mistyped" });
    anonymous.post("/api/admin/login", login("ann")).await.problem(401, 1001, "unauthenticated");
    let entry = newest(&owner, "request_id=wrong-password").await;
    assert_eq!((&entry["action"], &entry["outcome"]), (&json!("user.sign_in_failed"), &json!("failure")));
    assert_eq!((&entry["actor"], &entry["ip"]), (&json!("user:ann"), &json!("127.0.0.1")));
    // Of a name that nobody has, the text is not told: people type passwords there.
    let nobody = server.anonymous().with("x-request-id", "unknown-name");
    nobody.post("/api/admin/login", login("5ecret typed too early")).await.problem(401, 1001, "unauthenticated");
    let entry = newest(&owner, "request_id=unknown-name").await;
    assert_eq!((&entry["actor"], &entry["outcome"]), (&json!("anonymous"), &json!("failure")));
    assert!(entry["action"] == "user.sign_in_failed" && !entry.to_string().contains("5ecret"), "{entry}");

    // A refused permission, of a person and of a service: once, not each time it is tried again.
    let ann = server.sign_in("ann", SECRET).await;
    for (caller, actor) in [(&ann, "user:ann"), (&service, "svc:it")] {
        let caller = caller.with("x-request-id", "refused");
        for _ in 0..5 {
            caller.get(AUDIT).await.problem(403, 1003, "forbidden");
        }
        let told = audit(&owner, &format!("action=access.denied&actor={actor}")).await;
        assert_eq!(told.data()["total"], 1, "{}", told.text);
        let entry = &told.data()["items"][0];
        assert_eq!((&entry["outcome"], &entry["data"]["repeated"]), (&json!("failure"), &json!(0)));
        assert!(entry["data"]["reason"].as_str().unwrap().contains("audit:read"), "{entry}");
        assert_eq!((&entry["data"]["method"], &entry["data"]["route"]), (&json!("GET"), &json!(AUDIT)));
    }
    // So is a rule's refusal no entry: it is an answer as any other.
    owner.ok("POST", &pool("rules"), json!({ "name": "none", "effect": "deny" })).await;
    owner.post(&pool("allocate"), json!({ "account_id": "z" })).await.problem(403, 3003, "denied_by_rule");
    assert_eq!(audit(&owner, "action=access.denied").await.data()["total"], 2);
    server.stop().await;
    // What was gathered within the minute is noted at the end.
    let server = place.serve().await;
    let owner = server.owner().await;
    for actor in ["user:ann", "svc:it"] {
        let told = audit(&owner, &format!("action=access.denied&actor={actor}")).await;
        assert_eq!((&told.data()["total"], &told.data()["items"][0]["data"]["repeated"]), (&json!(2), &json!(3)));
    }
    server.stop().await;
    place.assert_sound();
}

async fn is_filtered_and_paged(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_000, 2, 5).await;
    for (account, api_id) in [("a", 1_000_000), ("b", 1_000_001)] {
        owner.ok("POST", &pool("allocate"), json!({ "account_id": account, "api_id": api_id })).await;
    }
    server.anonymous().post("/api/admin/login", json!({ "username": "nobody", "password": "x" })).await;
    let service = server.service(&["credpool:release"]).await.with("x-request-id", "let-go");
    service.ok("POST", &pool("release"), json!({ "account_id": "a" })).await;
    service.get(AUDIT).await.problem(403, 1003, "forbidden");

    for (query, expected) in [
        ("account_id=a", vec!["api.released", "api.allocated"]),
        ("api_id=1000001", vec!["api.allocated", "api.added"]),
        ("action=api.added,batch.imported", vec!["batch.imported", "api.added", "api.added"]),
        ("account_id=a&action!=api.released", vec!["api.allocated"]),
        ("outcome=failure", vec!["access.denied", "user.sign_in_failed"]),
        ("outcome=failure&action=access.denied", vec!["access.denied"]),
        ("actor=svc:it", vec!["access.denied", "api.released"]),
        ("operator=svc:it&outcome=success", vec!["api.released"]),
        ("actor=anonymous,svc:it&outcome=failure", vec!["access.denied", "user.sign_in_failed"]),
        ("request_id=let-go&ip=127.0.0.1", vec!["access.denied", "api.released"]),
        ("ip=203.0.113.7", vec![]),
        ("to=2001-01-01", vec![]),
        ("from=2001-01-01&to=2999-01-01T00:00:00Z&account_id=b", vec!["api.allocated"]),
    ] {
        let reply = audit(&owner, query).await;
        assert_eq!(column(&reply, "action"), expected, "{query}");
        assert_eq!(reply.data()["total"], expected.len(), "{query}");
    }
    for filter in ["", "&outcome=success", "&ip=127.0.0.1", "&actor=user:admin"] {
        let whole = audit(&owner, &format!("limit=500{filter}")).await;
        let (mut joined, mut cursor) = (Vec::new(), String::new());
        for _ in 0..60 {
            let reply = audit(&owner, &format!("limit=2{filter}{cursor}")).await;
            joined.extend(column(&reply, "id"));
            let Some(next) = reply.data()["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(joined, column(&whole, "id"), "{filter}");
        assert!(joined.len() > 5 && whole.data()["total"] == joined.len(), "{filter}");
    }
    for (query, field) in [
        ("action=api.exploded", "action"),
        ("action=api.added&outcome=failure", "action"),
        ("outcome=maybe", "outcome"),
        ("from=yesterday", "from"),
        ("api_id=x", "api_id"),
        ("cursor=x", "cursor"),
        ("format=xml", "format"),
        ("surprise=1", "surprise"),
    ] {
        owner.get(&format!("{AUDIT}?{query}")).await.wrong(field);
    }
}

async fn is_a_file_for_those_who_may(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    // More than is read at once.
    owner.import(1_000_000, 600, 5).await;
    let odd = owner.with("x-request-id", "-1");
    odd.ok("POST", &pool("allocate"), json!({ "account_id": "=1+1", "api_id": 1_000_000 })).await;
    odd.ok("POST", &pool("allocate"), json!({ "account_id": "a,\"b\"", "api_id": 1_000_000 })).await;
    let mut callers = Vec::new();
    for (name, role) in [("one", "admin"), ("two", "auditor"), ("three", "operator")] {
        add(&owner, name, SECRET, role).await;
        callers.push(server.sign_in(name, SECRET).await);
    }
    for path in [AUDIT.to_owned(), format!("{AUDIT}?format=csv")] {
        for may in [&owner, &callers[0], &callers[1]] {
            assert_eq!(may.get(&path).await.status, 200, "{path}");
        }
        callers[2].get(&path).await.problem(403, 1003, "forbidden");
    }

    let total = audit(&owner, "limit=1").await.data()["total"].as_i64().unwrap();
    let file = callers[1].get(&format!("{AUDIT}?format=csv")).await;
    assert_eq!((file.status, file.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert!(file.header("content-disposition").starts_with("attachment; filename=\"audit-log"));
    assert_eq!((file.header("transfer-encoding"), file.header("content-length")), ("chunked", ""), "streamed");
    assert_eq!(file.header("cache-control"), "no-store");
    let mut lines = file.text.lines();
    let header = "id,at,action,actor,outcome,account_id,api_id,credential_id,ip,request_id,data";
    assert_eq!(lines.next(), Some(header));
    let rows: Vec<&str> = lines.collect();
    assert_eq!(rows.len() as i64, total, "all of it, each once");
    let ids: Vec<i64> = rows.iter().map(|row| row.split(',').next().unwrap().parse().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a > b), "the newest first");
    // A spreadsheet would run what begins like a formula.
    let found = |part: &str| rows.iter().filter(|row| row.contains(part)).count();
    assert_eq!((found(",'=1+1,"), found(",'-1,"), found(",=1+1"), found(",-1,")), (1, 2, 0, 0));
    assert_eq!((found(r#","a,""b""","#), found(",access.denied,user:three,failure,")), (1, 1));
    let some = owner.get(&format!("{AUDIT}?format=csv&outcome=failure")).await;
    assert_eq!(some.text.lines().count(), 2);
}

on_both!(changes_are_told, everybody_is_named, is_filtered_and_paged, is_a_file_for_those_who_may);
