//! Users, edited.

use domain::access::Role;
use domain::event::Action;
use secrecy::SecretString;
use store::people::users::UserPatch;
use store::{Asked, Origin, Refusal, StoreError};
use tokio_util::sync::CancellationToken;

use crate::world::{World, on_both, origin, slice};

on_both! {
    users_are_listed_changed_and_removed,
    the_last_owner_stays,
    two_owners_never_remove_each_other,
    refusals_are_noted_now_and_then,
    gathered_refusals_are_noted_when_their_minute_is_over,
}

async fn add(w: &World, name: &str, role: Role) -> String {
    w.store.add_user(&w.tenant, &origin(), name, &SecretString::from("correct horse battery"), role).await.unwrap()
}

async fn users_are_listed_changed_and_removed(w: &World) {
    let ids = [add(w, "ada", Role::Owner).await, add(w, "bob", Role::Auditor).await];
    let listed = w.store.users(&w.tenant, &slice(None)).await.unwrap();
    assert_eq!(listed.iter().map(|user| &user.id).collect::<Vec<_>>(), ids.iter().collect::<Vec<_>>());
    assert_eq!((w.store.count_users(&w.tenant, &slice(None)).await.unwrap().number, listed[1].version), (2, 1));
    assert!(w.store.users(&w.tenant, &slice(Some(&ids[1]))).await.unwrap().is_empty());
    let other = w.store.user(&"other".into(), &ids[1]).await;
    assert!(matches!(other, Err(StoreError::NotFound("user"))));

    let patch = UserPatch { username: Some("robert".to_owned()), role: Some(Role::Admin) };
    w.store.update_user(&w.tenant, &origin(), &ids[1], &patch, Some(1)).await.unwrap();
    let robert = w.store.user(&w.tenant, &ids[1]).await.unwrap();
    assert_eq!((robert.username.as_str(), robert.role, robert.version), ("robert", Role::Admin, 2));
    assert_eq!(w.store.compiled_now().await.unwrap().people[&ids[1]].role, Role::Admin);
    let stale = w.store.update_user(&w.tenant, &origin(), &ids[1], &patch, Some(1)).await;
    assert!(matches!(stale, Err(StoreError::Stale)));
    let taken = UserPatch { username: Some("ada".to_owned()), role: None };
    let taken = w.store.update_user(&w.tenant, &origin(), &ids[1], &taken, None).await;
    assert!(matches!(taken, Err(StoreError::AlreadyExists("username"))));
    let told = w.newest("user.updated").await;
    assert_eq!((&told["before"]["username"], &told["after"]["role"]), (&"bob".into(), &"admin".into()));

    let stale = w.store.delete_user(&w.tenant, &origin(), &ids[1], Some(1)).await;
    assert!(matches!(stale, Err(StoreError::Stale)));
    w.store.delete_user(&w.tenant, &origin(), &ids[1], Some(2)).await.unwrap();
    assert!(!w.store.compiled_now().await.unwrap().people.contains_key(&ids[1]));
    assert_eq!(w.newest("user.removed").await["before"]["username"], "robert");
}

async fn the_last_owner_stays(w: &World) {
    let owner = add(w, "ada", Role::Owner).await;
    add(w, "bob", Role::Admin).await;
    let demote = UserPatch { username: None, role: Some(Role::Admin) };
    let refused = |answer| assert!(matches!(answer, Err(StoreError::Conflict(_))), "{answer:?}");
    refused(w.store.update_user(&w.tenant, &origin(), &owner, &demote, None).await);
    refused(w.store.delete_user(&w.tenant, &origin(), &owner, None).await);
    let second = add(w, "grace", Role::Owner).await;
    w.store.update_user(&w.tenant, &origin(), &owner, &demote, None).await.unwrap();
    refused(w.store.delete_user(&w.tenant, &origin(), &second, None).await);
    w.store.delete_user(&w.tenant, &origin(), &owner, None).await.unwrap();
}

async fn two_owners_never_remove_each_other(w: &World) {
    for round in 0..5 {
        let (one, two) =
            (add(w, &format!("a{round}"), Role::Owner).await, add(w, &format!("b{round}"), Role::Owner).await);
        // Those of earlier rounds are no owners any more.
        w.raw.run(&format!("UPDATE users SET role = 'admin' WHERE id NOT IN ('{one}', '{two}')")).await;
        let other = w.another_store().await;
        let by = origin();
        let (first, second) = tokio::join!(
            w.store.delete_user(&w.tenant, &by, &one, None),
            other.delete_user(&w.tenant, &by, &two, None),
        );
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
        assert_eq!(w.raw.number("SELECT COUNT(*) FROM users WHERE role = 'owner'").await, 1);
    }
}

async fn refusals_are_noted_now_and_then(w: &World) {
    let asked = |route: &str| Asked { method: "GET".to_owned(), route: route.to_owned() };
    let denied = |route| Refusal {
        asked: Some(asked(route)),
        ..Refusal::new(Action::AccessDenied, "this needs the permission audit:read")
    };
    let note = async |origin: &Origin, route| w.store.note_refusal(&w.tenant, origin, denied(route)).await.unwrap();
    for _ in 0..50 {
        note(&origin(), "/one").await;
    }
    assert_eq!(w.count("access.denied").await, 1);
    let told = w.newest("access.denied").await;
    assert_eq!((&told["method"], &told["route"]), (&"GET".into(), &"/one".into()));
    // Another route, and another address, are other kinds.
    note(&origin(), "/two").await;
    note(&Origin { ip: Some("192.0.2.99".into()), ..origin() }, "/one").await;
    assert_eq!(w.count("access.denied").await, 3);
    w.wait(60_000);
    note(&origin(), "/one").await;
    let told = w.newest("access.denied").await;
    assert_eq!((&told["repeated"], w.count("access.denied").await), (&49.into(), 4));
}

/// Also when none of the kind comes any more.
async fn gathered_refusals_are_noted_when_their_minute_is_over(w: &World) {
    let note = async |request: &str| {
        let origin = Origin { request_id: Some(request.into()), ..origin() };
        w.store.note_refusal(&w.tenant, &origin, Refusal::new(Action::AccessDenied, "why")).await.unwrap();
    };
    for request in ["first", "second", "third"] {
        note(request).await;
    }
    assert_eq!(w.store.note_gathered(false).await.unwrap(), 0);
    w.wait(60_000);
    assert_eq!(w.store.note_gathered(false).await.unwrap(), 1);
    let rows = w.raw.all::<(String, String)>("SELECT request_id, data FROM journal ORDER BY seq").await;
    let told: Vec<_> = rows.iter().map(|(request, data)| (request.as_str(), data.contains("\"repeated\":1"))).collect();
    assert_eq!(told, [("first", false), ("third", true)], "the row is the last of them itself");
    // At the end all that is left.
    note("fourth").await;
    assert_eq!(w.count("access.denied").await, 2);
    let stop = CancellationToken::new();
    stop.cancel();
    w.store.clone().gather_refusals(stop).await;
    assert_eq!(w.count("access.denied").await, 3);
}
