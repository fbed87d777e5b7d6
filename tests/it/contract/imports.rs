//! §4: import in every form, undo, import as a job, export.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{POOL, Reply, has_shape, pool};
use crate::harness::{Api, Kind, PATIENCE, Place, upload};
use crate::on_both;

fn report() -> Value {
    let line =
        json!({ "line": "int", "api_id": "digits?", "outcome": "imported|duplicate|rejected", "reason?": "text" });
    json!({
        "batch_id": "ulid?", "imported": "int", "duplicates": "int", "rejected": "int", "warnings": "int", "lines": [line],
    })
}

async fn import(owner: &Api, body: Value) -> Value {
    let reply = owner.post(&pool("batch"), body).await;
    has_shape(reply.data(), &report());
    reply.data().clone()
}

/// `imported duplicates rejected warnings`
fn counts(report: &Value) -> [i64; 4] {
    ["imported", "duplicates", "rejected", "warnings"].map(|field| report[field].as_i64().unwrap())
}

async fn credential(owner: &Api, api_id: &str) -> Value {
    owner.get(&format!("{POOL}?q={api_id}")).await.data()["items"][0].clone()
}

const HASH: &str = "0123456789abcdef0123456789abcdef";

async fn takes_every_form(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let group = owner.ok("POST", &pool("groups"), json!({ "name": "Asia" })).await["id"].clone();
    let forms = [
        ("csv", "api_id,api_hash,name\n@1,%,A\n@2,%,B\n".to_owned()),
        ("csv", "App api_id;App api_hash;App title\r\n@1;%;A\r\n@2;%;B\r\n".to_owned()),
        ("csv", "@1,%,A\n@2,%,\"B\"\n".to_owned()),
        (
            "json",
            r#"[{"api_id": @1, "api_hash": "%", "name": "A"}, {"api_id": "@2", "api_hash": "%", "name": "B"}]"#
                .to_owned(),
        ),
        ("text", "# ours\n@1:%:A\n\n@2:%:B".to_owned()),
        ("text", "@1,%,A\n@2 % B\n".to_owned()),
        ("text", "@1\t%\tA\n@2:%:B\n".to_owned()),
    ];
    let mut number = 1_000_000;
    for (format, template) in &forms {
        for format in [*format, "auto"] {
            let data = template.replace('@', &number.to_string()).replace('%', HASH);
            let done = import(&owner, json!({ "format": format, "data": data })).await;
            assert_eq!(counts(&done), [2, 0, 0, 0], "{format} {template}: {done}");
            for (last, name) in [("1", "A"), ("2", "B")] {
                assert_eq!(credential(&owner, &format!("{number}{last}")).await["name"], name, "{template}");
            }
            number += 1;
        }
    }
    let apis = json!([
        { "api_id": 2_000_001, "api_hash": HASH, "name": "A", "max_accounts": 3, "priority": 2, "is_premium": true,
          "min_member_level": "gold", "tags": ["x", "y"], "source_phone": "+8613800000001", "note": "n", "group_id": group },
        { "api_id": "2000002", "api_hash": HASH },
    ]);
    let body = json!({ "apis": apis, "default_max_accounts": 9 });
    let reply = owner.post(&pool("batch-import"), body).await;
    has_shape(reply.data(), &report());
    let one = credential(&owner, "2000001").await;
    assert_eq!((&one["max_accounts"], &one["priority"], &one["is_premium"]), (&json!(3), &json!(2), &json!(true)));
    assert_eq!(
        (&one["tags"], &one["group_id"], &one["min_member_level"]),
        (&json!(["x", "y"]), &group, &json!("gold"))
    );
    assert!(one["source_phone_masked"].is_string() && one["note"] == "n");
    assert_eq!(credential(&owner, "2000002").await["max_accounts"], 9);

    let body = json!({
        "format": "csv", "data": format!("nummer;geheim;egal\n3000001;{HASH};x\n"), "group_id": group,
        "columns": { "nummer": "api_id", "geheim": "api_hash", "egal": "ignore" },
    });
    assert_eq!(counts(&import(&owner, body).await), [1, 0, 0, 0]);
    assert_eq!(credential(&owner, "3000001").await["group_name"], "Asia");
    server.stop().await;
    place.assert_sound();
}

