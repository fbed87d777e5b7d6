//! People and services who may come in.

use domain::MemberLevel;
use domain::Timestamp;
use domain::access::{Role, Scope};
use domain::blame::BlameConfig;
use domain::time::{DAY, MINUTE};
use secrecy::{ExposeSecret, SecretString};
use store::StoreError;
use store::compiled::FRESH_FOR;
use store::people::{ATTEMPTS, LOCKED_FOR, SignInError};
use store::tokens::{TokenDraft, token_hash};

use crate::world::{World, on_both, origin, slice};

on_both! {
    a_user_signs_in,
    five_failures_lock_for_fifteen_minutes,
    many_guesses_at_once_tell_nothing,
    a_success_starts_the_count_anew,
    a_password_is_changed_by_whoever_knows_it,
    users_are_checked_and_unique,
    a_token_is_shown_once_and_looked_up_by_its_hash,
    a_revoked_token_is_refused_everywhere_within_moments,
    tokens_are_listed_by_tenant,
    a_token_is_checked_before_it_is_issued,
    a_strategy_holds_for_the_next_allocation_everywhere,
}

const PASSWORD: &str = "correct horse battery";

async fn add(w: &World, name: &str) -> String {
    let password = SecretString::from(PASSWORD);
    w.store.add_user(&w.tenant, &origin(), name, &password, Role::Operator).await.unwrap()
}

async fn sign_in(w: &World, name: &str, password: &str) -> Result<store::people::User, SignInError> {
    w.store.sign_in(&origin(), name, &SecretString::from(password), None).await.map(|(user, _)| user)
}

async fn a_user_signs_in(w: &World) {
    assert!(!w.store.has_owner().await.unwrap());
    let id = add(w, "ada").await;
    assert!(!w.store.has_owner().await.unwrap(), "somebody else is no owner");
    let user = sign_in(w, "ada", PASSWORD).await.unwrap();
    assert_eq!((user.id, user.username.as_str(), user.role), (id, "ada", Role::Operator));
    assert_eq!((user.tenant, user.locked_until), (w.tenant.clone(), None));
    assert!(matches!(sign_in(w, "ada", "wrong").await, Err(SignInError::Wrong)));
    assert!(matches!(sign_in(w, "nobody", PASSWORD).await, Err(SignInError::Wrong)));
    assert!(matches!(sign_in(w, "Ada", PASSWORD).await, Err(SignInError::Wrong)));
    // A name that nobody has is not told; of several in a row, the first is.
    let told = ["user.added", "user.signed_in", "user.sign_in_failed", "user.sign_in_failed"];
    assert_eq!(w.actions().await, told);
    assert_eq!(w.newest("user.sign_in_failed").await["reason"], "unknown name");
    let actors = w.raw.all::<(String,)>("SELECT actor FROM journal ORDER BY seq").await;
    assert_eq!(actors[1..3], [("user:ada".to_owned(),), ("user:ada".to_owned(),)]);
    w.store.add_user(&w.tenant, &origin(), "grace", &SecretString::from(PASSWORD), Role::Owner).await.unwrap();
    assert!(w.store.has_owner().await.unwrap());
}

/// Behind the fifth failure a wrong guess is answered as the right one is, however many come at once.
async fn many_guesses_at_once_tell_nothing(w: &World) {
    add(w, "ada").await;
    let guesses = (0..16).map(|_| sign_in(w, "ada", "wrong"));
    let answers = futures::future::join_all(guesses).await;
    let wrong = answers.iter().filter(|answer| matches!(answer, Err(SignInError::Wrong))).count();
    let locked = answers.iter().filter(|answer| matches!(answer, Err(SignInError::Locked(_)))).count();
    assert_eq!((wrong as i64, locked as i64), (ATTEMPTS - 1, 17 - ATTEMPTS));
    // One row stands for all that came behind the lock.
    assert_eq!((w.count("user.locked").await, w.count("user.sign_in_failed").await), (1, ATTEMPTS + 1));
}

async fn five_failures_lock_for_fifteen_minutes(w: &World) {
    add(w, "ada").await;
    add(w, "bob").await;
    assert_eq!((ATTEMPTS, LOCKED_FOR), (5, 15 * MINUTE));
    for _ in 0..4 {
        assert!(matches!(sign_in(w, "ada", "wrong").await, Err(SignInError::Wrong)));
    }
    let until = w.now().plus(15 * MINUTE);
    let locked = |answer: Result<_, SignInError>, until: Timestamp| {
        assert!(matches!(answer, Err(SignInError::Locked(end)) if end == until), "{answer:?}");
    };
    locked(sign_in(w, "ada", "wrong").await, until);
    w.wait(15 * MINUTE - 1);
    locked(sign_in(w, "ada", PASSWORD).await, until);
    assert_eq!(w.newest("user.sign_in_failed").await["reason"], "the account is locked");
    let last = "SELECT actor FROM journal ORDER BY seq DESC LIMIT 1";
    assert_eq!(w.raw.all::<(String,)>(last).await, [("user:ada".to_owned(),)]);
    assert_eq!(w.store.user_by_name("ada").await.unwrap().unwrap().locked_until, Some(until));
    sign_in(w, "bob", PASSWORD).await.unwrap();
    w.wait(1);
    sign_in(w, "ada", PASSWORD).await.unwrap();
    // After the lock the count starts anew.
    for _ in 0..4 {
        assert!(matches!(sign_in(w, "ada", "wrong").await, Err(SignInError::Wrong)));
    }
    locked(sign_in(w, "ada", "wrong").await, w.now().plus(15 * MINUTE));
    assert_eq!((w.count("user.locked").await, w.count("user.sign_in_failed").await), (2, 11));
    // A new password unlocks.
    let new = SecretString::from("another password");
    w.store.set_password(&origin(), &w.store.user_by_name("ada").await.unwrap().unwrap(), &new).await.unwrap();
    sign_in(w, "ada", "another password").await.unwrap();
}

