//! Methods, content types, sizes.

use std::collections::{BTreeMap, BTreeSet};

use super::{Case, Expected, Ground, MARK, Operation};

const MIB: usize = 1 << 20;
const TOO_LARGE: Expected = Expected::Failure(413, 2006, "too_large");
const NOT_JSON: Expected = Expected::Failure(415, 2008, "unsupported_media_type");

pub fn cases(ground: &Ground) -> Vec<Case> {
    let mut cases = methods(ground);
    for operation in ground.operations.iter().filter(|one| one.body.is_some()) {
        types(ground, operation, &mut cases);
        sizes(ground, operation, &mut cases);
    }
    cases
}

fn methods(ground: &Ground) -> Vec<Case> {
    let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for operation in &ground.operations {
        known.entry(&operation.path).or_default().insert(&operation.method);
    }
    let mut cases = Vec::new();
    for (path, methods) in known {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"] {
            if !methods.contains(method) {
                let request = ground.owner.request(method, &path.replace("{id}", "01J0000000000000000000000"));
                let expected = Expected::Failure(405, 2007, "method_not_allowed");
                cases.push(Case::new(format!("{method} {path}"), request, expected));
            }
        }
    }
    cases
}

fn types(ground: &Ground, operation: &Operation, cases: &mut Vec<Case>) {
    let send = |kind: Option<&str>| {
        let request = ground
            .owner
            .request(&operation.method, &operation.at(ground.id(operation)))
            .body(operation.sample().to_string());
        match kind {
            Some(kind) => request.header("content-type", kind),
            None => request,
        }
    };
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "json",
    ] {
        cases.push(Case::new(format!("{} as {kind}", operation.name()), send(Some(kind)), NOT_JSON));
    }
    for kind in [None, Some("application/json; charset=utf-8"), Some("Application/JSON")] {
        let expected = Expected::Ignored("body".to_owned());
        cases.push(Case::new(format!("{} as {kind:?}", operation.name()), send(kind), expected));
    }
}

/// Bodies just within and just beyond the limit, and far beyond it.
fn sizes(ground: &Ground, operation: &Operation, cases: &mut Vec<Case>) {
    let limit = if operation.path.ends_with("/api-pool/batch") || operation.path.ends_with("/proxies/batch") {
        16 * MIB
    } else if ["/login", "/refresh", "/logout"].iter().any(|end| operation.path.ends_with(end)) {
        8 << 10
    } else {
        MIB
    };
    let padded = |length: usize| {
        let mut body = operation.sample().to_string();
        body.push_str(&" ".repeat(length - body.len()));
        operation.send(&ground.owner, ground.id(operation), body)
    };
    let named = |what: &str| format!("{} {what}", operation.name());
    cases.push(Case::new(named("at the limit"), padded(limit), Expected::Ignored("body".to_owned())));
    cases.push(Case::new(named("one byte too large"), padded(limit + 1), TOO_LARGE));
    cases.push(Case::new(named("far too large"), padded(limit + 3 * MIB), TOO_LARGE));
    let text = format!("{{\"{MARK}\":\"{}\"}}", "x".repeat(limit));
    cases.push(Case::new(
        named("one large text"),
        operation.send(&ground.owner, ground.id(operation), text),
        TOO_LARGE,
    ));
}
