//! Imports: many credentials at once, each line with its own outcome.

use std::fmt::Write;

use domain::Invalid;
use domain::import::{ImportFormat, parse};
use domain::time::MINUTE;
use jobs::Queue;
use serde_json::json;
use store::StoreError;
use store::batches::{ImportOptions, ImportReport, LineOutcome};
use store::credentials::Filter;

use crate::raw::Raw;
use crate::world::{SECRET, World, api_id, hash_of, on_both, origin};

on_both! {
    more_lines_than_one_transaction_takes,
    every_line_has_its_own_outcome,
    a_dry_run_writes_nothing,
    groups_and_slots_come_from_the_line_or_the_options,
    what_is_deleted_is_imported_as_new,
    a_batch_is_undone_as_a_whole,
    a_large_batch_is_undone_in_small_steps,
    an_undo_that_died_half_way_is_finished_by_asking_again,
    what_is_allocated_while_it_is_undone_stays_and_drains,
    two_who_undo_at_once_remove_each_line_once,
    nothing_is_undone_while_something_is_held,
    a_batch_that_is_run_again_adds_nothing,
    a_large_upload_waits_sealed_for_its_job,
    an_upload_that_nobody_imports_is_forgotten,
    an_undone_upload_is_not_imported_later,
}

async fn import(w: &World, data: &str, options: &ImportOptions) -> ImportReport {
    let lines = parse(ImportFormat::Auto, data, None);
    w.store.import(&w.tenant, &origin(), lines, options, None, |_, _| {}).await.unwrap()
}

fn lines(numbers: std::ops::Range<i64>) -> String {
    numbers.fold(String::new(), |mut text, number| {
        writeln!(text, "{number}:{}", hash_of(number)).unwrap();
        text
    })
}

async fn count(w: &World) -> i64 {
    w.store.count_credentials(&w.tenant, &Filter::default()).await.unwrap().number
}

async fn more_lines_than_one_transaction_takes(w: &World) {
    w.add(1_100).await;
    // 450 lines that are new, one that is in the pool, one that stands here twice.
    let data = lines(1_101..1_551) + &lines(1_100..1_102);
    let mut seen = Vec::new();
    let parsed = parse(ImportFormat::Text, &data, None);
    let progress = |done, total| seen.push((done, total));
    let report = w.store.import(&w.tenant, &origin(), parsed, &ImportOptions::default(), None, progress).await.unwrap();
    assert_eq!((report.imported, report.duplicates, report.rejected, report.warnings), (450, 2, 0, 0));
    assert_eq!(seen, [(200, 451), (400, 451), (451, 451)]);
    assert_eq!(report.lines.len(), 452);
    assert!(report.lines.iter().zip(1..).all(|(line, number)| line.line == number));
    let reason = |at: usize| report.lines[at].reason.clone().unwrap();
    assert_eq!(reason(450), "is in the pool already");
    assert_eq!(reason(451), "stands on line 1 already");
    assert_eq!(count(w).await, 451);
    assert_eq!(w.count("api.added").await, 451);
    let told = w.newest("batch.imported").await;
    let batch = report.batch_id.unwrap();
    let by = "user:tester";
    assert_eq!(told, json!({ "batch_id": batch, "asked_by": by, "imported": 450, "duplicates": 2, "rejected": 0 }));
    // All of them can be had at once.
    assert_eq!(&*w.ask("a", |a| a.pinned = Some(api_id(1_550))).await.unwrap().name, "api-1550");
}

