//! Starts the real program on a database of its own and talks to it.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cluster::Cluster;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_api-pool");
pub const PASSWORD: &str = "correct horse battery";
pub const MASTER_KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
/// How long anything may take before a test calls it hung.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// A fresh database, and a folder for everything else. Gone when dropped.
pub struct Place {
    pub kind: Kind,
    pub dir: TempDir,
    pub url: Option<String>,
    pub cluster: Option<Cluster>,
}

impl Place {
    pub async fn new(kind: Kind) -> Self {
        match (kind, std::env::var("TEST_DATABASE_URL")) {
            (Kind::Sqlite, _) => Self { kind, dir: tempfile::tempdir().unwrap(), url: None, cluster: None },
            // The server that `make test` has started.
            (Kind::Postgres, Ok(server)) => Self::at(&server, None).await,
            (Kind::Postgres, Err(_)) => Self::on(Cluster::start("")).await,
        }
    }

    /// On a PostgreSQL of its own.
    pub async fn on(cluster: Cluster) -> Self {
        Self::at(&cluster.url(), Some(cluster)).await
    }

    async fn at(server: &str, cluster: Option<Cluster>) -> Self {
        let name = format!("it_{}", random_name());
        let mut admin = <sqlx::PgConnection as sqlx::Connection>::connect(server).await.unwrap();
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::query(create).execute(&mut admin).await.unwrap();
        let (base, _) = server.rsplit_once('/').unwrap();
        let url = Some(format!("{base}/{name}"));
        Self { kind: Kind::Postgres, dir: tempfile::tempdir().unwrap(), url, cluster }
    }

    pub fn database(&self) -> PathBuf {
        self.dir.path().join("pool.db")
    }

    /// The program with this place's environment and nothing else's.
    pub fn command(&self) -> Command {
        self.prepared(Command::new(PROGRAM))
    }

    /// The same for a command that runs the program.
    pub fn prepared(&self, mut command: Command) -> Command {
        command.env_clear().current_dir(self.dir.path()).stdin(Stdio::null());
        command.env("PATH", std::env::var("PATH").unwrap_or_default());
        command.env("DATABASE_PATH", self.database()).env("HTTP_PORT", "0").env("LOG_LEVEL", "info");
        command.env("METRICS_PORT", "0");
        command.env("API_POOL_MASTER_KEY", MASTER_KEY).env("API_POOL_ADMIN_PASSWORD", PASSWORD);
        if let Some(url) = &self.url {
            command.env("DATABASE_URL", url);
        }
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command().args(args).output().unwrap()
    }

    pub async fn serve(&self) -> Server {
        self.start("serve").await
    }

    pub async fn start(&self, role: &str) -> Server {
        let mut command = self.command();
        command.arg(role);
        Server::spawn(command, self.dir.path()).await
    }

    /// `doctor` finds nothing.
    pub fn assert_sound(&self) {
        assert_sound(self.command());
    }
}

/// `doctor` finds nothing, by this command.
pub fn assert_sound(mut command: Command) {
    let output = command.arg("doctor").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "doctor: {text}{}", String::from_utf8_lossy(&output.stderr));
}

/// The program, running. Killed when dropped.
pub struct Server {
    child: Child,
    pub base: String,
    pub stdout: PathBuf,
    pub stderr: PathBuf,
}

