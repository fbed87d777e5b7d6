//! §1: `Idempotency-Key`: what a request makes is made once, however often it comes.

use futures::future::join_all;
use serde_json::{Value, json};

use super::hostile::Operation;
use super::users::USERS;
use super::{POOL, Reply, ask, pool};
use crate::harness::{Api, Kind, Place, random_name};
use crate::on_both;

const TOKENS: &str = "/api/admin/service-tokens";
const VIEWS: &str = "/api/admin/views";
const SECRET: &str = "long enough it is";

async fn send(caller: &Api, key: &str, path: &str, body: &Value) -> Reply {
    caller.with("idempotency-key", key).post(path, body.clone()).await
}

/// Every POST that takes a key, with a body and another one.
fn creating() -> Vec<(String, Value, Value)> {
    let user = |name: &str| json!({ "username": name, "password": SECRET, "role": "operator" });
    let token = |product: &str| json!({ "product": product, "scopes": ["credpool:account"] });
    let credential = |api_id: u32| json!({ "api_id": api_id, "api_hash": "x", "name": "n" });
    let view = |name: &str| json!({ "page": "p", "name": name, "definition": {} });
    let batch = |accounts: [&str; 2]| json!({ "requests": accounts.map(|one| json!({ "account_id": one })) });
    vec![
        (pool(""), credential(2_000_001), credential(2_000_002)),
        (pool("batch"), json!({ "data": "2000003:x\n2000004:y" }), json!({ "data": "2000005:x" })),
        (pool("groups"), json!({ "name": "g" }), json!({ "name": "h" })),
        (pool("rules"), rule("r"), rule("s")),
        (USERS.to_owned(), user("ann"), user("bob")),
        (TOKENS.to_owned(), token("one"), token("two")),
        (VIEWS.to_owned(), view("one"), view("two")),
        (pool("allocate"), json!({ "account_id": "a" }), json!({ "account_id": "b" })),
        (pool("allocate/batch"), batch(["c", "d"]), batch(["d", "c"])),
    ]
}

#[allow(clippy::disallowed_methods, reason = "the program that is asked has the real clock")]
fn in_a_second() -> String {
    let soon = std::time::SystemTime::now() + std::time::Duration::from_secs(1);
    let millis = soon.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    domain::Timestamp::from_millis(millis as i64).to_rfc3339()
}

fn rule(name: &str) -> Value {
    json!({ "name": name, "effect": "deny", "match": { "account": "nobody" } })
}

