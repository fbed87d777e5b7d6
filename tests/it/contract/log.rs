//! The log: one line a request, as text or as JSON, which says what, by whom and how it went; and
//! the trace that a request belongs to.

use serde_json::{Value, json};

use super::{POOL, pool};
use crate::harness::{Kind, PASSWORD, Place, Server};
use crate::on_both;

async fn started(place: &Place, format: &str) -> Server {
    let mut command = place.command();
    command.arg("serve").env("LOG_FORMAT", format);
    Server::spawn(command, place.dir.path()).await
}

/// All that it has logged, once it has ended.
async fn ended(server: Server) -> String {
    let log = server.stderr.clone();
    server.stop().await;
    std::fs::read_to_string(log).unwrap()
}

async fn every_request_has_its_line(kind: Kind) {
    let place = Place::new(kind).await;
    for format in ["text", "json"] {
        let server = started(&place, format).await;
        let owner = server.owner().await;
        let service = server.service(&["credpool:allocate"]).await;
        let wish = json!({ "account_id": "+8613800000001" });
        let login = json!({ "username": "admin", "password": PASSWORD });
        let mistyped = json!({ "username": "admin", "password": "mistyped" });
        let asked = [
            (server.anonymous().post("/api/admin/login", login).await, "POST", "/api/admin/login", "user:admin"),
            (server.anonymous().post("/api/admin/login", mistyped).await, "POST", "/api/admin/login", "-"),
            (owner.get(&format!("{POOL}?q=sought")).await, "GET", POOL, "user:admin"),
            (owner.get(&pool("nothing")).await, "GET", "/api/admin/api-pool/nothing", "user:admin"),
            (service.post(&pool("allocate"), wish).await, "POST", "/api/admin/api-pool/allocate", "svc:it"),
            (service.get(POOL).await, "GET", POOL, "svc:it"),
            (server.anonymous().get(POOL).await, "GET", POOL, "-"),
        ];
        let log = ended(server).await;
        for (reply, method, path, actor) in asked {
            let id = reply.header("x-request-id");
            let lines: Vec<&str> = log.lines().filter(|line| line.contains(id)).collect();
            let [line] = lines[..] else { panic!("one line of {id}, not {lines:?}") };
            if format == "json" {
                let line: Value = serde_json::from_str(line).unwrap();
                let told =
                    ["request_id", "method", "path", "actor"].map(|field| line[field].as_str().unwrap_or_default());
                assert_eq!((told, &line["status"]), ([id, method, path, actor], &json!(reply.status)), "{line}");
                assert!(line["timestamp"].is_string() && line["micros"].is_number(), "{line}");
            } else {
                assert!(line.contains(method) && line.contains(&format!("status={}", reply.status)), "{line}");
                assert!(
                    line.contains(&format!("actor=\"{actor}\"")) && line.contains(&format!("path=\"{path}\"")),
                    "{line}"
                );
            }
        }
        for private in ["+8613800000001", "8613800000001", "sought"] {
            assert!(!log.contains(private), "{private} is in the log");
        }
    }
}

/// A trace goes on through us: in the answer, whatever it is, and in the log. What is not one is not
/// answered.
async fn traces_go_on(kind: Kind) {
    let place = Place::new(kind).await;
    let server = started(&place, "json").await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let sent = format!("00-{trace}-00f067aa0ba902b7-01");
    let mut request_ids = Vec::new();
    let traced = server.owner().await.with("traceparent", &sent);
    for (got, status) in [
        (traced.get(POOL).await, 200),
        (traced.get(&pool("nothing")).await, 404),
        (server.anonymous().with("traceparent", &sent).get(POOL).await, 401),
    ] {
        let answered: Vec<&str> = got.header("traceparent").split('-').collect();
        let [version, id, span, flags] = answered[..] else { panic!("{answered:?}") };
        assert_eq!((got.status, version, id, flags), (status, "00", trace, "01"));
        assert!(span.len() == 16 && span != "00f067aa0ba902b7", "a span of our own: {span}");
        request_ids.push(got.header("x-request-id").to_owned());
    }
    for odd in ["", "x", &sent.to_uppercase(), &sent.replace("00-4", "ff-4"), "00-0-0-0", &format!("{sent}-1")] {
        let reply = server.anonymous().with("traceparent", odd).get("/api/health").await;
        assert_eq!((reply.status, reply.header("traceparent")), (200, ""), "{odd}");
    }
    let log = ended(server).await;
    for request_id in request_ids {
        let line = log.lines().find(|line| line.contains(&request_id)).unwrap_or_else(|| panic!("{request_id}: {log}"));
        assert!(line.contains(trace), "{line}");
    }
}

on_both!(every_request_has_its_line, traces_go_on);
