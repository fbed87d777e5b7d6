//! Result reports: whose fault, what follows from the code alone, and that each counts once.

use domain::account::AccountState;
use domain::blame::BlameConfig;
use domain::blame::{Action, Fault};
use domain::time::{DAY, HOUR, MINUTE, SECOND};
use domain::{Status, Timestamp};
use store::allocator::{Allocator, Command, Done, Refused, Report, Reported};

use crate::world::{World, api_id, assert_refused, key, on_both, origin, success};

on_both! {
    each_error_has_its_fault_and_its_consequence,
    a_refused_api_id_is_banned_by_a_second_account_only,
    a_flag_without_an_account_needs_two_that_have_one,
    a_published_api_id_is_banned_at_once,
    a_success_clears_failures_and_suspicion,
    a_cooldown_is_never_shortened,
    a_retired_account_stays_retired,
    only_the_credential_at_fault_is_charged,
    a_result_counts_once,
    a_result_counts_once_whichever_process_hears_it,
    a_failure_without_words_waits_for_evidence,
    dates_of_reports_are_held_within_reason,
    raw_results_are_kept_without_gaps,
    a_burst_of_results_asks_for_scores,
    a_ban_does_not_make_the_pool_look_full,
    a_release_and_an_allocation_in_one_batch_find_the_rest_of_the_pool,
    an_unknown_credential_is_told,
    a_ban_keeps_new_accounts_away_within_the_batch,
}

/// What the table of errors says: error, fault, action, seconds that the account cools.
const TABLE: &[(&str, Fault, Action, i64)] = &[
    ("API_ID_INVALID", Fault::Credential, Action::CredentialFlagged, 0),
    ("API_ID_PUBLISHED_FLOOD", Fault::Credential, Action::CredentialBanned, 0),
    ("PHONE_NUMBER_APP_SIGNUP_FORBIDDEN", Fault::Credential, Action::CredentialFlagged, 0),
    ("UPDATE_APP_TO_LOGIN", Fault::Client, Action::None, 0),
    ("FLOOD_WAIT_37", Fault::Account, Action::AccountCooled, 37),
    ("FloodWaitError: A wait of 90 seconds is required", Fault::Account, Action::AccountCooled, 90),
    ("[420 FLOOD_WAIT_X]", Fault::Account, Action::AccountCooled, 60),
    ("FLOOD_PREMIUM_WAIT_12", Fault::Account, Action::AccountCooled, 12),
    ("SLOWMODE_WAIT_5", Fault::None, Action::None, 0),
    ("PHONE_NUMBER_FLOOD", Fault::Account, Action::AccountCooled, 86_400),
    ("PHONE_PASSWORD_FLOOD", Fault::Account, Action::AccountCooled, 86_400),
    ("PEER_FLOOD", Fault::Account, Action::AccountCooled, 86_400),
    ("PHONE_NUMBER_BANNED", Fault::Account, Action::AccountRetired, 0),
    ("USER_DEACTIVATED", Fault::Account, Action::AccountRetired, 0),
    ("USER_DEACTIVATED_BAN", Fault::Account, Action::AccountRetired, 0),
    ("AUTH_KEY_UNREGISTERED", Fault::Account, Action::None, 0),
    ("SESSION_REVOKED", Fault::Account, Action::None, 0),
    ("SESSION_EXPIRED", Fault::Account, Action::None, 0),
    ("AUTH_KEY_DUPLICATED", Fault::Client, Action::None, 0),
    ("FROZEN_METHOD_INVALID", Fault::Account, Action::AccountFrozen, 0),
    ("SESSION_PASSWORD_NEEDED", Fault::None, Action::None, 0),
    ("PHONE_CODE_INVALID", Fault::None, Action::None, 0),
    ("PHONE_MIGRATE_2", Fault::None, Action::None, 0),
    ("[500 INTERNAL]", Fault::Telegram, Action::None, 0),
    ("AUTH_RESTART", Fault::Telegram, Action::None, 0),
    ("RPC_CALL_FAIL", Fault::Telegram, Action::None, 0),
    ("transport error: -429", Fault::Proxy, Action::None, 0),
    ("transport error: -404", Fault::Client, Action::None, 0),
    ("transport error: -444", Fault::Client, Action::None, 0),
    ("ConnectionRefusedError: [Errno 111] Connection refused", Fault::Proxy, Action::None, 0),
    ("Timeout", Fault::Proxy, Action::None, 0),
    ("SOCKS5 proxy: authentication failed", Fault::Proxy, Action::None, 0),
    ("SOMETHING_NEVER_HEARD_OF", Fault::Pending, Action::None, 0),
];

