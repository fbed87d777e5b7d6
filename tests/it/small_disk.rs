//! A small disk that can be full: memory, mounted where only those see it who are let in. Gone when
//! dropped.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

pub struct SmallDisk {
    dir: TempDir,
    /// Keeps the namespace in which it is mounted, and does nothing else.
    keeper: Child,
    as_root: bool,
}

impl SmallDisk {
    pub fn new(mebibytes: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let as_root =
            Command::new("unshare").args(["--mount", "true"]).stderr(Stdio::null()).status().unwrap().success();
        let mut keeper = Command::new("unshare");
        keeper.arg("--mount");
        if !as_root {
            // Who may not mount becomes root of a namespace.
            keeper.args(["--user", "--map-root-user"]);
        }
        let script = "mount -t tmpfs -o size=$1,mode=755 tmpfs \"$0\" && echo mounted && exec sleep infinity";
        keeper.args(["sh", "-c", script]).arg(dir.path()).arg(format!("{mebibytes}m"));
        let mut keeper = keeper.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = [0; 8];
        let mounted = keeper.stdout.as_mut().unwrap().read_exact(&mut said);
        assert!(mounted.is_ok(), "this test mounts a small disk: run it as root, or where user namespaces are allowed");
        Self { dir, keeper, as_root }
    }

    /// Where it is, for those who are let in.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Lets a program in.
    pub fn enter(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={}", self.keeper.id())).arg("--mount");
        if !self.as_root {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.arg(program);
        command
    }

    /// Takes all the room that there is.
    pub fn fill(&self) {
        let mut filler = File::options().append(true).create(true).open(self.filler()).unwrap();
        loop {
            match filler.write(&[0; 4096]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Gives it back.
    pub fn free(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }

    /// From outside.
    fn filler(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.keeper.id()));
        root.join(self.dir.path().strip_prefix("/").unwrap()).join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}
