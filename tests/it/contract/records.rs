//! §4: allocation records and history, as pages and as a file.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Reply, has_shape, pool};
use crate::harness::{Api, Kind, Place};
use crate::on_both;

async fn live(owner: &Api) {
    owner.import(1_000_001, 2, 9).await;
    for account in ["+86138", "b", "c"] {
        owner.ok("POST", &pool("allocate"), json!({ "account_id": account, "api_id": 1_000_001 })).await;
    }
    owner.ok("POST", &pool("allocate"), json!({ "account_id": "d", "api_id": 1_000_002, "ttl_seconds": 600 })).await;
    for account in ["b", "c"] {
        owner.ok("POST", &pool("release"), json!({ "account_id": account })).await;
    }
    owner.ok("POST", &pool("allocate"), json!({ "account_id": "b" })).await;
}

fn column<'a>(reply: &'a Reply, field: &str) -> Vec<&'a str> {
    let items = reply.data()["items"].as_array().unwrap();
    items.iter().map(|one| one[field].as_str().unwrap_or_default()).collect()
}

async fn allocations_are_kept(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    live(&owner).await;
    let record = json!({
        "id": "ulid", "api_id": "digits", "account_id": "text", "allocated_at": "time", "released_at": "time?",
        "operator": "text", "status": "allocated|released", "strategy": "text", "proxy_id": "text?", "expires_at": "time?",
    });
    let all = owner.get(&pool("allocations")).await;
    has_shape(&all.data()["items"], &json!([record]));
    assert_eq!(column(&all, "account_id"), ["b", "d", "+86138", "c", "b"], "standing, newest first; then ended");
    assert_eq!(column(&all, "status"), ["allocated", "allocated", "allocated", "released", "released"]);
    assert_eq!(column(&all, "strategy"), ["affinity", "manual", "manual", "manual", "manual"]);
    let items = all.data()["items"].as_array().unwrap();
    assert!(items.iter().all(|one| one["released_at"].is_null() == (one["status"] == "allocated")));
    assert!(items[1]["expires_at"].is_string() && items[0]["operator"] == "user:admin");

    for (query, expected) in [
        ("status=allocated", vec!["b", "d", "+86138"]),
        ("status=released", vec!["c", "b"]),
        ("status!=allocated", vec!["c", "b"]),
        ("account_id=b", vec!["b", "b"]),
        ("account_id=+86138", vec!["+86138"]),
        ("phone=%2086138&account_id=b", vec!["+86138"]),
        ("api_id=1000002", vec!["d"]),
        ("api_id=1000001&status=released", vec!["c", "b"]),
        ("api_id=1000001&account_id=d", vec![]),
        ("api_id=77", vec![]),
        ("sort=-created_at&q=b", vec!["b", "b"]),
        ("q=%2086138", vec!["+86138"]),
        ("q=1000002", vec!["d"]),
        ("q=1000001&account_id=b", vec!["b", "b"]),
        ("q=b&account_id=b", vec!["b", "b"]),
        ("q=b&account_id=%2086138", vec![]),
        ("q=1000001&api_id=1000002", vec![]),
    ] {
        let reply = owner.get(&pool(&format!("allocations?{query}"))).await;
        assert_eq!(column(&reply, "account_id"), expected, "{query}");
        assert_eq!(reply.data()["total"], expected.len(), "{query}");
    }
    let (mut joined, mut cursor) = (Vec::new(), String::new());
    for _ in 0..10 {
        let reply = owner.get(&pool(&format!("allocations?limit=2{cursor}"))).await;
        joined.extend(column(&reply, "account_id").into_iter().map(str::to_owned));
        let Some(next) = reply.data()["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(joined, ["b", "d", "+86138", "c", "b"]);
    for (query, field) in [
        ("status=open", "status"),
        ("api_id=x", "api_id"),
        ("account_id=a%00", "account_id"),
        ("limit=0", "limit"),
        ("cursor=x", "cursor"),
        ("surprise=1", "surprise"),
        ("sort=created_at", "sort"),
    ] {
        owner.get(&pool(&format!("allocations?{query}"))).await.wrong(field);
    }
}

/// Cursors are ours; forged ones lead nowhere, and break nothing.
async fn forged_cursors_are_harmless(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_001, 3, 1).await;
    for number in [i64::MIN, -1, 0, 1, i64::MAX] {
        for cursor in [json!(number), json!({ "r": number }), json!({ "a": number.to_string() })] {
            let cursor = URL_SAFE_NO_PAD.encode(cursor.to_string());
            for list in ["history?", "history?api_id=1000001&", "history?account_id=a&", "allocations?", "?"] {
                let reply = owner.get(&pool(&format!("{list}cursor={cursor}"))).await;
                if reply.status != 200 {
                    reply.wrong("cursor");
                }
            }
        }
    }
}

async fn history_is_told(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    live(&owner).await;
    let marked = owner.with("x-request-id", "find-me");
    marked.ok("POST", &pool("allocate"), json!({ "account_id": "=1+1", "api_id": 1_000_001 })).await;
    let row = json!({
        "id": "digits", "at": "time", "action": "text", "operator": "text", "account_id": "text?", "api_id": "digits?",
        "ip": "text?", "request_id": "text?", "data": "object?",
    });
    let all = owner.get(&pool("history")).await;
    has_shape(&all.data()["items"], &json!([row]));
    let newest = &all.data()["items"][0];
    assert_eq!((&newest["action"], &newest["account_id"]), (&json!("api.allocated"), &json!("=1+1")));
    assert_eq!((&newest["request_id"], &newest["ip"]), (&json!("find-me"), &json!("127.0.0.1")));
    assert!(!all.text.contains("user.signed_in"), "only the pool's part");
    assert_eq!(owner.get(&pool("allocation-history")).await.data(), all.data(), "the older name");

    let names = |reply: &Reply| column(reply, "action").into_iter().map(str::to_owned).collect::<Vec<_>>();
    for (query, expected) in [
        ("account_id=b", vec!["api.allocated", "api.released", "api.allocated"]),
        ("phone=+86138", vec!["api.allocated"]),
        ("account_id=b&action=api.released", vec!["api.released"]),
        ("api_id=1000002", vec!["api.allocated", "api.added"]),
        ("action=batch.imported,api.released", vec!["api.released", "api.released", "batch.imported"]),
        ("operator=user:nobody", vec![]),
        ("operator=user:nobody,user:admin&account_id=+86138", vec!["api.allocated"]),
        ("account_id=b&action!=api.allocated", vec!["api.released"]),
        ("to=2001-01-01", vec![]),
        ("from=2001-01-01&action=batch.imported", vec!["batch.imported"]),
        ("from=2001-01-01T00:00:00%2B08:00&to=2999-01-01T00:00:00Z&action=batch.imported", vec!["batch.imported"]),
    ] {
        let reply = owner.get(&pool(&format!("history?{query}"))).await;
        assert_eq!(names(&reply), expected, "{query}");
        assert_eq!(reply.data()["total"], expected.len(), "{query}");
    }
    // A date is a whole day.
    let at = owner.get(&pool("history?action=batch.imported")).await.data()["items"][0]["at"].clone();
    let day = &at.as_str().unwrap()[..10];
    for (span, expected) in [
        (format!("from={day}&to={day}"), vec!["batch.imported"]),
        (format!("to={day}"), vec!["batch.imported"]),
        (format!("from={day}T00:00:00Z&to={day}T00:00:00Z"), vec![]),
    ] {
        for path in [pool("history"), "/api/admin/audit-logs".to_owned()] {
            let reply = owner.get(&format!("{path}?action=batch.imported&{span}")).await;
            assert_eq!(names(&reply), expected, "{path} {span}");
        }
    }
    for filter in ["", "&account_id=b", "&api_id=1000001", "&action=api.allocated"] {
        let whole = owner.get(&pool(&format!("history?limit=500{filter}"))).await;
        let (mut joined, mut cursor) = (Vec::new(), String::new());
        for _ in 0..30 {
            let reply = owner.get(&pool(&format!("history?limit=2{filter}{cursor}"))).await;
            joined.extend(column(&reply, "id").into_iter().map(str::to_owned));
            assert_eq!(reply.data()["total"], whole.data()["total"], "{filter}");
            let Some(next) = reply.data()["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(joined, column(&whole, "id"), "{filter}");
        assert_eq!(whole.data()["total"], joined.len(), "{filter}");
    }
    for (query, field) in [
        ("action=api.exploded", "action"),
        ("action=user.signed_in", "action"),
        ("action=api.allocated&action!=api.allocated", "action"),
        ("from=yesterday", "from"),
        ("to=2026-13-01", "to"),
        ("api_id=-1", "api_id"),
        ("format=xml", "format"),
        ("surprise=1", "surprise"),
    ] {
        owner.get(&pool(&format!("history?{query}"))).await.wrong(field);
    }

    let file = owner.get(&pool("history?format=csv&action=api.allocated")).await;
    assert_eq!((file.status, file.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert!(file.header("content-disposition").starts_with("attachment"));
    let mut lines = file.text.lines();
    assert_eq!(lines.next(), Some("id,at,action,operator,account_id,api_id,ip,request_id,data"));
    let rows: Vec<&str> = lines.collect();
    assert_eq!(rows.len(), 6);
    assert!(rows[0].contains(",'=1+1,") && rows.iter().any(|row| row.contains(",'+86138,")), "neutralised: {rows:?}");
    assert_eq!(owner.ask("GET", &pool("allocation-history?format=csv"), Value::Null).await.status, 200);
}

on_both!(allocations_are_kept, forged_cursors_are_harmless, history_is_told);