async fn the_same_key_has_the_same_result(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_000, 3, 9).await;
    let document = server.anonymous().get("/api/openapi.json").await.json;
    let mut covered: Vec<String> = creating().iter().map(|(path, ..)| format!("POST {path}")).collect();
    covered.sort();
    assert_eq!(
        Operation::that_take(&document, "Idempotency-Key"),
        covered,
        "every POST that takes a key is tried here"
    );

    let mut answers = Vec::new();
    for (path, body, other) in creating() {
        let key = format!("key of {path}");
        let first = send(&owner, &key, &path, &body).await;
        let again = send(&owner, &key, &path, &body).await;
        same(&path, first.data(), again.data());
        send(&owner, &key, &path, &other).await.problem(409, 2004, "conflict");
        // The body as it was sent counts, not what it means.
        let spaced = owner.with("idempotency-key", &key).request("POST", &path).body(format!(" {body}"));
        ask(spaced).await.problem(409, 2004, "conflict");
        answers.push((path, key, body, first));
    }
    // Nor does it serve for anything else.
    for (index, (_, key, ..)) in answers.iter().enumerate() {
        for (other, (path, _, body, _)) in answers.iter().enumerate().filter(|(other, _)| *other != index) {
            let reply = send(&owner, key, path, body).await;
            assert_eq!(reply.status, 409, "the key of {index} for {other}: {}", reply.text);
        }
    }
    // Nor does a longer batch add to the first.
    let longer = json!({ "requests": [{ "account_id": "c" }, { "account_id": "d" }, { "account_id": "e" }] });
    send(&owner, &answers[8].1, &pool("allocate/batch"), &longer).await.problem(409, 2004, "conflict");
    assert!(owner.get(&pool("account?account_id=e")).await.data().is_null());
    // What a job will do is asked for once.
    let large = json!({ "data": "1000001:x\n".repeat(10_001) });
    let first = send(&owner, "large", &pool("batch"), &large).await;
    assert_eq!(first.status, 202);
    let again = send(&owner, "large", &pool("batch"), &large).await;
    assert_eq!((again.status, again.data()), (202, first.data()));
    // The keys of one caller are its own; the keys of one path are not another's.
    let service = server.service(&["credpool:*"]).await;
    let (_, key, body, first) = &answers[7];
    let theirs = send(&service, key, &pool("allocate"), &json!({ "account_id": "z" })).await;
    assert_eq!(theirs.data()["existing"], false);
    send(&owner, key, &pool("groups"), &json!({ "name": "other" })).await.problem(409, 2004, "conflict");
    // An allocation is told again as it was, also when it has ended since.
    owner.ok("POST", &pool("release"), json!({ "account_id": "a" })).await;
    same("ended", first.data(), send(&owner, key, &pool("allocate"), body).await.data());
    assert!(owner.get(&pool("account?account_id=a")).await.data().is_null(), "and is not made anew");
    server.stop().await;

    // A restart forgets none; a day does.
    let server = place.serve().await;
    let owner = server.owner().await;
    for (path, key, body, first) in &answers {
        let again = send(&owner, key, path, body).await;
        if *path == pool("") {
            // It is told as it is now: accounts have come to it.
            assert_eq!(again.data()["id"], first.data()["id"]);
        } else {
            same(path, first.data(), again.data());
        }
    }
    place.execute("UPDATE idempotency_keys SET created_at = created_at - 86340000").await;
    let (path, key, body, first) = &answers[2];
    same(path, first.data(), send(&owner, key, path, body).await.data());
    place.execute("UPDATE idempotency_keys SET created_at = created_at - 61000").await;
    send(&owner, key, path, body).await.problem(409, 2003, "already_exists");
    send(&owner, key, path, &json!({ "name": "a day later" })).await.data();
    let later = send(&owner, &answers[7].1, &pool("allocate"), &json!({ "account_id": "later" })).await;
    assert_eq!(later.data()["account_id"], "later");
    server.stop().await;
    place.assert_sound();
}

/// What was answered first and what is answered again.
#[track_caller]
fn same(path: &str, first: &Value, again: &Value) {
    let mut expected = first.clone();
    if path == TOKENS {
        assert!(first["token"].is_string(), "{first}");
        // Shown once only.
        expected["token"] = Value::Null;
    }
    if let Some(lines) = first["lines"].as_array() {
        // What was imported then is there now: the batch is the same.
        assert_eq!((&first["batch_id"], lines.len()), (&again["batch_id"], again["lines"].as_array().unwrap().len()));
        return;
    }
    assert_eq!(*again, expected, "{path}");
}

/// Fifty at once, on two processes: one of them makes it, and all are told the same.
async fn of_fifty_at_once_one_makes_it(kind: Kind) {
    let place = Place::new(kind).await;
    let (here, there) = (place.start("api").await, place.start("api").await);
    let near = here.owner().await;
    let far = near.at(&there.base);
    near.import(1_000_000, 3, 90).await;
    for (path, body, _) in creating() {
        let callers = (0..50).map(|n| if n % 2 == 0 { &near } else { &far });
        let replies = join_all(callers.map(|caller| send(caller, "fifty", &path, &body))).await;
        // Where one key serves many paths, it is of the first.
        place.execute("DELETE FROM idempotency_keys").await;
        let mut shown = 0;
        let mut first = replies[0].data().clone();
        for reply in &replies {
            let mut data = reply.data().clone();
            shown += usize::from(data["token"].is_string());
            data["token"].take();
            first["token"].take();
            if data["lines"].is_array() {
                assert_eq!(data["batch_id"], first["batch_id"], "{path}");
            } else {
                assert_eq!(data, first, "{path}");
            }
        }
        assert_eq!(shown, usize::from(path == TOKENS), "a token is shown once");
    }
    for (list, expected) in [
        (pool("groups?"), 1),
        (pool("rules?"), 1),
        (format!("{USERS}?"), 2),
        (format!("{TOKENS}?"), 1),
        (format!("{VIEWS}?"), 1),
        (format!("{POOL}?q=200000"), 3),
        (pool("allocations?"), 3),
        (pool("history?action=api.allocated"), 3),
        (pool("history?action=group.added"), 1),
        (pool("history?action=batch.imported"), 2),
        (pool("history?action=api.added"), 6),
    ] {
        assert_eq!(near.all(&list.replace("?q", "?sort=name&q")).await.len(), expected, "{list}");
    }
    place.assert_sound();
}