async fn a_success_starts_the_count_anew(w: &World) {
    add(w, "ada").await;
    for _ in 0..2 {
        for _ in 0..4 {
            assert!(matches!(sign_in(w, "ada", "wrong").await, Err(SignInError::Wrong)));
        }
        sign_in(w, "ada", PASSWORD).await.unwrap();
    }
    assert_eq!(w.count("user.locked").await, 0);
}

async fn a_password_is_changed_by_whoever_knows_it(w: &World) {
    add(w, "ada").await;
    let change = async |old: &str, new: &str| {
        w.store.change_password(&origin(), "ada", "none", &SecretString::from(old), &SecretString::from(new)).await
    };
    assert!(matches!(change("wrong", "a new password").await, Err(SignInError::Wrong)));
    let short = change(PASSWORD, "short").await;
    assert!(
        matches!(&short, Err(SignInError::Store(StoreError::Invalid(why))) if why.fields[0].field == "new_password")
    );
    change(PASSWORD, "a new password").await.unwrap();
    assert!(matches!(sign_in(w, "ada", PASSWORD).await, Err(SignInError::Wrong)));
    sign_in(w, "ada", "a new password").await.unwrap();
    for _ in 0..5 {
        assert!(change("wrong", "a new password").await.is_err());
    }
    // Guessing the old one locks like any other guess.
    assert!(matches!(change("a new password", "yet another one").await, Err(SignInError::Locked(_))));
    assert_eq!(w.count("user.password_changed").await, 1);
    let gone = w.store.user_by_name("ada").await.unwrap().unwrap();
    w.store.delete_user(&w.tenant, &origin(), &gone.id, None).await.unwrap();
    let nobody = w.store.set_password(&origin(), &gone, &SecretString::from(PASSWORD)).await;
    assert!(matches!(nobody, Err(StoreError::NotFound("user"))));
}

async fn users_are_checked_and_unique(w: &World) {
    add(w, "ada").await;
    let add = async |tenant: &str, name: &str, password: &str| {
        let tenant = domain::TenantId::from(tenant);
        w.store.add_user(&tenant, &origin(), name, &SecretString::from(password), Role::Auditor).await
    };
    assert!(matches!(add("default", "ada", PASSWORD).await, Err(StoreError::AlreadyExists("username"))));
    w.raw.run("INSERT INTO tenants (id, name, created_at) VALUES ('other', 'Other', 0)").await;
    assert!(matches!(add("other", "ada", PASSWORD).await, Err(StoreError::AlreadyExists("username"))));
    for (name, password) in [(" ", PASSWORD), ("bell\u{7}", PASSWORD), ("bob", "123456789"), ("bob", &"x".repeat(1025))]
    {
        assert!(matches!(add("default", name, password).await, Err(StoreError::Invalid(_))), "{name}");
    }
    add("other", "bob", "帳號帳號帳號帳號帳號").await.unwrap();
    assert_eq!(w.store.user_by_name("bob").await.unwrap().unwrap().tenant.as_str(), "other");
}

// ---- services

fn draft(product: &str) -> TokenDraft {
    TokenDraft {
        product: product.to_owned(),
        scopes: vec![Scope::Allocate, Scope::Report],
        member_level: MemberLevel::Gold,
        note: None,
        expires_at: None,
    }
}

