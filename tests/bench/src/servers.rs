//! The program, running, and what it uses of the machine.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use procfs::process::{Process, Status, all_processes};

/// So long they use less than a tenth of a core when nothing is to be done.
const SETTLED: Duration = Duration::from_millis(500);

/// Processes of the program on one database, with those of a PostgreSQL that works for them.
pub struct Servers {
    children: Vec<Child>,
    /// PostgreSQL's first process.
    postmaster: Option<i32>,
    pub urls: Vec<String>,
    /// Until all of them were ready.
    pub started_in: Duration,
}

/// What processes have used since they began.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Processor time, in seconds.
    pub cpu: f64,
    /// Bytes that went to the disk, or will.
    pub written: u64,
}

impl Usage {
    pub fn since(self, before: Self) -> Self {
        Self { cpu: self.cpu - before.cpu, written: self.written.saturating_sub(before.written) }
    }
}

impl Servers {
    /// Starts them one after the other, each until it says where it is.
    pub fn start(commands: Vec<Command>, postmaster: Option<i32>) -> Result<Self> {
        let started = Instant::now();
        let mut servers = Self { children: Vec::new(), postmaster, urls: Vec::new(), started_in: Duration::ZERO };
        for mut command in commands {
            let said = tempfile::NamedTempFile::new()?;
            servers.children.push(command.stdout(said.reopen()?).stderr(Stdio::inherit()).spawn()?);
            servers.urls.push(wait_for_url(&said, started)?);
        }
        servers.started_in = started.elapsed();
        Ok(servers)
    }

    fn processes(&self) -> Result<Vec<Process>> {
        let mut all = Vec::new();
        for child in &self.children {
            all.push(Process::new(child.id() as i32)?);
        }
        if let Some(postmaster) = self.postmaster {
            let is_one = |p: &Process| p.pid == postmaster || p.stat().is_ok_and(|stat| stat.ppid == postmaster);
            all.extend(all_processes()?.filter_map(std::result::Result::ok).filter(is_one));
        }
        Ok(all)
    }

    /// What they and their PostgreSQL have used so far.
    pub fn usage(&self) -> Result<Usage> {
        let mut usage = Usage::default();
        for process in self.processes()? {
            // A connection of PostgreSQL may end meanwhile.
            let (Ok(stat), Ok(io)) = (process.stat(), process.io()) else { continue };
            usage.cpu += (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
            usage.written += io.write_bytes;
        }
        Ok(usage)
    }

    /// Waits until they are done with what came before: with what is queued, and with jobs.
    pub fn settle(&self) -> Result<()> {
        let started = Instant::now();
        loop {
            let before = self.usage()?;
            std::thread::sleep(SETTLED);
            let busy = self.usage()?.since(before).cpu / SETTLED.as_secs_f64();
            if busy < 0.1 {
                return Ok(());
            }
            ensure!(started.elapsed() < Duration::from_mins(2), "the servers do not come to rest");
        }
    }

    /// The most memory that one process of the program has resident now, in MB.
    pub fn memory(&self) -> Result<f64> {
        self.most(|status| status.vmrss)
    }

    /// The most that one has had at any time.
    pub fn peak_memory(&self) -> Result<f64> {
        self.most(|status| status.vmhwm)
    }

    fn most(&self, kb: impl Fn(Status) -> Option<u64>) -> Result<f64> {
        let mut most = 0;
        for child in &self.children {
            most =
                most.max(kb(Process::new(child.id() as i32)?.status()?).context("the kernel says nothing of memory")?);
        }
        Ok(most as f64 / 1024.0)
    }
}

fn wait_for_url(said: &tempfile::NamedTempFile, started: Instant) -> Result<String> {
    loop {
        let text = std::fs::read_to_string(said.path())?;
        if let Some(url) = text.split_whitespace().find(|word| word.starts_with("http://"))
            && text.ends_with('\n')
        {
            return Ok(url.to_owned());
        }
        if started.elapsed() > Duration::from_mins(2) {
            bail!("the program does not start: {text}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for child in &mut self.children {
            // As an operator would stop it: what it has accepted is written.
            let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
            let _ = child.wait();
        }
    }
}