async fn the_same_request_has_the_same_answer(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.start("api").await;
    let owner = server.owner().await;
    // One operation may be spelled in two ways.
    for (key, one, other) in [("p", POOL, pool("")), ("q", &pool("batch"), pool("batch-import"))] {
        let body = if key == "p" {
            json!({ "api_id": 5_000_001, "api_hash": "x", "name": "n" })
        } else {
            json!({ "data": "5000002:x" })
        };
        let first = send(&owner, key, one, &body).await;
        assert_eq!(send(&owner, key, &other, &body).await.data(), first.data(), "{one}");
    }
    // The answer stays, whatever becomes of what the request named.
    let token = json!({ "product": "brief", "scopes": ["credpool:*"], "expires_at": in_a_second() });
    let issued = send(&owner, "t", TOKENS, &token).await;
    let gone =
        owner.ok("POST", &pool("groups"), json!({ "name": "soon gone" })).await["id"].as_str().unwrap().to_owned();
    let small = json!({ "data": "5000003:x", "group_id": gone });
    let large = (0..10_001).map(|n| format!("{}:x", 6_000_000 + n)).collect::<Vec<_>>().join("\n");
    let large = json!({ "data": large, "group_id": gone });
    let (imported, later) =
        (send(&owner, "s", &pool("batch"), &small).await, send(&owner, "l", &pool("batch"), &large).await);
    owner.ok("DELETE", &pool(&format!("groups/{gone}")), Value::Null).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(send(&owner, "s", &pool("batch"), &small).await.data(), imported.data());
    assert_eq!(send(&owner, "l", &pool("batch"), &large).await.data(), later.data());
    assert_eq!(send(&owner, "t", TOKENS, &token).await.data()["id"], issued.data()["id"]);
    send(&owner, "t2", TOKENS, &token).await.wrong("expires_at");
    send(&owner, "s2", &pool("batch"), &small).await.wrong("group_id");
}

async fn only_successes_are_kept(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    // Refused for its state: the same request may well succeed later.
    let group = owner.ok("POST", &pool("groups"), json!({ "name": "g" })).await["id"].as_str().unwrap().to_owned();
    let body = json!({ "name": "g" });
    send(&owner, "k", &pool("groups"), &body).await.problem(409, 2003, "already_exists");
    owner.ok("DELETE", &pool(&format!("groups/{group}")), Value::Null).await;
    send(&owner, "k", &pool("groups"), &body).await.data();
    // Refused for its body: another one is no other request.
    send(&owner, "m", &pool("groups"), &json!({ "name": "" })).await.wrong("name");
    send(&owner, "m", &pool("groups"), &json!({ "name": "mended" })).await.data();
    let allocate = pool("allocate");
    send(&owner, "n", &allocate, &json!({ "account_id": "a" })).await.problem(409, 3002, "none_available");
    owner.import(1_000_000, 1, 2).await;
    send(&owner, "n", &allocate, &json!({ "account_id": "b" })).await.data();
    send(&owner, "n", &allocate, &json!({ "account_id": "a" })).await.problem(409, 2004, "conflict");
    // Of a batch, each member by itself: what was refused is tried again.
    // A key of two callers whose names could be taken for each other's is two.
    for (name, key) in [("ann", "-lee k"), ("ann-lee", " k")] {
        super::users::add(&owner, name, SECRET, "operator").await;
        let person = server.sign_in(name, SECRET).await;
        send(&person, key, &pool("groups"), &json!({ "name": name })).await.data();
    }
    let requests = json!({ "requests": [{ "account_id": "c" }, { "account_id": "d" }] });
    let first = send(&owner, "o", &pool("allocate/batch"), &requests).await;
    assert_eq!(first.data()["results"][1]["error"]["number"], 3001);
    owner.ok("POST", &pool("release"), json!({ "account_id": "b" })).await;
    let again = send(&owner, "o", &pool("allocate/batch"), &requests).await;
    assert_eq!(again.data()["results"][0], first.data()["results"][0]);
    assert_eq!(again.data()["results"][1]["data"]["account_id"], "d");
    // Whoever may not, keeps nothing.
    let service = server.service(&["credpool:report"]).await;
    send(&service, "p", &allocate, &json!({ "account_id": "a" })).await.problem(403, 1003, "forbidden");
    // Where nothing is made, a key is nothing.
    let release = json!({ "account_id": "c" });
    send(&owner, "n", &pool("release"), &release).await.data();
    send(&owner, "n", &pool("release"), &release).await.problem(404, 3006, "not_allocated");
}

