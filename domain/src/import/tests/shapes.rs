//! Tables of what people paste and upload.

use super::*;

#[test]
fn lines_of_text() {
    check_all(
        ImportFormat::Auto,
        &[
            ("123:{H}", &["1:123:H:"]),
            ("123:{H}:My App", &["1:123:H:My App"]),
            ("123:{H}:My App: the second", &["1:123:H:My App: the second"]),
            ("  123 : {H} : My App  ", &["1:123:H:My App"]),
            ("123,{H}", &["1:123:H:"]),
            ("123, {H}, My App", &["1:123:H:My App"]),
            ("123\t{H}\tMy App", &["1:123:H:My App"]),
            ("123 {H} My App", &["1:123:H:My App"]),
            ("123    {H}", &["1:123:H:"]),
            ("123;{H};My App", &["1:123:H:My App"]),
            ("123|{H}|My App", &["1:123:H:My App"]),
            ("123：{H}：我的應用", &["1:123:H:我的應用"]),
            ("123，{H}，我的應用", &["1:123:H:我的應用"]),
            ("\u{feff}123:{H}\r\n456:{O}\r\n", &["1:123:H:", "2:456:O:"]),
            ("123:{H}\r456:{O}", &["1:123:H:", "2:456:O:"]),
            ("# mine\n\n123:{H}\n   \n  # yours\n456:{O}:x\n", &["3:123:H:", "6:456:O:x"]),
            ("api_id:api_hash:name\n123:{H}:x", &["2:123:H:x"]),
            ("123:{H}\ngarbage\n456:{O}", &["1:123:H:", "2!line", "3:456:O:"]),
            ("123:", &["1!api_hash"]),
            (":{H}", &["1!api_id"]),
            (
                "0:{H}\n-5:{H}\n2147483648:{H}\nabc:{H}\n1.5:{H}",
                &["1!api_id", "2!api_id", "3!api_id", "4!api_id", "5!api_id"],
            ),
            ("2147483647:{H}\n1:{H}", &["1:2147483647:H:", "2:1:H:"]),
            ("123:\u{200b}{H}\u{feff}:\u{a0}x", &["1:123:H:x"]),
            ("{H}:123", &["1!api_id"]),
            ("", &[]),
            ("\n\n# nothing\n", &[]),
        ],
    );
}

#[test]
fn rows_of_cells() {
    check_all(
        ImportFormat::Auto,
        &[
            ("api_id,api_hash\n123,{H}", &["2:123:H:"]),
            ("api_id,api_hash,name\r\n123,{H},a\r\n456,{O},b\r\n", &["2:123:H:a", "3:456:O:b"]),
            ("\u{feff}\"api_id\",\"api_hash\",\"name\"\n\"123\",\"{H}\",\"a, \"\"b\"\"\"\n", &["2:123:H:a, \"b\""]),
            ("API ID;API Hash;名稱;備註\n123;{H};甲;x,y,z", &["2:123:H:甲"]),
            ("AppId\tApp Hash\tName\n123\t{H}\ta b", &["2:123:H:a b"]),
            ("app_id|hash|title\n123|{H}|a", &["2:123:H:a"]),
            ("App api_id,App api_hash,App title\n123,{H},a", &["2:123:H:a"]),
            ("名稱,API ID（必填）,api hash (secret)\na,123,{H}", &["2:123:H:a"]),
            ("name,hash,id\na,{H},123", &["2:123:H:a"]),
            ("id,api_id,api_hash,status\n01JABC,123,{H},available", &["2:123:H:"]),
            ("name,api_hash_masked,api_hash,api_id\na,0123…,{H},123", &["2:123:H:a"]),
            ("123,{H},a,b\n456,{O},c,d", &["1:123:H:a", "2:456:O:c"]),
            ("123,\"{H}\",\"a, b\"", &["1:123:H:a, b"]),
            ("sep=;\napi_id;api_hash\n123;{H}", &["3:123:H:"]),
            ("# exported\napi_id,api_hash\n\n,,\n# more\n123,{H}\n", &["6:123:H:"]),
            ("api_id,api_hash,name\n123.0,{H},a", &["2:123:H:a"]),
            ("api_id,api_hash,name\n=\"123\",{H},'=cmd()", &["2:123:H:=cmd()"]),
            ("api_id,api_hash,name\n123,{H}\n456,{O},b,extra,cells", &["2:123:H:", "3!line"]),
            ("api_id,api_hash,name\n\n\n,{H},a\n123,,b\n456,{O},c", &["4!api_id", "5!api_hash", "6:456:O:c"]),
            (
                "api_id,api_hash,max_accounts\n1,{H},5\n2,{H},many\n3,{H},-1\n4,{H},",
                &["2:1:H:", "3!max_accounts", "4!max_accounts", "5:4:H:"],
            ),
            (
                "api_id,api_hash,premium,priority\n1,{H},是,1\n2,{H},maybe,1\n3,{H},,high",
                &["2:1:H:", "3!is_premium", "4!priority"],
            ),
        ],
    );
    check_all(
        ImportFormat::Csv,
        &[
            ("123,{H}", &["1:123:H:"]),
            ("123;{H};a", &["1:123:H:a"]),
            ("{H},123", &["1!api_id"]),
            ("123", &["1!api_hash"]),
        ],
    );
}