async fn every_line_has_its_own_outcome(w: &World) {
    let data = format!(
        "api_id,api_hash,name,max_accounts,min_member_level,tags\n\
         1001,{},first,3,gold,\"a,b\"\n\
         17349,{},a published sample,,,\n\
         1002,short-and-unusual,,,,\n\
         nonsense,{},,,,\n\
         1003,,no hash,,,\n\
         1004,{},,0,,\n\
         1005,{},,,emperor,\n\
         1006,{},last,,,\n",
        hash_of(1001),
        hash_of(17349),
        hash_of(1),
        hash_of(1004),
        hash_of(1005),
        hash_of(1006),
    );
    let report = import(w, &data, &ImportOptions::default()).await;
    use LineOutcome::{Imported, Rejected};
    let told: Vec<_> = report.lines.iter().map(|line| (line.api_id, line.outcome)).collect();
    let expected = [
        (Some(1001), Imported),
        (Some(17349), Rejected),
        (Some(1002), Imported),
        (None, Rejected),
        (Some(1003), Rejected),
        (Some(1004), Rejected),
        (Some(1005), Rejected),
        (Some(1006), Imported),
    ];
    assert_eq!(told, expected);
    assert_eq!((report.imported, report.rejected, report.warnings), (3, 5, 1));
    for (line, field) in [(1, "api_id"), (3, "api_id"), (4, "api_hash"), (5, "max_accounts"), (6, "min_member_level")] {
        let reason = report.lines[line].reason.clone().unwrap();
        assert!(reason.starts_with(field), "{reason}");
        assert!(!reason.contains(SECRET), "{reason}");
    }
    let first = w.ask("a", |a| (a.level, a.pinned) = (domain::MemberLevel::King, Some(api_id(1001)))).await.unwrap();
    let first = w.credential(&first.credential_id).await;
    assert_eq!((&*first.name, first.max_accounts, first.tags), ("first", 3, vec!["a".to_owned(), "b".to_owned()]));
}

async fn a_dry_run_writes_nothing(w: &World) {
    w.add(1_001).await;
    let options = ImportOptions { dry_run: true, ..ImportOptions::default() };
    let report = import(w, &(lines(1_001..1_301) + "17349:x\n"), &options).await;
    assert_eq!((report.imported, report.duplicates, report.rejected), (299, 1, 1));
    assert!(report.batch_id.is_none());
    assert_eq!(report.lines[0].outcome, LineOutcome::Duplicate);
    assert_eq!((count(w).await, w.actions().await.len()), (1, 1));
    assert_eq!(w.raw.number("SELECT COUNT(*) FROM batches").await, 0);
}

async fn groups_and_slots_come_from_the_line_or_the_options(w: &World) {
    let (north, south) = (w.add_group("north").await, w.add_group("south").await);
    let data = format!(
        "api_id,api_hash,group,max_accounts\n1001,{h},north,2\n1002,{h},{south},\n1003,{h},,\n1004,{h},nowhere,\n",
        h = hash_of(1)
    );
    let options = ImportOptions { group_id: Some(south.clone()), default_max_accounts: 33, ..ImportOptions::default() };
    let report = import(w, &data, &options).await;
    assert_eq!((report.imported, report.rejected), (3, 1));
    type Row = (i64, Option<String>, i64);
    let rows = w.raw.all::<Row>("SELECT api_id, group_id, max_accounts FROM credentials ORDER BY api_id").await;
    let (north, south) = (Some(north.as_str().to_owned()), Some(south.as_str().to_owned()));
    assert_eq!(rows, [(1001, north, 2), (1002, south.clone(), 33), (1003, south, 33)]);
    let nowhere = ImportOptions { group_id: Some("nowhere".into()), ..ImportOptions::default() };
    let refused = w.store.import(&w.tenant, &origin(), Vec::new(), &nowhere, None, |_, _| {}).await;
    assert!(matches!(refused, Err(StoreError::Invalid(Invalid { .. }))), "{refused:?}");
}

async fn what_is_deleted_is_imported_as_new(w: &World) {
    let old = w.add(1_001).await;
    w.store.delete_credential(&w.tenant, &origin(), &old, false, None).await.unwrap();
    let report = import(w, &lines(1_001..1_002), &ImportOptions::default()).await;
    assert_eq!(report.imported, 1);
    assert_ne!(w.allocate("a").await.unwrap().credential_id, old);
    assert_eq!(w.raw.number("SELECT COUNT(*) FROM credentials").await, 2);
}

async fn a_batch_is_undone_as_a_whole(w: &World) {
    w.add(1_000).await;
    let report = import(w, &lines(1_000..1_250), &ImportOptions::default()).await;
    let batch = report.batch_id.unwrap();
    let (store, tenant) = (&w.store, &w.tenant);
    let undo = async |batch: &str| store.undo_batch(tenant, &origin(), batch).await;
    assert!(matches!(undo("nonsense").await, Err(StoreError::NotFound("batch"))));
    assert!(matches!(store.undo_batch(&"other".into(), &origin(), &batch).await, Err(StoreError::NotFound("batch"))));
    assert_eq!(undo(&batch).await.unwrap(), 249);
    assert_eq!(count(w).await, 1, "what was there before stays");
    assert!(matches!(undo(&batch).await, Err(StoreError::Conflict(_))));
    assert_eq!(w.newest("batch.undone").await, json!({ "batch_id": batch, "removed": 249 }));
    assert_eq!(import(w, &lines(1_000..1_250), &ImportOptions::default()).await.imported, 249);
}

