//! Groups of credentials.

use domain::{GroupId, MemberLevel, Strategy};
use serde_json::json;
use store::credentials::Patch;
use store::groups::GroupDraft;
use store::{Slice, StoreError};

use crate::world::{World, group, on_both, origin, slice};

on_both! {
    a_group_comes_back_as_it_was_drafted,
    names_are_unique_in_a_tenant,
    changes_insist_on_the_version,
    pages_are_complete,
    groups_are_found_by_a_part_of_the_name,
    removing_a_group_moves_its_credentials_to_none,
    a_large_group_is_emptied_in_small_steps,
    a_credential_never_lands_in_a_group_that_is_being_removed,
    a_draft_is_checked,
}

async fn add(w: &World, draft: &GroupDraft) -> GroupId {
    w.store.add_group(&w.tenant, &origin(), draft).await.unwrap()
}

async fn a_group_comes_back_as_it_was_drafted(w: &World) {
    let draft = GroupDraft {
        description: Some("where it is cold\n".to_owned()),
        color: Some("#0072b2".to_owned()),
        strategy: Some(Strategy::Health),
        attributes: json!({ "region": ["no", "se"], "n": 1 }),
        ..group("north")
    };
    let id = add(w, &draft).await;
    w.add_with(1, |d| d.group_id = Some(id.clone())).await;
    let one = w.store.group(&w.tenant, &id).await.unwrap();
    assert_eq!(one.draft, draft);
    assert_eq!((one.credentials, one.version, one.created_at), (1, 1, w.now()));
    assert!(matches!(w.store.group(&"other".into(), &id).await, Err(StoreError::NotFound("group"))));
    assert_eq!(w.newest("group.added").await["after"]["name"], "north");
}

async fn names_are_unique_in_a_tenant(w: &World) {
    add(w, &group("north")).await;
    let south = add(w, &group("south")).await;
    let again = w.store.add_group(&w.tenant, &origin(), &group("north")).await;
    assert!(matches!(again, Err(StoreError::AlreadyExists("name"))), "{again:?}");
    let renamed = w.store.update_group(&w.tenant, &origin(), &south, None, |_| group("north")).await;
    assert!(matches!(renamed, Err(StoreError::AlreadyExists("name"))), "{renamed:?}");
    w.raw.run("INSERT INTO tenants (id, name, created_at) VALUES ('other', 'Other', 0)").await;
    w.store.add_group(&"other".into(), &origin(), &group("north")).await.unwrap();
}

async fn changes_insist_on_the_version(w: &World) {
    let id = add(w, &group("north")).await;
    w.wait(5);
    let update =
        async |draft: GroupDraft, expected| w.store.update_group(&w.tenant, &origin(), &id, expected, |_| draft).await;
    assert!(matches!(update(group("x"), Some(2)).await, Err(StoreError::Stale)));
    update(GroupDraft { strategy: Some(Strategy::RoundRobin), ..group("x") }, Some(1)).await.unwrap();
    let one = w.store.group(&w.tenant, &id).await.unwrap();
    assert_eq!(
        (one.draft.name.as_str(), one.draft.strategy, one.version, one.updated_at),
        ("x", Some(Strategy::RoundRobin), 2, w.now())
    );
    update(group("y"), None).await.unwrap();
    w.wait(5);
    update(group("y"), Some(3)).await.unwrap();
    assert_ne!(w.store.group(&w.tenant, &id).await.unwrap().updated_at, w.now(), "nothing has changed");
    assert_eq!(w.store.group(&w.tenant, &id).await.unwrap().draft.strategy, None, "what is left out is cleared");
    let told = w.newest("group.updated").await;
    assert_eq!((&told["before"]["name"], &told["after"]["name"]), (&json!("x"), &json!("y")));
    let delete = async |expected| w.store.delete_group(&w.tenant, &origin(), &id, expected).await;
    assert!(matches!(delete(Some(1)).await, Err(StoreError::Stale)));
    delete(Some(3)).await.unwrap();
    assert!(matches!(delete(None).await, Err(StoreError::NotFound("group"))));
    assert!(matches!(update(group("z"), None).await, Err(StoreError::NotFound("group"))));
}

