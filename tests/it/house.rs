//! The house has the rooms and the arrows that the design draws, and no others; and it starts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::harness::{Kind, Place};
use crate::on_both;

/// `domain ← jobs ← store ← api | workers ← src`, read from cargo itself.
#[test]
fn arrows_are_those_of_the_design() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> = [
        ("domain", vec![]),
        ("jobs", vec!["domain"]),
        ("store", vec!["domain", "jobs"]),
        ("api", vec!["domain", "jobs", "store"]),
        ("workers", vec!["domain", "jobs", "store"]),
        ("api-pool", vec!["domain", "jobs", "store", "api", "workers"]),
        // It measures from outside, and the same batches without HTTP.
        ("bench", vec!["domain", "jobs", "store"]),
    ]
    .into_iter()
    .map(|(name, rooms)| (name, rooms.into_iter().collect()))
    .collect();
    let metadata = cargo_metadata::MetadataCommand::new().no_deps().exec().unwrap();
    let rooms: BTreeSet<&str> = metadata.packages.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(rooms, allowed.keys().copied().collect());
    for package in &metadata.packages {
        let arrows: BTreeSet<&str> = package
            .dependencies
            .iter()
            .filter(|d| d.path.is_some() && d.kind == cargo_metadata::DependencyKind::Normal)
            .map(|d| d.name.as_str())
            .collect();
        let allowed = &allowed[package.name.as_str()];
        assert!(arrows.is_subset(allowed), "{} points at {arrows:?}", package.name);
    }
}

/// apalis stays behind two places, SQL behind one.
#[test]
fn libraries_stay_in_their_rooms() {
    let metadata = cargo_metadata::MetadataCommand::new().no_deps().exec().unwrap();
    let users = |library: &str| -> BTreeSet<String> {
        metadata
            .packages
            .iter()
            .filter(|p| {
                p.dependencies
                    .iter()
                    .any(|d| d.name.starts_with(library) && d.kind == cargo_metadata::DependencyKind::Normal)
            })
            .map(|p| p.name.to_string())
            .collect()
    };
    assert_eq!(users("apalis"), ["store", "workers"].map(str::to_owned).into());
    assert_eq!(users("axum"), ["api", "api-pool", "bench"].map(str::to_owned).into());
    assert!(!users("sqlx").contains("api") && !users("tokio").contains("domain"));
}

async fn serves_a_first_allocation(kind: Kind) {
    let place = Place::new(kind).await;
    let server = place.serve().await;
    let owner = server.owner().await;
    owner.import(1_000_000, 3, 2).await;
    let service = server.service(&["credpool:*"]).await;
    let first = service.ok("POST", "/api/admin/api-pool/allocate", json!({ "phone": "+8613800000001" })).await;
    let again = service.ok("POST", "/api/admin/api-pool/allocate", json!({ "account_id": "+8613800000001" })).await;
    assert_eq!((&first["api_id"], false), (&again["api_id"], first["existing"].as_bool().unwrap()));
    assert_eq!((again["existing"].as_bool(), again["strategy_used"].as_str()), (Some(true), Some("existing")));
    let ready = owner.send("GET", "/api/ready", json!(null)).await.unwrap();
    assert_eq!(ready.1["status"], "ready");
    server.stop().await;
    place.assert_sound();
}

on_both!(serves_a_first_allocation);
