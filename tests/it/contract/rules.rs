//! §4: rules: who may have which credential, and what is said of it before and after.

use serde_json::{Value, json};

use super::fields::page;
use super::{Reply, has_shape, pool};
use crate::harness::{Api, Kind, Place, Server};
use crate::on_both;

const ALLOCATE: &str = "/api/admin/api-pool/allocate";

fn rule() -> Value {
    let matcher = json!({ "account?": "text", "operator?": "text", "ip?": "text", "level?": "text", "group?": "ulid" });
    json!({
        "id": "ulid", "name": "text", "effect": "deny|allow|bind|prefer", "match": matcher, "target": "object?",
        "priority": "int", "enabled": "bool", "expires_at": "time?", "created_at": "time", "updated_at": "time",
        "version": "int",
    })
}

/// Adds a rule; the path to it.
async fn add(owner: &Api, body: Value) -> String {
    let added = owner.post(&pool("rules"), body).await;
    has_shape(added.data(), &rule());
    pool(&format!("rules/{}", added.data()["id"].as_str().unwrap()))
}

async fn allocate(caller: &Api, account: &str) -> Reply {
    caller.post(ALLOCATE, json!({ "account_id": account })).await
}

fn column(reply: &Reply, field: &str) -> Vec<Value> {
    reply.data()["items"].as_array().unwrap().iter().map(|one| one[field].clone()).collect()
}

async fn are_added_changed_and_removed(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let group = owner.ok("POST", &pool("groups"), json!({ "name": "g" })).await["id"].clone();
    let whole = json!({
        "name": "whole", "effect": "bind", "priority": 7, "enabled": false, "expires_at": "2099-01-01T00:00:00.000Z",
        "match": { "account": "+86*", "operator": "svc:?hat", "ip": "203.0.113.0/24", "level": "gold,king", "group": group },
        "target": { "api_id": "1000001" },
    });
    let added = owner.post(&pool("rules"), whole.clone()).await;
    has_shape(added.data(), &rule());
    for (field, value) in whole.as_object().unwrap() {
        assert_eq!(added.data()[field], *value, "{field}");
    }
    assert_eq!(added.header("etag"), "\"1\"");
    let path = pool(&format!("rules/{}", added.data()["id"].as_str().unwrap()));
    assert_eq!(owner.get(&path).await.data(), added.data());
    let least = owner.post(&pool("rules"), json!({ "name": "least", "effect": "deny" })).await;
    let expected = json!({ "match": {}, "target": null, "priority": 0, "enabled": true, "expires_at": null });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(least.data()[field], *value, "{field}");
    }
    owner.post(&pool("rules"), json!({ "name": "least", "effect": "deny" })).await.problem(409, 2003, "already_exists");
    let first = json!({ "name": "first", "effect": "prefer", "priority": 9, "target": { "group_id": group } });
    assert_eq!(owner.post(&pool("rules"), first).await.data()["target"], json!({ "group_id": group }));

    let listed = owner.get(&pool("rules")).await;
    has_shape(listed.data(), &page(&rule()));
    assert_eq!(column(&listed, "name"), ["first", "whole", "least"], "in the order in which they go");
    let part = owner.get(&pool("rules?limit=2")).await;
    let next = pool(&format!("rules?limit=2&cursor={}", part.data()["next_cursor"].as_str().unwrap()));
    assert_eq!(column(&owner.get(&next).await, "name"), ["least"]);

    // PUT merges: absent keeps, null clears.
    let changed = owner.ask("PUT", &path, json!({ "priority": -1, "expires_at": null, "match": null })).await;
    has_shape(changed.data(), &rule());
    assert_eq!((&changed.data()["priority"], &changed.data()["match"]), (&json!(-1), &json!({})));
    assert_eq!((&changed.data()["expires_at"], &changed.data()["target"]), (&Value::Null, &whole["target"]));
    assert_eq!((changed.header("etag"), &changed.data()["name"]), ("\"2\"", &json!("whole")));
    owner.ask("PUT", &path, json!({ "target": null })).await.wrong("target");
    owner.ask("PUT", &path, json!({ "name": "least" })).await.problem(409, 2003, "already_exists");
    let stale = owner.with("if-match", "\"1\"");
    let toggle = format!("{path}/toggle");
    for (method, path, body) in
        [("PUT", &path, json!({ "name": "late" })), ("PUT", &toggle, Value::Null), ("DELETE", &path, Value::Null)]
    {
        stale.ask(method, path, body).await.problem(412, 2005, "stale");
    }
    let toggled = owner.with("if-match", "\"2\"").ask("PUT", &toggle, Value::Null).await;
    has_shape(toggled.data(), &rule());
    assert_eq!((&toggled.data()["enabled"], toggled.header("etag")), (&json!(true), "\"3\""));
    assert_eq!(owner.ask("PUT", &toggle, json!({})).await.data()["enabled"], false);
    assert_eq!(owner.ask("PUT", &toggle, json!({ "enabled": false })).await.data()["enabled"], false);
    owner.ask("PUT", &toggle, json!({ "enabled": "no" })).await.wrong("enabled");

    has_shape(owner.ask("DELETE", &path, Value::Null).await.data(), &json!({ "id": "ulid" }));
    for (method, path, body) in [
        ("GET", &path, Value::Null),
        ("PUT", &path, json!({})),
        ("PUT", &toggle, Value::Null),
        ("DELETE", &path, Value::Null),
    ] {
        owner.ask(method, path, body).await.problem(404, 2002, "not_found");
    }
    server.stop().await;
    place.assert_sound();
}