#[test]
fn a_broken_quote_spoils_one_line() {
    check_all(
        ImportFormat::Csv,
        &[
            ("api_id,api_hash,name\n123,{H},\"open\n456,{O},b\n789,{H},c", &["2!name", "3:456:O:b", "4:789:H:c"]),
            ("api_id,api_hash,name\n123,{H},\"a\"b\n456,{O},\"c\"", &["2!name", "3:456:O:c"]),
            ("api_id,api_hash,name\n123,{H},a \"b\" c\n456,{O}, \"d\" ", &["2:123:H:a \"b\" c", "3:456:O:d"]),
            (
                "api_id,api_hash,name,note\n123,{H},\"open,x\n456,{O},b,\"fine\"\n789,{H},c,y",
                &["2!name", "3:456:O:b", "4:789:H:c"],
            ),
            ("api_id,api_hash,note\n123,{H},\"two\r\nlines\"\r\n456,{O},x", &["2:123:H:", "4:456:O:"]),
            ("api_id,api_hash,name\n123,{H},\"two\nlines\"\n456,{O},x", &["2!name", "4:456:O:x"]),
            ("123,\"{H}", &["1!api_hash"]),
            ("\"123,{H}\n456,{O}", &["1!api_id", "2:456:O:"]),
        ],
    );
}

#[test]
fn json_documents() {
    check_all(
        ImportFormat::Auto,
        &[
            ("[{\"api_id\": 123, \"api_hash\": \"{H}\", \"name\": \"a\"}]", &["1:123:H:a"]),
            (
                "\u{feff}  [{\"api_id\": \"123\", \"api_hash\": \"{H}\"}, {\"api_id\": 456, \"api_hash\": \"{O}\"}]",
                &["1:123:H:", "2:456:O:"],
            ),
            ("{\"apis\": [{\"apiId\": 123, \"apiHash\": \"{H}\"}]}", &["1:123:H:"]),
            ("{\"items\": [{\"api_id\": 123, \"api_hash\": \"{H}\"}], \"total\": 1}", &["1:123:H:"]),
            (
                "{\"success\": true, \"data\": {\"items\": [{\"id\": \"01J\", \"api_id\": \"123\", \"api_hash\": \"{H}\"}]}}",
                &["1:123:H:"],
            ),
            ("{\"api_id\": 123, \"api_hash\": \"{H}\"}", &["1:123:H:"]),
            (
                "{\"api_id\": 123, \"api_hash\": \"{H}\"}\n\n{\"api_id\": 456, \"api_hash\": \"{O}\"}\nnonsense\n",
                &["1:123:H:", "3:456:O:", "4!line"],
            ),
            ("[\"123:{H}:a\", [456, \"{O}\", \"b\"]]", &["1:123:H:a", "2:456:O:b"]),
            ("[{\"api_id\": 123.0, \"api_hash\": \"{H}\", \"name\": 7, \"tags\": \"x,y\"}]", &["1:123:H:7"]),
            (
                "[{\"api_id\": 1, \"api_hash\": \"{H}\"}, 7, null, {}, {\"api_id\": 2}, {\"api_hash\": \"{H}\"}, {\"api_id\": 3, \"api_hash\": \"{O}\"}]",
                &["1:1:H:", "2!line", "3!line", "4!api_id", "5!api_hash", "6!api_id", "7:3:O:"],
            ),
            (
                "[{\"api_id\": 1, \"api_hash\": 12}, {\"api_id\": true, \"api_hash\": \"{H}\"}, {\"api_id\": 1, \"api_hash\": \"{H}\", \"name\": {}}]",
                &["1!api_hash", "2!api_id", "3!name"],
            ),
            (
                "[{\"api_id\": 1, \"api_hash\": \"{H}\", \"tags\": [{}]}, {\"api_id\": 1, \"api_hash\": \"{H}\", \"tags\": [1, \"x\"]}]",
                &["1!tags", "2:1:H:"],
            ),
            (
                "[{\"api_id\": 99999999999999999999, \"api_hash\": \"{H}\"}, {\"api_id\": 1e3, \"api_hash\": \"{H}\"}]",
                &["1!api_id", "2:1000:H:"],
            ),
            (
                "[{\"api_id\": 1, \"api_hash\": \"{H}\", \"name\": null, \"max_accounts\": null, \"unknown\": [1, 2]}]",
                &["1:1:H:"],
            ),
            ("[]", &[]),
            ("{}", &["1!data"]),
            ("{\"hello\": 1}", &["1!data"]),
            ("[{\"api_id\": 1,\n\"api_hash\": \"{H}\"", &["2!data"]),
            ("{nope", &["1!data"]),
        ],
    );
    check_all(ImportFormat::Json, &[("", &["1!data"]), ("123:{H}", &["1!data"]), ("\"123:{H}\"", &["1!data"])]);
    let broken = auto("[1,\n2,\n oops]");
    let message = &broken[0].outcome.as_ref().unwrap_err().message;
    assert!(message.contains("line 3") && message.contains("column 2"), "{message}");
}

#[test]
fn a_refused_line_says_which_application_it_is() {
    let lines = auto("123:\nabc:def");
    assert_eq!((lines[0].api_id, lines[1].api_id), (Some(123), None));
}
