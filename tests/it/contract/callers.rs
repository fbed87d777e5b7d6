//! Who is asking, on every operation of the served document: nobody, somebody forged, somebody
//! whose time is over, somebody who may not.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::POOL;
use super::hostile::{Case, Expected, Operation, run};
use crate::harness::{Api, Kind, Place, Server};
use crate::on_both;

const NOBODY: Expected = Expected::Failure(401, 1001, "unauthenticated");
const EXPIRED: Expected = Expected::Failure(401, 1002, "token_expired");
const FORBIDDEN: Expected = Expected::Failure(403, 1003, "forbidden");
const HOUR: i64 = 3600;

/// The key that signs: derived from the master key as the program does.
fn signing_key() -> [u8; 32] {
    use rand::SeedableRng;
    let ambient = store::Ambient::new(domain::Timestamp::default, rand::rngs::StdRng::seed_from_u64(1));
    let keys = vec![store::seal::MasterKey::new(1, [7; 32])];
    *store::seal::Sealer::new(keys, ambient).unwrap().signing_key()
}

fn sign(algorithm: Algorithm, key: &[u8], claims: &Value) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(key)).unwrap()
}

/// Bearers that are let in nowhere, by what is wrong with them.
fn forged(good: &str) -> Vec<(&'static str, String, Expected)> {
    let [head, body, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("{good}") };
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap();
    let now = claims["iat"].as_i64().unwrap();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let none = |name: &str| format!("{}.{body}.", part(&json!({ "alg": name, "typ": "JWT" })));
    let key = signing_key();
    let mut all = vec![
        ("alg none", none("none"), NOBODY),
        ("alg None", none("None"), NOBODY),
        ("alg none with a signature", format!("{}{signature}", none("none")), NOBODY),
        ("another key", sign(Algorithm::HS256, &[8; 32], &claims), NOBODY),
        ("an empty key", sign(Algorithm::HS256, b"", &claims), NOBODY),
        ("another algorithm", sign(Algorithm::HS512, &key, &claims), NOBODY),
        ("no signature", format!("{head}.{body}."), NOBODY),
        ("two parts", format!("{head}.{body}"), NOBODY),
        ("a cut signature", good[..good.len() - 2].to_owned(), NOBODY),
        ("words", "let me in".to_owned(), NOBODY),
        ("nothing", String::new(), NOBODY),
        ("an unknown service token", "svc_it_0000000000000000".to_owned(), NOBODY),
        ("a long one", "x".repeat(8_000), NOBODY),
    ];
    for (field, value) in
        [("role", json!("auditor")), ("tenant", json!("other")), ("sub", json!("x")), ("exp", json!(now + 99 * HOUR))]
    {
        let mut tampered = claims.clone();
        tampered[field] = value;
        all.push(("a tampered claim", format!("{head}.{}.{signature}", part(&tampered)), NOBODY));
    }
    for (name, claim) in [("no end", json!(null)), ("an end that is no number", json!("never"))] {
        let mut endless = claims.clone();
        endless["exp"] = claim;
        all.push((name, sign(Algorithm::HS256, &key, &endless), NOBODY));
    }
    claims["exp"] = json!(now - 1);
    all.push(("our own, expired", sign(Algorithm::HS256, &key, &claims), EXPIRED));
    claims["exp"] = json!(1);
    all.push(("our own, expired long ago", sign(Algorithm::HS256, &key, &claims), EXPIRED));
    all
}

async fn operations(server: &Server) -> Vec<Operation> {
    let document = server.anonymous().get("/api/openapi.json").await.json;
    Operation::all(&document).into_iter().filter(|one| !one.is_open).collect()
}

/// A request that is well formed, so that only its caller is at fault.
fn ask_as(api: &Api, operation: &Operation) -> reqwest::RequestBuilder {
    let body = if operation.body.is_some() { operation.sample().to_string() } else { String::new() };
    operation.send(api, "01J0000000000000000000000", body)
}

async fn issue(server: &Server, body: Value) -> (String, String) {
    let issued = server.owner().await.ok("POST", "/api/admin/service-tokens", body).await;
    (issued["id"].as_str().unwrap().to_owned(), issued["token"].as_str().unwrap().to_owned())
}