async fn a_token_is_shown_once_and_looked_up_by_its_hash(w: &World) {
    let end = Some(w.now().plus(DAY));
    let chat = TokenDraft { expires_at: end, note: Some("for the chat".to_owned()), ..draft("chat-x") };
    let (id, token) = w.store.issue_token(&w.tenant, &origin(), &chat).await.unwrap();
    let token = token.unwrap();
    let text = token.expose_secret();
    assert!(text.starts_with("svc_chat-x_") && text.len() == "svc_chat-x_".len() + 48, "{text}");
    tokio::time::sleep(FRESH_FOR).await;
    let compiled = w.store.compiled().await.unwrap();
    let known = &compiled.tokens[&token_hash(text)];
    assert_eq!((known.tenant.as_str(), &*known.actor), ("default", "svc:chat-x"));
    assert_eq!((&known.scopes, known.member_level, known.expires_at), (&chat.scopes, MemberLevel::Gold, end));
    assert!(!compiled.tokens.contains_key(&token_hash("svc_chat-x_0")));
    let random = text.rsplit('_').next().unwrap();
    let leaks = format!("SELECT COUNT(*) FROM journal WHERE data LIKE '%{random}%'");
    assert_eq!(w.raw.number(&leaks).await, 0);
    assert_eq!(w.newest("token.issued").await["token_id"], id.as_str());
    let (_, second) = w.store.issue_token(&w.tenant, &origin(), &chat).await.unwrap();
    assert_ne!(second.unwrap().expose_secret(), text);
}

async fn a_revoked_token_is_refused_everywhere_within_moments(w: &World) {
    let other = w.another_store().await;
    let (id, token) = w.store.issue_token(&w.tenant, &origin(), &draft("chat")).await.unwrap();
    let hash = token_hash(token.unwrap().expose_secret());
    assert!(other.compiled().await.unwrap().tokens.contains_key(&hash));
    let wrong_tenant = w.store.revoke_token(&"other".into(), &origin(), &id).await;
    assert!(matches!(wrong_tenant, Err(StoreError::NotFound("token"))));
    w.store.revoke_token(&w.tenant, &origin(), &id).await.unwrap();
    tokio::time::sleep(FRESH_FOR).await;
    for store in [&w.store, &other] {
        assert!(!store.compiled().await.unwrap().tokens.contains_key(&hash));
    }
    assert!(matches!(w.store.revoke_token(&w.tenant, &origin(), &id).await, Err(StoreError::NotFound("token"))));
    assert_eq!(w.newest("token.revoked").await["product"], "chat");
}

async fn tokens_are_listed_by_tenant(w: &World) {
    let mut expected = Vec::new();
    for number in 0..5 {
        let (id, _) = w.store.issue_token(&w.tenant, &origin(), &draft(&format!("p{number}"))).await.unwrap();
        expected.push(id);
    }
    w.store.revoke_token(&w.tenant, &origin(), &expected.remove(2)).await.unwrap();
    expected.sort();
    let (mut after, mut walked) = (None, Vec::new());
    loop {
        let page = w.store.tokens(&w.tenant, &slice(after.as_deref())).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        walked.extend(page);
    }
    assert_eq!(walked.iter().map(|token| &token.id).collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
    assert_eq!(
        (walked[0].created_by.as_str(), walked[0].scopes.as_str()),
        ("user:tester", r#"["credpool:allocate","credpool:report"]"#)
    );
    assert_eq!(w.store.count_tokens(&w.tenant, &slice(None)).await.unwrap().number, 4);
    assert_eq!(w.store.count_tokens(&"other".into(), &slice(None)).await.unwrap().number, 0);
}

async fn a_token_is_checked_before_it_is_issued(w: &World) {
    let wrong = [
        draft(""),
        draft("Chat"),
        draft("chat_x"),
        draft(&"x".repeat(33)),
        TokenDraft { scopes: Vec::new(), ..draft("chat") },
        TokenDraft { expires_at: Some(w.now()), ..draft("chat") },
        TokenDraft { note: Some("bell\u{7}".to_owned()), ..draft("chat") },
    ];
    for draft in wrong {
        let refused = w.store.issue_token(&w.tenant, &origin(), &draft).await;
        assert!(matches!(refused, Err(StoreError::Invalid(_))), "{draft:?}");
    }
    assert!(w.actions().await.is_empty());
}

async fn a_strategy_holds_for_the_next_allocation_everywhere(w: &World) {
    use domain::Strategy;
    w.add_with(1, |d| d.max_accounts = 100).await;
    let (second, task) = store::allocator::Allocator::start(w.another_store().await, BlameConfig::default());
    let by_second = async |account: String| {
        let command = store::allocator::Command::Allocate(crate::world::wish(&account));
        match second.ask(w.asker(), command).await {
            Ok(store::allocator::Done::Allocated(one)) => one.strategy_used,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(&*by_second("first".to_owned()).await, "balanced");
    // No pause in between: exact at once, not after some time.
    for (round, strategy) in [Strategy::RoundRobin, Strategy::Health, Strategy::LeastFailures].into_iter().enumerate() {
        w.store.set_strategy(&w.tenant, &origin(), strategy).await.unwrap();
        assert_eq!(*by_second(format!("second {round}")).await, strategy.to_string());
        assert_eq!(*w.allocate(&format!("own {round}")).await.unwrap().strategy_used, strategy.to_string());
    }
    let told = w.newest("strategy.changed").await;
    let only = |strategy: &str| serde_json::json!({ "strategy": strategy });
    assert_eq!((&told["before"], &told["after"]), (&only("health"), &only("least_failures")));
    drop(second);
    task.await.unwrap();
}
