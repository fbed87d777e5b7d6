//! What must hold after every story.

use std::collections::HashMap;

use crate::world::{SECRET, World};

impl World {
    pub async fn examine(&self) {
        let findings = self.findings().await;
        assert!(findings.is_empty(), "{findings:#?}");
        self.examine_journal().await;
        for column in ["data", "actor", "request_id", "account_id"] {
            let leaks = format!("SELECT COUNT(*) FROM journal WHERE {column} LIKE '%{SECRET}%'");
            assert_eq!(self.raw.number(&leaks).await, 0, "a secret stands in journal.{column}");
        }
    }

    /// What the doctor finds.
    pub async fn findings(&self) -> Vec<(&'static str, String)> {
        let checks = self.store.doctor(|_| {}).await.unwrap();
        checks.into_iter().flat_map(|check| check.findings.into_iter().map(move |text| (check.name, text))).collect()
    }

    /// Follows the whole journal by itself and compares.
    async fn examine_journal(&self) {
        type Line = (i64, String, Option<String>, Option<i64>, Option<String>, Option<i64>);
        let lines: Vec<Line> = self
            .raw
            .all("SELECT seq, tenant_id, account_id, account_prev, credential_id, credential_prev FROM journal ORDER BY seq")
            .await;
        let Some(first) = lines.first().map(|line| line.0) else { return };
        let (mut accounts, mut credentials) = (HashMap::new(), HashMap::new());
        for (expected, (seq, tenant, account, account_prev, credential, credential_prev)) in (first..).zip(lines) {
            assert_eq!(seq, expected, "the journal has a gap");
            // A pointer may reach back to what was pruned away.
            if let Some(account) = account {
                let before = accounts.insert((tenant, account), seq);
                assert_eq!(account_prev.filter(|prev| *prev >= first), before, "account_prev of {seq}");
            }
            if let Some(credential) = credential {
                let before = credentials.insert(credential, seq);
                assert_eq!(credential_prev.filter(|prev| *prev >= first), before, "credential_prev of {seq}");
            }
        }
        let heads = self.raw.all::<(String, String, i64)>("SELECT tenant_id, account_id, last_seq FROM accounts").await;
        for (tenant, account, head) in heads.into_iter().filter(|head| head.2 >= first) {
            assert_eq!(accounts.get(&(tenant, account.clone())), Some(&head), "head of account {account}");
        }
        let heads = self.raw.all::<(String, i64)>("SELECT id, last_seq FROM credentials").await;
        for (credential, head) in heads.into_iter().filter(|head| head.1 >= first) {
            assert_eq!(credentials.get(&credential), Some(&head), "head of credential {credential}");
        }
    }
}