async fn nobody_is_let_in_by_a_forgery(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let good = owner.header("authorization").strip_prefix("Bearer ").unwrap().to_owned();
    let claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(good.split('.').nth(1).unwrap()).unwrap()).unwrap();
    let own = server
        .anonymous()
        .with("authorization", &format!("Bearer {}", sign(Algorithm::HS256, &signing_key(), &claims)));
    own.get("/api/admin/me").await.data();

    let (id, revoked) = issue(&server, json!({ "product": "it", "scopes": ["credpool:*"] })).await;
    owner.ok("DELETE", &format!("/api/admin/service-tokens/{id}"), Value::Null).await;
    let soon = chrono::DateTime::from_timestamp(claims["iat"].as_i64().unwrap() + 3, 0).unwrap().to_rfc3339();
    let (_, expiring) = issue(&server, json!({ "product": "it", "scopes": ["credpool:*"], "expires_at": soon })).await;
    tokio::time::sleep(Duration::from_secs(3)).await;

    let mut cases = Vec::new();
    for operation in operations(&server).await {
        let mut add = |what: &str, headers: &[(&str, &str)], expected: &Expected| {
            let api = headers.iter().fold(server.anonymous(), |api, (name, value)| api.with(name, value));
            cases.push(Case::new(
                format!("{} with {what}", operation.name()),
                ask_as(&api, &operation),
                expected.clone(),
            ));
        };
        add("nothing", &[], &NOBODY);
        for (what, token, expected) in forged(&good) {
            add(what, &[("authorization", &format!("Bearer {token}"))], &expected);
        }
        add("a revoked token", &[("x-service-token", &revoked)], &NOBODY);
        add("a revoked bearer", &[("authorization", &format!("Bearer {revoked}"))], &NOBODY);
        add("an expired token", &[("x-service-token", &expiring)], &EXPIRED);
        add("another scheme", &[("authorization", "Basic YWRtaW46YWRtaW4=")], &NOBODY);
        add("the bare token", &[("authorization", &good)], &NOBODY);
        add("a JWT as a service token", &[("x-service-token", &good)], &NOBODY);
        add(
            "a bad token beside a good one",
            &[("x-service-token", "svc_x"), ("authorization", &format!("Bearer {good}"))],
            &NOBODY,
        );
    }
    run(cases).await;
    server.stop().await;
    place.assert_sound();
}

/// Which scope opens an operation to services; all others are for people.
fn scope_of(operation: &Operation) -> Option<&'static str> {
    match operation.path.strip_prefix(POOL)?.trim_start_matches('/') {
        "allocate" | "allocate/batch" | "allocate/preview" | "renew" => Some("credpool:allocate"),
        "release" => Some("credpool:release"),
        "account" | "accounts/lookup" => Some("credpool:account"),
        "result" | "results" => Some("credpool:report"),
        _ => None,
    }
}

/// What a role may not, by the kind of operation.
fn is_denied(role: &str, operation: &Operation) -> bool {
    let path = operation.path.as_str();
    let people_only = path.starts_with("/api/admin/users") || path.starts_with("/api/admin/service-tokens");
    let careful = path.ends_with("/reveal")
        || path.ends_with("/strategy")
        || path.ends_with("/undo")
        || operation.method == "DELETE";
    let own = ["/api/admin/me", "/api/admin/change-password", "/api/admin/permissions"].contains(&path);
    match role {
        "admin" => path.starts_with("/api/admin/users"),
        "operator" => people_only || careful,
        "auditor" => !own && (people_only || (operation.method != "GET" && !path.ends_with("/accounts/lookup"))),
        _ => false,
    }
}

async fn nobody_does_what_they_may_not(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let operations = operations(&server).await;
    let mut cases = Vec::new();
    for scope in ["credpool:allocate", "credpool:release", "credpool:account", "credpool:report", "credpool:*"] {
        let service = server.service(&[scope]).await;
        for operation in &operations {
            let opens = scope_of(operation).is_some_and(|needed| scope == needed || scope == "credpool:*");
            let expected = if opens { Expected::Permitted } else { FORBIDDEN };
            cases.push(Case::new(format!("{} with {scope}", operation.name()), ask_as(&service, operation), expected));
        }
    }
    for role in ["admin", "operator", "auditor"] {
        let name = format!("one-{role}");
        let output = crate::command::with_input(&place, &["user", "add", &name, "--role", role], "long enough it is\n");
        assert!(output.status.success());
        let person = server.sign_in(&name, "long enough it is").await;
        for operation in &operations {
            let expected = if is_denied(role, operation) { FORBIDDEN } else { Expected::Permitted };
            cases.push(Case::new(format!("{} as {role}", operation.name()), ask_as(&person, operation), expected));
        }
        // Hashes in an export are for those who may reveal them.
        let file = person.get(&format!("{POOL}/export?include_hash=true")).await;
        if role == "admin" {
            assert_eq!(file.status, 200);
        } else {
            file.problem(403, 1003, "forbidden");
        }
    }
    run(cases).await;
    let service = server.service(&["credpool:account", "credpool:report"]).await;
    service.get(&format!("{POOL}/account?account_id=a")).await.data();
    let report = service.post(&format!("{POOL}/result"), json!({ "api_id": 5, "success": true })).await;
    report.problem(404, 2002, "not_found");
    server.stop().await;
    place.assert_sound();
}

on_both!(nobody_is_let_in_by_a_forgery, nobody_does_what_they_may_not);
