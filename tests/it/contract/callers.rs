//! Who may do what. `docs/permissions.md` says it for people; the served document, the table of
//! permissions and what the program does must all say the same.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use serde_json::{Value, json};

use super::forged::lasting;
use super::hostile::Operation;
use super::{POOL, Reply, ask, pool};
use crate::harness::{Api, Kind, Place, Server};
use crate::on_both;

const ROLES: [&str; 4] = ["owner", "admin", "operator", "auditor"];
const SCOPES: [&str; 5] = ["credpool:allocate", "credpool:release", "credpool:account", "credpool:report", ALL];
const ALL: &str = "credpool:*";
const ANYONE: &str = "anyone";
const ANY_PERSON: &str = "any person";
const USERS: &str = "/api/admin/users";

/// What a row of the file says.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    permission: String,
    /// Whether each role is let in.
    roles: [bool; 4],
    /// The scope that lets services in; `yes` when they need none.
    services: Option<String>,
}

impl Row {
    /// As the document puts it.
    fn security(&self) -> Value {
        match (self.permission.as_str(), &self.services) {
            (ANYONE, _) => json!([]),
            (ANY_PERSON, _) => json!([{ "person": [] }]),
            (permission, None) => json!([{ "person": [permission] }]),
            (permission, Some(scope)) => json!([{ "person": [permission] }, { "service": [scope] }]),
        }
    }

    fn lets_in(&self, who: &Who) -> bool {
        match who {
            Who::Nobody => self.permission == ANYONE,
            Who::Person(role) => self.roles[ROLES.iter().position(|one| one == role).unwrap()],
            Who::Service(scope) => {
                self.services.as_ref().is_some_and(|needed| *scope == ALL || needed == scope)
                    || self.permission == ANYONE
            }
        }
    }
}

/// The rows of the file's tables whose first column has this head, by their first cell.
fn rows(head: &str) -> BTreeMap<String, Row> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/permissions.md");
    let (mut found, mut is_inside) = (BTreeMap::new(), false);
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let cells: Vec<&str> = line.trim_matches(['|', ' ']).split('|').map(str::trim).collect();
        match cells.first() {
            Some(first) if cells.len() == 7 && cells[2] == "owner" => {
                assert_eq!(cells[2..], [&ROLES[..], &["services"]].concat(), "{line}");
                is_inside = *first == head;
            }
            Some(first) if cells.len() == 7 && is_inside && !first.starts_with("---") => {
                let word = |cell: &str| match cell {
                    "yes" => true,
                    "—" => false,
                    other => panic!("{other}: {line}"),
                };
                let name = if head == "permission" { cells[0] } else { cells[1] };
                let row = Row {
                    permission: name.trim_matches('`').to_owned(),
                    roles: [2, 3, 4, 5].map(|column| word(cells[column])),
                    services: (cells[6] != "—").then(|| cells[6].trim_matches('`').to_owned()),
                };
                assert!(found.insert(first.replace('`', ""), row).is_none(), "twice: {line}");
            }
            _ => {}
        }
    }
    assert!(!found.is_empty(), "{head}");
    found
}