async fn a_large_batch_is_undone_in_small_steps(w: &World) {
    let batch = import(w, &lines(1_001..1_401), &ImportOptions::default()).await.batch_id.unwrap();
    let revision = async || w.raw.number("SELECT value FROM revision").await;
    let before = revision().await;
    assert_eq!(w.store.undo_batch(&w.tenant, &origin(), &batch).await.unwrap(), 400);
    assert_eq!(revision().await - before, 2, "two hundred at a time");
    assert_eq!((w.count("api.removed").await, w.count("batch.undone").await), (400, 1));
}

/// As a process leaves it that dies behind the first step.
async fn begin_undo(w: &World, batch: &str) {
    w.raw.run(&format!("UPDATE batches SET undone_at = {} WHERE id = '{batch}'", w.now().millis())).await;
}

async fn an_undo_that_died_half_way_is_finished_by_asking_again(w: &World) {
    let batch = import(w, &lines(1_001..1_011), &ImportOptions::default()).await.batch_id.unwrap();
    begin_undo(w, &batch).await;
    let undo = async || w.store.undo_batch(&w.tenant, &origin(), &batch).await;
    assert_eq!(undo().await.unwrap(), 10);
    assert!(matches!(undo().await, Err(StoreError::Conflict(why)) if why.contains("already")));
    assert_eq!((count(w).await, w.count("batch.undone").await), (0, 1));
}

async fn what_is_allocated_while_it_is_undone_stays_and_drains(w: &World) {
    let batch = import(w, &lines(1_001..1_011), &ImportOptions::default()).await.batch_id.unwrap();
    begin_undo(w, &batch).await;
    let held = w.allocate("a").await.unwrap().credential_id;
    let undo = async || w.store.undo_batch(&w.tenant, &origin(), &batch).await;
    for removed in [9, 0] {
        let refused = undo().await;
        let words = format!("{removed} of the batch were removed; 1 were allocated");
        assert!(matches!(&refused, Err(StoreError::Conflict(why)) if why.starts_with(&words)), "{refused:?}");
    }
    assert_eq!(w.credential(&held).await.standing, domain::credential::Standing::Disabled);
    assert_eq!(
        (w.newest("api.disabled").await["batch_id"].as_str(), w.count("api.disabled").await),
        (Some(&*batch), 1)
    );
    assert!(w.allocate("a").await.unwrap().existing, "who has one keeps it");
    assert!(w.allocate("b").await.is_err(), "nobody else gets it");
    w.release("a").await.unwrap();
    assert_eq!(undo().await.unwrap(), 1);
    assert_eq!((count(w).await, w.count("batch.undone").await), (0, 1));
}

async fn two_who_undo_at_once_remove_each_line_once(w: &World) {
    let batch = import(w, &lines(1_001..1_601), &ImportOptions::default()).await.batch_id.unwrap();
    let other = w.another_store().await;
    let by = origin();
    let (one, two) = tokio::join!(w.store.undo_batch(&w.tenant, &by, &batch), other.undo_batch(&w.tenant, &by, &batch));
    let removed = |done: store::Result<u64>| match done {
        Ok(removed) => removed,
        Err(StoreError::Conflict(why)) if why.contains("already") => 0,
        other => panic!("{other:?}"),
    };
    assert_eq!(removed(one) + removed(two), 600);
    assert_eq!((w.count("api.removed").await, w.count("batch.undone").await), (600, 1));
}

async fn nothing_is_undone_while_something_is_held(w: &World) {
    let batch = import(w, &lines(1_001..1_006), &ImportOptions::default()).await.batch_id.unwrap();
    w.allocate("a").await.unwrap();
    let undo = async || w.store.undo_batch(&w.tenant, &origin(), &batch).await;
    let refused = undo().await;
    assert!(matches!(&refused, Err(StoreError::Conflict(why)) if why.starts_with("1 ")), "{refused:?}");
    assert_eq!(count(w).await, 5);
    w.release("a").await.unwrap();
    assert_eq!(undo().await.unwrap(), 5);
}

