//! Settings and saved views.

use domain::setting::{Fixed, Key, Source};
use domain::{Strategy, TenantId};
use serde_json::json;
use store::StoreError;
use store::settings::Change;
use store::views::{Owner, ViewDraft};

use crate::world::{World, on_both, origin, slice};

on_both! {
    thresholds_that_no_longer_fit_hinder_nothing_else,
    settings_have_value_default_and_source,
    what_the_process_was_given_is_locked,
    settings_that_contradict_each_other_are_refused,
    the_longest_retention_counts,
    views_are_their_owners,
}

async fn change(w: &World, key: Key, value: serde_json::Value) -> store::Result<()> {
    let value = (!value.is_null()).then_some(value);
    w.store.change_settings(&w.tenant, &origin(), &Change::from([(key, value)]), None).await
}

async fn source(w: &World, key: Key) -> (serde_json::Value, Source) {
    let settings = w.store.settings(&w.tenant).await.unwrap().settings;
    let one = settings.into_iter().find(|setting| setting.key == key).unwrap();
    (one.value, one.source)
}

async fn settings_have_value_default_and_source(w: &World) {
    assert_eq!(source(w, Key::CapacityWarning).await, (json!(80.0), Source::Default));
    change(w, Key::CapacityWarning, json!(70)).await.unwrap();
    assert_eq!(source(w, Key::CapacityWarning).await, (json!(70), Source::Setting));
    let other = w.another_store().await;
    let warning = other.effective_settings(&w.tenant).await.unwrap().capacity.warning_percent;
    assert!((warning - 70.0).abs() < f64::EPSILON, "on every process");
    let told = w.newest("settings.changed").await;
    assert_eq!(
        told,
        json!({ "before": { "capacity.warning_percent": 80.0 }, "after": { "capacity.warning_percent": 70 } })
    );
    let kept = w.store.settings(&w.tenant).await.unwrap();
    let (by, at) = kept.settings.iter().find_map(|s| s.updated.clone()).unwrap();
    assert_eq!((by.as_str(), at, kept.version), ("user:tester", w.now(), 2));
    let both = Change::from([(Key::Strategy, Some(json!("health"))), (Key::CapacityWarning, None)]);
    let stale = w.store.change_settings(&w.tenant, &origin(), &both, Some(1)).await;
    assert!(matches!(stale, Err(StoreError::Stale)));
    w.store.change_settings(&w.tenant, &origin(), &both, Some(2)).await.unwrap();
    assert_eq!(source(w, Key::CapacityWarning).await, (json!(80.0), Source::Default));
    assert_eq!(w.store.strategy(&w.tenant).await.unwrap(), Strategy::Health);
    // What changes nothing is not noted.
    let trace = w.actions().await;
    change(w, Key::Strategy, json!("health")).await.unwrap();
    assert_eq!((w.actions().await, w.store.settings(&w.tenant).await.unwrap().version), (trace, 3));
}

async fn what_the_process_was_given_is_locked(w: &World) {
    change(w, Key::JournalDays, json!(30)).await.unwrap();
    let other = w.another_store().await;
    other.fix_settings(Fixed::from([(Key::JournalDays, (json!(7), Source::Environment))]));
    let change = Change::from([(Key::JournalDays, Some(json!(9)))]);
    let locked = other.change_settings(&w.tenant, &origin(), &change, None).await;
    assert!(
        matches!(&locked, Err(StoreError::Conflict(why)) if why.contains("locked by the environment")),
        "{locked:?}"
    );
    assert_eq!(other.effective_settings(&w.tenant).await.unwrap().retention.journal_days, 7);
    assert_eq!(w.store.effective_settings(&w.tenant).await.unwrap().retention.journal_days, 30);
}

async fn settings_that_contradict_each_other_are_refused(w: &World) {
    let wrong = change(w, Key::CapacityWarning, json!(96)).await;
    assert!(matches!(&wrong, Err(StoreError::Invalid(why)) if why.fields[0].field == "capacity.warning_percent"));
    for (key, value) in [(Key::Strategy, json!("by the moon")), (Key::JobsDays, json!(0)), (Key::JobsDays, json!("14"))]
    {
        let wrong = change(w, key, value).await;
        assert!(matches!(&wrong, Err(StoreError::Invalid(why)) if why.fields[0].field == key.to_string()));
    }
    assert!(w.actions().await.is_empty());
}

