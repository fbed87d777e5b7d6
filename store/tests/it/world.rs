//! A world of its own for each test: a fresh database with one store and one allocator on it, a
//! clock that only the test moves, and what tests often do.
//!
//! After each story the database is examined: the doctor must find nothing, the journal must be
//! without gaps and its back-pointers right, and no secret may stand in it.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use domain::blame::BlameConfig;
use domain::credential::Draft;
use domain::{AccountKey, ApiId, CredentialId, GroupId, MemberLevel, TenantId, Timestamp};
use futures::FutureExt;
use rand::SeedableRng;
use rand::rngs::StdRng;
use secrecy::SecretString;
use store::allocator::{
    Allocate, Allocated, Allocator, Asker, Command, Done, Refused, Release, Released, Renew, Renewed, Report, Reported,
};
use store::credentials::Credential;
use store::groups::GroupDraft;
use store::open::{Location, PoolConfig};
use store::seal::MasterKey;
use store::{Ambient, Origin, Slice, Store};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::raw::Raw;
use crate::server;

/// When every story begins.
pub const START: i64 = 1_700_000_000_000;
/// How every plain `api_hash` of these tests begins.
pub const SECRET: &str = "5ec4e75ec4e7";
/// The master key of these tests.
pub const KEY: [u8; 32] = [7; 32];

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// Makes two tests of each story: one for each database.
macro_rules! on_both {
    ($($story:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $story() { crate::world::run(crate::world::Kind::Sqlite, super::$story); })*
        }
        mod postgres {
            $(#[test] fn $story() { crate::world::run(crate::world::Kind::Postgres, super::$story); })*
        }
    };
}
pub(crate) use on_both;

/// The value that was refused, if it matches.
macro_rules! assert_refused {
    ($answer:expr, $refusal:pat $(if $guard:expr)?) => {
        match $answer {
            Err($refusal) $(if $guard)? => {}
            other => panic!("expected {}, got {other:?}", stringify!($refusal)),
        }
    };
}
pub(crate) use assert_refused;

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

