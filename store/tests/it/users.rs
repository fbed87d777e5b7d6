//! Users, edited.

use domain::access::Role;
use secrecy::SecretString;
use store::StoreError;
use store::people::users::UserPatch;

use crate::world::{World, on_both, origin, slice};

on_both! {
    users_are_listed_changed_and_removed,
    the_last_owner_stays,
    two_owners_never_remove_each_other,
    refusals_are_noted_now_and_then,
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
    let denied = domain::event::Action::AccessDenied;
    for _ in 0..50 {
        w.store.note_refusal(&w.tenant, &origin(), denied, "this needs the permission audit:read").await.unwrap();
    }
    assert_eq!(w.count("access.denied").await, 1);
    w.wait(60_000);
    w.store.note_refusal(&w.tenant, &origin(), denied, "this needs the permission audit:read").await.unwrap();
    let told = w.newest("access.denied").await;
    assert_eq!((&told["repeated"], w.count("access.denied").await), (&49.into(), 2));
}