impl Server {
    /// Starts it and waits until it says that it is ready.
    pub async fn spawn(mut command: Command, dir: &Path) -> Self {
        let name = random_name();
        let (stdout, stderr) = (dir.join(format!("{name}.out")), dir.join(format!("{name}.err")));
        command.stdout(File::create(&stdout).unwrap()).stderr(File::create(&stderr).unwrap());
        let mut server = Self { child: command.spawn().unwrap(), base: String::new(), stdout, stderr };
        let started = Instant::now();
        loop {
            let text = server.printed();
            if let Some(line) = text.lines().find(|l| l.starts_with("API Pool is ready at ")) {
                server.base = line.split_whitespace().nth(5).unwrap().to_owned();
                return server;
            }
            if text.starts_with("working on") {
                return server;
            }
            let ended = server.child.try_wait().unwrap();
            assert!(ended.is_none() && started.elapsed() < PATIENCE, "not started: {text}{}", server.logged());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn printed(&self) -> String {
        std::fs::read_to_string(&self.stdout).unwrap_or_default()
    }

    pub fn logged(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// As a power cut would: kill -9.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As an operator would: SIGTERM, and wait until it has ended well.
    pub async fn stop(self) {
        self.terminate();
        self.ended().await;
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the kernel says of it, memory included.
    pub fn status(&self) -> procfs::process::Status {
        procfs::process::Process::new(self.child.id() as i32).unwrap().status().unwrap()
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    /// Waits until it has ended well.
    pub async fn ended(mut self) {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "{status}: {}", self.logged());
                return;
            }
            assert!(started.elapsed() < PATIENCE, "does not stop: {}", self.logged());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Without credentials.
    pub fn anonymous(&self) -> Api {
        Api { client: Client::new(), base: self.base.clone(), headers: Vec::new() }
    }

    /// Signed in as the first owner.
    pub async fn owner(&self) -> Api {
        self.sign_in("admin", PASSWORD).await
    }

    pub async fn sign_in(&self, username: &str, password: &str) -> Api {
        let api = self.anonymous();
        let body = json!({ "username": username, "password": password });
        let token = api.ok("POST", "/api/admin/login", body).await["token"].as_str().unwrap().to_owned();
        api.with("authorization", &format!("Bearer {token}"))
    }

    /// As a service with these scopes.
    pub async fn service(&self, scopes: &[&str]) -> Api {
        let body = json!({ "product": "it", "scopes": scopes });
        let issued = self.owner().await.ok("POST", "/api/admin/service-tokens", body).await;
        self.anonymous().with("x-service-token", issued["token"].as_str().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.logged();
            let troubles: Vec<&str> = log.lines().filter(|l| l.contains("WARN") || l.contains("ERROR")).collect();
            let last = &troubles[troubles.len().saturating_sub(20)..];
            eprintln!("{} had {} troubles, the last: {last:#?}", self.base, troubles.len());
        }
    }
}

/// A client of the API.
#[derive(Clone)]
pub struct Api {
    pub client: Client,
    pub base: String,
    headers: Vec<(String, String)>,
}

impl Api {
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut api = self.clone();
        api.headers.push((name.to_owned(), value.to_owned()));
        api
    }

    /// What this caller sends of a header.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The same caller at another process.
    pub fn at(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method, format!("{}{path}", self.base)).timeout(PATIENCE);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request
    }

    /// A request as it goes over the wire, for those who send it in pieces or do not wait.
    pub fn wire(&self, method: &str, path: &str, body: &Value) -> String {
        let host = self.base.trim_start_matches("http://");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers: String = self.headers.iter().flat_map(|(name, value)| [name, ": ", value, "\r\n"]).collect();
        let length = body.len();
        format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\n{headers}content-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
    }

    /// Sends JSON (`Null` sends no body); the status and the body. `Err` when nobody answers.
    pub async fn send(&self, method: &str, path: &str, body: Value) -> reqwest::Result<(StatusCode, Value)> {
        let mut request = self.request(method, path);
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let status = response.status();
        let bytes = response.bytes().await?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    /// The `data` of a success.
    pub async fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.send(method, path, body).await.unwrap();
        assert!(status.is_success() && answer["success"] == true, "{method} {path}: {status} {answer}");
        answer["data"].clone()
    }

    /// A failure with this status and number; the whole body.
    pub async fn fails(&self, method: &str, path: &str, body: Value, status: u16, number: u16) -> Value {
        let (got, answer) = self.send(method, path, body).await.unwrap();
        assert_eq!(
            (got.as_u16(), answer["error"]["number"].as_u64()),
            (status, Some(number.into())),
            "{method} {path}: {answer}"
        );
        assert_eq!(answer["success"], false);
        answer
    }

    /// All rows of a list, page by page. `path` has a query already.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.ok("GET", &format!("{path}&limit=500{cursor}"), Value::Null).await;
            rows.extend(page["items"].as_array().unwrap().iter().cloned());
            let Some(next) = page["next_cursor"].as_str() else { return rows };
            cursor = format!("&cursor={next}");
        }
    }

    pub async fn allocate(&self, account: &str) -> reqwest::Result<(StatusCode, Value)> {
        self.send("POST", "/api/admin/api-pool/allocate", json!({ "account_id": account })).await
    }

    /// Imports `count` credentials with ids from `first` on.
    pub async fn import(&self, first: usize, count: usize, slots: usize) -> Value {
        self.ok("POST", "/api/admin/api-pool/batch", upload(first, count, slots)).await
    }
}

/// An upload of `count` credentials with ids from `first` on.
pub fn upload(first: usize, count: usize, slots: usize) -> Value {
    let lines = (first..first + count).map(|id| format!("{id},{},cred-{id},{slots}", api_hash(id)));
    let data: Vec<String> = std::iter::once("api_id,api_hash,name,max_accounts".to_owned()).chain(lines).collect();
    json!({ "format": "csv", "data": data.join("\n") })
}

/// The hash that [`upload`] gives an id.
pub fn api_hash(api_id: usize) -> String {
    format!("{:032x}", api_id * 7919)
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub fn random_name() -> String {
    use rand::RngExt;
    #[allow(clippy::disallowed_methods, reason = "names of throwaway things")]
    let number: u64 = rand::rng().random();
    format!("{number:016x}")
}

/// Runs an async test on both databases.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::harness::Kind::Sqlite).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::harness::Kind::Postgres).await;
            })*
        }
    };
}
