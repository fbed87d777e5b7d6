//! The table of errors, in the words that real clients print.

use super::Consequence::{
    AccountMustLogIn, AlertClient, AwaitEvidence, BanCredential, CoolAccount, CoolProxy, CountOutage,
    CountProxyFailure, FlagAccountHolders, FlagCredentialThenBan, FloodCoolAccount, FreezeAccount, MarkLoginOnly,
    Nothing, PhoneFloodCoolAccount, RetireAccount,
};
use super::*;
use std::str::FromStr;

mod network;
mod parties;
mod waits;

const DAY: u32 = 24 * 3600;
const COOL_PROXY: Consequence = CoolProxy { base_seconds: 60, max_seconds: 3600 };
const BANNED: Consequence = BanCredential { reason: BanReason::Published };

fn check(fault: Fault, consequence: Consequence, canonical: &str, printed: &[&str]) {
    for text in printed {
        let code = recognise(text);
        assert_eq!(code.canonical, canonical, "{text}");
        let verdict = judge(&code, &BlameConfig::default());
        assert_eq!(verdict, Verdict { fault, consequence }, "{text} → {code:?}");
        assert_eq!(is_failure(&code), fault != Fault::None, "{text}");
    }
}

#[test]
fn every_known_code_recognises_itself() {
    for (name, family) in codes::CODES {
        let class: String = name.split('_').map(|piece| piece[..1].to_owned() + &piece[1..].to_lowercase()).collect();
        for text in [
            (*name).to_owned(),
            name.to_lowercase(),
            format!("{name}_123"),
            format!("{name}_X"),
            format!("[400 {name}]"),
            format!("[400 {name}_X] - something (caused by \"auth.SendCode\")"),
            format!("RPCError: 420: {name}_9 (caused by auth.SendCode)"),
            format!("{class}Error"),
            format!("library.errors.{class}Error: something"),
        ] {
            assert_eq!(recognise(&text).canonical, *name, "{text}");
        }
        let number = recognise(&format!("{name}_123")).number;
        assert_eq!(number, (!family.is_network()).then_some(123), "{name}");
        assert!(name.len() <= 64);
    }
    for (alias, name) in codes::aliases() {
        assert!(codes::CODES.iter().any(|(known, _)| known == name), "{alias} → {name}");
        assert!(alias.bytes().all(|byte| byte.is_ascii_uppercase()), "{alias} is not squashed");
    }
    for list in [phrases::TELEGRAM, phrases::WAIT, phrases::NETWORK] {
        for (phrase, name) in list {
            assert_eq!(*phrase, phrase.to_lowercase());
            assert_eq!(recognise(phrase).canonical, *name, "{phrase}");
        }
    }
}

#[test]
fn a_secret_never_becomes_a_code() {
    for text in [
        "0123456789abcdef0123456789abcdef",
        "abcdefabcdefabcdefabcdefabcdefab",
        "ABCDEFABCDEFABCDEFABCDEFABCDEFAB",
        "AB_CD_EF_AB_CD_EF_AB_CD_EF",
        "svc_chat_Qk3vN8sLw0ZpTtYx",
        "SVC_CHAT_QK3VN8SLW0ZPTTYX",
        "1BVtsOKABu3lZ0aGVsbG8gd29ybGQ",
        "aGVsbG8gd29ybGQgdGhpcyBpcyBhIHNlY3JldA==",
        "ABCDEFABCDEFABCDEF",
        "Hunter2",
        "hunter_two",
        "+8613800000001",
        "123456789",
    ] {
        assert_eq!(recognise(text).canonical, "UNKNOWN", "{text}");
    }
    let with_hash = "login failed with api_hash=0123456789abcdef0123456789abcdef: API_ID_INVALID";
    assert_eq!(recognise(with_hash), ErrorCode { canonical: "API_ID_INVALID".to_owned(), number: None });
}

/// A tiny generator, so that the test is the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

#[test]
fn hostile_text_is_survived() {
    const PARTS: &[&str] = &[
        "FLOOD_WAIT_",
        "_",
        "__",
        "X",
        "-",
        "[",
        "420 ",
        "-503",
        "99999999999999999999",
        "Error",
        "\u{0}",
        "\u{2212}",
        "é",
        "漢字",
        "\u{202e}",
        "\n",
        "\\n",
        "Traceback (most recent call last)",
        " at ",
        "Some ",
        "(",
        ")",
        "秒",
        "a wait of ",
        "proxy",
        "RPCError",
        "500",
        "DC",
        "_X_",
        "ABC",
        "abc",
        "\t",
        "🦀",
        "\"",
        "timeout",
        "errno 111",
    ];
    let mut dice = Dice(7);
    for _ in 0..20_000 {
        let length = dice.roll(14);
        let text: String = (0..length).map(|_| PARTS[dice.roll(PARTS.len())]).collect();
        let code = recognise(&text);
        assert!(code.canonical.len() <= 64, "{text:?}");
        let clean = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        assert!(!code.canonical.is_empty() && code.canonical.bytes().all(clean), "{text:?} → {code:?}");
        assert_eq!(recognise(&code.canonical).canonical, code.canonical, "{text:?}");
        judge(&code, &BlameConfig::default());
    }
    for part in PARTS {
        recognise(&part.repeat(1024 * 1024 / part.len()));
    }
    assert_eq!(recognise(&"漢".repeat(300_000)).canonical, "UNKNOWN");
}

#[test]
fn cooldowns_double_to_their_end() {
    let config = BlameConfig::default();
    let run: Vec<u32> = (0..9).map(|earlier| config.proxy_cooldown(earlier)).collect();
    assert_eq!(run, [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);
    assert_eq!(config.proxy_cooldown(u32::MAX), 3600);
}

#[test]
fn names_on_the_wire() {
    assert_eq!(Fault::Credential.to_string(), "credential");
    assert_eq!(Fault::from_str("pending"), Ok(Fault::Pending));
    assert_eq!(Action::ProxyCooled.to_string(), "proxy_cooled");
    assert_eq!(Action::from_str("scoring_frozen"), Ok(Action::ScoringFrozen));
    assert_eq!(serde_json::to_string(&Action::CredentialFlagged).unwrap(), "\"credential_flagged\"");
    assert_eq!(serde_json::from_str::<Fault>("\"none\"").unwrap(), Fault::None);
    let config: BlameConfig = serde_json::from_str("{\"peer_flood_seconds\": 5}").unwrap();
    assert_eq!(config, BlameConfig { peer_flood_seconds: 5, ..BlameConfig::default() });
}
