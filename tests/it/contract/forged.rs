//! Whoever forges a token, or whose time is over, is let in nowhere: on every operation of the served
//! document.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::hostile::{Case, Expected, Operation, run};
use crate::harness::{Api, Kind, Place, Server};
use crate::on_both;

const NOBODY: Expected = Expected::Failure(401, 1001, "unauthenticated");
const EXPIRED: Expected = Expected::Failure(401, 1002, "token_expired");
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

/// What the token of somebody who signed in says.
fn claims_of(api: &Api) -> Value {
    let body = api.header("authorization").split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap()
}

/// The same person with a token of a session that nobody can end, for tests that sign out on the way.
pub fn lasting(server: &Server, api: &Api) -> Api {
    let mut claims = claims_of(api);
    claims["sid"] = json!("01J0000000000000000000000");
    let token = sign(Algorithm::HS256, &signing_key(), &claims);
    server.anonymous().with("authorization", &format!("Bearer {token}"))
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
    for (field, value) in [
        ("role", json!("auditor")),
        ("tenant", json!("other")),
        ("sub", json!("x")),
        ("sid", json!("x")),
        ("exp", json!(now + 99 * HOUR)),
    ] {
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
    let claims = claims_of(&owner);
    // What is signed with the right key is let in, so what follows is refused for its own fault.
    lasting(&server, &owner).get("/api/admin/me").await.data();

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

on_both!(nobody_is_let_in_by_a_forgery);
