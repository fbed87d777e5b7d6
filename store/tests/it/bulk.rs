//! One action on many credentials.

use domain::credential::Standing;
use domain::{CredentialId, Status, TenantId};
use store::StoreError;
use store::credentials::{BulkAction, Filter, Reach};

use crate::world::{World, api_id, on_both, origin};

on_both! {
    many_are_switched_with_an_outcome_each,
    many_move_into_a_group,
    many_are_removed_but_for_those_that_are_held,
    a_filter_must_find_as_many_as_were_seen,
    what_it_would_reach_is_counted,
    what_was_done_is_told_when_it_stops_half_way,
}

/// The last of 201 can't be read: what is done two hundred at a time ends behind the first step.
async fn what_was_done_is_told_when_it_stops_half_way(w: &World) {
    let mut ids = Vec::new();
    for number in 1..=201 {
        ids.push(w.add(number).await);
    }
    let last = ids[200].clone();
    w.raw.run(&format!("UPDATE credentials SET tags = 'none' WHERE id = '{last}'")).await;
    let outcomes = bulk(w, &ids, &BulkAction::Disable).await;
    assert!(outcomes[..200].iter().all(Result::is_ok));
    assert!(outcomes[200].as_ref().unwrap_err().contains("stopped before this one"), "{outcomes:?}");
    assert_eq!(w.credential(&ids[199]).await.standing, Standing::Disabled);
    assert!(w.store.bulk(&w.tenant, &origin(), vec![last.clone()], &BulkAction::Disable).await.is_err());
    w.raw.run(&format!("UPDATE credentials SET tags = '[]' WHERE id = '{last}'")).await;
}

async fn bulk(w: &World, ids: &[CredentialId], action: &BulkAction) -> Vec<Result<(), String>> {
    let outcomes = w.store.bulk(&w.tenant, &origin(), ids.to_vec(), action).await.unwrap();
    assert!(outcomes.iter().map(|(id, _)| id).eq(ids), "in the order in which they were named");
    outcomes.into_iter().map(|(_, outcome)| outcome.map_err(|e| e.to_string())).collect()
}

async fn many_are_switched_with_an_outcome_each(w: &World) {
    let mut ids = Vec::new();
    for number in 1..=3 {
        ids.push(w.add(number).await);
    }
    w.store.ban_credential(&w.tenant, &origin(), &ids[1], "leaked").await.unwrap();
    ids.push(CredentialId::from("unknown"));
    let outcomes = bulk(w, &ids, &BulkAction::Disable).await;
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok());
    assert!(outcomes[1].as_ref().unwrap_err().contains("banned"));
    assert_eq!(outcomes[3], Err("credential not found".to_owned()));
    assert_eq!(w.credential(&ids[0]).await.status(), Status::Disabled);
    assert_eq!(w.credential(&ids[1]).await.standing, Standing::Banned);
    assert_eq!(w.count("api.disabled").await, 2);
    assert!(w.allocate("a").await.is_err(), "it holds for the next allocation");
    // What is so already is well, and not noted again.
    assert!(bulk(w, &ids[..1], &BulkAction::Disable).await[0].is_ok());
    assert_eq!((w.count("api.disabled").await, w.credential(&ids[0]).await.version), (2, 2));
    assert!(bulk(w, &ids[..1], &BulkAction::Enable).await[0].is_ok());
    w.allocate("a").await.unwrap();
}

async fn many_move_into_a_group(w: &World) {
    let north = w.add_group("north").await;
    let mut ids = Vec::new();
    for number in 1..=250 {
        ids.push(w.add_with(number, |d| d.is_premium = number % 2 == 0).await);
    }
    let outcomes = bulk(w, &ids, &BulkAction::AssignGroup(Some(north.clone()))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(w.credential(&ids[249]).await.group_id, Some(north.clone()));
    // `doctor` compares every shelf with its group, premium flag and level.
    w.ask("a", |a| a.group = Some(north.clone())).await.unwrap();
    bulk(w, &ids[..3], &BulkAction::AssignGroup(None)).await;
    assert_eq!(w.credential(&ids[0]).await.group_id, None);
    let unknown = BulkAction::AssignGroup(Some("nowhere".into()));
    let refused = w.store.bulk(&w.tenant, &origin(), ids, &unknown).await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))));
}