async fn a_batch_that_is_run_again_adds_nothing(w: &World) {
    let run = async || {
        let parsed = parse(ImportFormat::Text, &lines(1_001..1_004), None);
        let given = Some("01HBATCH".to_owned());
        w.store.import(&w.tenant, &origin(), parsed, &ImportOptions::default(), given, |_, _| {}).await.unwrap()
    };
    let (first, second) = (run().await, run().await);
    assert_eq!((first.imported, first.batch_id.as_deref()), (3, Some("01HBATCH")));
    assert_eq!((second.imported, second.duplicates), (3, 0), "it has imported them, if not in this run");
    assert_eq!(count(w).await, 3);
    assert_eq!(w.store.undo_batch(&w.tenant, &origin(), "01HBATCH").await.unwrap(), 3);
    // An undo holds for a run that goes on after it.
    let parsed = parse(ImportFormat::Text, &lines(1_001..1_004), None);
    let given = Some("01HBATCH".to_owned());
    let late = w.store.import(&w.tenant, &origin(), parsed, &ImportOptions::default(), given, |_, _| {}).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
    assert_eq!(count(w).await, 0);
}

fn jobs_select(w: &World) -> &'static str {
    match w.raw {
        Raw::Sqlite(_) => "SELECT job FROM Jobs",
        Raw::Postgres(_) => "SELECT job FROM apalis.jobs",
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

async fn a_large_upload_waits_sealed_for_its_job(w: &World) {
    let upload = json!({ "format": "text", "data": lines(1_001..1_011) });
    let (job, batch) = w.store.import_later(&w.tenant, &origin(), &upload).await.unwrap();
    assert_ne!(job, batch);
    assert!(w.store.due_jobs(Queue::Heavy).await.unwrap());
    assert!(!w.store.due_jobs(Queue::Quick).await.unwrap());
    let payloads = w.raw.bytes(jobs_select(w)).await;
    assert_eq!(payloads.len(), 1);
    assert!(contains(&payloads[0], &batch) && !contains(&payloads[0], SECRET));
    let kept = w.raw.bytes("SELECT upload FROM batches").await;
    assert!(!contains(&kept[0], SECRET) && kept[0].len() > 400);
    assert_eq!(count(w).await, 0);

    assert!(matches!(w.store.waiting_upload(&"other".into(), &batch).await, Err(StoreError::NotFound("batch"))));
    assert_eq!(
        w.store.waiting_upload(&w.tenant, &batch).await.unwrap(),
        Some(("user:tester".to_owned(), upload.clone()))
    );
    let parsed = parse(ImportFormat::Text, upload["data"].as_str().unwrap(), None);
    let options = ImportOptions::default();
    let report = w.store.import(&w.tenant, &origin(), parsed, &options, Some(batch.clone()), |_, _| {}).await.unwrap();
    assert_eq!((report.imported, report.batch_id.as_ref()), (10, Some(&batch)));
    assert_eq!(w.store.waiting_upload(&w.tenant, &batch).await.unwrap(), None, "it is not kept longer than needed");
    assert_eq!(w.raw.number("SELECT COUNT(*) FROM batches WHERE upload IS NOT NULL").await, 0);
}

async fn an_upload_that_nobody_imports_is_forgotten(w: &World) {
    let upload = json!({ "format": "text", "data": lines(1_001..1_003) });
    let (_, batch) = w.store.import_later(&w.tenant, &origin(), &upload).await.unwrap();
    assert_eq!(w.store.prune_uploads(w.now()).await.unwrap(), 0);
    w.wait(MINUTE);
    assert_eq!(w.store.prune_uploads(w.now()).await.unwrap(), 1);
    assert_eq!(w.store.waiting_upload(&w.tenant, &batch).await.unwrap(), None);
}

async fn an_undone_upload_is_not_imported_later(w: &World) {
    let upload = json!({ "format": "text", "data": lines(1_001..1_011) });
    let (_, batch) = w.store.import_later(&w.tenant, &origin(), &upload).await.unwrap();
    assert_eq!(w.store.undo_batch(&w.tenant, &origin(), &batch).await.unwrap(), 0);
    assert_eq!(w.store.waiting_upload(&w.tenant, &batch).await.unwrap(), None);
}
