//! What the stories share: jobs that tell what happens to them, processes that do them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::{AccountKey, ApiId, CredentialId, MemberLevel, TenantId};
use jobs::{Envelope, Job, Queue, Spec};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::allocator::{Allocate, Allocator, Answer, Asker, Command};
use store::queue::Options;
use store::{Origin, Store};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use workers::{Context, Registry, WorkerConfig};

/// A job with a name of its own and little patience.
macro_rules! test_job {
    ($(#[$doc:meta])* $name:ident, $text:literal, $queue:ident, $attempts:literal, $schedule:expr) => {
        $(#[$doc])*
        #[derive(Debug, Default, Serialize, Deserialize)]
        pub struct $name {}

        impl Job for $name {
            const SPEC: Spec = Spec {
                name: $text,
                description: "",
                queue: Queue::$queue,
                priority: 5,
                max_attempts: $attempts,
                timeout: Duration::from_millis(900),
                backoff: Duration::from_secs(1),
                schedule: $schedule,
            };
        }
    };
}

test_job!(
    /// Notes that it ran.
    Touch, "test_touch", Quick, 3, None
);
test_job!(
    /// Notes that it ran, every second.
    Chime, "test_chime", Deliver, 3, Some("* * * * * *")
);
test_job!(Fail, "test_fail", Network, 3, None);
test_job!(Panic, "test_panic", Network, 2, None);
test_job!(Hang, "test_hang", Network, 2, None);
test_job!(Away, "test_away", Network, 2, None);
test_job!(Hopeless, "test_hopeless", Network, 5, None);
test_job!(
    /// Takes its time, the first time for ever.
    Slow, "test_slow", Network, 3, None
);

/// When which job ran.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<(&'static str, Instant)>>>);

impl Log {
    pub fn note(&self, what: &'static str) {
        self.0.lock().unwrap().push((what, Instant::now()));
    }

    pub fn times(&self, what: &str) -> Vec<Instant> {
        self.0.lock().unwrap().iter().filter(|(name, _)| *name == what).map(|(_, at)| *at).collect()
    }

    /// Waits until it happened so often.
    pub async fn wait(&self, what: &str, often: usize, patience: Duration) -> Instant {
        let start = Instant::now();
        loop {
            if let Some(at) = self.times(what).get(often - 1) {
                return *at;
            }
            assert!(start.elapsed() < patience, "{what} did not happen {often} times: {self:?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// The product's jobs, and one that notes its runs.
    pub fn registry(&self) -> Registry {
        let log = self.clone();
        Registry::standard().with(move |_, _: Touch| {
            log.note(Touch::SPEC.name);
            std::future::ready(Ok(()))
        })
    }
}

/// A process that does jobs. Dropped without [`Process::stop`], it is dead.
pub struct Process {
    cancel: CancellationToken,
    running: Option<JoinHandle<workers::Result<()>>>,
}

impl Process {
    /// Looks for other processes' jobs as often as can be, unless told how often.
    pub fn start(store: &Store, registry: Registry) -> Self {
        Self::start_polling(store, registry, Duration::from_millis(500))
    }

    pub fn start_polling(store: &Store, registry: Registry, poll: Duration) -> Self {
        Self::start_with(
            store,
            registry,
            WorkerConfig { heartbeat: Duration::from_secs(1), poll, ..WorkerConfig::default() },
        )
    }

    pub fn start_with(store: &Store, registry: Registry, config: WorkerConfig) -> Self {
        let context = Context { store: store.clone(), config, run: None };
        let cancel = CancellationToken::new();
        let running = tokio::spawn(workers::run_with(context, registry, "test".to_owned(), cancel.clone()));
        Self { cancel, running: Some(running) }
    }

    pub fn is_running(&self) -> bool {
        self.running.as_ref().is_some_and(|running| !running.is_finished())
    }

    pub async fn stop(mut self) {
        self.cancel.cancel();
        self.running.take().unwrap().await.unwrap().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.abort();
        }
    }
}

pub async fn enqueue<J: Job>(store: &Store, job: &J) -> String {
    store.enqueue(&J::SPEC, &Envelope::wrap(job).unwrap(), &Options::default()).await.unwrap()
}

/// Waits until a question is answered with that number.
pub async fn until(store: &Store, sql: &str, expected: i64, patience: Duration) {
    let start = Instant::now();
    loop {
        let found = crate::databases::count(store, sql).await;
        if found == expected {
            return;
        }
        assert!(start.elapsed() < patience, "{sql}: {found} instead of {expected}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub fn tenant() -> TenantId {
    TenantId::default()
}

pub async fn add_credential(store: &Store, api_id: i64, slots: i64) -> CredentialId {
    let draft = domain::credential::Draft {
        api_id: ApiId::new(api_id).unwrap(),
        api_hash: SecretString::from(format!("{api_id:032x}")),
        name: format!("app-{api_id}"),
        max_accounts: slots,
        group_id: None,
        priority: 0,
        is_premium: false,
        min_member_level: MemberLevel::Free,
        tags: Vec::new(),
        source_phone: None,
        note: None,
    };
    store.add_credential(&tenant(), &Origin::internal("user:test"), &draft).await.unwrap()
}

pub fn asker() -> Asker {
    Asker { tenant: tenant(), origin: Origin::internal("svc:test") }
}

/// Gives slots to the accounts of these numbers.
pub async fn allocate(allocator: &Allocator, accounts: std::ops::Range<u32>, ttl_millis: Option<i64>) {
    let commands = accounts.map(|n| {
        Command::Allocate(Allocate {
            account: AccountKey::parse("account", &format!("account-{n}")).unwrap(),
            strategy: None,
            group: None,
            pinned: None,
            level: MemberLevel::Free,
            fresh: false,
            ttl_millis,
        })
    });
    let answers: Vec<Answer> = allocator.ask_all(&asker(), commands.collect()).await;
    for answer in answers {
        answer.unwrap();
    }
}
