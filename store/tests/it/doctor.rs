//! The doctor finds each damage, and only that.

use crate::world::{World, api_id, on_both, origin};

on_both! {
    a_wrong_count,
    a_lost_account,
    an_overfilled_credential,
    lowered_slots_are_no_damage,
    a_stray_on_a_deleted_credential,
    a_stray_of_another_tenant,
    a_gap_in_the_journal,
    a_journal_behind_its_counter,
    a_journal_before_its_counter,
    an_account_that_points_elsewhere,
    a_credential_that_points_elsewhere,
    an_allocation_that_nobody_recorded,
    a_secret_that_was_moved,
    a_secret_that_was_bent,
    a_phone_number_that_was_moved,
    a_wrong_shelf,
    long_findings_are_cut_short,
}

/// Two credentials, three accounts, some history; nothing wrong.
async fn healthy(w: &World) {
    for number in 1..=2 {
        let phone = Some(secrecy::SecretString::from(format!("+861380000000{number}")));
        w.add_with(number, |d| d.source_phone = phone).await;
    }
    for account in ["a", "b", "c"] {
        w.wait(10);
        w.ask(account, |a| a.pinned = Some(api_id(1))).await.unwrap();
    }
    w.wait(10);
    w.release("b").await.unwrap();
    w.examine().await;
}

/// Does the damage; exactly the check of that name finds something, in words that contain `part`.
async fn finds(w: &World, damage: &[&str], check: &str, part: &str) {
    w.leave_damaged();
    for statement in damage {
        assert!(w.raw.run(statement).await > 0, "{statement} changed nothing");
    }
    let findings = w.findings().await;
    assert!(!findings.is_empty(), "nothing was found");
    for (name, text) in &findings {
        assert!(name.contains(check), "{name}: {text}");
    }
    assert!(findings.iter().any(|(_, text)| text.contains(part)), "{findings:?}");
}

async fn a_wrong_count(w: &World) {
    healthy(w).await;
    finds(
        w,
        &["UPDATE credentials SET current_accounts = 3 WHERE api_id = 1"],
        "count equals",
        "counts 3 accounts, but 2",
    )
    .await;
}

async fn a_lost_account(w: &World) {
    healthy(w).await;
    finds(w, &["DELETE FROM accounts WHERE account_id = 'a'"], "count equals", "counts 2 accounts, but 1").await;
}

async fn an_overfilled_credential(w: &World) {
    healthy(w).await;
    finds(
        w,
        &["UPDATE credentials SET max_accounts = 1 WHERE api_id = 1"],
        "more than its slots",
        "2 accounts on 1 slots",
    )
    .await;
}

async fn lowered_slots_are_no_damage(w: &World) {
    healthy(w).await;
    let id = w.allocate("a").await.unwrap().credential_id;
    let fewer = store::credentials::Patch { max_accounts: Some(1), ..Default::default() };
    w.store.update_credential(&w.tenant, &origin(), &id, &fewer, None).await.unwrap();
    w.wait(10);
    w.allocate("a").await.unwrap();
    w.examine().await;
    // But one more on it is.
    let more = format!("UPDATE credentials SET last_allocated_at = {} WHERE api_id = 1", w.now().millis());
    finds(w, &[&more], "more than its slots", "2 accounts on 1 slots").await;
}

async fn a_stray_on_a_deleted_credential(w: &World) {
    healthy(w).await;
    finds(w, &["UPDATE credentials SET deleted_at = 1 WHERE api_id = 1"], "not deleted", "account a holds").await;
}

async fn a_stray_of_another_tenant(w: &World) {
    healthy(w).await;
    w.raw.run("INSERT INTO tenants (id, name, created_at) VALUES ('other', 'Other', 0)").await;
    let id = w.store.add_credential(&"other".into(), &origin(), &crate::world::draft(9)).await.unwrap();
    let moved = format!("UPDATE accounts SET credential_id = '{id}' WHERE account_id = 'a'");
    let counted = format!("UPDATE credentials SET current_accounts = 1 WHERE id = '{id}' OR api_id = 1");
    finds(w, &[&moved, &counted], "its own tenant", "account a holds").await;
}

async fn a_gap_in_the_journal(w: &World) {
    healthy(w).await;
    finds(w, &["DELETE FROM journal WHERE seq = 2"], "no gap", "has 5 rows from 1 to 6").await;
}

async fn a_journal_behind_its_counter(w: &World) {
    healthy(w).await;
    finds(w, &["UPDATE heads SET journal = 7"], "no gap", "its counter says 7").await;
}

async fn a_journal_before_its_counter(w: &World) {
    healthy(w).await;
    finds(w, &["UPDATE heads SET journal = 5"], "no gap", "its counter says 5").await;
}

async fn an_account_that_points_elsewhere(w: &World) {
    healthy(w).await;
    finds(
        w,
        &["UPDATE accounts SET last_seq = 1 WHERE account_id = 'c'"],
        "accounts point at",
        "account c points at 1",
    )
    .await;
}

async fn a_credential_that_points_elsewhere(w: &World) {
    healthy(w).await;
    finds(w, &["UPDATE credentials SET last_seq = 1 WHERE api_id = 1"], "credentials point at", "its newest row is 6")
        .await;
}

async fn an_allocation_that_nobody_recorded(w: &World) {
    healthy(w).await;
    let later = format!("UPDATE accounts SET allocated_at = {} WHERE account_id = 'a'", w.now().millis());
    finds(w, &[&later], "are in the journal", "account a holds").await;
}

async fn a_secret_that_was_moved(w: &World) {
    healthy(w).await;
    let moved =
        "UPDATE credentials SET api_hash = (SELECT o.api_hash FROM credentials o WHERE o.api_id = 2) WHERE api_id = 1";
    finds(w, &[moved], "every secret opens", "api_hash").await;
}

async fn a_secret_that_was_bent(w: &World) {
    healthy(w).await;
    let bent = match w.raw {
        crate::raw::Raw::Sqlite(_) => {
            "UPDATE credentials SET api_hash = CAST(SUBSTR(api_hash, 1, 40) AS BLOB) WHERE api_id = 1"
        }
        crate::raw::Raw::Postgres(_) => "UPDATE credentials SET api_hash = SUBSTR(api_hash, 1, 40) WHERE api_id = 1",
    };
    finds(w, &[bent], "every secret opens", "api_hash").await;
    assert_eq!(w.findings().await.len(), 1);
}

async fn a_phone_number_that_was_moved(w: &World) {
    healthy(w).await;
    let moved = "UPDATE credentials SET source_phone = (SELECT o.source_phone FROM credentials o WHERE o.api_id = 2) WHERE api_id = 1";
    finds(w, &[moved], "every secret opens", "source_phone").await;
}

async fn a_wrong_shelf(w: &World) {
    healthy(w).await;
    finds(
        w,
        &["UPDATE credentials SET is_premium = TRUE WHERE api_id = 1"],
        "on the shelf",
        "stands on 0/0/, not on 0/1/",
    )
    .await;
}

async fn long_findings_are_cut_short(w: &World) {
    for number in 1..=25 {
        w.add(number).await;
    }
    w.leave_damaged();
    w.raw.run("UPDATE credentials SET min_member_level = 3").await;
    let findings = w.findings().await;
    assert_eq!((findings.len(), findings[20].1.as_str()), (21, "… and 5 more"));
}