async fn wrong_ones_name_the_field(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let path = add(&owner, json!({ "name": "one", "effect": "deny" })).await;
    let good = json!({ "account_id": "a" });
    for (field, named, value) in [
        ("name", "name", json!(" ")),
        ("name", "name", json!("x".repeat(201))),
        ("effect", "effect", json!("ban")),
        ("effect", "effect", json!("")),
        ("effect", "target", json!("bind")),
        ("effect", "target", json!("allow")),
        ("effect", "target", json!("prefer")),
        ("priority", "priority", json!(1_000_001)),
        ("expires_at", "expires_at", json!("tomorrow")),
        ("match", "match.account", json!({ "account": "" })),
        ("match", "match.operator", json!({ "operator": "x".repeat(129) })),
        ("match", "match.ip", json!({ "ip": "10.0.0.0/33" })),
        ("match", "match.level", json!({ "level": "gold,emperor" })),
        ("match", "match.group", json!({ "group": "01J0000000000000000000000" })),
        ("match", "match.group", json!({ "group": "a\u{0}" })),
        ("target", "target.group_id", json!({ "group_id": "\u{0}" })),
        ("match", "match.colour", json!({ "colour": "red" })),
        ("match", "match", json!(["a"])),
        ("target", "target", json!({})),
        ("target", "target", json!({ "api_id": 5, "group_id": "x" })),
        ("target", "target.api_id", json!({ "api_id": 0 })),
        ("target", "target.group_id", json!({ "group_id": "01J0000000000000000000000" })),
        ("target", "target", json!([5])),
        ("surprise", "surprise", json!(1)),
    ] {
        let mut body = json!({ "name": "fine", "effect": "deny" });
        body[field] = value.clone();
        owner.post(&pool("rules"), body.clone()).await.wrong(named);
        owner.ask("PUT", &path, json!({ field: value })).await.wrong(named);
        // A trial says the same, and where.
        let reply = owner.post(&pool("rules/try"), json!({ "rule": body, "request": good })).await;
        reply.wrong(&format!("rule.{named}"));
    }
    let trial = |field: &str, value: Value| {
        let mut body = json!({ "rule": { "name": "fine", "effect": "deny" }, "request": good });
        body["request"][field] = value;
        body
    };
    for (field, value) in [("account_id", json!("")), ("ip", json!("here")), ("strategy", json!("best"))] {
        owner.post(&pool("rules/try"), trial(field, value)).await.wrong(&format!("request.{field}"));
    }
    let mut replaces = trial("account_id", json!("a"));
    replaces["replaces"] = json!("01J0000000000000000000000");
    owner.post(&pool("rules/try"), replaces).await.wrong("replaces");
    assert_eq!(owner.get(&pool("rules")).await.data()["total"], 1, "nothing of it was written");
    assert_eq!(owner.get(&path).await.header("etag"), "\"1\"");
}