async fn one_bad_line_never_stops_the_rest(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let data = format!(
        "api_id,api_hash,max_accounts,group\n1000001,{HASH},5,\nx,{HASH},5,\n1000001,{HASH},5,\n17349,{HASH},5,\n\
         1000002,not-hex,5,\n1000003,,5,\n1000004,{HASH},0,\n1000005,{HASH},5,nowhere\n1000006,{HASH},5,\n"
    );
    let body = json!({ "format": "csv", "data": data, "dry_run": true });
    let tried = import(&owner, body).await;
    assert_eq!(counts(&tried), [3, 1, 5, 1]);
    assert!(tried["batch_id"].is_null() && owner.get(POOL).await.data()["total"] == 0, "it only looked");

    let body = json!({ "format": "csv", "data": data });
    let done = import(&owner, body.clone()).await;
    assert_eq!(counts(&done), [3, 1, 5, 1]);
    let outcomes: Vec<_> =
        done["lines"].as_array().unwrap().iter().map(|line| line["outcome"].as_str().unwrap()).collect();
    let expected =
        ["imported", "rejected", "duplicate", "rejected", "imported", "rejected", "rejected", "rejected", "imported"];
    assert_eq!(outcomes, expected);
    let line = |index: usize| &done["lines"][index];
    assert_eq!((&line(0)["line"], &line(1)["line"]), (&json!(2), &json!(3)), "the lines of the file");
    assert!(line(1)["api_id"].is_null() && line(3)["api_id"] == "17349");
    assert!(line(4)["reason"].as_str().unwrap().contains("api_hash"), "a warning says what is unusual");
    assert!(!done.to_string().contains("not-hex") && !done.to_string().contains(HASH));
    assert_eq!(counts(&import(&owner, body).await), [0, 4, 5, 0], "all there already");

    // Undo, while nothing of it is allocated; once.
    let undo = pool(&format!("batch/{}/undo", done["batch_id"].as_str().unwrap()));
    owner.ok("POST", &pool("allocate"), json!({ "account_id": "a", "api_id": 1_000_001 })).await;
    owner.post(&undo, Value::Null).await.problem(409, 2004, "conflict");
    owner.ok("POST", &pool("release"), json!({ "account_id": "a" })).await;
    let undone = owner.post(&undo, json!({})).await;
    has_shape(undone.data(), &json!({ "batch_id": "ulid", "removed": "int" }));
    assert_eq!((&undone.data()["removed"], &owner.get(POOL).await.data()["total"]), (&json!(3), &json!(0)));
    owner.post(&undo, Value::Null).await.problem(409, 2004, "conflict");
    owner.post(&pool("batch/01J0000000000000000000000/undo"), Value::Null).await.problem(404, 2002, "not_found");

    for (body, field) in [
        (json!({}), "data"),
        (json!({ "apis": [], "data": "" }), "data"),
        (json!({ "data": "x", "format": "xlsx" }), "format"),
        (json!({ "data": "x", "default_max_accounts": 0 }), "default_max_accounts"),
        (json!({ "data": "x", "default_max_accounts": 100_001 }), "default_max_accounts"),
        (json!({ "data": "x", "group_id": "nowhere" }), "group_id"),
        (json!({ "data": "x", "group_id": "a b" }), "group_id"),
        (json!({ "data": "x", "surprise": 1 }), "surprise"),
    ] {
        owner.post(&pool("batch"), body).await.wrong(field);
    }
    server.stop().await;
    place.assert_sound();
}

