//! The disk under a SQLite database, seen through a library that stands before the program
//! (`disk.c`): it can be slow, and it can lose power.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use rand::RngExt;
use rand::rngs::StdRng;

use crate::harness::{PATIENCE, Place};

/// The database's files, by the numbers that the library gives them.
const FILES: [&str; 2] = ["pool.db", "pool.db-wal"];
const DATABASE: usize = 0;
/// What a disk writes whole or not at all.
const SECTOR: u64 = 512;

pub struct Disk {
    folder: PathBuf,
    library: PathBuf,
    record: PathBuf,
    lies: PathBuf,
}

impl Disk {
    /// Under the database of this place.
    pub fn new(place: &Place) -> Self {
        let folder = place.dir.path().canonicalize().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/storm/disk.c");
        let library = folder.join("disk.so");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).args(["-ldl", "-lpthread"]);
        assert!(cc.status().expect("cc is there, as Rust needs it to link").success());
        let (record, lies) = (folder.join("record"), folder.join("lies"));
        Self { folder, library, record, lies }
    }

    /// A sync takes so much longer.
    pub fn slow(&self, command: &mut Command, milliseconds: u32) {
        command.env("LD_PRELOAD", &self.library).env("DISK_DATABASE", self.folder.join(FILES[DATABASE]));
        command.env("DISK_SYNC_MS", milliseconds.to_string());
    }

    /// What is written is recorded, so that it can be lost.
    pub fn recorded(&self, command: &mut Command) -> Record {
        command.env("DISK_RECORD", &self.record).env("DISK_LIES", &self.lies);
        Record { from: File::create_new(&self.record).unwrap(), rest: Vec::new(), unsynced: BTreeMap::new() }
    }

    /// From now on syncs do nothing.
    pub fn lie(&self) {
        File::create_new(&self.lies).unwrap();
    }

    /// Copies the database as the program sees it. The program must not run.
    pub fn copy_to(&self, place: &Place) {
        for name in FILES {
            fs::copy(self.folder.join(name), place.dir.path().join(name)).unwrap();
        }
    }
}

/// A write, or the cutting off of a file's end.
struct Change {
    file: usize,
    offset: u64,
    /// How much was written.
    span: u64,
    /// The file's length before.
    length: u64,
    /// What stood there.
    before: Vec<u8>,
}

/// What was done to the database's files.
pub struct Record {
    from: File,
    /// The beginning of an entry that is not all there.
    rest: Vec<u8>,
    /// What no sync has followed yet, by its number.
    unsynced: BTreeMap<u64, Change>,
}

impl Record {
    /// Reads what has come in.
    pub fn read(&mut self) {
        self.from.read_to_end(&mut self.rest).unwrap();
        let mut at = 0;
        while let Some(length) = self.enter(at) {
            at += length;
        }
        self.rest.drain(..at);
    }

    /// Takes in the entry there; its length, when it is all there.
    fn enter(&mut self, at: usize) -> Option<usize> {
        const HEAD: usize = 7 * 8;
        let head = self.rest.get(at..at + HEAD)?;
        let field = |n: usize| u64::from_ne_bytes(head[n * 8..(n + 1) * 8].try_into().unwrap());
        let (is_sync, number, file) = (field(0) == 1, field(1), field(2) as usize);
        let (offset, span, length, kept) = (field(3), field(4), field(5), field(6) as usize);
        let before = self.rest.get(at + HEAD..at + HEAD + kept)?.to_vec();
        if is_sync {
            self.unsynced.retain(|made, change| change.file != file || *made > number);
        } else {
            self.unsynced.insert(number, Change { file, offset, span, length, before });
        }
        Some(HEAD + kept)
    }

    /// How many changes a power cut may take.
    pub fn unsynced(&self) -> usize {
        self.unsynced.len()
    }

    /// Whether a checkpoint is under way: something else but the log has changed.
    pub fn is_checkpointing(&self) -> bool {
        self.unsynced.values().any(|change| change.file == DATABASE)
    }

    /// Takes back in a copy what a power cut takes: of whatever no sync has followed each sector may be
    /// as before, with this likelihood. The newest go first, so that what is left in a sector is
    /// always something that stood there.
    pub fn lose(&self, copy: &Place, likelihood: f64, chance: &mut StdRng) {
        let files = FILES.map(|name| File::options().write(true).open(copy.dir.path().join(name)).unwrap());
        for change in self.unsynced.values().rev() {
            for (from, until) in change.sectors().into_iter().rev() {
                if chance.random_bool(likelihood) {
                    change.undo(&files[change.file], from, until);
                }
            }
        }
    }
}

impl Change {
    /// Cut into what a disk writes at once.
    fn sectors(&self) -> Vec<(u64, u64)> {
        let end = self.offset + self.span.max(self.before.len() as u64);
        let starts = (self.offset / SECTOR..end.div_ceil(SECTOR)).map(|sector| sector * SECTOR);
        starts.map(|start| (start.max(self.offset), (start + SECTOR).min(end))).collect()
    }

    /// Between the two, the file is as before.
    fn undo(&self, file: &File, from: u64, until: u64) {
        let known = self.offset + self.before.len() as u64;
        if from < known {
            let bytes = &self.before[(from - self.offset) as usize..(until.min(known) - self.offset) as usize];
            file.write_all_at(bytes, from).unwrap();
        }
        // Behind the former end: the file has not grown yet, or it has and nothing is in it.
        let behind = from.max(self.length);
        if until > behind {
            if file.metadata().unwrap().len() == until {
                file.set_len(behind).unwrap();
            } else {
                file.write_all_at(&vec![0; (until - behind) as usize], behind).unwrap();
            }
        }
    }
}

/// Stops a process where it stands, every thread of it.
pub fn freeze(pid: u32) {
    signal("-STOP", pid);
    let started = Instant::now();
    let stands = |thread: fs::DirEntry| {
        // A thread may end in between.
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('T'))
    };
    while !fs::read_dir(format!("/proc/{pid}/task")).unwrap().all(|thread| stands(thread.unwrap())) {
        assert!(started.elapsed() < PATIENCE, "it does not stop");
        std::thread::yield_now();
    }
}

/// And lets it go on.
pub fn thaw(pid: u32) {
    signal("-CONT", pid);
}

fn signal(name: &str, pid: u32) {
    let mut kill = Command::new("kill");
    assert!(kill.args([name, &pid.to_string()]).stdin(Stdio::null()).status().unwrap().success());
}