async fn each_error_has_its_fault_and_its_consequence(w: &World) {
    for (number, (error, fault, action, cools)) in (1..).zip(TABLE) {
        let id = w.add(number).await;
        let account = format!("account {number}");
        w.ask(&account, |a| a.pinned = Some(api_id(number))).await.unwrap();
        let told = w.fails(number, &account, error).await;
        assert_eq!((told.recorded, told.fault, told.action, told.recovered), (true, *fault, *action, false), "{error}");
        assert_eq!(told.previous_status, Status::InUse, "{error}");
        let banned = *action == Action::CredentialBanned;
        assert_eq!(told.new_status, if banned { Status::Banned } else { Status::InUse }, "{error}");

        let credential = w.credential(&id).await;
        let charged = *fault == Fault::Credential && !error.contains("SIGNUP");
        let counts = (credential.fail_count, credential.consecutive_failures, credential.last_failure_at.is_some());
        assert_eq!(counts, (i64::from(charged), i64::from(charged), charged), "{error}");
        assert_eq!(told.consecutive_failures, credential.consecutive_failures, "{error}");
        assert_eq!((credential.success_count, credential.cooldown_until), (0, None), "{error}");

        let row = w.store.account(&w.tenant, &key(&account)).await.unwrap().unwrap();
        let state = match action {
            Action::AccountFrozen => AccountState::Frozen,
            Action::AccountRetired => AccountState::Retired,
            _ => AccountState::Active,
        };
        assert_eq!(row.state, state.to_string(), "{error}");
        let until = if *cools == 0 { 0 } else { w.now().plus(cools * SECOND).millis() };
        assert_eq!(row.cooldown_until, until, "{error}");
        assert!(row.allocation_id.is_some(), "{error}: what it holds stays");
    }
    // What people should see stands in the journal, once each.
    for (action, count) in [
        ("api.failed", 2),
        ("api.flagged", 2),
        ("api.banned", 1),
        ("account.cooled", 7),
        ("account.frozen", 1),
        ("account.retired", 3),
        ("account.must_log_in", 3),
        ("client.misbehaved", 2),
    ] {
        assert_eq!(w.count(action).await, count, "{action}");
    }
}

async fn a_refused_api_id_is_banned_by_a_second_account_only(w: &World) {
    let id = w.add(1).await;
    let action = async |account| w.fails(1, account, "API_ID_INVALID").await.action;
    assert_eq!(action("a").await, Action::CredentialFlagged);
    assert_eq!(action("a").await, Action::CredentialFlagged, "the same account confirms nothing");
    assert_eq!(w.credential(&id).await.status(), Status::Available);
    let told = w.fails(1, "b", "API_ID_INVALID").await;
    assert_eq!(
        (told.action, told.previous_status, told.new_status),
        (Action::CredentialBanned, Status::Available, Status::Banned)
    );
    let credential = w.credential(&id).await;
    assert_eq!((credential.fail_count, credential.ban_reason.as_deref()), (3, Some("API_ID_INVALID")));
    assert_eq!(action("c").await, Action::CredentialBanned);
    assert_eq!((w.count("api.flagged").await, w.count("api.banned").await), (1, 1));
    assert_eq!(w.newest("api.banned").await["by"], "evidence");
    assert_refused!(w.allocate("d").await, Refused::NoneAvailable(_));
    // Lifting the ban lifts the suspicion: one account alone bans nothing.
    w.store.unban_credential(&w.tenant, &origin(), &id).await.unwrap();
    assert_eq!(action("e").await, Action::CredentialFlagged);
    assert_eq!(w.credential(&id).await.consecutive_failures, 1);
}

