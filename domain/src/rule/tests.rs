use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn draft(effect: Effect, target: Option<Target>) -> RuleDraft {
    let matcher = Match::default();
    RuleDraft { name: effect.to_string(), effect, matcher, target, priority: 0, enabled: true, expires_at: None }
}

fn group(name: &str) -> Target {
    Target::Group(GroupId::from(name))
}

fn guided(rules: Vec<RuleDraft>) -> Guidance {
    let numbered = rules.into_iter().enumerate().map(|(number, rule)| (format!("{number:02}"), rule));
    let account = AccountKey::stored("+886912".to_owned());
    let who = Caller { account: &account, operator: "svc:chat", ip: None, level: MemberLevel::Gold, group: None };
    RuleSet::new(numbered).guide(&who, NOW)
}

fn permits(guidance: &Guidance, group: Option<&str>, api_id: i64) -> bool {
    let shelf = Shelf { group: group.map(GroupId::from), is_premium: false, min_level: MemberLevel::Free };
    guidance.permits_named(&shelf, ApiId::new(api_id).unwrap())
}

#[test]
fn a_match_is_of_all_that_it_names() {
    let account = AccountKey::stored("chatx:9f".to_owned());
    let asked_for = GroupId::from("north");
    let who = Caller {
        account: &account,
        operator: "svc:chat-x",
        ip: Some("::ffff:203.0.113.9".parse().unwrap()),
        level: MemberLevel::Gold,
        group: Some(&asked_for),
    };
    let matches = |matcher: Match| Matcher::compile(&matcher).unwrap().matches(&who);
    let some = |text: &str| Some(text.to_owned());
    assert!(matches(Match::default()));
    for pattern in ["chatx:9f", "chatx:*", "*", "chatx:??", "*9f"] {
        assert!(matches(Match { account: some(pattern), ..Match::default() }), "{pattern}");
    }
    for pattern in ["chatx", "Chatx:9f", "chatx:?", "chaty:*", "chatx:9f?"] {
        assert!(!matches(Match { account: some(pattern), ..Match::default() }), "{pattern}");
    }
    assert!(matches(Match { operator: some("svc:*"), ..Match::default() }));
    assert!(!matches(Match { operator: some("user:*"), ..Match::default() }));
    for network in ["203.0.113.9", "::ffff:203.0.113.9", "203.0.113.0/24", "203.0.113.77/24", "0.0.0.0/0"] {
        assert!(matches(Match { ip: some(network), ..Match::default() }), "{network}");
    }
    for mapped in ["::ffff:203.0.113.0/120", "::ffff:0:0/96"] {
        let refused = Matcher::compile(&Match { ip: some(mapped), ..Match::default() }).map(drop).unwrap_err();
        assert_eq!(refused.fields[0].field, "match.ip", "{mapped}");
    }
    for network in ["203.0.114.0/24", "203.0.113.8", "2001:db8::/32"] {
        assert!(!matches(Match { ip: some(network), ..Match::default() }), "{network}");
    }
    assert!(matches(Match { level: some("gold"), ..Match::default() }));
    assert!(matches(Match { level: some("free, gold"), ..Match::default() }));
    assert!(!matches(Match { level: some("free,king"), ..Match::default() }));
    assert!(matches(Match { group: some("north"), ..Match::default() }));
    assert!(!matches(Match { group: some("south"), ..Match::default() }));
    let mixed = Match { account: some("chatx:*"), level: some("king"), ..Match::default() };
    assert!(!matches(mixed), "one that does not fit is enough");
}

#[test]
fn who_has_no_address_is_in_no_network() {
    let account = AccountKey::stored("a".to_owned());
    let who = Caller { account: &account, operator: "cli", ip: None, level: MemberLevel::Free, group: None };
    let everywhere = Match { ip: Some("0.0.0.0/0".to_owned()), ..Match::default() };
    assert!(!Matcher::compile(&everywhere).unwrap().matches(&who));
}

#[test]
fn wrong_drafts_name_every_field() {
    let matcher = Match {
        account: Some(String::new()),
        operator: Some("x\u{0}".to_owned()),
        ip: Some("203.0.113.0/33".to_owned()),
        level: Some("gold,emperor".to_owned()),
        group: Some(String::new()),
    };
    let wrong = RuleDraft { name: " ".to_owned(), matcher, priority: 1_000_001, ..draft(Effect::Bind, None) };
    let fields: Vec<String> = wrong.check().unwrap_err().fields.into_iter().map(|f| f.field).collect();
    for field in
        ["name", "priority", "target", "match.account", "match.operator", "match.ip", "match.level", "match.group"]
    {
        assert!(fields.iter().any(|f| f == field), "{field}: {fields:?}");
    }
    assert!(draft(Effect::Deny, None).check().is_ok(), "deny may be without a target");
}

#[test]
fn a_deny_refuses_the_caller_or_takes_its_target_out() {
    let refused = guided(vec![draft(Effect::Deny, None)]);
    assert_eq!(refused.denied_by.as_deref(), Some("deny"));
    let barred = guided(vec![draft(Effect::Deny, Some(group("north")))]);
    assert_eq!(barred.denied_by, None);
    assert!(!permits(&barred, Some("north"), 1) && permits(&barred, Some("south"), 1) && permits(&barred, None, 1));
}

#[test]
fn an_allow_reserves_for_those_whom_some_allow_matches() {
    let for_others = RuleDraft {
        matcher: Match { operator: Some("svc:other".to_owned()), ..Match::default() },
        ..draft(Effect::Allow, Some(group("north")))
    };
    let reserved = guided(vec![for_others.clone()]);
    assert!(!permits(&reserved, Some("north"), 1) && permits(&reserved, None, 1));
    // Another allow opens it, or one credential of it.
    let opened = guided(vec![for_others.clone(), draft(Effect::Allow, Some(group("north")))]);
    assert!(permits(&opened, Some("north"), 1));
    let one = guided(vec![for_others.clone(), draft(Effect::Allow, Some(Target::ApiId(ApiId::new(7).unwrap())))]);
    assert!(permits(&one, Some("north"), 7) && !permits(&one, Some("north"), 8));
    assert_eq!(one.named().map(ApiId::get).collect::<Vec<_>>(), [7]);
    let over = RuleDraft { expires_at: Some(NOW), ..for_others };
    assert!(permits(&guided(vec![over]), Some("north"), 1), "one that has expired reserves nothing");
}

#[test]
fn the_first_bind_holds_and_deny_goes_before_it() {
    let first = RuleDraft { priority: 5, name: "first".to_owned(), ..draft(Effect::Bind, Some(group("north"))) };
    let second = draft(Effect::Bind, Some(group("south")));
    let bound = guided(vec![second.clone(), first.clone()]);
    assert!(permits(&bound, Some("north"), 1) && !permits(&bound, Some("south"), 1) && !permits(&bound, None, 1));
    let nothing = guided(vec![first, draft(Effect::Deny, Some(group("north")))]);
    assert!(!permits(&nothing, Some("north"), 1) && !permits(&nothing, Some("south"), 1));
    let off = RuleDraft { enabled: false, ..second };
    assert_eq!(guided(vec![off]), Guidance::default());
}