async fn pages_are_complete(w: &World) {
    let mut expected = Vec::new();
    for number in 0..7 {
        expected.push(add(w, &group(&format!("group {number}"))).await);
        w.wait(number % 2);
    }
    expected.sort();
    let (mut after, mut walked) = (None, Vec::new());
    loop {
        let page = w.store.groups(&w.tenant, &slice(after.as_deref())).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id.as_str().to_owned());
        walked.extend(page.into_iter().map(|one| one.id));
    }
    assert_eq!(walked, expected);
    assert_eq!(w.store.count_groups(&w.tenant, &slice(None)).await.unwrap().number, 7);
    assert_eq!(w.store.count_groups(&"other".into(), &slice(None)).await.unwrap().number, 0);

    let newest = Slice { newest_first: true, ..slice(Some(expected[3].as_str())) };
    let before: Vec<_> = w.store.groups(&w.tenant, &newest).await.unwrap().into_iter().map(|one| one.id).collect();
    assert_eq!(before, [&expected[2], &expected[1], &expected[0]].map(Clone::clone));
}

async fn groups_are_found_by_a_part_of_the_name(w: &World) {
    for name in ["North", "northern 100%", "south_1", "southX1", r"back\slash"] {
        add(w, &group(name)).await;
    }
    for (q, names) in [
        ("NORTH", vec!["North", "northern 100%"]),
        ("0%", vec!["northern 100%"]),
        ("h_1", vec!["south_1"]),
        (r"\", vec![r"back\slash"]),
        ("", vec!["North", "northern 100%", "south_1", "southX1", r"back\slash"]),
        ("east", vec![]),
    ] {
        let slice = Slice { q: q.to_owned(), limit: 9, ..Slice::default() };
        let found = w.store.groups(&w.tenant, &slice).await.unwrap();
        assert_eq!(found.into_iter().map(|one| one.draft.name).collect::<Vec<_>>(), names, "{q}");
        assert_eq!(w.store.count_groups(&w.tenant, &slice).await.unwrap().number, names.len() as i64, "{q}");
    }
}

async fn removing_a_group_moves_its_credentials_to_none(w: &World) {
    let (north, south) = (add(w, &group("north")).await, add(w, &group("south")).await);
    let in_group = |group: &GroupId| {
        let group = Some(group.clone());
        move |d: &mut domain::credential::Draft| d.group_id = group
    };
    let held = w.add_with(1, in_group(&north)).await;
    let tombstone = w.add_with(2, in_group(&north)).await;
    let golden = w
        .add_with(3, |d| {
            (d.group_id, d.is_premium, d.min_member_level) = (Some(north.clone()), true, MemberLevel::Gold);
        })
        .await;
    let other = w.add_with(4, in_group(&south)).await;
    w.ask("a", |a| a.group = Some(north.clone())).await.unwrap();
    w.store.delete_credential(&w.tenant, &origin(), &tombstone, false, None).await.unwrap();
    w.store.delete_group(&w.tenant, &origin(), &north, None).await.unwrap();
    for id in [&held, &golden] {
        let one = w.credential(id).await;
        assert_eq!((one.group_id, one.group_name, one.version), (None, None, 2), "who holds the old one is told");
        let newest = "SELECT j.action, j.data FROM journal j JOIN credentials c ON c.last_seq = j.seq";
        let newest = w.raw.all::<(String, String)>(&format!("{newest} WHERE c.id = '{}'", id.as_str())).await;
        assert_eq!(newest[0].0, "api.updated", "and its history says why");
        let told: serde_json::Value = serde_json::from_str(&newest[0].1).unwrap();
        assert_eq!((&told["before"]["group_id"], &told["after"]["group_id"]), (&json!(north), &json!(null)));
    }
    assert_eq!((w.count("api.updated").await, w.count("group.removed").await), (2, 1), "not of what is gone");
    assert_eq!(w.credential(&other).await.group_id, Some(south.clone()));
    assert_eq!(w.newest("group.removed").await["credentials_moved"], 2);
    // They stand on their new shelves: whoever asks for no group gets them, whoever asks for the group does not.
    assert!(w.allocate("a").await.unwrap().existing);
    let gold = w.ask("b", |a| a.level = MemberLevel::Gold).await.unwrap();
    assert_eq!((gold.api_id.get(), gold.group_id), (3, None));
    assert!(matches!(
        w.ask("c", |a| a.group = Some(north.clone())).await,
        Err(store::allocator::Refused::UnknownGroup)
    ));
    // And a group of that name may come again.
    let again = add(w, &group("north")).await;
    let back = Patch { group_id: Some(Some(again.clone())), ..Patch::default() };
    w.store.update_credential(&w.tenant, &origin(), &held, &back, None).await.unwrap();
    assert_eq!(w.ask("d", |a| a.group = Some(again)).await.unwrap().api_id.get(), 1);
}

async fn a_large_group_is_emptied_in_small_steps(w: &World) {
    let north = add(w, &group("north")).await;
    let id = w.add_with(1, |d| d.group_id = Some(north.clone())).await;
    let copies = "INSERT INTO credentials (id, tenant_id, api_id, api_hash, api_hash_masked, name, max_accounts, group_id,
                      shelf, tags, success_score, deleted_at, created_at, updated_at)
                  WITH RECURSIVE n (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < 451)
                  SELECT 'copy' || n, tenant_id, n, api_hash, api_hash_masked, name, max_accounts, group_id, shelf, tags,
                      success_score, CASE WHEN n % 9 = 0 THEN 1 END, created_at, updated_at FROM n, credentials WHERE api_id = 1";
    w.raw.run(copies).await;
    let revision = async || w.raw.number("SELECT value FROM revision").await;
    let (before, living) = (revision().await, w.store.group(&w.tenant, &north).await.unwrap().credentials);
    w.store.delete_group(&w.tenant, &origin(), &north, None).await.unwrap();
    assert_eq!(revision().await - before, 4, "two hundred at a time, then the group itself");
    assert_eq!(w.count("api.updated").await, living);
    assert_eq!(w.newest("group.removed").await["credentials_moved"], living);
    assert_eq!(w.credential(&id).await.group_id, None);
    // Those were copied with hashes that are sealed under another id.
    w.raw.run("DELETE FROM credentials WHERE api_id > 1").await;
    w.leave_damaged();
}