async fn many_are_removed_but_for_those_that_are_held(w: &World) {
    let (one, two) = (w.add(1).await, w.add_with(2, |d| d.priority = 9).await);
    w.allocate("a").await.unwrap();
    let outcomes = bulk(w, &[one.clone(), two.clone()], &BulkAction::Delete).await;
    assert!(outcomes[0].is_ok() && outcomes[1].as_ref().unwrap_err().contains("accounts hold"));
    assert!(matches!(w.store.credential(&w.tenant, &one).await, Err(StoreError::NotFound(_))));
    // A lease that has ended holds nothing.
    w.release("a").await.unwrap();
    w.ask("a", |a| a.ttl_millis = Some(1)).await.unwrap();
    w.wait(2);
    assert!(bulk(w, &[two], &BulkAction::Delete).await[0].is_ok());
}

async fn a_filter_must_find_as_many_as_were_seen(w: &World) {
    let mut ids = Vec::new();
    for number in 1..=5 {
        ids.push(w.add(number).await);
    }
    w.store.disable_credential(&w.tenant, &origin(), &ids[4]).await.unwrap();
    let filter = Filter { status: vec!["available".to_owned()], ..Filter::default() };
    assert_eq!(w.store.ids_of_filter(&w.tenant, &filter, 4).await.unwrap(), ids[..4]);
    let moved = w.store.ids_of_filter(&w.tenant, &filter, 5).await;
    assert!(matches!(&moved, Err(StoreError::Conflict(why)) if why.contains("finds 4")), "{moved:?}");
}

async fn what_it_would_reach_is_counted(w: &World) {
    let mut ids = Vec::new();
    for number in 1..=6 {
        ids.push(w.add(number).await);
    }
    for account in ["a", "b", "c"] {
        w.ask(account, |a| a.pinned = Some(api_id(1))).await.unwrap();
    }
    w.ask("d", |a| a.pinned = Some(api_id(2))).await.unwrap();
    w.ask("e", |a| a.pinned = Some(api_id(3))).await.unwrap();
    w.store.disable_credential(&w.tenant, &origin(), &ids[2]).await.unwrap();
    w.store.ban_credential(&w.tenant, &origin(), &ids[3], "leaked").await.unwrap();
    w.store.delete_credential(&w.tenant, &origin(), &ids[5], false, None).await.unwrap();
    let sorted = |mut reach: Reach| {
        reach.by_status.sort_by_key(|(status, _)| status.to_string());
        (reach.credentials, reach.accounts, reach.by_status)
    };
    let all = w.store.reach_of_filter(&w.tenant, &Filter::default(), None).await.unwrap();
    let by_status = vec![(Status::Available, 1), (Status::Banned, 1), (Status::Disabled, 1), (Status::InUse, 2)];
    assert_eq!(sorted(all), (5, 5, by_status));
    let filter = Filter { status: vec!["in_use".to_owned(), "banned".to_owned()], ..Filter::default() };
    let some = w.store.reach_of_filter(&w.tenant, &filter, Some(3)).await.unwrap();
    assert_eq!(sorted(some), (3, 4, vec![(Status::Banned, 1), (Status::InUse, 2)]));
    let moved = w.store.reach_of_filter(&w.tenant, &filter, Some(4)).await;
    assert!(matches!(&moved, Err(StoreError::Conflict(why)) if why.contains("finds 3")), "{moved:?}");
    // One that is gone, and one that never was, are not reached.
    let named = [ids[0].clone(), ids[5].clone(), CredentialId::from("unknown")];
    let reach = w.store.reach_of_ids(&w.tenant, &named).await.unwrap();
    assert_eq!(sorted(reach), (1, 3, vec![(Status::InUse, 1)]));
    assert_eq!(w.store.reach_of_ids(&w.tenant, &named[2..]).await.unwrap(), Reach::default());
    let nobodys = TenantId::from("other");
    assert_eq!(w.store.reach_of_ids(&nobodys, &ids).await.unwrap(), Reach::default());
    assert_eq!(w.store.reach_of_filter(&nobodys, &Filter::default(), None).await.unwrap(), Reach::default());
}
