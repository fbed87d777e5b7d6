//! Sessions and their refresh tokens.

use domain::access::Role;
use domain::time::{DAY, MINUTE, SECOND};
use secrecy::{ExposeSecret, SecretString};
use store::people::sessions::{FAMILY, GRACE, IDLE, Opened, RefreshError, USES};

use crate::world::{World, on_both, origin, slice};

on_both! {
    a_refresh_token_is_used_once,
    the_one_just_replaced_is_good_for_thirty_seconds,
    an_old_one_ends_the_whole_session,
    two_generations_back_is_an_old_one,
    grace_is_for_a_few_uses,
    the_newest_of_a_family_are_kept,
    an_idle_session_ends,
    sessions_are_listed_and_revoked,
    a_revoked_session_is_known_everywhere,
    a_new_password_ends_the_other_sessions,
    ended_sessions_are_forgotten,
}

const PASSWORD: &str = "correct horse battery";

async fn add(w: &World, name: &str) -> String {
    w.store.add_user(&w.tenant, &origin(), name, &SecretString::from(PASSWORD), Role::Admin).await.unwrap()
}

async fn open(w: &World, name: &str) -> Opened {
    let agent = Some("Mozilla/5.0 \u{7}(X11)");
    w.store.sign_in(&origin(), name, &SecretString::from(PASSWORD), agent).await.unwrap().1
}

async fn refresh(w: &World, token: &SecretString) -> Option<Opened> {
    match w.store.refresh_session(&origin(), token).await {
        Ok((user, opened)) => {
            assert_eq!(user.username, "ada");
            Some(opened)
        }
        Err(RefreshError::Refused) => None,
        Err(RefreshError::Store(error)) => panic!("{error}"),
    }
}

async fn a_refresh_token_is_used_once(w: &World) {
    add(w, "ada").await;
    let first = open(w, "ada").await;
    assert!(first.refresh_token.expose_secret().starts_with("rt_"));
    let second = refresh(w, &first.refresh_token).await.unwrap();
    assert_eq!(second.session_id, first.session_id, "one family");
    assert_ne!(second.refresh_token.expose_secret(), first.refresh_token.expose_secret());
    let third = refresh(w, &second.refresh_token).await.unwrap();
    assert_eq!(third.expires_at, w.now().plus(IDLE));
    assert!(refresh(w, &SecretString::from("rt_0000")).await.is_none());
    // Neither token stands in the database, nor in the journal.
    for token in [&first, &second, &third] {
        let text = token.refresh_token.expose_secret();
        let leaks = format!("SELECT COUNT(*) FROM journal WHERE data LIKE '%{text}%'");
        assert_eq!(w.raw.number(&leaks).await, 0);
    }
}

async fn the_one_just_replaced_is_good_for_thirty_seconds(w: &World) {
    add(w, "ada").await;
    assert_eq!(GRACE, 30 * SECOND);
    let first = open(w, "ada").await;
    let one = refresh(w, &first.refresh_token).await.unwrap();
    w.wait(GRACE);
    // The other tab, or a client whose answer was lost: each goes on with a token of its own.
    let other = refresh(w, &first.refresh_token).await.unwrap();
    assert_ne!(one.refresh_token.expose_secret(), other.refresh_token.expose_secret());
    w.wait(1);
    assert!(refresh(w, &one.refresh_token).await.is_some());
    assert!(refresh(w, &other.refresh_token).await.is_some());
}

async fn an_old_one_ends_the_whole_session(w: &World) {
    add(w, "ada").await;
    let (stolen, elsewhere) = (open(w, "ada").await, open(w, "ada").await);
    let thief = refresh(w, &stolen.refresh_token).await.unwrap();
    w.wait(GRACE + 1);
    assert!(refresh(w, &stolen.refresh_token).await.is_none());
    assert!(refresh(w, &thief.refresh_token).await.is_none(), "also the newest of the family");
    assert!(refresh(w, &elsewhere.refresh_token).await.is_some(), "other sessions go on");
    assert_eq!(w.newest("session.reused").await["session_id"], stolen.session_id.as_str());
    assert!(refresh(w, &stolen.refresh_token).await.is_none());
    assert_eq!(w.count("session.reused").await, 1, "told once");
}

/// Within the time of grace too: somebody has gone on with what it gave.
async fn two_generations_back_is_an_old_one(w: &World) {
    add(w, "ada").await;
    let first = open(w, "ada").await;
    w.wait(1);
    let second = refresh(w, &first.refresh_token).await.unwrap();
    w.wait(1);
    let third = refresh(w, &second.refresh_token).await.unwrap();
    w.wait(1);
    let again = refresh(w, &second.refresh_token).await.unwrap();
    assert!(refresh(w, &first.refresh_token).await.is_none());
    for token in [&third, &again] {
        assert!(refresh(w, &token.refresh_token).await.is_none(), "the whole family ends");
    }
    assert_eq!(w.newest("session.reused").await["session_id"], first.session_id.as_str());
}

async fn grace_is_for_a_few_uses(w: &World) {
    add(w, "ada").await;
    let first = open(w, "ada").await;
    w.wait(1);
    let mut last = None;
    for _ in 0..USES {
        last = refresh(w, &first.refresh_token).await;
        assert!(last.is_some());
        w.wait(1);
    }
    assert!(refresh(w, &first.refresh_token).await.is_none());
    assert!(refresh(w, &last.unwrap().refresh_token).await.is_none(), "the whole family ends");
    assert_eq!(w.count("session.reused").await, 1);
}

