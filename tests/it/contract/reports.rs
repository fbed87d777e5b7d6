//! §3: result and results.

use serde_json::{Value, json};

use super::{has_shape, pool};
use crate::harness::{Kind, Place, Server};
use crate::on_both;

fn outcome() -> Value {
    let status = "available|in_use|disabled|banned";
    json!({
        "recorded": "bool", "fault": "none|credential|account|proxy|telegram|client|pending",
        "action": "none|account_cooled|account_frozen|account_retired|credential_flagged|credential_cooled|credential_banned|proxy_cooled|proxy_failed|scoring_frozen",
        "previous_status": status, "new_status": status, "consecutive_failures": "int", "recovered": "bool",
    })
}

/// What clients print, whose fault it is, and what the pool does.
const TABLE: [(&str, &str, &str); 14] = [
    ("FLOOD_WAIT_37", "account", "account_cooled"),
    ("FloodWaitError: A wait of 37 seconds is required", "account", "account_cooled"),
    ("[420 FLOOD_PREMIUM_WAIT_X]", "account", "account_cooled"),
    ("SLOWMODE_WAIT_10", "none", "none"),
    ("PEER_FLOOD", "account", "account_cooled"),
    ("FROZEN_METHOD_INVALID", "account", "account_frozen"),
    ("user_deactivated_ban", "account", "account_retired"),
    ("AUTH_KEY_UNREGISTERED", "account", "none"),
    ("AUTH_KEY_DUPLICATED", "client", "none"),
    ("SESSION_PASSWORD_NEEDED", "none", "none"),
    ("PHONE_MIGRATE_2", "none", "none"),
    ("RPC_CALL_FAIL", "telegram", "none"),
    ("PHONE_NUMBER_APP_SIGNUP_FORBIDDEN", "credential", "credential_flagged"),
    ("SOMETHING_NOBODY_KNOWS", "pending", "none"),
];

async fn charges_whose_fault_it_is(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let (owner, service) = (server.owner().await, server.service(&["credpool:report"]).await);
    owner.import(1_000_000, 3, 5).await;
    for (index, (error, fault, action)) in TABLE.into_iter().enumerate() {
        let account = format!("account {index}");
        let body = json!({ "api_id": 1_000_000, "success": false, "error": error, "account_id": account });
        let reply = service.post(&pool("result"), body).await;
        has_shape(reply.data(), &outcome());
        assert_eq!((&reply.data()["fault"], &reply.data()["action"]), (&json!(fault), &json!(action)), "{error}");
        assert_eq!(
            (&reply.data()["recorded"], &reply.data()["consecutive_failures"]),
            (&json!(true), &json!(0)),
            "{error}"
        );
    }
    let named =
        json!({ "api_id": 1_000_000, "success": false, "error": "FLOOD_WAIT_9", "phone": "p", "account_id": "q" });
    assert_eq!(service.post(&pool("result"), named).await.data()["action"], "account_cooled");
    for (account, state) in [("p", 1), ("q", 0)] {
        let told = owner.get(&pool(&format!("history?account_id={account}&action=account.cooled"))).await;
        assert_eq!(told.data()["total"], state, "{account}");
    }
    // Everything that a client may say, and more than we use.
    let whole = json!({
        "api_id": "1000000", "success": true, "error": null, "account_id": "a", "proxy_id": "p", "latency_ms": 812,
        "result_id": "r-1", "at": "2026-11-22T20:00:00.000Z", "duration": 3, "client": null,
    });
    assert_eq!(service.post(&pool("result"), whole.clone()).await.data()["recorded"], true);
    assert_eq!(service.post(&pool("result"), whole).await.data()["recorded"], false, "a retry counts once");

    // One report flags, a second account's confirms; a success in between clears it.
    let invalid = |account: &str| json!({ "api_id": "1000001", "success": false, "error": "API_ID_INVALID", "account_id": account });
    let success = json!({ "api_id": "1000001", "success": true });
    let first = service.post(&pool("result"), invalid("a")).await;
    assert_eq!(
        (&first.data()["action"], &first.data()["consecutive_failures"]),
        (&json!("credential_flagged"), &json!(1))
    );
    assert_eq!(service.post(&pool("result"), success).await.data()["recovered"], true);
    service.post(&pool("result"), invalid("b")).await.data();
    let last = service.post(&pool("result"), invalid("c")).await;
    assert_eq!((&last.data()["action"], &last.data()["new_status"]), (&json!("credential_banned"), &json!("banned")));
    assert_eq!(last.data()["previous_status"], "available");
    let flood = json!({ "api_id": "1000002", "success": false, "error": "API_ID_PUBLISHED_FLOOD" });
    assert_eq!(service.post(&pool("result"), flood).await.data()["new_status"], "banned", "at once");

    let listed = owner.get(&pool("?sort=api_id")).await;
    let counts = |index: usize| {
        let one = &listed.data()["items"][index];
        (one["success_count"].as_i64().unwrap(), one["fail_count"].as_i64().unwrap(), one["ban_reason"].clone())
    };
    assert_eq!(counts(0), (1, 0, Value::Null));
    assert_eq!(counts(1), (1, 3, json!("API_ID_INVALID")));
    assert_eq!(counts(2), (0, 1, json!("API_ID_PUBLISHED_FLOOD")));

    for (body, field) in [
        (json!({ "success": true }), "api_id"),
        (json!({ "api_id": 1_000_000 }), "success"),
        (json!({ "api_id": 1_000_000, "success": "yes" }), "success"),
        (json!({ "api_id": 1_000_000, "success": true, "latency_ms": -1 }), "latency_ms"),
        (json!({ "api_id": 1_000_000, "success": true, "latency_ms": 86_400_001 }), "latency_ms"),
        (json!({ "api_id": 1_000_000, "success": true, "at": "yesterday" }), "at"),
        (json!({ "api_id": 1_000_000, "success": true, "result_id": "x".repeat(129) }), "result_id"),
        (json!({ "api_id": 1_000_000, "success": false, "error": "x".repeat(16_385) }), "error"),
    ] {
        service.post(&pool("result"), body).await.wrong(field);
    }
    let unknown = json!({ "api_id": 999, "success": true });
    service.post(&pool("result"), unknown).await.problem(404, 2002, "not_found");
    server.stop().await;
    place.assert_sound();
}