async fn the_longest_retention_counts(w: &World) {
    change(w, Key::JournalDays, json!(10)).await.unwrap();
    assert_eq!(w.store.longest_retention().await.unwrap().journal_days, 10);
    w.raw.run("INSERT INTO tenants (id, name, created_at) VALUES ('other', 'Other', 0)").await;
    let more = Change::from([(Key::JournalDays, Some(json!(20)))]);
    w.store.change_settings(&TenantId::from("other"), &origin(), &more, None).await.unwrap();
    assert_eq!(w.store.longest_retention().await.unwrap().journal_days, 20);
}

async fn views_are_their_owners(w: &World) {
    let (ada, bob) = (Owner { tenant: &w.tenant, user_id: "ada" }, Owner { tenant: &w.tenant, user_id: "bob" });
    let draft = |name: &str| ViewDraft {
        page: "credentials".to_owned(),
        name: name.to_owned(),
        definition: json!({ "status": ["banned"] }),
    };
    let id = w.store.add_view(ada, &origin(), &draft("banned")).await.unwrap();
    let kept = w.store.view(ada, &id).await.unwrap();
    assert_eq!((kept.draft.definition["status"][0].as_str(), kept.version), (Some("banned"), 1));
    assert!(matches!(w.store.view(bob, &id).await, Err(StoreError::NotFound("view"))));
    let taken = w.store.add_view(ada, &origin(), &draft("banned")).await;
    assert!(matches!(taken, Err(StoreError::AlreadyExists("name"))));
    w.store.add_view(bob, &origin(), &draft("banned")).await.unwrap();
    let elsewhere = ViewDraft { page: "history".to_owned(), ..draft("banned") };
    w.store.add_view(ada, &origin(), &elsewhere).await.unwrap();
    assert_eq!(w.store.views(ada, None, &slice(None)).await.unwrap().len(), 2);
    assert_eq!(w.store.views(ada, Some("history"), &slice(None)).await.unwrap().len(), 1);
    assert_eq!(w.store.count_views(ada, Some("history"), &slice(None)).await.unwrap().number, 1);
    let rename = |before: ViewDraft| ViewDraft { name: "all banned".to_owned(), ..before };
    assert!(w.store.update_view(bob, &origin(), &id, None, rename).await.is_err());
    w.store.update_view(ada, &origin(), &id, Some(1), rename).await.unwrap();
    assert!(matches!(w.store.update_view(ada, &origin(), &id, Some(1), rename).await, Err(StoreError::Stale)));
    assert!(matches!(w.store.delete_view(ada, &origin(), &id, Some(1)).await, Err(StoreError::Stale)));
    assert!(w.store.delete_view(bob, &origin(), &id, None).await.is_err());
    w.store.delete_view(ada, &origin(), &id, Some(2)).await.unwrap();
    for wrong in [
        ViewDraft { page: " ".to_owned(), ..draft("x") },
        draft(""),
        ViewDraft { definition: json!([]), ..draft("x") },
        ViewDraft { definition: json!({ "x": "y".repeat(20_000) }), ..draft("x") },
        ViewDraft { definition: json!({ "x": "\u{0}" }), ..draft("x") },
    ] {
        assert!(matches!(w.store.add_view(ada, &origin(), &wrong).await, Err(StoreError::Invalid(_))));
    }
}

/// A process was started with a threshold below what people have set: that is said to whoever changes
/// thresholds, and to nobody else.
async fn thresholds_that_no_longer_fit_hinder_nothing_else(w: &World) {
    let change = |key, value| Change::from([(key, Some(value))]);
    w.store.change_settings(&w.tenant, &origin(), &change(Key::CapacityWarning, json!(90)), None).await.unwrap();
    let other = w.another_store().await;
    other.fix_settings(Fixed::from([(Key::CapacityCritical, (json!(85), Source::Environment))]));
    other.change_settings(&w.tenant, &origin(), &change(Key::JobsDays, json!(30)), None).await.unwrap();
    let above = other.change_settings(&w.tenant, &origin(), &change(Key::CapacityWarning, json!(86)), None).await;
    assert!(matches!(above, Err(StoreError::Invalid(_))), "{above:?}");
    other.change_settings(&w.tenant, &origin(), &change(Key::CapacityWarning, json!(85)), None).await.unwrap();
}
