//! `serve`, `api` and `worker`: start the parts, and stop them in two stages.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use api::{ApiConfig, AppState};
use domain::TenantId;
use domain::access::Role as UserRole;
use secrecy::ExposeSecret;
use store::allocator::Allocator;
use store::open::Location;
use store::{Origin, Store, StoreError};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use workers::{Context as WorkerContext, WorkerConfig};

use crate::config::Config;
use crate::metrics::{self, Metrics};
use crate::{pages, server};

/// Requests that run may take this long after the signal to stop.
const GRACE: Duration = Duration::from_secs(30);

/// What the allocator has accepted is decided within this time, or given up.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// What this process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Serve,
    /// API and dashboard.
    Api,
    /// Workers.
    Worker,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Api => "api",
            Self::Worker => "worker",
        }
    }
}

/// Runs until a signal says stop, or a part that must not end does.
pub async fn run(config: Config, store: Store, location: Location, role: Role) -> anyhow::Result<ExitCode> {
    // Each client is an open file; the usual limit of a thousand is soon reached.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    let stop = CancellationToken::new();
    let mut signals = Signals::listen(stop.clone())?;
    if role == Role::Worker && config.read_only {
        bail!("a worker has nothing to do while the pool is read-only");
    }
    let upkeep = (!config.read_only).then(|| tokio::spawn(store::checkpoint::checkpoint(store.clone(), stop.clone())));
    let works = role != Role::Api && !config.read_only;
    let workers = works.then(|| start_workers(&config, &store, stop.clone()));
    if role == Role::Worker {
        let metrics = Metrics::new(store.clone(), location.clone(), role.name(), |_| {});
        metrics::serve(&config, metrics, stop.clone()).await?;
        println!("working on {}", location.describe());
        signals.come().await;
    } else {
        serve(&config, &store, &location, role, &mut signals).await?;
    }
    stop.cancel();
    if let Some(workers) = workers {
        workers.await.context("the workers stopped badly")??;
    }
    if let Some(upkeep) = upkeep {
        upkeep.await.context("the upkeep stopped badly")?;
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

fn start_workers(config: &Config, store: &Store, stop: CancellationToken) -> JoinHandle<workers::Result<()>> {
    let config =
        WorkerConfig { health: config.health, samples: config.sample_api_ids.clone(), ..WorkerConfig::default() };
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let node = format!("{}-{}", host.trim(), std::process::id());
    let context = WorkerContext { store: store.clone(), config, run: None };
    // When they end by themselves, the process ends: better started again than left without them.
    let alone = stop.clone().drop_guard();
    tokio::spawn(async move {
        let _alone = alone;
        workers::run(context, node, stop).await
    })
}

/// Serves until a signal; then says that it is not ready, for as long as is configured, takes no new
/// connections, finishes what runs, and lets the allocator answer all that it has accepted.
async fn serve(
    config: &Config,
    store: &Store,
    location: &Location,
    role: Role,
    signals: &mut Signals,
) -> anyhow::Result<()> {
    let address = format!("{}:{}", config.http_host, config.http_port);
    let listener = TcpListener::bind(&address).await.with_context(|| format!("cannot listen on {address}"))?;
    // Behind the port, so that a start that fails there leaves nothing behind.
    first_owner(config, store).await?;
    let (allocator, mut allocating) = Allocator::start(store.clone(), config.blame);
    let counted = allocator.metrics().clone();
    let app = AppState::new(
        store.clone(),
        allocator,
        ApiConfig {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            samples: config.sample_api_ids.clone(),
            secure_cookies: config.secure_cookies,
            trusted_proxies: config.trusted_proxies.clone(),
        },
    );
    let metrics = Metrics::new(store.clone(), location.clone(), role.name(), |registry| {
        app.metrics().register(registry);
        counted.register(registry);
    });
    metrics::serve(config, metrics, signals.stop.clone()).await?;
    let router = api::router(app.clone(), Some(pages::router()));
    println!("API Pool is ready at http://{} on {}", listener.local_addr()?, location.describe());

    let ended = CancellationToken::new();
    let noting = tokio::spawn(store.clone().gather_refusals(ended.clone()));
    let stopping = CancellationToken::new();
    let mut server = tokio::spawn(server::serve(listener, router, stopping.clone()));
    tokio::select! {
        ended = &mut server => return ended.context("the server stopped badly"),
        // Without it every request would be told to try again, for ever.
        ended = &mut allocating => return Err(ended.err().map_or_else(|| anyhow!("it ended"), Into::into))
            .context("the allocator stopped badly"),
        () = signals.come() => {}
    }
    tracing::info!("stopping: requests that run are finished first");
    app.drain();
    tokio::time::sleep(Duration::from_secs(config.drain_seconds.into())).await;
    stopping.cancel();
    if tokio::time::timeout(GRACE, &mut server).await.is_err() {
        tracing::warn!("some requests were still running and are given up");
        server.abort();
    }
    ended.cancel();
    noting.await.context("refusals were not noted to the end")?;
    // The last handle: with it the allocator's queue closes, and the task ends when it is empty.
    drop(app);
    if tokio::time::timeout(LAST_ANSWERS, allocating).await.is_err() {
        tracing::warn!("the allocator did not come to an end");
    }
    Ok(())
}

/// The first start makes the owner. A password that nobody has chosen is printed once.
async fn first_owner(config: &Config, store: &Store) -> anyhow::Result<()> {
    if store.is_read_only() || store.has_owner().await? {
        return Ok(());
    }
    let chosen = config.admin_password.clone();
    let password = match &chosen {
        Some(password) => password.clone(),
        None => store.random_password(),
    };
    let added = store
        .add_user(&TenantId::default(), &Origin::internal("cli"), &config.admin_username, &password, UserRole::Owner)
        .await;
    match added {
        Ok(_) if chosen.is_some() => {
            println!("First start: sign in as {} with the password you chose", config.admin_username);
        }
        Ok(_) => {
            println!("First start: sign in as {}", config.admin_username);
            println!("The password is shown only now: {}", password.expose_secret());
        }
        Err(StoreError::AlreadyExists(_)) if store.has_owner().await? => {
            tracing::debug!("another process of the same first start was faster");
        }
        Err(StoreError::AlreadyExists(_)) => bail!(
            "there is no owner yet, and {} is somebody else; choose a name with API_POOL_ADMIN_USERNAME",
            config.admin_username
        ),
        Err(error) => return Err(error).context("the first owner could not be made"),
    }
    Ok(())
}

/// What says stop: a signal, or a part of the process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    stop: CancellationToken,
}

impl Signals {
    /// From now on they are kept for [`Signals::come`]; before, they would end the process at once.
    fn listen(stop: CancellationToken) -> anyhow::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())?, stop })
    }

    async fn come(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            () = self.stop.cancelled() => {}
        }
        // The workers stop beside the server, not behind it.
        self.stop.cancel();
    }
}
