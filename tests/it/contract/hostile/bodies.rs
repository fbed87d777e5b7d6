//! Bodies that are no JSON, have other types, fields that nobody knows, and values out of bounds.

use serde_json::{Value, json};

use super::{Case, Expected, Ground, MARK, Operation, sample, types};

const MALFORMED: Expected = Expected::Failure(400, 2000, "malformed");
/// Texts that are kept or compared as they are, whatever they hold, or that others win over.
const OPAQUE: [&str; 9] = [
    "password",
    "old_password",
    "new_password",
    "refresh_token",
    "error",
    "data",
    "proxy_country",
    "allocation_id",
    "operator",
];
/// Numbers that are compared with what is there: none is out of bounds.
const ANY_NUMBER: [&str; 1] = ["expected"];

/// Bodies that can't be read, for every operation that takes one.
pub fn cases(ground: &Ground) -> Vec<Case> {
    let mut cases = Vec::new();
    for operation in ground.operations.iter().filter(|one| one.body.is_some()) {
        let mut add = |what: &str, body: Vec<u8>, expected: Expected| {
            let request = operation.send(&ground.owner, ground.id(operation), body);
            cases.push(Case::new(format!("{}: {what}", operation.name()), request, expected));
        };
        let field =
            operation.body.as_ref().unwrap()["properties"].as_object().and_then(|all| all.keys().next().cloned());
        let field = field.unwrap_or_else(|| "x".to_owned());
        for text in
            ["{", "{\"", "nul", "{'a':1}", "{\"a\":1,}", "{} {}", "{}x", "\u{feff}{}", "{\"a\":01}", "<a/>", "a=1"]
        {
            add(text, text.as_bytes().to_vec(), MALFORMED);
        }
        add("a number without end", b"{\"a\":1e999}".to_vec(), Expected::Refused);
        add("cut off", operation.sample().to_string().trim_end_matches(['}', ']']).as_bytes().to_vec(), MALFORMED);
        add("a lone surrogate", format!(r#"{{"{field}":"\ud800"}}"#).into_bytes(), MALFORMED);
        add("a raw NUL", format!("{{\"{field}\":\"a\0b\"}}").into_bytes(), MALFORMED);
        let mut invalid = format!("{{\"{field}\":\"").into_bytes();
        invalid.extend([0xc3, 0x28, 0xff, b'"', b'}']);
        add("invalid UTF-8", invalid, MALFORMED);
        add("deep and open", format!("{{\"{field}\":{}", "[".repeat(100_000)).into_bytes(), Expected::Refused);
        let deep = format!("{{\"{field}\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        add("deep and closed", deep.into_bytes(), Expected::Refused);
        for (text, what) in
            [("[]", "a list"), ("null", "null"), ("7", "a number"), ("\"x\"", "a text"), ("true", "a truth")]
        {
            add(what, text.as_bytes().to_vec(), Expected::Field("body".to_owned()));
        }
        unknown_fields(operation, &mut add);
    }
    cases
}

fn unknown_fields(operation: &Operation, add: &mut impl FnMut(&str, Vec<u8>, Expected)) {
    for value in [Value::Null, json!(MARK), json!({ "a": [1] })] {
        let mut body = operation.sample();
        body["surprise"] = value;
        let name = "surprise".to_owned();
        let expected = if operation.is_lenient() { Expected::Ignored(name) } else { Expected::Field(name) };
        add("an unknown field", body.to_string().into_bytes(), expected);
    }
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let body = operation.sample().to_string();
    let body =
        format!("{}{}\"surprise\":{deep}}}", body.strip_suffix('}').unwrap(), if body == "{}" { "" } else { "," });
    add("an unknown and deep field", body.into_bytes(), Expected::NoHarm);
}

/// For each property of each body: other types, texts and numbers out of bounds.
pub fn values(ground: &Ground) -> Vec<Case> {
    let mut cases = Vec::new();
    for operation in &ground.operations {
        let Some(schema) = &operation.body else { continue };
        let mut add = |what: String, body: &Value, expected: Expected| {
            let request = operation.send(&ground.owner, ground.id(operation), body.to_string());
            cases.push(Case::new(format!("{} with {what}", operation.name()), request, expected));
        };
        each_property(schema, "", &mut |path, name, inner, whole| {
            for (wrong, expected) in wrong_values(name, path, inner, whole.is_required) {
                add(format!("{path} = {:.60}", wrong.to_string()), &whole.with(&operation.sample(), &wrong), expected);
            }
        });
    }
    cases
}

/// Where a property stands: in the body itself, in the first member of a list, or in an object.
struct Whole<'a> {
    outer: Outer<'a>,
    name: &'a str,
    is_required: bool,
}

enum Outer<'a> {
    Body,
    List(&'a str, &'a Value),
    Object(&'a str),
}

impl Whole<'_> {
    fn with(&self, body: &Value, value: &Value) -> Value {
        let mut body = body.clone();
        match self.outer {
            Outer::Body => body[self.name] = value.clone(),
            Outer::List(list, schema) => {
                let mut member = sample(schema);
                member[self.name] = value.clone();
                body[list] = json!([member]);
            }
            Outer::Object(object) => body[object][self.name] = value.clone(),
        }
        body
    }
}

fn each_property(schema: &Value, prefix: &str, tell: &mut impl FnMut(&str, &str, &Value, Whole<'_>)) {
    let required =
        |schema: &Value, name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let whole = Whole { outer: Outer::Body, name, is_required: required(schema, name) };
        tell(&format!("{prefix}{name}"), name, inner, whole);
        let members = &inner["items"];
        for (deeper, schema_of) in members["properties"].as_object().into_iter().flatten() {
            let outer = Outer::List(name, members);
            let whole = Whole { outer, name: deeper, is_required: required(members, deeper) };
            tell(&format!("{name}[0].{deeper}"), deeper, schema_of, whole);
        }
        for (deeper, schema_of) in inner["properties"].as_object().into_iter().flatten() {
            let whole = Whole { outer: Outer::Object(name), name: deeper, is_required: required(inner, deeper) };
            tell(&format!("{name}.{deeper}"), deeper, schema_of, whole);
        }
    }
}

fn wrong_values(name: &str, path: &str, schema: &Value, is_required: bool) -> Vec<(Value, Expected)> {
    let allowed = types(schema);
    let takes = |kind: &str| {
        allowed.iter().any(|one| one == kind) || (kind == "integer" && allowed.iter().any(|one| one == "number"))
    };
    // In a batch, what the types don't decide is the member's own outcome.
    let is_member = path.contains('[');
    let field = || Expected::Field(path.to_owned());
    let bound = || if is_member { Expected::NoHarm } else { Expected::Field(path.to_owned()) };
    let mut wrong = Vec::new();
    if !takes("string") {
        wrong.push((json!(MARK), field()));
        wrong.push((json!("1"), if takes("integer") || takes("boolean") { field() } else { Expected::NoHarm }));
    }
    if !takes("boolean") {
        wrong.push((json!(true), field()));
    }
    if !takes("array") {
        wrong.push((json!([MARK]), field()));
    }
    if !takes("object") {
        wrong.push((json!({ MARK: MARK }), field()));
    }
    let is_real = allowed.iter().any(|one| one == "number");
    // A filter's value is the same as a number and as a text.
    let is_text_too = is_real && takes("string");
    let number = |wrong: Expected| if is_text_too || ANY_NUMBER.contains(&name) { Expected::NoHarm } else { wrong };
    wrong.push((json!(1.5), if is_real { Expected::NoHarm } else { field() }));
    if takes("integer") {
        for far in [json!(i64::MAX), json!(i64::MIN), json!(-1_000_001)] {
            wrong.push((far, number(bound())));
        }
        for huge in [json!(u64::MAX), json!(1e20), json!(-1e300)] {
            wrong.push((huge, if is_text_too { Expected::NoHarm } else { field() }));
        }
    } else {
        wrong.push((json!(12), field()));
    }
    if takes("string") {
        let opaque = OPAQUE.contains(&name);
        // Where anybody may send a body it is small.
        let long = if ["username", "password", "refresh_token"].contains(&name) { 7_000 } else { 10_240 };
        for text in [format!("{MARK}\u{0}"), "x".repeat(long)] {
            wrong.push((json!(text), if opaque { Expected::NoHarm } else { bound() }));
        }
        for text in ["", " ", "\u{202e}\u{200b}", "💥", "'; DROP TABLE credentials; --", "%s%n", "{{7*7}}"] {
            wrong.push((json!(text), Expected::NoHarm));
        }
    }
    if takes("array") && name != "apis" {
        for member in [Value::Null, json!(1.5), json!(true), json!([[MARK]])] {
            wrong.push((json!([member]), field()));
        }
    }
    if is_required && !takes("null") {
        wrong.push((Value::Null, field()));
    }
    wrong
}
