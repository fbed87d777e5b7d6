//! Shapes of data that people really have, and some that nobody should.

use super::*;
use secrecy::ExposeSecret;
use std::str::FromStr;

mod hostile;
mod shapes;

const HASH: &str = "0123456789abcdef0123456789abcdef";
const OTHER: &str = "fedcba9876543210fedcba9876543210";

fn auto(data: &str) -> Vec<ParsedLine> {
    parse(ImportFormat::Auto, data, None)
}

fn mapped(format: ImportFormat, data: &str, columns: &[(&str, &str)]) -> Vec<ParsedLine> {
    let columns = columns.iter().map(|(source, field)| ((*source).to_owned(), (*field).to_owned())).collect();
    parse(format, data, Some(&columns))
}

fn only(lines: &[ParsedLine]) -> &RawCredential {
    let [ParsedLine { outcome: Ok(credential), .. }] = lines else { panic!("not one credential: {lines:?}") };
    credential
}

/// `line:api_id:hash:name` or `line!field` for each line, which says most about it.
fn summary(lines: &[ParsedLine]) -> Vec<String> {
    let one = |parsed: &ParsedLine| match &parsed.outcome {
        Ok(raw) => {
            assert_eq!(parsed.api_id, Some(raw.api_id));
            let hash = match raw.api_hash.expose_secret() {
                HASH => "H",
                OTHER => "O",
                other => other,
            };
            format!("{}:{}:{hash}:{}", parsed.line, raw.api_id, raw.name.as_deref().unwrap_or_default())
        }
        Err(error) => format!("{}!{}", parsed.line, error.field),
    };
    lines.iter().map(one).collect()
}

/// Each case is data and the summary it must have; `H` and `O` stand for the two hashes.
fn check_all(format: ImportFormat, cases: &[(&str, &[&str])]) {
    for (data, expected) in cases {
        let data = data.replace("{H}", HASH).replace("{O}", OTHER);
        assert_eq!(summary(&parse(format, &data, None)), *expected, "{data:?}");
    }
}

#[test]
fn debug_and_messages_keep_secrets() {
    let data =
        format!("api_id,api_hash,phone\n123,{HASH},+8613800000001\nnot a number,{HASH},x\n123,{HASH} {HASH},x\n");
    let printed = format!("{:?}", auto(&data));
    assert!(!printed.contains(HASH) && !printed.contains("13800000001"), "{printed}");
    assert!(printed.contains("123") && printed.contains("REDACTED"));
    for data in
        [format!("[{HASH}]"), format!("{{\"api_id\": \"{HASH}\"}}"), format!("{HASH}:1"), format!("1,{HASH}\u{0}")]
    {
        for line in auto(&data) {
            assert!(!line.outcome.unwrap_err().to_string().contains(HASH));
        }
    }
}

#[test]
fn an_unusual_hash_is_a_warning() {
    let usual = |hash: &str| check(only(&auto(&format!("123:{hash}")))).is_empty();
    assert!(usual(HASH));
    assert!(!usual(&HASH.to_uppercase()));
    assert!(!usual(&HASH[..31]));
    assert!(!usual("short"));
    let warnings = check(only(&auto("123:short")));
    assert_eq!(warnings[0].field, "api_hash");
}

#[test]
fn columns_may_be_named_by_the_caller() {
    let data = format!("App;Key;Wer\n123;{HASH};Anna\n");
    let columns = [("app", "api_id"), ("KEY", "api_hash"), ("Wer", "note")];
    assert_eq!(only(&mapped(ImportFormat::Auto, &data, &columns)).note.as_deref(), Some("Anna"));
    assert_eq!(only(&mapped(ImportFormat::Csv, &data, &columns)).api_id, 123);

    let data = format!("Anna,{HASH},123,7\n");
    let columns = [("2", "api_id"), ("1", "api_hash"), ("0", "name"), ("3", "priority")];
    let lines = mapped(ImportFormat::Csv, &data, &columns);
    assert_eq!((only(&lines).name.as_deref(), only(&lines).priority), (Some("Anna"), Some(7)));

    let data = format!("api_id,api_hash,name,title\n123,{HASH},one,two\n");
    assert_eq!(only(&auto(&data)).name.as_deref(), Some("one"));
    let chosen = mapped(ImportFormat::Csv, &data, &[("title", "name")]);
    assert_eq!(only(&chosen).name.as_deref(), Some("two"));
    let ignored = mapped(ImportFormat::Csv, &data, &[("name", "ignore"), ("title", "")]);
    assert_eq!(only(&ignored).name, None);

    let data = format!("[{{\"app\": 123, \"key\": \"{HASH}\"}}]");
    assert_eq!(only(&mapped(ImportFormat::Json, &data, &[("app", "api_id"), ("key", "api_hash")])).api_id, 123);
    let data = format!("{HASH} 123 Anna");
    assert_eq!(only(&mapped(ImportFormat::Text, &data, &[("0", "api_hash"), ("1", "api_id")])).api_id, 123);

    let refused = mapped(ImportFormat::Csv, "1,2", &[("0", "secret")]);
    assert_eq!(summary(&refused), ["1!columns"]);
}

#[test]
fn every_field_is_read() {
    let csv = format!(
        "API ID,API Hash,App title,Max accounts,Group,Priority,Premium,Level,Tags,Phone,備註\n\
         123,{HASH},\"My, App\",7,main,-2,yes,GOLD,\"a; b;a\",+8613800000001,\"two\nlines\"\n"
    );
    let json = format!(
        "[{{\"api_id\": \"123\", \"api_hash\": \"{HASH}\", \"name\": \"My, App\", \"max_accounts\": 7.0, \"group\": \"main\",\
         \"priority\": -2, \"is_premium\": true, \"min_member_level\": \"Gold\", \"tags\": [\"a\", \"b\", \"a\"],\
         \"source_phone\": \"+8613800000001\", \"note\": \"two\\nlines\", \"unknown\": {{\"deep\": []}}, \"more\": null}}]"
    );
    for data in [csv, json] {
        let lines = auto(&data);
        let raw = only(&lines);
        assert_eq!(raw.api_id, 123);
        assert_eq!(raw.api_hash.expose_secret(), HASH);
        assert_eq!(raw.name.as_deref(), Some("My, App"));
        assert_eq!((raw.max_accounts, raw.priority, raw.is_premium), (Some(7), Some(-2), Some(true)));
        assert_eq!((raw.group.as_deref(), raw.min_member_level.as_deref()), (Some("main"), Some("gold")));
        assert_eq!(raw.tags, ["a", "b"]);
        assert_eq!(raw.source_phone.as_ref().map(ExposeSecret::expose_secret), Some("+8613800000001"));
        assert_eq!(raw.note.as_deref(), Some("two\nlines"));
    }
}

#[test]
fn names_on_the_wire() {
    assert_eq!(ImportFormat::from_str("auto"), Ok(ImportFormat::Auto));
    assert_eq!(ImportFormat::Csv.to_string(), "csv");
    assert_eq!(serde_json::from_str::<ImportFormat>("\"text\"").unwrap(), ImportFormat::Text);
    assert_eq!(ImportFormat::default(), ImportFormat::Auto);
    assert_eq!(Field::from_str("is_premium"), Ok(Field::IsPremium));
    assert_eq!(LineError::new("api_id", "is missing").to_string(), "api_id: is missing");
    assert!(SAMPLE_API_IDS.contains(&17349) && SAMPLE_API_IDS.len() == 14);
}