async fn a_flag_without_an_account_needs_two_that_have_one(w: &World) {
    let id = w.add(1).await;
    let anonymous = async || {
        let told = w.report(1, |r| (r.success, r.error) = (false, Some("API_ID_INVALID".to_owned()))).await.unwrap();
        assert_eq!(told.action, Action::CredentialFlagged);
    };
    anonymous().await;
    anonymous().await;
    assert_eq!(w.fails(1, "a", "API_ID_INVALID").await.action, Action::CredentialFlagged);
    anonymous().await;
    assert_eq!(w.credential(&id).await.status(), Status::Available);
    assert_eq!(w.fails(1, "b", "API_ID_INVALID").await.action, Action::CredentialBanned);
}

async fn a_published_api_id_is_banned_at_once(w: &World) {
    let id = w.add(1).await;
    w.allocate("a").await.unwrap();
    let told =
        w.report(1, |r| (r.success, r.error) = (false, Some("API_ID_PUBLISHED_FLOOD".to_owned()))).await.unwrap();
    assert_eq!((told.action, told.new_status), (Action::CredentialBanned, Status::Banned));
    assert_eq!(w.credential(&id).await.ban_reason.as_deref(), Some("API_ID_PUBLISHED_FLOOD"));
    assert_refused!(w.allocate("a").await, Refused::CredentialBanned);
}

async fn a_success_clears_failures_and_suspicion(w: &World) {
    let id = w.add(1).await;
    w.fails(1, "a", "API_ID_INVALID").await;
    w.fails(1, "a", "API_ID_INVALID").await;
    let told = w.report(1, |r| r.account = Some(key("a"))).await.unwrap();
    assert_eq!(
        (told.fault, told.action, told.recovered, told.consecutive_failures),
        (Fault::None, Action::None, true, 0)
    );
    assert_eq!(w.newest("api.recovered").await["after_failures"], 2);
    let told = w.report(1, |_| {}).await.unwrap();
    assert!(!told.recovered, "there was nothing to recover from");
    let credential = w.credential(&id).await;
    assert_eq!((credential.success_count, credential.fail_count, credential.consecutive_failures), (2, 2, 0));
    // The suspicion is gone, so another account is the first witness again.
    assert_eq!(w.fails(1, "b", "API_ID_INVALID").await.action, Action::CredentialFlagged);
}

async fn a_cooldown_is_never_shortened(w: &World) {
    w.add(1).await;
    let until = async || w.store.account(&w.tenant, &key("a")).await.unwrap().unwrap().cooldown_until;
    w.fails(1, "a", "FLOOD_WAIT_600").await;
    let long = w.now().plus(600 * SECOND).millis();
    assert_eq!(until().await, long);
    w.wait(SECOND);
    assert_eq!(w.fails(1, "a", "FLOOD_WAIT_5").await.action, Action::AccountCooled);
    assert_eq!(until().await, long);
    assert_eq!(w.count("account.cooled").await, 1, "what changes nothing is not noted");
    w.fails(1, "a", "FLOOD_WAIT_700").await;
    assert_eq!(until().await, w.now().plus(700 * SECOND).millis());
    // No wait is believed beyond thirty days, and an old report cools from its own moment.
    w.fails(1, "a", "FLOOD_WAIT_99999999").await;
    assert_eq!(until().await, w.now().plus(30 * DAY).millis());
    let hour_ago = w.now().plus(-HOUR);
    w.report(1, |r| {
        (r.success, r.error, r.account) = (false, Some("FLOOD_WAIT_60".to_owned()), Some(key("b")));
        r.at = Some(hour_ago);
    })
    .await
    .unwrap();
    w.allocate("b").await.unwrap();
}