async fn the_newest_of_a_family_are_kept(w: &World) {
    add(w, "ada").await;
    let (first, other) = (open(w, "ada").await, open(w, "ada").await);
    let (mut newest, mut middle) = (refresh(w, &first.refresh_token).await.unwrap(), None);
    for round in 0..FAMILY + 20 {
        w.wait(MINUTE);
        let next = refresh(w, &newest.refresh_token).await.unwrap();
        let old = std::mem::replace(&mut newest, next);
        if round == 100 {
            middle = Some(old);
        }
    }
    let kept = format!("SELECT COUNT(*) FROM refresh_tokens WHERE session_id = '{}'", first.session_id);
    assert_eq!(w.raw.number(&kept).await, FAMILY);
    // One that is forgotten is nobody's; one that is known ends the session as ever.
    assert!(refresh(w, &first.refresh_token).await.is_none());
    let newest = refresh(w, &newest.refresh_token).await.unwrap();
    assert!(refresh(w, &middle.unwrap().refresh_token).await.is_none());
    assert!(refresh(w, &newest.refresh_token).await.is_none());
    assert!(refresh(w, &other.refresh_token).await.is_some(), "others go on");
}

async fn an_idle_session_ends(w: &World) {
    add(w, "ada").await;
    let opened = open(w, "ada").await;
    w.wait(IDLE - 1);
    let used = refresh(w, &opened.refresh_token).await.unwrap();
    w.wait(IDLE);
    assert!(refresh(w, &used.refresh_token).await.is_none());
}

async fn sessions_are_listed_and_revoked(w: &World) {
    let (ada, bob) = (add(w, "ada").await, add(w, "bob").await);
    let (first, second) = (open(w, "ada").await, open(w, "ada").await);
    w.wait(5);
    refresh(w, &first.refresh_token).await.unwrap();
    let listed = w.store.sessions(&ada, &slice(None)).await.unwrap();
    assert_eq!(listed.iter().map(|s| &s.id).collect::<Vec<_>>(), [&first.session_id, &second.session_id]);
    assert_eq!(
        (listed[0].ip.as_deref(), listed[0].user_agent.as_deref()),
        (Some("192.0.2.1"), Some("Mozilla/5.0 (X11)"))
    );
    assert_eq!((listed[0].used_at - listed[0].created_at, listed[1].used_at - listed[1].created_at), (5, 0));
    assert_eq!(w.store.sessions(&ada, &slice(Some(&first.session_id))).await.unwrap().len(), 1);
    assert_eq!(w.store.count_sessions(&bob, &slice(None)).await.unwrap().number, 0);
    assert_eq!(w.store.session_user(&w.tenant, &second.session_id).await.unwrap(), Some(ada.clone()));
    assert_eq!(w.store.session_user(&"other".into(), &second.session_id).await.unwrap(), None);
    w.store.revoke_session(&w.tenant, &origin(), &second.session_id).await.unwrap();
    assert!(w.newest("session.revoked").await["username"].is_string(), "it is told whose");
    assert!(w.store.revoke_session(&w.tenant, &origin(), &second.session_id).await.is_err());
    assert!(refresh(w, &second.refresh_token).await.is_none());
    assert!(w.store.sign_out(&w.tenant, &origin(), &first.session_id).await.unwrap());
    assert!(!w.store.sign_out(&w.tenant, &origin(), &first.session_id).await.unwrap());
    assert_eq!(w.store.count_sessions(&ada, &slice(None)).await.unwrap().number, 0);
    let third = open(w, "ada").await;
    assert_eq!(w.store.sign_out_everywhere(&w.tenant, &origin(), &ada).await.unwrap(), 1);
    assert!(refresh(w, &third.refresh_token).await.is_none());
}

async fn a_revoked_session_is_known_everywhere(w: &World) {
    add(w, "ada").await;
    let other = w.another_store().await;
    let opened = open(w, "ada").await;
    assert!(!other.compiled_now().await.unwrap().revoked_sessions.contains(&opened.session_id));
    w.store.revoke_session(&w.tenant, &origin(), &opened.session_id).await.unwrap();
    assert!(other.compiled_now().await.unwrap().revoked_sessions.contains(&opened.session_id));
}

async fn a_new_password_ends_the_other_sessions(w: &World) {
    let ada = add(w, "ada").await;
    let (own, other) = (open(w, "ada").await, open(w, "ada").await);
    let (old, new) = (SecretString::from(PASSWORD), SecretString::from("another password"));
    w.store.change_password(&origin(), "ada", &own.session_id, &old, &new).await.unwrap();
    assert!(refresh(w, &other.refresh_token).await.is_none());
    let own = refresh(w, &own.refresh_token).await.unwrap();
    w.store.set_password(&origin(), &w.store.user_by_name("ada").await.unwrap().unwrap(), &new).await.unwrap();
    assert!(refresh(w, &own.refresh_token).await.is_none(), "a reset ends all");
    assert_eq!(w.store.count_sessions(&ada, &slice(None)).await.unwrap().number, 0);
}

async fn ended_sessions_are_forgotten(w: &World) {
    add(w, "ada").await;
    let (ended, live) = (open(w, "ada").await, open(w, "ada").await);
    w.store.sign_out(&w.tenant, &origin(), &ended.session_id).await.unwrap();
    w.wait(2 * DAY);
    assert_eq!(w.store.prune_sessions(w.now().plus(-DAY)).await.unwrap(), 1);
    assert_eq!(w.raw.number("SELECT COUNT(*) FROM refresh_tokens").await, 1);
    assert!(refresh(w, &live.refresh_token).await.is_some());
}
