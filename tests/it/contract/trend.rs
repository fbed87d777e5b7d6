//! §4: the pool over time. Without workers, so that nobody counts in between; that the job does is the
//! clock's story.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{POOL, has_shape, pool};
use crate::harness::{Kind, Place};
use crate::on_both;

const BUCKET: i64 = 300_000;

fn shape() -> Value {
    let point = json!({
        "at": "time", "allocated": "int", "released": "int", "successes": "int", "failures": "int",
        "success_rate": "number?", "slots": "int?", "used": "int?",
    });
    json!({
        "hours": "int", "step_seconds": "int", "points": [point],
        "before": {
            "allocated": "int", "released": "int", "successes": "int", "failures": "int", "success_rate": "number?",
            "used": "int?",
        },
        "runway": { "slots_per_day": "number?", "full_in_days": "number?", "free": "int" },
        "measured_at": "time?",
    })
}

fn millis(time: &Value) -> i64 {
    DateTime::parse_from_rfc3339(time.as_str().unwrap()).unwrap().timestamp_millis()
}

#[allow(clippy::disallowed_methods, reason = "the program's clock is the real one here")]
fn now() -> i64 {
    Utc::now().timestamp_millis()
}

async fn every_step_is_there(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.start("api").await;
    let owner = server.owner().await;
    let empty = owner.get(&pool("trend")).await;
    has_shape(empty.data(), &shape());
    let nothing = json!({ "slots_per_day": null, "full_in_days": null, "free": 0 });
    assert_eq!((&empty.data()["hours"], &empty.data()["runway"]), (&json!(24), &nothing), "empty, not full");
    assert!(empty.data()["measured_at"].is_null());
    owner.import(1_000_000, 2, 4).await;
    owner.ok("POST", &pool("allocate"), json!({ "account_id": "a" })).await;

    for (hours, step, points) in [
        (1, 300, 12),
        (16, 300, 192),
        (17, 900, 68),
        (24, 900, 96),
        (50, 900, 200),
        (51, 3_600, 51),
        (168, 3_600, 168),
        (201, 21_600, 34),
        (720, 21_600, 120),
        (1_201, 86_400, 51),
        (2_160, 86_400, 90),
    ] {
        let reply = owner.get(&pool(&format!("trend?hours={hours}"))).await;
        has_shape(reply.data(), &shape());
        assert_eq!((&reply.data()["hours"], &reply.data()["step_seconds"]), (&json!(hours), &json!(step)));
        let all = reply.data()["points"].as_array().unwrap();
        assert_eq!(all.len(), points, "{hours}");
        let moments: Vec<i64> = all.iter().map(|point| millis(&point["at"])).collect();
        assert!(moments.windows(2).all(|two| two[1] - two[0] == step * 1_000), "{hours}: oldest first, without gaps");
        assert!(moments.iter().all(|at| at % (step * 1_000) == 0), "{hours}: aligned");
        let last = moments[points - 1];
        assert!((last..last + step * 1_000 + 60_000).contains(&now()), "{hours}: the last is under way");
        let quiet = json!({
            "at": all[0]["at"], "allocated": 0, "released": 0, "successes": 0, "failures": 0, "success_rate": null,
            "slots": null, "used": null,
        });
        assert_eq!(all[0], quiet, "{hours}");
        // Nobody has looked at the slots yet: they are counted.
        assert_eq!(reply.data()["runway"]["free"], 7);
    }
    for query in ["hours=0", "hours=-1", "hours=2161", "hours=1.5", "hours=x", "hours=1&hours=2"] {
        owner.get(&pool(&format!("trend?{query}"))).await.wrong("hours");
    }
    owner.get(&pool("trend?colour=red")).await.wrong("colour");
    assert_eq!(owner.get(&pool("trend?hours=")).await.data()["hours"], 24, "an empty one is absent");
    server.stop().await;
    place.assert_sound();
}