async fn all_four_effects_decide(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_000, 4, 2).await;
    let service = server.service(&["credpool:*"]).await;
    let body = json!({ "product": "vip", "scopes": ["credpool:*"] });
    let vip = owner.ok("POST", "/api/admin/service-tokens", body).await["token"].as_str().unwrap().to_owned();
    let vip = server.anonymous().with("x-service-token", &vip);
    let standing = allocate(&service, "bad:standing").await;

    // Deny without a target refuses the caller, in a batch the member; what stands goes on.
    let deny =
        json!({ "name": "no bad ones", "effect": "deny", "match": { "account": "bad:*", "operator": "svc:it" } });
    let deny = add(&owner, deny).await;
    let refused = allocate(&service, "bad:new").await;
    let said = refused.problem(403, 3003, "denied_by_rule");
    assert!(said["message"].as_str().unwrap().contains("no bad ones"), "{said}");
    assert_eq!(said["details"], json!([{ "field": "rule", "message": "no bad ones" }]));
    let requests = json!({ "requests": [{ "account_id": "bad:new" }, { "account_id": "good" }] });
    let batch = service.post(&pool("allocate/batch"), requests).await;
    assert_eq!(batch.data()["results"][0]["error"]["number"], 3003);
    assert_eq!(batch.data()["results"][1]["success"], true);
    let again = allocate(&service, "bad:standing").await;
    assert_eq!((&again.data()["existing"], &again.data()["api_id"]), (&json!(true), &standing.data()["api_id"]));
    allocate(&owner, "bad:by-a-person").await.data();
    let preview = service.post(&pool("allocate/preview"), json!({ "account_id": "bad:new" })).await;
    assert_eq!((&preview.data()["refusal"]["number"], &preview.data()["chosen"]), (&json!(3003), &Value::Null));
    owner.ask("PUT", &format!("{deny}/toggle"), json!({ "enabled": false })).await.data();
    allocate(&service, "bad:new").await.data();
    for account in ["bad:standing", "bad:new", "bad:by-a-person", "good"] {
        owner.ok("POST", &pool("release"), json!({ "account_id": account })).await;
    }

    // Deny with a target takes it out of the choice; a pinned one is refused.
    let taken = json!({ "name": "not this", "effect": "deny", "target": { "api_id": 1_000_000 } });
    let taken = add(&owner, taken).await;
    let pinned = service.post(ALLOCATE, json!({ "account_id": "a", "api_id": 1_000_000 })).await;
    pinned.problem(409, 3005, "pinned_unavailable");
    // Allow reserves its target for those that it matches.
    let allow = json!({
        "name": "for vip", "effect": "allow", "match": { "operator": "svc:vip" }, "target": { "api_id": 1_000_001 },
    });
    let allow = add(&owner, allow).await;
    for account in ["a", "b", "c", "d"] {
        let given = allocate(&service, account).await;
        let api_id = given.data()["api_id"].as_str().unwrap();
        assert!(["1000002", "1000003"].contains(&api_id), "{account}: {api_id}");
    }
    allocate(&service, "e").await.problem(409, 3001, "pool_full");
    assert_eq!(allocate(&vip, "v").await.data()["api_id"], "1000001");
    let preview = service.post(&pool("allocate/preview"), json!({ "account_id": "e" })).await;
    assert_eq!(preview.data()["rejected"]["rule"], 2, "{}", preview.text);
    for account in ["a", "b", "c", "d", "v"] {
        owner.ok("POST", &pool("release"), json!({ "account_id": account })).await;
    }
    owner.ask("DELETE", &taken, Value::Null).await.data();
    owner.ask("DELETE", &allow, Value::Null).await.data();

    // Bind: the target, or a refusal.
    let bind = json!({
        "name": "home", "effect": "bind", "match": { "account": "home:?" }, "target": { "api_id": 1_000_003 },
    });
    add(&owner, bind).await;
    for account in ["home:1", "home:2"] {
        let given = allocate(&service, account).await;
        assert_eq!((&given.data()["api_id"], &given.data()["strategy_used"]), (&json!("1000003"), &json!("rule:home")));
    }
    allocate(&service, "home:3").await.problem(409, 3001, "pool_full");
    assert_eq!(allocate(&service, "home:10").await.data()["strategy_used"], "balanced", "? is one character");
    // Prefer ranks its target first while it has room; a higher priority goes before a lower one.
    for (name, priority, target) in [("second best", 1, 1_000_001), ("best", 2, 1_000_002)] {
        let body = json!({
            "name": name, "effect": "prefer", "priority": priority, "match": { "account": "p*" },
            "target": { "api_id": target },
        });
        add(&owner, body).await;
    }
    let mut told = Vec::new();
    for account in ["p1", "p2", "p3"] {
        let preview = service.post(&pool("allocate/preview"), json!({ "account_id": account })).await;
        let given = allocate(&service, account).await;
        assert_eq!(preview.data()["would_use"], given.data()["strategy_used"], "what was foretold");
        assert_eq!(preview.data()["chosen"]["api_id"], given.data()["api_id"]);
        told.push(given.data()["strategy_used"].as_str().unwrap().to_owned());
    }
    assert!(told[0] == "rule:best" && told.last().unwrap() == "rule:second best", "{told:?}");
    // What has expired does nothing.
    let past = json!({ "name": "past", "effect": "deny", "expires_at": "2001-01-01T00:00:00Z" });
    add(&owner, past).await;
    assert_eq!(allocate(&service, "p1").await.data()["existing"], true);
    allocate(&service, "late").await.data();
    server.stop().await;
    place.assert_sound();
}

