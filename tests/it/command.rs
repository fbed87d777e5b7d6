//! The command line: what stops a start, what each command does, and who wins: default, file,
//! environment, flags.

mod copy;
mod roles;
mod start;
mod work;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::harness::Place;

/// Runs a command to its end with this on its standard input.
pub fn with_input(place: &Place, args: &[&str], input: &str) -> Output {
    let mut command = place.command();
    command.args(args);
    feed(command, input)
}

pub fn feed(mut command: Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// It ended well; what it printed.
#[track_caller]
pub fn done(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(output), stderr(output));
    stdout(output)
}

/// It did not start: exactly one line that names the thing, and exit code 2.
#[track_caller]
pub fn refused(output: &Output, named: &str) -> String {
    let line = stderr(output);
    assert_eq!((output.status.code(), stdout(output).as_str()), (Some(2), ""), "{line}");
    assert_eq!(line.trim_end().lines().count(), 1, "{line}");
    assert!(line.starts_with("api-pool: ") && line.contains(named), "{named}: {line}");
    line
}