async fn a_retired_account_stays_retired(w: &World) {
    w.add(1).await;
    let state = async || w.store.account(&w.tenant, &key("a")).await.unwrap().unwrap().state;
    w.fails(1, "a", "FROZEN_METHOD_INVALID").await;
    assert_eq!(state().await, "frozen");
    w.fails(1, "a", "PHONE_NUMBER_BANNED").await;
    assert_eq!(state().await, "retired");
    w.fails(1, "a", "FROZEN_METHOD_INVALID").await;
    assert_eq!(state().await, "retired");
    assert_eq!(w.count("account.frozen").await, 1);
}

async fn only_the_credential_at_fault_is_charged(w: &World) {
    let (one, two) = (w.add(1).await, w.add(2).await);
    for error in ["Timeout", "FLOOD_WAIT_3", "RPC_CALL_FAIL", "AUTH_KEY_DUPLICATED", "WHATEVER_THIS_IS"] {
        w.fails(1, "a", error).await;
    }
    w.fails(2, "a", "API_ID_INVALID").await;
    assert_eq!(w.credential(&one).await.fail_count, 0);
    assert_eq!(w.credential(&two).await.fail_count, 1);
    let (counts, _) = w.store.result_counts(&w.tenant, w.now()).await.unwrap();
    let total: i64 = counts.iter().map(|count| count.2).sum();
    assert_eq!(total, 6);
    for fault in ["proxy", "account", "telegram", "client", "pending", "credential"] {
        assert!(counts.contains(&(false, fault.to_owned(), 1)), "{fault}: {counts:?}");
    }
}

fn numbered(result_id: &str, error: Option<&str>) -> Report {
    let error = error.map(str::to_owned);
    Report {
        success: error.is_none(),
        error,
        result_id: Some(result_id.to_owned()),
        account: Some(key("a")),
        ..success(1)
    }
}

async fn say(pool: &Allocator, w: &World, report: Report) -> Reported {
    match pool.ask(w.asker(), Command::Report(report)).await {
        Ok(Done::Reported(reported)) => reported,
        other => panic!("{other:?}"),
    }
}

