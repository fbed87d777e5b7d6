//! Secrets stay sealed: in the database's files, in the journal, in jobs, in `Debug`.

use domain::access::Role;
use domain::import::{ImportFormat, parse};
use secrecy::SecretString;
use serde_json::json;
use store::batches::ImportOptions;
use store::credentials::Patch;
use store::open::Location;

use crate::world::{SECRET, World, api_id, hash_of, on_both, origin, slice};

on_both! {
    nothing_plain_reaches_the_database,
    debug_shows_nothing,
    a_sealed_value_opens_nowhere_else,
}

const PHONE: &str = "+8613812345678";
const PASSWORD: &str = "correct horse battery";

/// Everything that takes a secret.
async fn use_secrets(w: &World) -> Vec<String> {
    let id = w.add_with(1, |d| d.source_phone = Some(SecretString::from(PHONE))).await;
    let patch = Patch {
        api_hash: Some(SecretString::from(hash_of(77))),
        source_phone: Some(Some(SecretString::from(PHONE))),
        ..Patch::default()
    };
    w.store.update_credential(&w.tenant, &origin(), &id, &patch, None).await.unwrap();
    w.store.reveal(&w.tenant, &origin(), &id, "why").await.unwrap();
    w.allocate("a").await.unwrap();
    let data = format!("api_id,api_hash,source_phone\n1002,{},{PHONE}\nbad,{},{PHONE}\n", hash_of(2), hash_of(3));
    let lines = parse(ImportFormat::Csv, &data, None);
    w.store.import(&w.tenant, &origin(), lines, &ImportOptions::default(), None, |_, _| {}).await.unwrap();
    w.store.import_later(&w.tenant, &origin(), &json!({ "data": data })).await.unwrap();
    let password = SecretString::from(PASSWORD);
    w.store.add_user(&w.tenant, &origin(), "ada", &password, Role::Admin).await.unwrap();
    let (_, opened) = w.store.sign_in(&origin(), "ada", &password, Some("browser")).await.unwrap();
    let refresh = secrecy::ExposeSecret::expose_secret(&opened.refresh_token).to_owned();
    let wrong = SecretString::from("wrong horse battery");
    assert!(w.store.sign_in(&origin(), "ada", &wrong, None).await.is_err());
    let draft = store::tokens::TokenDraft {
        product: "chat".to_owned(),
        scopes: vec![domain::access::Scope::All],
        member_level: domain::MemberLevel::Free,
        note: None,
        expires_at: None,
    };
    let (_, token) = w.store.issue_token(&w.tenant, &origin(), &draft).await.unwrap();
    let token = secrecy::ExposeSecret::expose_secret(&token.unwrap()).to_owned();
    vec![
        refresh,
        SECRET.to_owned(),
        PHONE[1..].to_owned(),
        PASSWORD.to_owned(),
        "wrong horse battery".to_owned(),
        token,
    ]
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

async fn nothing_plain_reaches_the_database(w: &World) {
    let secrets = use_secrets(w).await;
    let mut places = Vec::new();
    match &w.location {
        Location::Sqlite(path) => {
            for suffix in ["", "-wal"] {
                let file = format!("{}{suffix}", path.display());
                places.push((std::fs::read(&file).unwrap(), file));
            }
            assert!(holds(&places[1].0, "app 1"), "what was written is looked at");
        }
        Location::Postgres(_) => {
            let tables = w
                .raw
                .all::<(String,)>(
                    "SELECT CAST(schemaname || '.' || tablename AS TEXT) FROM pg_tables WHERE schemaname IN ('public', 'apalis')",
                )
                .await;
            for (table,) in tables {
                // Bytes are shown as hexadecimal digits by default.
                let rows = w.raw.all::<(String,)>(&format!("SELECT CAST(t AS TEXT) FROM {table} t")).await;
                let mut text = rows.into_iter().map(|row| row.0).collect::<Vec<_>>().join("\n").into_bytes();
                for secret in &secrets {
                    let digits = secret.bytes().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
                    assert!(!holds(&text, &digits), "{table}");
                }
                text.push(b'\n');
                places.push((text, table));
            }
            assert!(places.iter().any(|(bytes, _)| holds(bytes, "app 1")), "what was written is looked at");
        }
    }
    for (bytes, place) in &places {
        for secret in &secrets {
            assert!(!holds(bytes, secret), "{secret} stands in {place}");
        }
    }
}

async fn debug_shows_nothing(w: &World) {
    let secrets = use_secrets(w).await;
    let id = w.allocate("a").await.unwrap().credential_id;
    let user = w.store.user_by_name("ada").await.unwrap().unwrap();
    let (hash,) = w.raw.all::<(String,)>("SELECT password_hash FROM users").await.remove(0);
    let patch = Patch {
        api_hash: Some(SecretString::from(hash_of(1))),
        source_phone: Some(Some(SecretString::from(PHONE))),
        ..Patch::default()
    };
    let mut draft = crate::world::draft(1);
    draft.source_phone = Some(SecretString::from(PHONE));
    let lines = parse(ImportFormat::Csv, &format!("1,{},x\nbad,{},x", hash_of(1), hash_of(1)), None);
    let wish = store::allocator::Allocate { pinned: Some(api_id(1)), ..crate::world::wish("b") };
    let question = w.store.question(&w.tenant, &origin(), &wish).await.unwrap();
    let shown = [
        format!("{:?} {:?} {:?}", w.store, w.pool, w.store.sealer()),
        format!("{:?} {:?}", w.store.begin().await.unwrap(), w.store.ambient()),
        format!("{:?} {:?}", w.store.queue_pool(), w.location),
        format!("{:?}", w.allocate("a").await),
        format!("{:?}", w.store.reveal(&w.tenant, &origin(), &id, "why").await),
        format!("{:?}", w.store.preview(&w.tenant, &question, 10).await),
        format!("{:?} {:?}", w.store.compiled().await, w.store.tokens(&w.tenant, &slice(None)).await),
        format!("{patch:?} {draft:?} {lines:?} {user:?}"),
        format!("{:?}", store::seal::MasterKey::new(1, crate::world::KEY)),
    ];
    for text in shown {
        for secret in secrets.iter().chain([&hash]) {
            assert!(!text.contains(secret.as_str()), "{text}");
        }
        assert!(!text.contains("7, 7, 7, 7"), "{text}");
    }
}

async fn a_sealed_value_opens_nowhere_else(w: &World) {
    let (one, two) = (w.add(1).await, w.add(2).await);
    let sealed = async |table: &str| {
        let statement = format!("SELECT api_hash FROM credentials WHERE id = '{table}'");
        w.raw.bytes(&statement).await.remove(0)
    };
    assert_ne!(sealed(one.as_str()).await, sealed(two.as_str()).await);
    w.leave_damaged();
    // A value that somebody moved is refused, to whoever asks, instead of being handed out.
    w.raw.run("UPDATE credentials SET api_hash = (SELECT o.api_hash FROM credentials o WHERE o.api_id = 2) WHERE api_id = 1").await;
    let asked = w.ask("a", |a| a.pinned = Some(api_id(1))).await;
    assert!(matches!(asked, Err(store::allocator::Refused::Store(store::StoreError::Damaged(_)))), "{asked:?}");
    assert_eq!(w.raw.number("SELECT COUNT(*) FROM accounts").await, 0, "and nothing is bound");
    assert!(w.store.reveal(&w.tenant, &origin(), &one, "check").await.is_err());
    assert_eq!(w.ask("a", |a| a.pinned = Some(api_id(2))).await.unwrap().api_id.get(), 2);
}