/// Runs a story in a fresh world and examines what it leaves.
pub fn run(kind: Kind, story: impl AsyncFnOnce(&World)) {
    block_on(async {
        let world = World::new(kind).await;
        let told = AssertUnwindSafe(async {
            story(&world).await;
            if world.sound.load(Ordering::Relaxed) {
                world.examine().await;
            }
        });
        let outcome = told.catch_unwind().await;
        world.end(outcome.is_ok()).await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
}

/// One database with what works on it.
pub struct World {
    pub kind: Kind,
    pub location: Location,
    pub store: Store,
    pub pool: Allocator,
    pub tenant: TenantId,
    pub raw: Raw,
    clock: Arc<AtomicI64>,
    sound: AtomicBool,
    others: Mutex<Vec<Store>>,
    task: JoinHandle<()>,
    _dir: Option<TempDir>,
}

impl World {
    pub async fn new(kind: Kind) -> Self {
        let (location, dir) = match kind {
            Kind::Sqlite => {
                let dir = tempfile::tempdir().unwrap();
                let path = dir.path().join("pool.db");
                std::fs::write(&path, sqlite_template().await).unwrap();
                (Location::Sqlite(path), Some(dir))
            }
            Kind::Postgres => {
                let name = server::create(|url| Box::pin(migrate(Location::Postgres(url)))).await;
                (Location::Postgres(server::url(&name)), None)
            }
        };
        let clock = Arc::new(AtomicI64::new(START));
        let store = open(&location, &clock).await;
        let (pool, task) = Allocator::start(store.clone(), BlameConfig::default());
        Self {
            kind,
            raw: Raw::open(&location).await,
            location,
            store,
            pool,
            tenant: TenantId::from("default"),
            clock,
            sound: AtomicBool::new(true),
            others: Mutex::default(),
            task,
            _dir: dir,
        }
    }

    /// A second store on the same database, as another process would have one.
    pub async fn another_store(&self) -> Store {
        let store = open(&self.location, &self.clock).await;
        self.others.lock().unwrap().push(store.clone());
        store
    }

    async fn end(self, well: bool) {
        let Self { location, store, pool, raw, others, task, .. } = self;
        drop(pool);
        task.await.unwrap();
        for store in others.into_inner().unwrap().into_iter().chain([store]) {
            store.close().await;
        }
        raw.close().await;
        if let Location::Postgres(url) = location {
            let name = url.rsplit_once('/').unwrap().1;
            if well { server::give_back(name).await } else { server::drop(name).await }
        }
    }

    /// This story leaves the database damaged on purpose.
    pub fn leave_damaged(&self) {
        self.sound.store(false, Ordering::Relaxed);
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.load(Ordering::Relaxed))
    }

    /// Moves the clock.
    pub fn wait(&self, millis: i64) {
        self.clock.fetch_add(millis, Ordering::Relaxed);
    }

    pub fn ambient(&self) -> Ambient {
        ambient(&self.clock)
    }

    // ---- what tests often do

    pub async fn add(&self, number: i64) -> CredentialId {
        self.add_with(number, |_| {}).await
    }

    pub async fn add_with(&self, number: i64, change: impl FnOnce(&mut Draft)) -> CredentialId {
        let mut draft = draft(number);
        change(&mut draft);
        self.store.add_credential(&self.tenant, &origin(), &draft).await.unwrap()
    }

    pub async fn add_group(&self, name: &str) -> GroupId {
        self.store.add_group(&self.tenant, &origin(), &group(name)).await.unwrap()
    }

    pub async fn credential(&self, id: &CredentialId) -> Credential {
        self.store.credential(&self.tenant, id).await.unwrap()
    }

    pub fn asker(&self) -> Asker {
        Asker { tenant: self.tenant.clone(), origin: origin() }
    }

    pub async fn allocate(&self, account: &str) -> Result<Allocated, Refused> {
        self.ask(account, |_| {}).await
    }

    pub async fn ask(&self, account: &str, change: impl FnOnce(&mut Allocate)) -> Result<Allocated, Refused> {
        let mut allocate = wish(account);
        change(&mut allocate);
        match self.pool.ask(self.asker(), Command::Allocate(allocate)).await? {
            Done::Allocated(allocated) => Ok(*allocated),
            other => panic!("{other:?}"),
        }
    }

    /// The `api_id` that an account gets.
    pub async fn gets(&self, account: &str) -> i64 {
        self.allocate(account).await.unwrap().api_id.get()
    }

    pub async fn release(&self, account: &str) -> Result<Released, Refused> {
        self.let_go(Release::Account(key(account))).await
    }

    pub async fn let_go(&self, release: Release) -> Result<Released, Refused> {
        match self.pool.ask(self.asker(), Command::Release(release)).await? {
            Done::Released(released) => Ok(released),
            other => panic!("{other:?}"),
        }
    }

    pub async fn renew(&self, account: &str, ttl_millis: i64) -> Result<Renewed, Refused> {
        match self.pool.ask(self.asker(), Command::Renew(Renew { account: key(account), ttl_millis })).await? {
            Done::Renewed(renewed) => Ok(renewed),
            other => panic!("{other:?}"),
        }
    }

    pub async fn report(&self, number: i64, change: impl FnOnce(&mut Report)) -> Result<Reported, Refused> {
        let mut report = success(number);
        change(&mut report);
        match self.pool.ask(self.asker(), Command::Report(report)).await? {
            Done::Reported(reported) => Ok(reported),
            other => panic!("{other:?}"),
        }
    }

    /// A failure that an account reports.
    pub async fn fails(&self, number: i64, account: &str, error: &str) -> Reported {
        self.report(number, |r| {
            (r.success, r.error, r.account) = (false, Some(error.to_owned()), Some(key(account)));
        })
        .await
        .unwrap()
    }

    /// The actions in the journal, oldest first.
    pub async fn actions(&self) -> Vec<String> {
        let rows = self.raw.all::<(String,)>("SELECT action FROM journal ORDER BY seq").await;
        rows.into_iter().map(|row| row.0).collect()
    }

    /// How often an action stands in the journal.
    pub async fn count(&self, action: &str) -> i64 {
        self.raw.number(&format!("SELECT COUNT(*) FROM journal WHERE action = '{action}'")).await
    }

    /// The particulars of the newest row of an action.
    pub async fn newest(&self, action: &str) -> serde_json::Value {
        let select =
            format!("SELECT COALESCE(data, 'null') FROM journal WHERE action = '{action}' ORDER BY seq DESC LIMIT 1");
        serde_json::from_str(&self.raw.all::<(String,)>(&select).await[0].0).unwrap()
    }
}

fn ambient(clock: &Arc<AtomicI64>) -> Ambient {
    // Two stores must never draw the same numbers.
    static SEED: AtomicU64 = AtomicU64::new(1);
    let clock = Arc::clone(clock);
    let rng = StdRng::seed_from_u64(SEED.fetch_add(1, Ordering::Relaxed));
    Ambient::new(move || Timestamp::from_millis(clock.load(Ordering::Relaxed)), rng)
}

async fn open(location: &Location, clock: &Arc<AtomicI64>) -> Store {
    let keys = vec![MasterKey::new(1, KEY)];
    Store::open(location, PoolConfig::default(), keys, ambient(clock)).await.unwrap()
}

/// Makes and migrates a database.
async fn migrate(location: Location) {
    open(&location, &Arc::new(AtomicI64::new(START))).await.close().await;
}

/// A migrated file without contents, made once.
async fn sqlite_template() -> &'static [u8] {
    static TEMPLATE: OnceLock<Vec<u8>> = OnceLock::new();
    let make = || {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("template.db");
        block_on(migrate(Location::Sqlite(path.clone())));
        std::fs::read(path).unwrap()
    };
    tokio::task::spawn_blocking(move || TEMPLATE.get_or_init(make)).await.unwrap()
}

