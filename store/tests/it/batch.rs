//! Many commands at once: each is decided as if it had come alone, in its order.

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use store::allocator::{Command, Done, Refused, Release, Renew};

use crate::world::{World, key, on_both, success, wish};

on_both! {
    a_batch_is_decided_in_order,
    a_batch_takes_exactly_what_there_is,
    one_bad_member_does_not_fail_its_neighbours,
    too_many_at_once_are_refused_at_once,
}

async fn a_batch_is_decided_in_order(w: &World) {
    w.add_with(1, |d| d.max_accounts = 1).await;
    let allocate = |account: &str| Command::Allocate(wish(account));
    let release = |account: &str| Command::Release(Release::Account(key(account)));
    let fresh = Command::Allocate(store::allocator::Allocate { fresh: true, ..wish("a") });
    let commands = vec![
        allocate("a"),
        allocate("a"),
        fresh,
        allocate("b"),
        release("a"),
        release("a"),
        allocate("b"),
        Command::Report(success(1)),
        release("b"),
        allocate("a"),
    ];
    let answers = w.pool.ask_all(&w.asker(), commands).await;
    let told: Vec<String> = answers.iter().map(tell).collect();
    let expected = [
        "new a",
        "existing a",
        "new a",
        "full",
        "released a",
        "not allocated",
        "new b",
        "reported",
        "released b",
        "new a",
    ];
    assert_eq!(told, expected);
    assert_eq!(w.raw.number("SELECT current_accounts FROM credentials").await, 1);
    let allocations: Vec<&str> = answers
        .iter()
        .filter_map(|answer| match answer {
            Ok(Done::Allocated(one)) if one.account.as_str() == "a" => Some(one.allocation_id.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(allocations[0], allocations[1]);
    assert_ne!(allocations[1], allocations[2]);
    assert_ne!(allocations[2], allocations[3]);
}

fn tell(answer: &Result<Done, Refused>) -> String {
    match answer {
        Ok(Done::Allocated(one)) => format!("{} {}", if one.existing { "existing" } else { "new" }, one.account),
        Ok(Done::Released(one)) => format!("released {}", one.account),
        Ok(Done::Renewed(_)) => "renewed".to_owned(),
        Ok(Done::Reported(_)) => "reported".to_owned(),
        Err(Refused::PoolFull) => "full".to_owned(),
        Err(Refused::NotAllocated) => "not allocated".to_owned(),
        Err(other) => format!("{other:?}"),
    }
}

async fn a_batch_takes_exactly_what_there_is(w: &World) {
    for number in 1..=7 {
        w.add_with(number, |d| (d.max_accounts, d.priority) = (number, number % 3)).await;
    }
    let commands = (0..100).map(|n| Command::Allocate(wish(&n.to_string()))).collect();
    let answers = w.pool.ask_all(&w.asker(), commands).await;
    let told: Vec<String> = answers.iter().map(tell).collect();
    assert!(told[..28].iter().all(|answer| answer.starts_with("new")), "{told:?}");
    assert!(told[28..].iter().all(|answer| answer == "full"), "{told:?}");
    let over = w.raw.number("SELECT COUNT(*) FROM credentials WHERE current_accounts <> max_accounts").await;
    assert_eq!(over, 0);
}

async fn one_bad_member_does_not_fail_its_neighbours(w: &World) {
    w.add(1).await;
    // PostgreSQL can't keep a NUL in a text.
    let bad = store::allocator::Report { result_id: Some("a\0b".to_owned()), ..success(1) };
    let commands = vec![Command::Allocate(wish("a")), Command::Report(bad), Command::Allocate(wish("b"))];
    let answers = w.pool.ask_all(&w.asker(), commands).await;
    assert_eq!([tell(&answers[0]), tell(&answers[2])], ["new a", "new b"]);
    assert_eq!(w.raw.number("SELECT COUNT(*) FROM accounts WHERE allocation_id IS NOT NULL").await, 2);
}

async fn too_many_at_once_are_refused_at_once(w: &World) {
    w.add(1).await;
    let kinds = [
        (Command::Allocate(wish("a")), 7_000),
        (Command::Release(Release::Account(key("a"))), 1_000),
        (Command::Renew(Renew { account: key("a"), ttl_millis: 1_000 }), 1_000),
        (Command::Report(success(1)), 1_000),
    ];
    let commands = kinds.into_iter().flat_map(|(command, times)| vec![command; times]).collect();
    let answers = w.pool.ask_all(&w.asker(), commands).await;
    assert_eq!(answers.len(), 10_000);
    assert!(answers.iter().all(|answer| matches!(answer, Err(Refused::Overloaded))));
    assert_eq!(w.count("api.allocated").await, 0);
    assert!(w.pool.ask_all(&w.asker(), Vec::new()).await.is_empty());
    // Each counts among its own kind.
    let (mut registry, mut text) = (Registry::default(), String::new());
    w.pool.metrics().register(&mut registry);
    encode(&mut text, &registry).unwrap();
    for series in [
        "allocations_total{outcome=\"overloaded\"} 7000",
        "releases_total{outcome=\"overloaded\"} 2000",
        "results_total{outcome=\"overloaded\",fault=\"none\"} 1000",
    ] {
        assert!(text.contains(&format!("\n{series}\n")), "{series} is missing from\n{text}");
    }
}
