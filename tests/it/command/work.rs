//! What the commands do: migrate, import, export, user, token, doctor, openapi.

use std::fs;

use serde_json::{Value, json};

use super::{done, refused, stdout, with_input};
use crate::contract::pool;
use crate::harness::{Kind, Place, api_hash, upload};
use crate::on_both;

async fn imports_and_exports(kind: Kind) {
    let place = Place::new(kind).await;
    assert!(done(&place.run(&["migrate"])).contains("up to date"));
    let csv = upload(1_000_001, 3, 7)["data"].as_str().unwrap().to_owned();
    fs::write(place.dir.path().join("pool.csv"), &csv).unwrap();
    let json = json!([{ "api_id": 1_000_011, "api_hash": api_hash(1_000_011), "name": "=1+1" }]);
    fs::write(place.dir.path().join("pool.json"), json.to_string()).unwrap();
    let text = format!("1000021:{}:a name\n17349:{}\n", api_hash(1_000_021), api_hash(5));

    let tried = done(&place.run(&["import", "pool.csv", "--dry-run"]));
    assert!(tried.starts_with("3 would be imported, 0 duplicates, 0 rejected") && !tried.contains("batch"), "{tried}");
    let imported = done(&place.run(&["import", "pool.csv"]));
    assert!(imported.starts_with("3 imported, 0 duplicates, 0 rejected") && imported.contains("batch "), "{imported}");
    assert!(done(&place.run(&["import", "pool.csv", "--format", "csv"])).starts_with("0 imported, 3 duplicates"));
    assert!(
        done(&place.run(&["import", "pool.json", "--format", "json", "--max-accounts", "9"])).starts_with("1 imported")
    );
    let output = with_input(&place, &["import", "-", "--format", "text"], &text);
    assert!(done(&output).starts_with("1 imported, 0 duplicates, 1 rejected"));
    assert!(super::stderr(&output).contains("line 2: api_id"), "{}", super::stderr(&output));
    // Where nothing came in, the exit code says so.
    let bad = api_hash(5);
    for (input, said) in [
        (format!("17349:{bad}\n17349:{bad}\n"), "every line was rejected"),
        (String::new(), "no line"),
        ("\n\n".to_owned(), "no line"),
        ("api_id,api_hash,name\n".to_owned(), "no line"),
    ] {
        let output = with_input(&place, &["import", "-", "--format", "auto"], &input);
        assert_eq!(output.status.code(), Some(1), "{input}{}", super::stderr(&output));
        let told = super::stderr(&output);
        assert_eq!(told.lines().filter(|line| line.contains(said)).count(), 1, "{told}");
    }
    refused(&place.run(&["import", "nowhere.csv"]), "nowhere.csv");
    refused(&place.run(&["import", "pool.csv", "--group", "nowhere"]), "group_id");

    let masked = done(&place.run(&["export"]));
    let lines: Vec<&str> = masked.lines().collect();
    assert!(
        lines.len() == 6 && lines[0].starts_with("api_id,api_hash,name,") && lines[4].contains(",'=1+1,"),
        "{masked}"
    );
    assert!(!masked.contains(&api_hash(1_000_001)) && lines[1].contains(",cred-1000001,available,7,"));
    let plain = done(&place.run(&["export", "--include-hash"]));
    assert!(plain.contains(&api_hash(1_000_001)) && plain.contains(&api_hash(1_000_021)));
    let all: Value = serde_json::from_str(&done(&place.run(&["export", "--format", "json"]))).unwrap();
    assert_eq!(
        (all.as_array().unwrap().len(), &all[3]["max_accounts"], &all[4]["name"]),
        (5, &json!(9), &json!("a name"))
    );

    // What the command did is in the history, by its name.
    let server = place.serve().await;
    let history = server.owner().await.get(&pool("history?operator=cli&action=api.exported,batch.imported")).await;
    assert_eq!(history.data()["items"].as_array().unwrap().len(), 8);
    server.stop().await;
    place.assert_sound();
}

