//! §3: allocate, batch, preview, release, renew, account, lookup.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{has_shape, pool};
use crate::harness::{Api, Kind, Place, Server};
use crate::on_both;

const LEVEL: &str = "free|bronze|silver|gold|diamond|star|king";

fn allocation() -> Value {
    json!({
        "allocation_id": "ulid", "api_id": "digits", "api_hash": "text", "name": "text", "account_id": "text",
        "group_id": "ulid?", "strategy_used": "text", "existing": "bool", "member_level": LEVEL,
        "allocated_at": "time", "expires_at": "time?", "account_cooldown_until?": "time",
    })
}

async fn allocate(api: &Api, body: Value) -> Value {
    let reply = api.post(&pool("allocate"), body).await;
    has_shape(reply.data(), &allocation());
    reply.data().clone()
}

fn moment(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

async fn with_level(server: &Server, level: &str) -> Api {
    let body = json!({ "product": "it", "scopes": ["credpool:*"], "member_level": level });
    let issued = server.owner().await.ok("POST", "/api/admin/service-tokens", body).await;
    server.anonymous().with("authorization", &format!("Bearer {}", issued["token"].as_str().unwrap()))
}

async fn allocates(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let (owner, service) = (server.owner().await, server.service(&["credpool:*"]).await);
    owner.import(1_000_000, 4, 5).await;

    let first = allocate(&service, json!({ "account_id": "+8613800000001" })).await;
    let api_id: usize = first["api_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(first["api_hash"], format!("{:032x}", api_id * 7919));
    assert_eq!((&first["existing"], &first["strategy_used"]), (&json!(false), &json!("balanced")));
    assert_eq!((&first["account_id"], &first["member_level"]), (&json!("+8613800000001"), &json!("free")));
    assert!(first["expires_at"].is_null());

    // Sticky; whatever else old clients send, and null, changes nothing.
    let nulls = json!({
        "phone": "+8613800000001", "strategy": null, "group_id": null, "api_id": null, "member_level": null,
        "fresh": null, "ttl_seconds": null, "with_proxy": null, "require_proxy": null, "proxy_country": null,
        "app_version": "7.1", "purpose": null, "extra": { "deep": [1] },
    });
    let again = allocate(&service, nulls).await;
    assert_eq!((&again["allocation_id"], &again["existing"]), (&first["allocation_id"], &json!(true)));
    assert_eq!(again["strategy_used"], "existing");

    // The three names of an account.
    let all = json!({ "phone": "by phone", "account_phone": "by account_phone", "account_id": "by account_id" });
    assert_eq!(allocate(&service, all).await["account_id"], "by phone");
    let two = json!({ "phone": null, "account_phone": "by account_phone", "account_id": "by account_id" });
    assert_eq!(allocate(&service, two).await["account_id"], "by account_phone");

    // Pinned, as text and as a number; never another one.
    for (account, api_id) in [("pinned text", json!("1000003")), ("pinned number", json!(1_000_003))] {
        let pinned = allocate(&service, json!({ "account_id": account, "api_id": api_id })).await;
        assert_eq!((&pinned["api_id"], &pinned["strategy_used"]), (&json!("1000003"), &json!("manual")));
    }
    let other = json!({ "account_id": "pinned text", "api_id": "1000000" });
    service.post(&pool("allocate"), other).await.problem(409, 3005, "pinned_unavailable");

    // Every strategy by name.
    for strategy in ["balanced", "success_rate", "least_failures", "round_robin", "health"] {
        let body = json!({ "account_id": format!("by {strategy}"), "strategy": strategy });
        assert_eq!(allocate(&service, body).await["strategy_used"], strategy);
    }

    // A lease ends in time; fresh releases and allocates in one step; a returner gets its own.
    let lease = allocate(&service, json!({ "account_id": "lease", "ttl_seconds": 3600 })).await;
    assert_eq!((moment(&lease["expires_at"]) - moment(&lease["allocated_at"])).num_seconds(), 3600);
    let fresh = allocate(&service, json!({ "account_id": "lease", "fresh": true })).await;
    assert!(fresh["allocation_id"] != lease["allocation_id"] && fresh["existing"] == false);
    service.post(&pool("release"), json!({ "account_id": "lease" })).await.data();
    let back = allocate(&service, json!({ "account_id": "lease", "strategy": "health" })).await;
    assert_eq!((&back["api_id"], &back["strategy_used"]), (&fresh["api_id"], &json!("affinity")));

    let empty = json!({ "phone": "", "account_phone": null, "account_id": "by account_id" });
    assert_eq!(allocate(&service, empty).await["account_id"], "by account_id");

    for (body, field) in [
        (json!({}), "account_id"),
        (json!({ "account_phone": "" }), "account_phone"),
        (json!({ "account_id": "x".repeat(129) }), "account_id"),
        (json!({ "account_id": "x", "strategy": "best" }), "strategy"),
        (json!({ "account_id": "x", "member_level": "emperor" }), "member_level"),
        (json!({ "account_id": "x", "group_id": "nowhere" }), "group_id"),
        (json!({ "account_id": "x", "api_id": 0 }), "api_id"),
        (json!({ "account_id": "x", "api_id": "2147483648" }), "api_id"),
        (json!({ "account_id": "x", "ttl_seconds": 0 }), "ttl_seconds"),
        (json!({ "account_id": "x", "ttl_seconds": 31_536_001 }), "ttl_seconds"),
    ] {
        service.post(&pool("allocate"), body).await.wrong(field);
    }
    server.stop().await;
    place.assert_sound();
}

async fn levels_and_groups_choose(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let group = owner.ok("POST", &pool("groups"), json!({ "name": "vip", "strategy": "health" })).await;
    let add = async |api_id: i64, extra: Value| {
        let mut body = json!({ "api_id": api_id, "api_hash": format!("{api_id:032x}"), "name": "c" });
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        owner.ok("POST", &pool(""), body).await
    };
    add(2_000_001, json!({ "group_id": group["id"], "min_member_level": "silver" })).await;

    // A service has its token's level; what it says itself is not believed, what a person says is.
    let free = with_level(&server, "free").await;
    let body = json!({ "account_id": "a", "group_id": group["id"], "member_level": "king" });
    let refused = free.post(&pool("allocate"), body.clone()).await;
    let reasons = &refused.problem(409, 3002, "none_available")["reasons"];
    assert_eq!(*reasons, json!({ "disabled": 0, "banned": 0, "cooling": 0, "level": 1, "group": 0, "rule": 0 }));
    let silver = with_level(&server, "silver").await;
    let got = allocate(&silver, body).await;
    assert_eq!((&got["member_level"], &got["group_id"]), (&json!("silver"), &group["id"]));
    assert_eq!(got["strategy_used"], "health", "the group's own");
    let body = json!({ "account_id": "b", "member_level": "king" });
    assert_eq!(allocate(&owner, body).await["member_level"], "king");
    let reply = free.post(&pool("allocate"), json!({ "account_id": "c", "require_proxy": true })).await;
    reply.problem(409, 3002, "none_available");
    assert_eq!(allocate(&silver, json!({ "account_id": "d", "with_proxy": true })).await["existing"], false);
}

async fn batches_answer_in_order(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let service = server.service(&["credpool:*"]).await;
    server.owner().await.import(1_000_000, 2, 2).await;
    let requests = json!([
        { "account_id": "a" }, { "account_id": "" }, { "phone": "b", "noise": 1 }, { "account_id": "a" },
        { "account_id": "c", "strategy": "best" }, { "account_id": "d" }, { "account_id": "e" }, { "account_id": "f" },
    ]);
    let reply = service.post(&pool("allocate/batch"), json!({ "requests": requests, "noise": null })).await;
    let results = reply.data()["results"].as_array().unwrap();
    assert_eq!(results.len(), 8);
    let outcome = |index: usize| {
        if results[index]["success"] == true {
            has_shape(&results[index], &json!({ "success": "true", "data": allocation() }));
            results[index]["data"]["account_id"].as_str().unwrap().to_owned()
        } else {
            let shape =
                json!({ "code": "text", "number": "int", "message": "text", "details?": "any", "retry_after?": "int" });
            has_shape(&results[index], &json!({ "success": "false", "error": shape }));
            results[index]["error"]["number"].to_string()
        }
    };
    let got: Vec<String> = (0..8).map(outcome).collect();
    assert_eq!(got, ["a", "2001", "b", "a", "2001", "d", "e", "3001"]);
    assert_eq!(results[3]["data"]["existing"], true);

    service.post(&pool("allocate/batch"), json!({ "requests": [] })).await.wrong("requests");
    let many: Vec<Value> = (0..501).map(|n| json!({ "account_id": n.to_string() })).collect();
    service.post(&pool("allocate/batch"), json!({ "requests": many })).await.wrong("requests");
    // One that can't be read is its own failure.
    let requests = json!([["b"], { "account_id": "a" }, { "account_id": "b", "api_id": "x" }, null]);
    let reply = service.post(&pool("allocate/batch"), json!({ "requests": requests })).await;
    let results = reply.data()["results"].as_array().unwrap();
    assert_eq!(results[1]["data"]["account_id"], "a");
    for (index, field) in [(0, "body"), (2, "api_id"), (3, "body")] {
        assert_eq!(results[index]["error"]["details"][0]["field"], field, "{index}");
    }
}

async fn previews_change_nothing(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let (owner, service) = (server.owner().await, server.service(&["credpool:allocate"]).await);
    owner.import(1_000_000, 60, 1).await;
    let parts = json!({
        "preferred_by": "text?", "premium": "bool", "priority": "int", "strategy": "text", "strategy_key": "int",
        "utilisation": "number",
    });
    let candidate = json!({
        "id": "ulid", "api_id": "digits", "name": "text", "rank": "int", "utilisation": "number", "parts": parts,
        "why": "text",
    });
    let reasons = ["disabled", "banned", "cooling", "level", "group", "rule"];
    let rejected: Value =
        reasons.iter().map(|reason| ((*reason).to_owned(), json!("int"))).collect::<serde_json::Map<_, _>>().into();
    let shape = json!({
        "chosen": { "id": "ulid", "api_id": "digits", "name": "text" }, "would_use": "text",
        "candidates": [candidate], "rejected": rejected,
    });
    let body = json!({ "account_id": "a", "strategy": "round_robin", "noise": null });
    let preview = service.post(&pool("allocate/preview"), body.clone()).await;
    has_shape(preview.data(), &shape);
    let candidates = preview.data()["candidates"].as_array().unwrap();
    assert_eq!((candidates.len(), &preview.data()["would_use"]), (50, &json!("round_robin")));
    assert!(candidates.iter().enumerate().all(|(index, one)| one["rank"] == index + 1));
    assert_eq!(preview.data()["chosen"]["api_id"], candidates[0]["api_id"]);
    assert!(service.get(&pool("account?account_id=a")).await.status == 403, "the scope is allocate only");
    assert!(owner.get(&pool("account?account_id=a")).await.data().is_null(), "nothing was allocated");

    let got = allocate(&service, body.clone()).await;
    assert_eq!(got["api_id"], preview.data()["chosen"]["api_id"], "what was foretold");
    let preview = service.post(&pool("allocate/preview"), body).await;
    assert_eq!(preview.data()["would_use"], "existing");
    let disabled = owner.get(&pool("?q=1000059")).await.data()["items"][0]["id"].as_str().unwrap().to_owned();
    owner.post(&pool(&format!("{disabled}/disable")), Value::Null).await.data();
    let body = json!({ "account_id": "b", "api_id": 1_000_059 });
    let preview = service.post(&pool("allocate/preview"), body).await;
    let (chosen, refusal) = (&preview.data()["chosen"], &preview.data()["refusal"]);
    assert_eq!((chosen, &preview.data()["would_use"]), (&Value::Null, &Value::Null));
    assert_eq!((&refusal["number"], &preview.data()["rejected"]["disabled"]), (&json!(3005), &json!(1)));
}

async fn lets_go_and_prolongs(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let service = server.service(&["credpool:*"]).await;
    server.owner().await.import(1_000_000, 2, 5).await;
    let released = json!({ "allocation_id": "ulid", "api_id": "digits", "account_id": "text", "released_at": "time" });

    let one = allocate(&service, json!({ "account_id": "one" })).await;
    let reply =
        service.post(&pool("release"), json!({ "phone": "one", "reason": "logout", "allocation_id": null })).await;
    has_shape(reply.data(), &released);
    assert_eq!((&reply.data()["allocation_id"], &reply.data()["api_id"]), (&one["allocation_id"], &one["api_id"]));
    service.post(&pool("release"), json!({ "account_id": "one" })).await.problem(404, 3006, "not_allocated");

    let two = allocate(&service, json!({ "account_id": "two", "ttl_seconds": 5 })).await;
    let reply = service.post(&pool("renew"), json!({ "account_phone": "two", "ttl_seconds": 60 })).await;
    has_shape(reply.data(), &json!({ "allocation_id": "ulid", "expires_at": "time" }));
    let left = moment(&reply.data()["expires_at"]) - moment(&reply.json["meta"]["timestamp"]);
    assert!((59..=60).contains(&left.num_seconds()), "counts from now: {left}");
    assert!(moment(&reply.data()["expires_at"]) > moment(&two["expires_at"]));
    let by_id = json!({ "allocation_id": two["allocation_id"] });
    has_shape(service.post(&pool("release"), by_id.clone()).await.data(), &released);
    service.post(&pool("release"), by_id).await.problem(404, 3006, "not_allocated");
    service.post(&pool("renew"), json!({ "account_id": "two", "ttl_seconds": 9 })).await.problem(
        404,
        3006,
        "not_allocated",
    );

    allocate(&service, json!({ "account_id": "three" })).await;
    service
        .post(&pool("renew"), json!({ "account_id": "three", "ttl_seconds": 9 }))
        .await
        .problem(409, 2004, "conflict");
    service.post(&pool("release"), json!({})).await.wrong("account_id");
    service.post(&pool("release"), json!({ "allocation_id": "no/id" })).await.wrong("allocation_id");
    service.post(&pool("renew"), json!({ "account_id": "three" })).await.wrong("ttl_seconds");
    service.post(&pool("renew"), json!({ "account_id": "three", "ttl_seconds": -1 })).await.wrong("ttl_seconds");
    service.post(&pool("renew"), json!({ "account_id": "x", "ttl_seconds": 9, "surprise": 1 })).await.wrong("surprise");
}

async fn tells_what_accounts_hold(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let service = server.service(&["credpool:*"]).await;
    server.owner().await.import(1_000_000, 1, 9).await;
    let shape = json!({
        "account_id": "text", "allocation_id": "ulid", "api_id": "digits", "name": "text", "allocated_at": "time",
        "expires_at": "time?", "state": "active|cooling|frozen|retired", "cooldown_until": "time?", "strategy": "text",
        "operator": "text", "proxy_id": "text?",
    });
    let plus = "+8613800000001";
    let held = allocate(&service, json!({ "account_id": plus })).await;
    // A plus may come escaped, bare, or as the space that a bare one decodes to.
    for query in [
        "account_id=%2B8613800000001",
        "account_id=+8613800000001",
        "account_id= 8613800000001",
        "phone=+8613800000001&account_id=other",
        "account_phone=%2B8613800000001&account_id=other&noise=1",
    ] {
        let reply = service.get(&pool(&format!("account?{query}"))).await;
        has_shape(reply.data(), &shape);
        assert_eq!((&reply.data()["account_id"], &reply.data()["state"]), (&json!(plus), &json!("active")), "{query}");
        assert_eq!(
            (&reply.data()["allocation_id"], &reply.data()["operator"]),
            (&held["allocation_id"], &json!("svc:it"))
        );
    }
    assert!(service.get(&pool("account?phone=unknown")).await.data().is_null());
    service.get(&pool("account")).await.wrong("account_id");
    service.get(&pool("account?account_phone=a%00b")).await.wrong("account_phone");

    let report = json!({ "api_id": held["api_id"], "success": false, "error": "FLOOD_WAIT_600", "account_id": plus });
    assert_eq!(service.post(&pool("result"), report).await.data()["action"], "account_cooled");
    let reply = service.get(&pool("account?phone=+8613800000001")).await;
    assert_eq!(reply.data()["state"], "cooling");
    assert!(super::is_time(reply.data()["cooldown_until"].as_str().unwrap()));
    let again = allocate(&service, json!({ "account_id": plus })).await;
    assert_eq!((&again["account_cooldown_until"], &again["existing"]), (&reply.data()["cooldown_until"], &json!(true)));

    let body = json!({ "account_ids": [plus, "unknown"] });
    let reply = service.post(&pool("accounts/lookup"), body).await;
    has_shape(reply.data(), &json!({ "items": [shape], "missing": ["text"] }));
    assert_eq!(
        (&reply.data()["items"][0]["account_id"], &reply.data()["missing"]),
        (&json!(plus), &json!(["unknown"]))
    );
    service.post(&pool("accounts/lookup"), json!({ "account_ids": [] })).await.wrong("account_ids");
    let many: Vec<String> = (0..501).map(|n| n.to_string()).collect();
    service.post(&pool("accounts/lookup"), json!({ "account_ids": many })).await.wrong("account_ids");
    service.post(&pool("accounts/lookup"), json!({ "account_ids": ["a"], "surprise": 1 })).await.wrong("surprise");
}

on_both!(
    allocates,
    levels_and_groups_choose,
    batches_answer_in_order,
    previews_change_nothing,
    lets_go_and_prolongs,
    tells_what_accounts_hold,
);