/// What a key has made may be gone since: that is told, and it is not made anew.
async fn what_is_gone_stays_gone(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    for (path, body, _) in creating() {
        if path.contains("batch") || path.ends_with("allocate") {
            continue;
        }
        let first = send(&owner, &path, &path, &body).await;
        let one = format!("{}/{}", path.trim_end_matches('/'), first.data()["id"].as_str().unwrap());
        owner.ok("DELETE", &one, Value::Null).await;
        let again = send(&owner, &path, &path, &body).await;
        if path == TOKENS {
            // A token is told without its text, as ever: it says nothing of whether it still lives.
            same(&path, first.data(), again.data());
        } else {
            again.problem(404, 2002, "not_found");
        }
    }
    owner.import(1_000_000, 1, 9).await;
    let id = owner.get(POOL).await.data()["items"][0]["id"].as_str().unwrap().to_owned();
    let wish = json!({ "account_id": "a" });
    let first = send(&owner, "a", &pool("allocate"), &wish).await;
    let requests = json!({ "requests": [{ "account_id": "b" }, { "account_id": "c" }] });
    let batch = send(&owner, "b", &pool("allocate/batch"), &requests).await;
    owner.ok("DELETE", &pool(&format!("{id}?force=true")), Value::Null).await;
    owner.import(2_000_000, 1, 9).await;
    let again = send(&owner, "a", &pool("allocate"), &wish).await;
    same("allocate", first.data(), again.data());
    let again = send(&owner, "b", &pool("allocate/batch"), &requests).await;
    same("batch", batch.data(), again.data());
    assert!(owner.get(&pool("account?account_id=a")).await.data().is_null());
    server.stop().await;
    place.assert_sound();
}

async fn odd_keys_are_refused(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    for key in ["", " ", "\t", &"x".repeat(256), "caf\u{e9}", "a\tb"] {
        send(&owner, key, &pool("groups"), &json!({ "name": random_name() })).await.wrong("Idempotency-Key");
    }
    let twice = owner.with("idempotency-key", "a").with("idempotency-key", "b");
    twice.post(&pool("groups"), json!({ "name": "twice" })).await.wrong("Idempotency-Key");
    let long = "x".repeat(255);
    for key in [long.as_str(), "0", "a b", "5f0c4d3e-6a1b-4d8e-9c71-0a2b3c4d5e6f", "user:admin k#1", "'; --"] {
        let body = json!({ "name": random_name() });
        let first = send(&owner, key, &pool("groups"), &body).await;
        assert_eq!(send(&owner, key, &pool("groups"), &body).await.data(), first.data(), "{key}");
    }
    // The body's limit is what it is without a key.
    let large = json!({ "name": "x".repeat(2 << 20) });
    send(&owner, "large", &pool("groups"), &large).await.problem(413, 2006, "too_large");
    let request = owner.with("idempotency-key", "broken").request("POST", &pool("groups")).body("{");
    ask(request).await.problem(400, 2000, "malformed");
}

on_both!(
    the_same_key_has_the_same_result,
    of_fifty_at_once_one_makes_it,
    the_same_request_has_the_same_answer,
    only_successes_are_kept,
    what_is_gone_stays_gone,
    odd_keys_are_refused,
);