async fn tells_what_was_counted(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.start("api").await;
    let owner = server.owner().await;
    // Two hours of a pool that fills by one slot in five minutes.
    let bucket = now() / BUCKET * BUCKET;
    let lines: Vec<String> = (1..=24)
        .map(|n| {
            format!(
                "('default', {}, 2, 1, {}, 1, 200, {})",
                bucket - n * BUCKET,
                if n % 2 == 0 { 3 } else { 0 },
                100 - n
            )
        })
        .collect();
    let columns = "tenant_id, at, allocated, released, successes, failures, slots, used";
    place.execute(format!("INSERT INTO pool_figures ({columns}) VALUES {}", lines.join(", ")).leak()).await;
    place.execute("INSERT INTO job_state (name, value) VALUES ('measured_at', '1700000000123')").await;

    let reply = owner.get(&pool("trend?hours=1")).await;
    has_shape(reply.data(), &shape());
    let points = reply.data()["points"].as_array().unwrap();
    let number = |at: i64| (bucket - at) / BUCKET;
    for point in points.iter().filter(|point| millis(&point["at"]) < bucket) {
        let n = number(millis(&point["at"]));
        let (successes, rate) = if n % 2 == 0 { (3, Some(0.75)) } else { (0, Some(0.0)) };
        let expected = json!({
            "at": point["at"], "allocated": 2, "released": 1, "successes": successes, "failures": 1, "success_rate": rate,
            "slots": 200, "used": 100 - n,
        });
        assert_eq!(*point, expected);
    }
    assert!(points[11]["used"].is_null(), "the one under way has not been looked at");
    let before = json!({
        "allocated": 24, "released": 12, "successes": 18, "failures": 12, "success_rate": 0.6,
        "used": 100 - number(millis(&points[0]["at"]) - BUCKET),
    });
    assert_eq!(reply.data()["before"], before);
    let runway = &reply.data()["runway"];
    assert_eq!((&runway["slots_per_day"], &runway["free"]), (&json!(288.0), &json!(101)));
    assert!((runway["full_in_days"].as_f64().unwrap() - 101.0 / 288.0).abs() < 1e-9, "{runway}");
    assert_eq!(reply.data()["measured_at"], "2023-11-14T22:13:20.123Z");

    // In larger steps the same adds up, and the last sample stands.
    let day = owner.get(&pool("trend?hours=24")).await;
    let sum = |field: &str| {
        let points = day.data()["points"].as_array().unwrap();
        points.iter().map(|point| point[field].as_i64().unwrap()).sum::<i64>()
    };
    assert_eq!((sum("allocated"), sum("released"), sum("successes"), sum("failures")), (48, 24, 36, 24));
    let quarter = day.data()["points"].as_array().unwrap().iter().rfind(|point| point["used"].is_i64()).unwrap();
    assert_eq!(quarter["used"], 99, "{quarter}");
    server.stop().await;
    place.assert_sound();
}

async fn a_tenants_pool_is_not_anothers(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.start("api").await;
    let owner = server.owner().await;
    let bucket = now() / BUCKET * BUCKET;
    place.execute("INSERT INTO tenants (id, name, created_at) VALUES ('other', 'Other', 0)").await;
    let row =
        format!("INSERT INTO pool_figures (tenant_id, at, allocated, used, slots) VALUES ('other', {bucket}, 9, 9, 9)");
    place.execute(row.leak()).await;
    let reply = owner.get(&pool("trend?hours=24")).await;
    let points = reply.data()["points"].as_array().unwrap();
    assert!(points.iter().all(|point| point["allocated"] == 0 && point["used"].is_null()), "{}", reply.text);
    assert_eq!(reply.data()["runway"]["free"], 0);
    assert_eq!(owner.get(POOL).await.data()["total"], 0);
    server.stop().await;
}

on_both!(every_step_is_there, tells_what_was_counted, a_tenants_pool_is_not_anothers);