async fn many_reports_answer_in_order(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let service = server.service(&["credpool:*"]).await;
    server.owner().await.import(1_000_000, 1, 5).await;
    // A wrong type is that member's failure, and is named.
    let mixed = json!([{ "api_id": 1_000_000, "success": true }, { "api_id": "x", "success": true }]);
    let reply = service.post(&pool("results"), json!({ "results": mixed })).await;
    assert_eq!(reply.data()["results"][0]["success"], true);
    assert_eq!(reply.data()["results"][1]["error"]["details"][0]["field"], "api_id");
    let results = json!([
        { "api_id": 1_000_000, "success": true, "result_id": "one", "noise": 1 },
        { "api_id": 5, "success": true },
        { "success": true },
        { "api_id": 1_000_000, "success": true, "result_id": "one" },
        { "api_id": "1000000", "success": false, "error": "Timeout" },
    ]);
    let reply = service.post(&pool("results"), json!({ "results": results, "noise": null })).await;
    let outcomes = reply.data()["results"].as_array().unwrap();
    let seen: Vec<Value> = outcomes
        .iter()
        .map(
            |one| if one["success"] == true { one["data"]["recorded"].clone() } else { one["error"]["number"].clone() },
        )
        .collect();
    assert_eq!(seen, [json!(true), json!(2002), json!(2001), json!(false), json!(true)]);
    assert_eq!(outcomes[4]["data"]["fault"], "proxy");
    has_shape(&outcomes[0], &json!({ "success": "true", "data": outcome() }));
    // Two callers may count alike.
    let body = json!({ "api_id": 1_000_000, "success": true, "result_id": "one" });
    let other = server.owner().await.post(&pool("result"), body).await;
    assert_eq!(other.data()["recorded"], true);

    service.post(&pool("results"), json!({ "results": [] })).await.wrong("results");
    let many = vec![json!({ "api_id": 1_000_000, "success": true }); 1_001];
    service.post(&pool("results"), json!({ "results": many })).await.wrong("results");
    let reply = service.post(&pool("results"), json!({ "results": &many[1..] })).await;
    assert_eq!(reply.data()["results"].as_array().unwrap().len(), 1_000);
}

on_both!(charges_whose_fault_it_is, many_reports_answer_in_order);

#[tokio::test]
async fn durations_are_configuration() {
    let place = Place::new(Kind::Sqlite).await;
    let mut command = place.command();
    command
        .arg("serve")
        .env("API_POOL_BLAME__PEER_FLOOD_SECONDS", "5")
        .env("API_POOL_BLAME__LONGEST_WAIT_SECONDS", "7");
    let server = Server::spawn(command, place.dir.path()).await;
    let owner = server.owner().await;
    owner.import(1_000_000, 1, 5).await;
    for (error, seconds) in [("PEER_FLOOD", 5), ("FLOOD_WAIT_60", 7)] {
        let report = json!({ "api_id": 1_000_000, "success": false, "error": error, "account_id": error });
        assert_eq!(owner.post(&pool("result"), report).await.data()["action"], "account_cooled");
        let refused = owner.post(&pool("allocate"), json!({ "account_id": error })).await;
        refused.problem(409, 3008, "account_unavailable");
        let pause: u32 = refused.header("retry-after").parse().unwrap();
        assert!((1..=seconds).contains(&pause), "{error}: {pause}");
    }
}
