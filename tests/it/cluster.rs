//! A PostgreSQL server of a test's own. Gone when dropped.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{free_port, random_name};
use crate::small_disk::SmallDisk;

pub struct Cluster {
    dir: PathBuf,
    port: u16,
    /// Where `dir` is, when that is small.
    pub disk: Option<SmallDisk>,
}

impl Cluster {
    /// With these settings, as `-c name=value`.
    pub fn start(settings: &str) -> Self {
        Self::in_folder(Path::new("/tmp"), None, settings)
    }

    /// On a small disk.
    pub fn on(disk: SmallDisk) -> Self {
        let folder = disk.path().to_owned();
        Self::in_folder(&folder, Some(disk), "")
    }

    fn in_folder(folder: &Path, disk: Option<SmallDisk>, settings: &str) -> Self {
        let dir = folder.join(format!("api-pool-it-{}", random_name()));
        let cluster = Self { dir, port: free_port(), disk };
        let mut start = cluster.script("start");
        let started = start.arg(cluster.port.to_string()).env("PG_OPTIONS", settings).status().unwrap();
        assert!(started.success(), "PostgreSQL must start: run `make setup`");
        cluster
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// As a power cut would, nothing is brought to its end.
    pub fn crash(&self) {
        assert!(self.script("crash").status().unwrap().success(), "PostgreSQL must stop");
    }

    pub fn start_again(&self) {
        assert!(self.script("again").status().unwrap().success(), "PostgreSQL must start again");
    }

    pub fn is_up(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    fn script(&self, what: &str) -> Command {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/pg.sh");
        let mut script = self.disk.as_ref().map_or_else(|| Command::new(&path), |disk| disk.enter(&path));
        script.arg(what).arg(&self.dir);
        script
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.script("stop").status();
    }
}