async fn a_result_counts_once(w: &World) {
    let id = w.add(1).await;
    let report = numbered("r1", Some("API_ID_INVALID"));
    let first = say(&w.pool, w, report.clone()).await;
    assert_eq!((first.recorded, first.fault, first.action), (true, Fault::Credential, Action::CredentialFlagged));
    let again = say(&w.pool, w, report.clone()).await;
    assert_eq!((again.recorded, again.fault, again.action), (false, Fault::Credential, Action::None));
    // Twice within one batch, and beside the one that was noted before.
    let twin = numbered("r2", None);
    let commands = vec![Command::Report(twin.clone()), Command::Report(report), Command::Report(twin)];
    let recorded: Vec<bool> = w
        .pool
        .ask_all(&w.asker(), commands)
        .await
        .into_iter()
        .map(|answer| match answer {
            Ok(Done::Reported(reported)) => reported.recorded,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(recorded, [true, false, false]);
    let credential = w.credential(&id).await;
    assert_eq!((credential.fail_count, credential.success_count), (1, 1));
    assert_eq!(w.raw.number("SELECT COUNT(*) FROM results").await, 2);
    // Another tenant's result of that name is another result.
    w.raw.run("INSERT INTO tenants (id, name, created_at) VALUES ('other', 'Other', 0)").await;
    let other = domain::TenantId::from("other");
    w.store.add_credential(&other, &origin(), &crate::world::draft(1)).await.unwrap();
    let asker = store::allocator::Asker { tenant: other, origin: origin() };
    let Ok(Done::Reported(told)) = w.pool.ask(asker, Command::Report(numbered("r1", None))).await else { panic!() };
    assert!(told.recorded);
}

async fn a_result_counts_once_whichever_process_hears_it(w: &World) {
    w.add(1).await;
    w.add(2).await;
    let (second, task) = Allocator::start(w.another_store().await, BlameConfig::default());
    const RESULTS: usize = 60;
    let mut counted = 0;
    for number in 0..RESULTS {
        // Whatever they are about, so that no lock on a credential keeps them apart.
        let report = numbered(&format!("r{number}"), None);
        let other = Report { api_id: api_id(1 + number as i64 % 2), ..report.clone() };
        let (one, two) = tokio::join!(say(&w.pool, w, report), say(&second, w, other));
        counted += usize::from(one.recorded) + usize::from(two.recorded);
    }
    assert_eq!(counted, RESULTS);
    assert_eq!(w.raw.number("SELECT CAST(SUM(success_count) AS BIGINT) FROM credentials").await, RESULTS as i64);
    drop(second);
    task.await.unwrap();
}

async fn a_failure_without_words_waits_for_evidence(w: &World) {
    let id = w.add(1).await;
    let told = w.report(1, |r| r.success = false).await.unwrap();
    assert_eq!((told.fault, told.action), (Fault::Pending, Action::None));
    // Words beside a success are only words.
    let told = w.report(1, |r| r.error = Some("API_ID_PUBLISHED_FLOOD".to_owned())).await.unwrap();
    assert_eq!((told.fault, told.new_status), (Fault::None, Status::Available));
    let credential = w.credential(&id).await;
    assert_eq!((credential.fail_count, credential.success_count), (0, 1));
}

async fn dates_of_reports_are_held_within_reason(w: &World) {
    w.add(1).await;
    let now = w.now();
    let given =
        [Some(now.plus(-HOUR)), None, Some(now.plus(HOUR)), Some(Timestamp::from_millis(0)), Some(now.plus(MINUTE))];
    for at in given {
        w.report(1, |r| r.at = at).await.unwrap();
    }
    let kept = w.raw.all::<(i64,)>("SELECT at FROM results ORDER BY seq").await;
    let expected = [now.plus(-HOUR), now, now, now.plus(-7 * DAY), now].map(|at| (at.millis(),));
    assert_eq!(kept, expected);
}

async fn raw_results_are_kept_without_gaps(w: &World) {
    let id = w.add(1).await;
    w.fails(1, "a", "FLOOD_WAIT_9 (caused by auth.SendCode for +8613800000001)").await;
    w.report(1, |r| (r.proxy_id, r.latency_ms, r.result_id) = (Some("p1".into()), Some(120), Some("x".into())))
        .await
        .unwrap();
    type Row = (i64, String, Option<String>, Option<String>, bool, Option<String>, String, Option<i64>, String);
    let rows: Vec<Row> = w
        .raw
        .all("SELECT seq, credential_id, account_id, proxy_id, success, code, fault, latency_ms, reporter FROM results ORDER BY seq")
        .await;
    let (id, by) = (id.as_str().to_owned(), "user:tester".to_owned());
    let first =
        (1, id.clone(), Some("a".into()), None, false, Some("FLOOD_WAIT".into()), "account".into(), None, by.clone());
    let second = (2, id, None, Some("p1".into()), true, None, "none".into(), Some(120), by);
    assert_eq!(rows, [first, second], "the code is kept, not the text");
    assert_eq!(w.raw.number("SELECT results FROM heads").await, 2);
}

async fn a_burst_of_results_asks_for_scores(w: &World) {
    w.add(1).await;
    let jobs = async || w.raw.number(&format!("SELECT COUNT(*) FROM {}", w.raw.jobs())).await;
    let reports = |count: usize| vec![Command::Report(success(1)); count];
    w.pool.ask_all(&w.asker(), reports(99)).await;
    assert_eq!(jobs().await, 0);
    w.pool.ask_all(&w.asker(), reports(1)).await;
    assert_eq!(jobs().await, 1);
    w.pool.ask_all(&w.asker(), reports(200)).await;
    assert_eq!(jobs().await, 1, "one scoring for a burst");
    // It runs at the end, so that all of the burst is in it.
    let due = async || w.store.due_jobs(jobs::Queue::Heavy).await.unwrap();
    assert!(!due().await);
    w.wait(11 * SECOND);
    assert!(due().await);
    w.wait(MINUTE);
    w.pool.ask_all(&w.asker(), reports(100)).await;
    assert_eq!(jobs().await, 2);
}

async fn an_unknown_credential_is_told(w: &World) {
    assert_refused!(w.report(1, |_| {}).await, Refused::UnknownCredential);
    let id = w.add(1).await;
    w.store.delete_credential(&w.tenant, &origin(), &id, false, None).await.unwrap();
    assert_refused!(w.report(1, |_| {}).await, Refused::UnknownCredential);
    assert_eq!(w.raw.number("SELECT COUNT(*) FROM results").await, 0);
}

/// What the batch itself has closed does not hide what is open behind it.
async fn a_ban_does_not_make_the_pool_look_full(w: &World) {
    for number in 1..=5 {
        w.add_with(number, |d| d.priority = 10 - number).await;
    }
    let ban = |number: i64| {
        let error = Some("API_ID_PUBLISHED_FLOOD".to_owned());
        Command::Report(Report { success: false, error, ..success(number) })
    };
    let allocate = |account: &str| Command::Allocate(crate::world::wish(account));
    let one = w.pool.ask_all(&w.asker(), vec![ban(1), allocate("a")]).await;
    let more = w.pool.ask_all(&w.asker(), vec![ban(2), ban(3), ban(2), allocate("b")]).await;
    for (answer, best) in [(&one[1], 2), (&more[3], 4)] {
        assert!(matches!(answer, Ok(Done::Allocated(got)) if got.api_id.get() == best), "{answer:?}");
    }
}

/// Nor does what an account has just let go of.
async fn a_release_and_an_allocation_in_one_batch_find_the_rest_of_the_pool(w: &World) {
    let id = w.add(1).await;
    w.add_with(2, |d| d.priority = -1).await;
    w.allocate("a").await.unwrap();
    w.store.disable_credential(&w.tenant, &origin(), &id).await.unwrap();
    let release = Command::Release(store::allocator::Release::Account(key("a")));
    let answers = w.pool.ask_all(&w.asker(), vec![release, Command::Allocate(crate::world::wish("a"))]).await;
    assert!(matches!(&answers[1], Ok(Done::Allocated(got)) if got.api_id.get() == 2), "{:?}", answers[1]);
}

async fn a_ban_keeps_new_accounts_away_within_the_batch(w: &World) {
    w.add_with(1, |d| d.priority = 1).await;
    w.add(2).await;
    let ban = Report { success: false, error: Some("API_ID_PUBLISHED_FLOOD".to_owned()), ..success(1) };
    let allocate = |account: &str| Command::Allocate(crate::world::wish(account));
    let answers =
        w.pool.ask_all(&w.asker(), vec![allocate("a"), Command::Report(ban), allocate("b"), allocate("a")]).await;
    let got = |answer: &store::allocator::Answer| match answer {
        Ok(Done::Allocated(one)) => one.api_id.get(),
        other => panic!("{other:?}"),
    };
    assert_eq!((got(&answers[0]), got(&answers[2])), (1, 2));
    assert_refused!(&answers[3], Refused::CredentialBanned);
    assert_eq!(w.raw.number("SELECT health_score FROM credentials WHERE api_id = 1").await, 20, "the score shows it");
}
