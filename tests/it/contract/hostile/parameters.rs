//! Query strings and ids in paths.

use super::{Case, Expected, Ground, MARK, Operation, types};

const NOT_FOUND: Expected = Expected::Failure(404, 2002, "not_found");
/// Texts that are compared as they are: nothing is wrong with any, but controls and length.
const FREE: [&str; 15] = [
    "q",
    "tags",
    "tags!",
    "operator",
    "operator!",
    "actor",
    "actor!",
    "ip",
    "request_id",
    "page",
    "account_id",
    "phone",
    "account_phone",
    "group_id",
    "group_id!",
];

pub fn cases(ground: &Ground) -> Vec<Case> {
    let mut cases = Vec::new();
    for operation in &ground.operations {
        if operation.path.contains("{id}") {
            in_paths(ground, operation, &mut cases);
        }
        if !operation.query.is_empty() {
            in_queries(ground, operation, &mut cases);
        }
    }
    cases
}

fn in_paths(ground: &Ground, operation: &Operation, cases: &mut Vec<Case>) {
    let long = "x".repeat(10_000);
    let ids = [
        "nope",
        "01J0000000000000000000000",
        "%00",
        "a%00b",
        "%ff",
        "a%2Fb",
        "..%2f..%2fetc",
        "%27",
        "%F0%9F%92%A5",
        "-1",
        "a%20b",
        "%25",
        &long,
    ];
    for id in ids {
        let body = if operation.body.is_some() { operation.sample().to_string() } else { String::new() };
        let request = operation.send(&ground.owner, id, body);
        cases.push(Case::new(format!("{} at {id:.40}", operation.name()), request, NOT_FOUND));
    }
}

fn in_queries(ground: &Ground, operation: &Operation, cases: &mut Vec<Case>) {
    let path = operation.at(ground.id(operation));
    let mut add = |query: String, expected: Expected| {
        let request = ground.owner.request(&operation.method, &format!("{path}?{query}"));
        cases.push(Case::new(format!("{}?{query:.60}", operation.name()), request, expected));
    };
    for (name, schema) in &operation.query {
        let field = || Expected::Field(name.clone());
        let takes = |kind: &str| types(schema).iter().any(|one| one == kind);
        for value in ["%00", "a%00b", "%ff", "a%0Ab", "%ED%A0%80"] {
            add(format!("{name}={value}"), field());
        }
        add(format!("{name}={}", "x".repeat(10_240)), field());
        if takes("integer") {
            for value in
                ["abc", "-1", "0", "1.5", "1e3", "99999999999999999999", "-99999999999999999999", "0x10", "%2B-1", MARK]
            {
                add(format!("{name}={value}"), field());
            }
        } else if takes("boolean") {
            for value in ["maybe", "2", "TRUE!", MARK] {
                add(format!("{name}={value}"), field());
            }
        } else if !FREE.contains(&name.as_str()) {
            for value in ["%F0%9F%92%A5", "%27%3B--", "e30", "bnVsbA", "WyJcdTAwMDAiXQ", MARK] {
                add(format!("{name}={value}"), field());
            }
        } else {
            for value in ["%F0%9F%92%A5", "%27%3B--", "%25", "_", "%5C", "%5B%5D", MARK] {
                add(format!("{name}={value}"), Expected::NoHarm);
            }
        }
        add(format!("{name}="), Expected::NoHarm);
        add(format!("{name}=1&{name}=1"), field());
        add(format!("{name}!=1"), Expected::NoHarm);
        add(format!("{name}%5B%5D=1"), Expected::NoHarm);
    }
    // Older clients send more than we use where they ask what an account holds.
    let surprise = "surprise".to_owned();
    let ignores = operation.path.ends_with("/account");
    let expected = if ignores { Expected::Ignored(surprise.clone()) } else { Expected::Field(surprise) };
    add(format!("surprise={MARK}"), expected);
}