pub fn origin() -> Origin {
    Origin { actor: "user:tester".into(), ip: Some("192.0.2.1".into()), request_id: Some("req-1".into()), once: None }
}

pub fn key(account: &str) -> AccountKey {
    AccountKey::parse("account_id", account).unwrap()
}

pub fn api_id(number: i64) -> ApiId {
    ApiId::new(number).unwrap()
}

/// The plain secret of a credential of these tests: 32 digits, as is usual.
pub fn hash_of(number: i64) -> String {
    format!("{SECRET}{number:020}")
}

pub fn draft(number: i64) -> Draft {
    Draft {
        api_id: api_id(number),
        api_hash: SecretString::from(hash_of(number)),
        name: format!("app {number}"),
        max_accounts: 5,
        group_id: None,
        priority: 0,
        is_premium: false,
        min_member_level: MemberLevel::Free,
        tags: Vec::new(),
        source_phone: None,
        note: None,
    }
}

pub fn group(name: &str) -> GroupDraft {
    GroupDraft {
        name: name.to_owned(),
        description: None,
        color: None,
        strategy: None,
        attributes: serde_json::json!({}),
    }
}

/// Two rows of a short list, and one more if there is one: the oldest behind `after`.
pub fn slice(after: Option<&str>) -> Slice {
    Slice { after: after.map(str::to_owned), limit: 2, ..Slice::default() }
}

pub fn wish(account: &str) -> Allocate {
    Allocate::new(key(account))
}

pub fn success(number: i64) -> Report {
    Report {
        api_id: api_id(number),
        success: true,
        error: None,
        account: None,
        proxy_id: None,
        latency_ms: None,
        result_id: None,
        at: None,
    }
}