async fn manages_people_and_tokens(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let add =
        |name: &str, role: &str, password: &str| with_input(&place, &["user", "add", name, "--role", role], password);
    assert!(done(&add("ops", "operator", "operate the pool\n")).contains("ops"));
    done(&with_input(&place, &["user", "add", "plain"], "no line end here"));
    refused(&add("ops", "operator", "operate the pool\n"), "username");
    refused(&add("new", "auditor", "short\n"), "password");
    refused(&add("", "auditor", "long enough it is\n"), "username");
    refused(&with_input(&place, &["user", "passwd", "nobody"], "long enough it is\n"), "user");

    let ops = server.sign_in("ops", "operate the pool").await;
    assert_eq!(ops.ok("GET", "/api/admin/me", Value::Null).await["role"], "operator");
    let plain = server.sign_in("plain", "no line end here").await;
    assert_eq!(plain.ok("GET", "/api/admin/me", Value::Null).await["role"], "operator");
    done(&with_input(&place, &["user", "passwd", "ops"], "another password\r\n"));
    server.sign_in("ops", "another password").await;
    let old = json!({ "username": "ops", "password": "operate the pool" });
    server.anonymous().fails("POST", "/api/admin/login", old, 401, 1001).await;

    let args =
        ["token", "issue", "chat-x", "--scopes", "credpool:account,credpool:report", "--level", "gold", "--note", "n"];
    let token = done(&place.run(&args));
    let service = server.anonymous().with("x-service-token", token.trim());
    assert!(token.starts_with("svc_chat-x_") && token.lines().count() == 1);
    assert!(service.get(&pool("account?account_id=a")).await.data().is_null());
    service.post(&pool("allocate"), json!({ "account_id": "a" })).await.problem(403, 1003, "forbidden");
    let listed = server.owner().await.get("/api/admin/service-tokens").await;
    let one = &listed.data()["items"][0];
    assert_eq!((&one["created_by"], &one["member_level"], &one["note"]), (&json!("cli"), &json!("gold"), &json!("n")));
    refused(&place.run(&["token", "issue", "Chat X"]), "product");
    let all = done(&place.run(&["token", "issue", "all"]));
    let service = server.anonymous().with("x-service-token", all.trim());
    service.post(&pool("allocate"), json!({ "account_id": "a" })).await.problem(409, 3002, "none_available");
}

async fn doctor_sees_what_is_off(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_001, 2, 5).await;
    for account in ["a", "b", "c"] {
        owner.ok("POST", &pool("allocate"), json!({ "account_id": account })).await;
    }
    server.stop().await;
    let sound = done(&place.run(&["doctor"]));
    assert!(sound.lines().count() >= 9 && sound.lines().all(|line| line.starts_with("ok ")), "{sound}");

    let sick = |named: &str| {
        let output = place.run(&["doctor"]);
        let text = stdout(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        let off: Vec<&str> = text.lines().filter(|line| line.starts_with("OFF")).collect();
        assert!(!off.is_empty() && text.contains(named), "{named}: {text}");
    };
    for (harm, named, heal) in [
        (
            "UPDATE credentials SET current_accounts = current_accounts + 1 WHERE api_id = 1000001",
            "accounts, but",
            "UPDATE credentials SET current_accounts = current_accounts - 1 WHERE api_id = 1000001",
        ),
        (
            "UPDATE credentials SET max_accounts = 1 WHERE current_accounts > 1",
            "slots",
            "UPDATE credentials SET max_accounts = 5 WHERE current_accounts > 1",
        ),
        (
            "UPDATE journal SET seq = seq + 1000 WHERE seq = 3",
            "the journal has",
            "UPDATE journal SET seq = seq - 1000 WHERE seq = 1003",
        ),
        (
            "UPDATE accounts SET last_seq = last_seq - 1 WHERE account_id = 'a'",
            "account a points at",
            "UPDATE accounts SET last_seq = last_seq + 1 WHERE account_id = 'a'",
        ),
        (
            "UPDATE accounts SET allocated_at = allocated_at + 5 WHERE account_id = 'b'",
            "account b",
            "UPDATE accounts SET allocated_at = allocated_at - 5 WHERE account_id = 'b'",
        ),
        (
            "UPDATE credentials SET shelf = '6/1/x' WHERE api_id = 1000002",
            "shelf",
            "UPDATE credentials SET shelf = (SELECT shelf FROM credentials WHERE api_id = 1000001) WHERE api_id = 1000002",
        ),
        (
            "UPDATE credentials SET deleted_at = 1 WHERE api_id = 1000001",
            "holds credential",
            "UPDATE credentials SET deleted_at = NULL WHERE api_id = 1000001",
        ),
        (
            "UPDATE credentials SET source_phone = api_hash WHERE api_id = 1000002",
            "source_phone",
            "UPDATE credentials SET source_phone = NULL WHERE api_id = 1000002",
        ),
    ] {
        place.execute(harm).await;
        sick(named);
        place.execute(heal).await;
        done(&place.run(&["doctor"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prints_the_document_that_is_served() {
    let place = Place::new(Kind::Sqlite).await;
    let printed = done(&place.run(&["openapi"]));
    assert!(!place.database().exists(), "needs no database");
    let server = place.serve().await;
    let document = server.anonymous().get("/api/openapi.json").await;
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), document.json);
}

on_both!(imports_and_exports, manages_people_and_tokens, doctor_sees_what_is_off);