#[derive(Clone, Debug, PartialEq)]
enum Who {
    Nobody,
    Person(&'static str),
    Service(&'static str),
}

/// Somebody who asks.
struct Caller {
    who: Who,
    api: Api,
    /// Their own id, and that of a session of theirs.
    user: String,
    session: String,
}

/// Everybody there can be.
async fn everybody(server: &Server) -> Vec<Caller> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let nobody = (Who::Nobody, server.anonymous());
    let mut all = vec![Caller { who: nobody.0, api: nobody.1, user: String::new(), session: String::new() }];
    let owner = server.owner().await;
    for role in ROLES {
        let (username, password) = (format!("one-{role}"), "long enough it is");
        owner.ok("POST", USERS, json!({ "username": username, "password": password, "role": role })).await;
        let api = server.sign_in(&username, password).await;
        let me = api.get("/api/admin/me").await;
        let (user, session) = (text(&me.data()["id"]), text(&me.data()["session_id"]));
        // They are asked to sign out on the way, and go on.
        all.push(Caller { who: Who::Person(role), api: lasting(server, &api), user, session });
    }
    for scope in SCOPES {
        let api = server.service(&[scope]).await;
        all.push(Caller { who: Who::Service(scope), api, user: String::new(), session: String::new() });
    }
    all
}

/// Whether somebody was let in, whatever became of the request.
#[track_caller]
fn was_let_in(who: &Who, name: &str, reply: &Reply) -> bool {
    let number = reply.json["error"]["number"].as_u64().unwrap_or_default();
    assert!(reply.status < 500, "{name} as {who:?}: {}", reply.text);
    // Signing in with a wrong password is 401 as well, in other words.
    let unknown = reply.text.contains("sign in, or send a service token");
    match who {
        Who::Nobody if unknown => reply.problem(401, 1001, "unauthenticated"),
        _ if number == 1003 => reply.problem(403, 1003, "forbidden"),
        _ => {
            assert!(!unknown, "{name} as {who:?}: {}", reply.text);
            return true;
        }
    };
    false
}

/// A request that is well formed, so that only its caller is at fault. Where one's own differ from
/// those of others, one's own.
fn ask_as(caller: &Caller, operation: &Operation) -> reqwest::RequestBuilder {
    let body = if operation.body.is_some() { operation.sample().to_string() } else { String::new() };
    let id = match operation.path.strip_prefix(USERS) {
        Some("/{id}/sessions") => &caller.user,
        Some("/sessions/{id}") => &caller.session,
        _ => "01J0000000000000000000000",
    };
    operation.send(&caller.api, if id.is_empty() { "01J0000000000000000000000" } else { id }, body)
}

async fn everybody_may_do_what_the_table_says(kind: Kind) {
    let (operations, permissions) = (rows("operation"), rows("permission"));
    // The file agrees with itself.
    for (name, row) in &operations {
        let expected = match row.permission.as_str() {
            ANYONE => Row { services: Some("yes".to_owned()), roles: [true; 4], ..row.clone() },
            ANY_PERSON => Row { services: None, roles: [true; 4], ..row.clone() },
            permission => permissions[permission].clone(),
        };
        assert_eq!(*row, expected, "{name}");
    }

    let place = Place::new(kind).await;
    let server = place.serve().await;
    let document = server.anonymous().get("/api/openapi.json").await.json;
    let served = Operation::all(&document);
    let names: BTreeSet<String> = served.iter().map(Operation::name).collect();
    let told: BTreeSet<String> = operations.keys().cloned().collect();
    let missing: Vec<_> = names.symmetric_difference(&told).collect();
    assert!(missing.is_empty(), "in docs/permissions.md or in the document, but not in both: {missing:?}");
    for operation in &served {
        assert_eq!(operation.security, operations[&operation.name()].security(), "{}", operation.name());
    }

    let callers = everybody(&server).await;
    let table = server.owner().await.get("/api/admin/permissions").await.data().clone();
    let texts = |value: &Value| -> BTreeSet<String> {
        value.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts(&table["permissions"]), permissions.keys().cloned().collect());
    for (index, role) in ROLES.into_iter().enumerate() {
        let theirs = permissions.iter().filter(|(_, row)| row.roles[index]).map(|(name, _)| name.clone()).collect();
        assert_eq!(texts(&table["roles"][role]), theirs, "{role}");
        let caller = callers.iter().find(|one| one.who == Who::Person(role)).unwrap();
        assert_eq!(texts(&caller.api.get("/api/admin/me").await.data()["permissions"]), theirs, "{role}");
    }

    let mut calls = Vec::new();
    for caller in &callers {
        for operation in &served {
            calls.push((&caller.who, operation, ask_as(caller, operation)));
        }
    }
    futures::stream::iter(calls)
        .for_each_concurrent(12, async |(who, operation, request)| {
            let reply = ask(request).await;
            let (name, expected) = (operation.name(), operations[&operation.name()].lets_in(who));
            assert_eq!(was_let_in(who, &name, &reply), expected, "{name} as {who:?}: {}", reply.text);
        })
        .await;

    // The older names ask the same as the new.
    for caller in &callers {
        for (method, old, new) in [("GET", "allocation-history", "history"), ("POST", "batch-import", "batch")] {
            let reply = caller.api.ask(method, &pool(old), Value::Null).await;
            let expected = operations[&format!("{method} {}", pool(new))].lets_in(&caller.who);
            assert_eq!(was_let_in(&caller.who, old, &reply), expected, "{old} as {:?}", caller.who);
        }
    }
    server.stop().await;
    place.assert_sound();
}

/// What depends on more than the operation.
async fn some_ask_for_more(kind: Kind) {
    let table = rows("what is asked");
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let callers = everybody(&server).await;
    let export = format!("GET {POOL}/export with include_hash=true");
    let bulk = format!("POST {POOL}/bulk with action = delete");
    let list = format!("GET {USERS}/{{id}}/sessions of somebody else");
    let end = format!("DELETE {USERS}/sessions/{{id}} of somebody else");
    let known: BTreeSet<&String> = [&export, &bulk, &list, &end].into();
    assert_eq!(table.keys().collect::<BTreeSet<_>>(), known, "each is tried below");
    for caller in &callers {
        // Somebody who is signed in, for each anew.
        let other = server.owner().await.get("/api/admin/me").await.data().clone();
        let (user, session) = (other["id"].as_str().unwrap(), other["session_id"].as_str().unwrap());
        let nobodys = json!({ "ids": ["01J0000000000000000000000"], "action": "delete" });
        let calls = [
            (&export, caller.api.get(&pool("export?include_hash=true")).await),
            (&bulk, caller.api.post(&pool("bulk"), nobodys).await),
            (&list, caller.api.get(&format!("{USERS}/{user}/sessions")).await),
            (&end, caller.api.ask("DELETE", &format!("{USERS}/sessions/{session}"), Value::Null).await),
        ];
        for (name, reply) in calls {
            let expected = table[name].lets_in(&caller.who);
            assert_eq!(was_let_in(&caller.who, name, &reply), expected, "{name} as {:?}: {}", caller.who, reply.text);
            assert_eq!(reply.status == 200, expected, "{name} as {:?}: {}", caller.who, reply.text);
        }
        // Whether there is such a session is told to those only who might end it.
        let unknown =
            caller.api.ask("DELETE", &format!("{USERS}/sessions/01J0000000000000000000000"), Value::Null).await;
        assert_eq!(was_let_in(&caller.who, "none", &unknown), table[&end].lets_in(&caller.who), "{:?}", caller.who);
    }
    server.stop().await;
    place.assert_sound();
}

on_both!(everybody_may_do_what_the_table_says, some_ask_for_more);