async fn trials_tell_both_and_change_nothing(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_000, 3, 2).await;
    let draft = json!({
        "name": "only there", "effect": "bind", "match": { "operator": "svc:chat", "ip": "203.0.113.0/24" },
        "target": { "api_id": 1_000_002 },
    });
    let tried = async |rule: &Value, request: Value| {
        let reply = owner.post(&pool("rules/try"), json!({ "rule": rule, "request": request })).await;
        let preview = json!({
            "chosen": "object?", "would_use": "text?", "refusal?": "object", "candidates": "any", "rejected": "object",
        });
        has_shape(reply.data(), &json!({ "without": preview, "with": preview }));
        ["without", "with"].map(|which| reply.data()[which]["would_use"].clone())
    };
    let there = json!({ "account_id": "a", "operator": "svc:chat", "ip": "203.0.113.9", "noise": 1 });
    assert_eq!(tried(&draft, there.clone()).await, [json!("balanced"), json!("rule:only there")]);
    assert_eq!(tried(&draft, json!({ "account_id": "a" })).await, ["balanced", "balanced"], "by you, from here");
    let elsewhere = json!({ "account_id": "a", "operator": "svc:chat", "ip": "198.51.100.9" });
    assert_eq!(tried(&draft, elsewhere).await, ["balanced", "balanced"]);
    let deny = json!({ "name": "none", "effect": "deny", "enabled": false });
    assert_eq!(tried(&deny, json!({ "account_id": "a" })).await, [json!("balanced"), Value::Null]);
    assert_eq!(owner.get(&pool("rules")).await.data()["total"], 0, "nothing was kept");
    assert!(owner.get(&pool("account?account_id=a")).await.data().is_null(), "nothing was allocated");

    // In the place of a rule that is there.
    let path = add(&owner, json!({ "name": "closed", "effect": "deny" })).await;
    let body = json!({
        "rule": { "name": "closed", "effect": "deny", "match": { "account": "b" } }, "replaces": path.rsplit('/').next(),
        "request": { "account_id": "a" },
    });
    let reply = owner.post(&pool("rules/try"), body).await;
    assert_eq!(reply.data()["with"]["would_use"], "balanced", "{}", reply.text);
    allocate(&owner, "a").await.problem(403, 3003, "denied_by_rule");
}

/// By the address that a trusted proxy saw, and by none that anybody wrote.
async fn the_source_counts(kind: Kind) {
    let place = Place::new(kind).await;
    let mut command = place.command();
    command.arg("serve").env("API_POOL_TRUSTED_PROXIES", r#"["127.0.0.1/32"]"#);
    let trusting = Server::spawn(command, place.dir.path()).await;
    let owner = trusting.owner().await;
    owner.import(1_000_000, 1, 9).await;
    add(&owner, json!({ "name": "not from there", "effect": "deny", "match": { "ip": "203.0.113.0/24" } })).await;
    let from = |caller: &Api, hops: &str| caller.with("x-forwarded-for", hops);
    for (account, hops, is_let_in) in [
        ("a", "203.0.113.7", false),
        ("b", "198.51.100.1, 203.0.113.7", false),
        ("c", "203.0.113.7, 198.51.100.1", true),
        ("d", "203.0.113.7, 127.0.0.1", false),
        ("e", "198.51.100.1", true),
        ("f", "::ffff:203.0.113.7", false),
    ] {
        let reply = allocate(&from(&owner, hops), account).await;
        assert_eq!(reply.status == 200, is_let_in, "{hops}: {}", reply.text);
        if !is_let_in {
            reply.problem(403, 3003, "denied_by_rule");
        }
    }
    let told = owner.get(&pool("history?account_id=e")).await;
    assert_eq!(told.data()["items"][0]["ip"], "198.51.100.1");
    // A process that trusts nobody sees the connection's own address.
    let wary = place.serve().await;
    allocate(&from(&owner.at(&wary.base), "203.0.113.7"), "a").await.data();
}

async fn hold_on_every_process_at_once(kind: Kind) {
    let place = Place::new(kind).await;
    let (here, there) = (place.start("api").await, place.start("api").await);
    let owner = here.owner().await;
    let far = owner.at(&there.base);
    owner.import(1_000_000, 1, 90).await;
    for round in 0..10 {
        allocate(&far, &format!("before-{round}")).await.data();
        let path = add(&owner, json!({ "name": "closed", "effect": "deny" })).await;
        allocate(&far, &format!("closed-{round}")).await.problem(403, 3003, "denied_by_rule");
        owner.ask("PUT", &format!("{path}/toggle"), Value::Null).await.data();
        allocate(&far, &format!("open-{round}")).await.data();
        owner.ask("PUT", &path, json!({ "enabled": true })).await.data();
        allocate(&far, &format!("closed-{round}")).await.problem(403, 3003, "denied_by_rule");
        owner.ask("DELETE", &path, Value::Null).await.data();
    }
    place.assert_sound();
}

on_both!(
    are_added_changed_and_removed,
    wrong_ones_name_the_field,
    all_four_effects_decide,
    trials_tell_both_and_change_nothing,
    the_source_counts,
    hold_on_every_process_at_once,
);
