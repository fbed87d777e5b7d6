//! Data that wants to hurt.

use super::*;

#[test]
fn cells_have_limits() {
    let long = "a".repeat(MAX_CELL_BYTES + 1);
    let fits = "a".repeat(MAX_CELL_BYTES);
    for (data, expected) in [
        (format!("api_id,api_hash,name\n1,{HASH},{long}\n2,{HASH},x"), ["2!name", "3:2:H:x"]),
        (format!("api_id,api_hash,name\n1,{HASH},\"{long}\"\n2,{HASH},x"), ["2!name", "3:2:H:x"]),
        (format!("api_id,api_hash,other\n1,{HASH},{long}\n2,{HASH},x"), ["2!column 3", "3:2:H:"]),
        (format!("1:{HASH}:{long}\n2:{HASH}:x"), ["1!name", "2:2:H:x"]),
        (format!("1:{}\n2:{HASH}:x", "a".repeat(257)), ["1!api_hash", "2:2:H:x"]),
        (format!("1:a b\n2:{HASH}:x"), ["1!api_hash", "2:2:H:x"]),
        (format!("1:a\u{200b}b\n2:{HASH}:x"), ["1!api_hash", "2:2:H:x"]),
        (format!("1:a\u{0}b\n2:{HASH}:x"), ["1!api_hash", "2:2:H:x"]),
        (format!("1:0123…cdef\n2:{HASH}:x"), ["1!api_hash", "2:2:H:x"]),
        (format!("1:жж\n2:{HASH}:x"), ["1!api_hash", "2:2:H:x"]),
        (format!("1:{HASH}:a\u{7}b\n2:{HASH}:x"), ["1!name", "2:2:H:x"]),
        (format!("api_id,api_hash,x\n1,{HASH},\u{0}y\n2,{HASH},x"), ["2!column 3", "3:2:H:"]),
        (
            format!("[{{\"api_id\":1,\"api_hash\":\"{HASH}\",\"note\":\"a\\u0000\"}},\"2:{HASH}:x\"]"),
            ["1!note", "2:2:H:x"],
        ),
        (
            format!("[{{\"api_id\":1,\"api_hash\":\"{HASH}\",\"tags\":[\"{fits}\",\"b\"]}},\"2:{HASH}:x\"]"),
            ["1!tags", "2:2:H:x"],
        ),
    ] {
        assert_eq!(summary(&auto(&data)), expected, "{}", &data[..60]);
    }
    let note = auto(&format!("api_id,api_hash,note\n1,{HASH},\"{fits}\"\n"));
    assert_eq!(only(&note).note.as_deref().map(str::len), Some(MAX_CELL_BYTES));
    let hash = auto(&format!("1:{}", "Z".repeat(256)));
    assert!(!check(only(&hash)).is_empty());
}

/// Each of these would take minutes if what is read twice were read again for every line.
#[test]
fn reading_is_linear() {
    let size = 256 * 1024;
    for unit in [
        "x\",\"\n", "\"\n", "\"a\n", "\"\"\n", "\"\"\"\n", ",\"\n", "\",\"\n", "\"a\"b\n", "\"", ",", "\r", " ",
        "\"\"", "#\n", "\n\"x,", "1,\"", "=\"",
    ] {
        let data = unit.repeat(size / unit.len());
        for format in [ImportFormat::Csv, ImportFormat::Text, ImportFormat::Auto] {
            parse(format, &data, None);
        }
    }
    let headed = format!("api_id,api_hash,name\n{}", "x\",\"\n".repeat(size / 5));
    assert!(parse(ImportFormat::Csv, &headed, None).iter().all(|line| line.outcome.is_err()));
    for unit in ["[", "{\"a\":", "[{},", "{}\n", "1,", "\""] {
        parse(ImportFormat::Json, &unit.repeat(size / unit.len()), None);
        parse(ImportFormat::Json, &format!("[{}", unit.repeat(size / unit.len())), None);
    }
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

#[test]
fn no_data_makes_it_panic_or_lose_a_good_line() {
    const PARTS: &[&str] = &[
        "123",
        HASH,
        ":",
        ",",
        ";",
        "\t",
        "|",
        " ",
        "\"",
        "\"\"",
        "\n",
        "\r",
        "\r\n",
        "#",
        "api_id",
        "api_hash",
        "name",
        "é",
        "漢字",
        "\u{0}",
        "\u{feff}",
        "\u{200b}",
        "{",
        "}",
        "[",
        "]",
        "{\"api_id\":",
        "sep=;",
        "=\"",
        "'=",
        "-1",
        "1.0",
        "：",
    ];
    const FORMATS: [ImportFormat; 4] = [ImportFormat::Csv, ImportFormat::Json, ImportFormat::Text, ImportFormat::Auto];
    let mut dice = Dice(11);
    for _ in 0..20_000 {
        let length = dice.roll(30);
        let data: String = (0..length).map(|_| PARTS[dice.roll(PARTS.len())]).collect();
        for format in FORMATS {
            let lines = parse(format, &data, None);
            assert!(
                lines.iter().zip(lines.iter().skip(1)).all(|(one, next)| one.line < next.line),
                "{format} {data:?}"
            );
            assert!(lines.iter().all(|line| line.line >= 1), "{format} {data:?}");
        }
        // Whatever stands before it, a good line on its own is read.
        let noise = data.replace(['#', '"'], "").replace("api_hash", "x").replace("api_id", "x").replace("name", "");
        let text = parse(ImportFormat::Text, &format!("{noise}\n777:{HASH}"), None);
        assert_eq!(text.last().and_then(|line| line.api_id), Some(777), "{noise:?}");
        let quoted = data.replace(['\r', '\n'], " ");
        let rows = parse(ImportFormat::Csv, &format!("api_id,api_hash,name\n9,{HASH},{quoted}\n777,{HASH},last"), None);
        assert_eq!(rows.last().and_then(|line| line.api_id), Some(777), "{quoted:?}");
    }
}