async fn a_credential_never_lands_in_a_group_that_is_being_removed(w: &World) {
    let other = w.another_store().await;
    for number in 1..=20 {
        let group = add(w, &group("short-lived")).await;
        let draft = domain::credential::Draft { group_id: Some(group.clone()), ..crate::world::draft(number) };
        let id = w.add(1_000 + number).await;
        let (by, put) = (origin(), Patch { group_id: Some(Some(group.clone())), ..Patch::default() });
        let (removed, added, moved) = tokio::join!(
            w.store.delete_group(&w.tenant, &by, &group, None),
            other.add_credential(&w.tenant, &by, &draft),
            other.update_credential(&w.tenant, &by, &id, &put, None)
        );
        removed.unwrap();
        for refused in [added.err(), moved.err()].into_iter().flatten() {
            assert!(matches!(refused, StoreError::Invalid(_)), "{refused:?}");
        }
    }
    assert_eq!(w.raw.number("SELECT COUNT(*) FROM credentials WHERE group_id IS NOT NULL").await, 0);
}

async fn a_draft_is_checked(w: &World) {
    let wrong = [
        group(" "),
        group("bell\u{7}"),
        group(&"x".repeat(201)),
        GroupDraft { color: Some("red".to_owned()), ..group("a") },
        GroupDraft { attributes: json!([]), ..group("a") },
        GroupDraft { attributes: json!({ "x": "y".repeat(17_000) }), ..group("a") },
        GroupDraft { attributes: json!({ "x": "\0" }), ..group("a") },
    ];
    for draft in wrong {
        assert!(draft.check().is_err(), "{draft:?}");
    }
    let fine = GroupDraft { color: Some("#A0b1C2".to_owned()), ..group("北") };
    fine.check().unwrap();
    assert_eq!(w.store.group(&w.tenant, &add(w, &fine).await).await.unwrap().draft.name, "北");
}