async fn a_large_import_runs_as_a_job(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let group = owner.ok("POST", &pool("groups"), json!({ "name": "big" })).await["id"].clone();
    let mut body = upload(1_000_000, 10_001, 3);
    body["group_id"] = group;
    let reply = owner.post(&pool("batch"), body).await;
    assert_eq!(reply.status, 202);
    has_shape(reply.data(), &json!({ "job_id": "text", "batch_id": "ulid" }));
    let started = Instant::now();
    let path = pool("history?action=batch.imported");
    let done = loop {
        let history = owner.get(&path).await;
        if let Some(row) = history.data()["items"].as_array().unwrap().first() {
            break row.clone();
        }
        assert!(started.elapsed() < PATIENCE, "{}", server.logged());
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!((&done["data"]["imported"], &done["data"]["batch_id"]), (&json!(10_001), &reply.data()["batch_id"]));
    let listed = owner.get(&format!("{POOL}?limit=1")).await;
    assert_eq!((&listed.data()["total"], &listed.data()["total_is_capped"]), (&json!(10_000), &json!(true)));
    assert_eq!(listed.data()["items"][0]["group_name"], "big");
    // More than are ever counted can't be acted upon at once, and a dry run says so already.
    let all = json!({ "filter": {}, "action": "disable", "dry_run": true });
    let refused = owner.post(&pool("bulk"), all).await;
    assert!(refused.problem(409, 2004, "conflict")["message"].as_str().unwrap().contains("more than 10000"));
    let fewer = json!({ "filter": { "api_id!": null, "q": "cred-100" }, "action": "disable", "dry_run": true });
    assert_eq!(owner.post(&pool("bulk"), fewer).await.data()["would"]["by_status"]["available"], 10_000);
    let undo = pool(&format!("batch/{}/undo", reply.data()["batch_id"].as_str().unwrap()));
    assert_eq!(owner.post(&undo, Value::Null).await.data()["removed"], 10_001);
    super::secrets::assert_nowhere(&place, &[&crate::harness::api_hash(1_000_000)]).await;
    server.stop().await;
    place.assert_sound();
}

fn rows(reply: &Reply) -> Vec<&str> {
    assert_eq!((reply.status, reply.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert!(reply.header("content-disposition").starts_with("attachment; filename="));
    assert_eq!(reply.header("cache-control"), "no-store");
    reply.text.lines().collect()
}

async fn exports_and_takes_back(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    let names = ["plain", "=1+1", "+1", "-1", "@x", "comma, \"quote\""];
    for (index, name) in names.iter().enumerate() {
        let body = json!({ "api_id": 1_000_001 + index, "api_hash": HASH, "name": name, "note": "=cmd|' /C calc'!A0" });
        owner.ok("POST", POOL, body).await;
    }
    let plain = owner.get(&pool("export")).await;
    let lines = rows(&plain);
    assert_eq!(lines.len(), 7);
    assert!(lines[0].starts_with("api_id,api_hash,name,status,max_accounts,"));
    assert!(!plain.text.contains(HASH), "masked");
    for (line, name) in lines[1..].iter().zip(["plain", "'=1+1", "'+1", "'-1", "'@x", "\"comma, \"\"quote\"\"\""]) {
        assert!(line.contains(&format!(",{name},")) && line.contains(",'=cmd|' /C calc'!A0"), "{line}");
    }
    let file = owner.get(&pool("export?format=csv&include_hash=true")).await;
    assert!(rows(&file)[1..].iter().all(|line| line.contains(HASH)));
    let json = owner.get(&pool("export?format=json")).await;
    assert_eq!((json.status, json.header("content-type")), (200, "application/json"));
    assert!(json.json.as_array().unwrap().len() == 6 && !json.text.contains(HASH));
    let json = owner.get(&pool("export?format=json&include_hash=true")).await;
    assert!(json.json.as_array().unwrap().iter().all(|one| one["api_hash"] == HASH && one["name"].is_string()));
    let audit = owner.get(&pool("history?action=api.exported")).await;
    let noted: Vec<_> =
        audit.data()["items"].as_array().unwrap().iter().map(|row| row["data"]["include_hash"].clone()).collect();
    assert_eq!(noted, [true, false, true, false].map(Value::from));
    for (query, field) in [("format=xml", "format"), ("include_hash=maybe", "include_hash"), ("surprise=1", "surprise")]
    {
        owner.get(&pool(&format!("export?{query}"))).await.wrong(field);
    }

    // What was exported comes back as it was, names that were neutralised included.
    let other = Place::new(kind).await;
    let elsewhere = other.serve().await;
    let newcomer = elsewhere.owner().await;
    for (format, data) in [("csv", &file.text), ("json", &json.text)] {
        let done = import(&newcomer, json!({ "format": format, "data": data })).await;
        assert_eq!(counts(&done), [6, 0, 0, 0], "{done}");
        let reply = newcomer.get(&format!("{POOL}?sort=api_id")).await;
        let came: Vec<_> =
            reply.data()["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(came, names, "{format}");
        let undo = pool(&format!("batch/{}/undo", done["batch_id"].as_str().unwrap()));
        newcomer.ok("POST", &undo, Value::Null).await;
    }
    let empty = newcomer.get(&pool("export?format=json")).await;
    assert_eq!(empty.json, json!([]));
}

on_both!(takes_every_form, one_bad_line_never_stops_the_rest, a_large_import_runs_as_a_job, exports_and_takes_back);
