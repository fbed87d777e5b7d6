//! `/metrics`: what monitoring sees of every process.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::contract::pool;
use crate::harness::{Kind, PATIENCE, Place, Server};
use crate::on_both;

/// The program says in its log where they are.
async fn url(server: &Server) -> String {
    let started = std::time::Instant::now();
    loop {
        let log = server.logged();
        if let Some(at) = log.lines().find(|line| line.contains("metrics are served")) {
            let url = at.split("http://").nth(1).unwrap().split(['"', ' ']).next().unwrap();
            return format!("http://{url}");
        }
        assert!(started.elapsed() < PATIENCE, "{log}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

async fn scrape(url: &str, accept: Option<&str>) -> (String, String) {
    let mut request = reqwest::Client::new().get(url);
    if let Some(accept) = accept {
        request = request.header("accept", accept);
    }
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (kind, answer.text().await.unwrap())
}

/// The value of a series.
fn value(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')));
    line.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

fn promtool(text: &str) {
    let mut tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool: run `make setup`");
    tool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = tool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
}

async fn figures_follow_what_happens(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_001, 2, 2).await;
    let service = server.service(&["credpool:*"]).await;
    for account in ["+8613800000001", "+8613800000002", "+8613800000001"] {
        service.ok("POST", &pool("allocate"), json!({ "account_id": account })).await;
    }
    service.post(&pool("allocate"), json!({ "account_id": "x", "api_id": 9 })).await;
    service.ok("POST", &pool("release"), json!({ "account_id": "+8613800000002" })).await;
    let failed = json!({ "api_id": 1_000_001, "success": false, "error": "API_ID_INVALID", "result_id": "r" });
    for body in [json!({ "api_id": 1_000_001, "success": true }), failed.clone(), failed] {
        service.ok("POST", &pool("result"), body).await;
    }
    let id = owner.ok("GET", &pool("?limit=1"), Value::Null).await["items"][0]["id"].as_str().unwrap().to_owned();
    owner.ok("POST", &pool(&format!("{id}/disable")), json!({})).await;

    let url = url(&server).await;
    let (kind_of, text) = scrape(&url, None).await;
    assert!(kind_of.starts_with("text/plain; version=0.0.4"), "{kind_of}");
    promtool(&text);
    for (series, expected) in [
        ("api_pool_allocations_total{outcome=\"new\"}", 2.0),
        ("api_pool_allocations_total{outcome=\"existing\"}", 1.0),
        ("api_pool_allocations_total{outcome=\"pinned_unavailable\"}", 1.0),
        ("api_pool_releases_total{outcome=\"released\"}", 1.0),
        ("api_pool_results_total{outcome=\"success\",fault=\"none\"}", 1.0),
        ("api_pool_results_total{outcome=\"failure\",fault=\"credential\"}", 1.0),
        ("api_pool_credentials{status=\"disabled\"}", 1.0),
        ("api_pool_slots", 2.0),
        ("api_pool_queue_depth{queue=\"network\"}", 0.0),
        ("api_pool_database_up", 1.0),
        ("api_pool_http_requests_total{method=\"POST\",route=\"/api/admin/api-pool/allocate\",status=\"200\"}", 3.0),
        (
            "api_pool_http_requests_total{method=\"POST\",route=\"/api/admin/api-pool/{id}/disable\",status=\"200\"}",
            1.0,
        ),
    ] {
        assert_eq!(value(&text, series), Some(expected), "{series}\n{text}");
    }
    let grades: f64 = ["excellent", "good", "fair", "poor", "critical"]
        .iter()
        .map(|grade| value(&text, &format!("api_pool_credentials_by_grade{{grade=\"{grade}\"}}")).unwrap())
        .sum();
    assert!((grades - 2.0).abs() < f64::EPSILON, "every credential has a grade");
    for series in [
        "api_pool_database_size_bytes",
        "process_resident_memory_bytes",
        "process_open_fds",
        "api_pool_journal_rows_written",
    ] {
        assert!(value(&text, series).unwrap() > 1.0, "{series}");
    }
    assert_eq!(value(&text, "api_pool_database_wal_bytes").is_some(), kind == Kind::Sqlite);
    for series in ["api_pool_allocator_batch_size_count", "api_pool_allocator_wait_seconds_count"] {
        assert!(value(&text, series).unwrap() >= 3.0, "{series}");
    }
    let token = service.header("x-service-token");
    for private in ["+8613800000001", "8613800000001", "1000001", "cred-1000001", token, &id] {
        assert!(!text.contains(private), "{private} is in a label");
    }

    let (kind_of, text) = scrape(&url, Some("application/openmetrics-text; version=1.0.0")).await;
    assert!(kind_of.starts_with("application/openmetrics-text; version=1.0.0"), "{kind_of}");
    assert!(text.ends_with("# EOF\n") && text.contains("# TYPE api_pool_allocations counter"));
}

/// Figures cost the database something: they are read every ten seconds at most.
async fn figures_are_kept_for_a_while(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let (owner, url) = (server.owner().await, url(&server).await);
    owner.import(1_000_001, 1, 1).await;
    let credentials = async || {
        let (_, text) = scrape(&url, None).await;
        value(&text, "api_pool_credentials{status=\"available\"}")
    };
    let (before, started) = (credentials().await, std::time::Instant::now());
    owner.import(2_000_001, 1, 1).await;
    let together = futures::future::join_all((0..6).map(|_| credentials())).await;
    assert!(started.elapsed().as_secs() >= 9 || together.iter().all(|count| *count == before), "{together:?}");
    while credentials().await == before {
        assert!(started.elapsed() < PATIENCE, "they are never read again");
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
}

/// Of a counter that comes with its first event, that event would be no increase.
async fn counters_begin_at_zero(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let (_, text) = scrape(&url(&server).await, None).await;
    for series in [
        "api_pool_allocations_total{outcome=\"new\"}",
        "api_pool_allocations_total{outcome=\"pool_full\"}",
        "api_pool_allocations_total{outcome=\"overloaded\"}",
        "api_pool_releases_total{outcome=\"released\"}",
        "api_pool_releases_total{outcome=\"not_allocated\"}",
        "api_pool_results_total{outcome=\"success\",fault=\"none\"}",
        "api_pool_results_total{outcome=\"failure\",fault=\"proxy\"}",
        "api_pool_results_total{outcome=\"failure\",fault=\"pending\"}",
    ] {
        assert_eq!(value(&text, series), Some(0.0), "{series}\n{text}");
    }
}

async fn what_a_client_makes_up_is_no_label(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    for path in ["/invented/path", "/api/invented", "/api/admin/api-pool/invented-id"] {
        server.anonymous().get(path).await;
    }
    let odd = reqwest::Method::from_bytes(b"INVENTED").unwrap();
    reqwest::Client::new().request(odd, format!("{}/api/health", server.base)).send().await.unwrap();
    let (_, text) = scrape(&url(&server).await, None).await;
    assert!(!text.to_lowercase().contains("invented"), "{text}");
    promtool(&text);
}

async fn workers_have_metrics_too(kind: Kind) {
    let place = Place::new(kind).await;
    let (api, worker) = (place.start("api").await, place.start("worker").await);
    let (_, text) = scrape(&url(&worker).await, None).await;
    promtool(&text);
    assert_eq!(value(&text, "api_pool_build_info{version=\"0.1.0\",role=\"worker\"}"), Some(1.0), "{text}");
    assert!(!text.contains("api_pool_http"), "a worker answers no requests");
    api.stop().await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_was_asked_for_must_be_free() {
    let place = Place::new(Kind::Sqlite).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = place.command().arg("serve").env("METRICS_PORT", &port).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(&port) && said.contains("metrics"), "{said}");
}

on_both!(
    figures_follow_what_happens,
    figures_are_kept_for_a_while,
    counters_begin_at_zero,
    what_a_client_makes_up_is_no_label,
    workers_have_metrics_too
);
