//! What stops a start: one clear line that names the thing, exit code 2, and no secret in it.

use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use super::{done, refused};
use crate::harness::{Kind, Place};

const SECRET: &str = "hunter2-hunter2";

/// Runs with a change of the environment; no secret is ever printed.
fn run(place: &Place, args: &[&str], change: impl FnOnce(&mut Command)) -> Output {
    let mut command = place.command();
    command.args(args);
    change(&mut command);
    let output = command.output().unwrap();
    let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    assert!(!String::from_utf8_lossy(&all).contains(SECRET), "{}", String::from_utf8_lossy(&all));
    output
}

fn file(place: &Place, text: &str) -> String {
    let path = place.dir.path().join("pool.toml");
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[tokio::test]
async fn help_and_version_are_answers() {
    let place = Place::new(Kind::Sqlite).await;
    let version = done(&place.run(&["--version"]));
    assert!(version.starts_with("api-pool ") && version.trim().chars().last().unwrap().is_ascii_digit());
    let help = done(&place.run(&["--help"]));
    for word in
        ["serve", "api", "worker", "migrate", "import", "export", "user", "token", "doctor", "openapi", "--http-port"]
    {
        assert!(help.contains(word), "{word}");
    }
    for command in ["serve", "import", "user", "token"] {
        assert!(done(&place.run(&[command, "--help"])).contains("Usage: api-pool "), "{command}");
    }
    // Without a command one is told what there is.
    let output = place.run(&[]);
    assert!(output.status.code() == Some(2) && super::stderr(&output).contains("Usage: api-pool"));
    assert!(!place.database().exists(), "nothing was opened");
}

#[tokio::test]
async fn unknown_keys_and_bad_values() {
    let place = Place::new(Kind::Sqlite).await;
    let with = |name: &str, value: &str| {
        run(&place, &["migrate"], |command| {
            command.env(name, value);
        })
    };
    refused(&with("API_POOL_HTPP_PORT", SECRET), "htpp_port");
    refused(&with("API_POOL_CAPACITY__WARNIN_PERCENT", "1"), "capacity.warnin_percent");
    for port in ["70000", "-1", "http", "80.5", SECRET] {
        refused(&with("HTTP_PORT", port), "http_port");
    }
    refused(&with("LOG_LEVEL", "loud"), "log_level");
    refused(&with("LOG_FORMAT", "xml"), "log_format");
    refused(&with("API_POOL_DATABASE_CONNECTIONS", "0"), "database_connections");
    refused(&with("API_POOL_CAPACITY__WARNING_PERCENT", "101"), "capacity.warning_percent");
    refused(&with("API_POOL_RETENTION__JOBS_DAYS", "0"), "retention.jobs_days");
    refused(&with("API_POOL_HEALTH__LOWER_QUANTILE", "5"), "health.lower_quantile");
    refused(&with("API_POOL_HEALTH__HALF_LIFE", "5"), "health.half_life");
    refused(&with("API_POOL_BLAME__PEER_FLOOD_SECONDS", "0"), "blame.peer_flood_seconds");
    refused(&with("API_POOL_MASTER_KEY", SECRET), "API_POOL_MASTER_KEY");
    for (name, refuses) in [("HTTP_HOST", true), ("API_POOL_ADMIN_PASSWORD", true), ("SOMEBODY_ELSES", false)] {
        let output = run(&place, &["export", "--format", "csv"], |command| {
            command.env(name, OsStr::from_bytes(b"\xff")).env("HTTP_PORT", "-1");
        });
        refused(&output, if refuses { name } else { "http_port" });
    }

    for (args, named) in [
        (vec!["doctor", "--htpp-port", "1"], "--htpp-port"),
        (vec!["doctor", "--admin-password=hunter2-hunter2"], "--admin-password"),
        (vec!["doctor", "--http-port", "70000"], "--http-port"),
        (vec!["doctor", "--http-port"], "--http-port"),
        (vec!["doctor", "--log-level", "loud"], "log_level"),
        (vec!["explode"], "explode"),
        (vec!["import"], "<FILE>"),
        (vec!["import", "x", "--format", "xlsx"], "--format"),
        (vec!["export", "--format", "xml"], "--format"),
        (vec!["user", "add", "x", "--role", "emperor"], "--role"),
        (vec!["token", "issue", "x", "--scopes", "everything"], "--scopes"),
    ] {
        refused(&run(&place, &args, |_| {}), named);
    }

    for (text, named) in [
        ("htpp_port = 1".to_owned(), "htpp_port"),
        ("[capacity]\nwarnin = 1".to_owned(), "capacity.warnin"),
        (format!("database_connections = \"{SECRET}\""), "database_connections"),
        (format!("master_key = \"{SECRET}"), "pool.toml"),
        (format!("master_key = {SECRET}"), "pool.toml"),
        ("http_port = 1\nhttp_port = 2".to_owned(), "pool.toml"),
        ("http_port".to_owned(), "pool.toml"),
    ] {
        let path = file(&place, &text);
        refused(&run(&place, &["--config", &path, "doctor"], |_| {}), named);
    }
    refused(&run(&place, &["--config", "nowhere.toml", "doctor"], |_| {}), "nowhere.toml");
    refused(&with("API_POOL_CONFIG", "/nowhere/pool.toml"), "/nowhere/pool.toml");
    refused(&run(&place, &["--config", "/", "doctor"], |_| {}), "/");
    let path = place.dir.path().join("pool.toml");
    fs::write(&path, [0xff, 0xfe]).unwrap();
    refused(&run(&place, &["--config", path.to_str().unwrap(), "doctor"], |_| {}), "pool.toml");
    // These make no new database: a wrong path would look like an empty, healthy pool.
    let needing = [
        ["doctor"].as_slice(),
        &["export", "--format", "json"],
        &["token", "issue", "chat"],
        &["user", "passwd", "admin"],
    ];
    for args in needing {
        let keyless = run(&place, args, |command| {
            command.env_remove("API_POOL_MASTER_KEY");
        });
        refused(&keyless, "there is no database");
    }
    assert!(!place.database().exists(), "nothing was opened");
    assert!(!place.dir.path().join("pool.db.key").exists(), "no key was made");
}

#[tokio::test]
async fn unusable_databases() {
    let place = Place::new(Kind::Sqlite).await;
    let at = |path: &Path| {
        run(&place, &["serve"], |command| {
            command.env("DATABASE_PATH", path).env("API_POOL_ADMIN_PASSWORD", "hunter2-hunter2");
        })
    };
    let blocked = place.dir.path().join("file");
    fs::write(&blocked, "x".repeat(8192)).unwrap();
    refused(&at(&blocked.join("pool.db")), "/file");
    refused(&at(place.dir.path()), &place.dir.path().display().to_string());
    refused(&at(&blocked), "/file");
    refused(&at(Path::new("/proc/nowhere/pool.db")), "/proc/nowhere");
    // Without a key given, the key file comes first.
    let output = run(&place, &["serve"], |command| {
        command.env("DATABASE_PATH", "/proc/pool.db").env_remove("API_POOL_MASTER_KEY");
    });
    refused(&output, "/proc/pool.db");

    let url = |url: &str| {
        run(&place, &["doctor"], |command| {
            command.env("DATABASE_URL", url);
        })
    };
    for bad in ["nonsense", "mysql://u:hunter2-hunter2@127.0.0.1/db", "postgres://u:hunter2-hunter2@127.0.0.1:port/db"]
    {
        refused(&url(bad), "DATABASE_URL");
        // Nor is a key asked for that would not help.
        let keyless = run(&place, &["doctor"], |command| {
            command.env("DATABASE_URL", bad).env_remove("API_POOL_MASTER_KEY");
        });
        refused(&keyless, "DATABASE_URL");
    }
    let nobody = crate::harness::free_port();
    let line =
        refused(&url(&format!("postgres://u:{SECRET}@127.0.0.1:{nobody}/db")), &format!("127.0.0.1:{nobody}/db"));
    assert!(line.contains("refused") && !line.contains("timed out"), "it says that nobody listens there: {line}");
    let output = run(&place, &["serve"], |command| {
        command.env("DATABASE_URL", "postgres://u:hunter2-hunter2@127.0.0.1/db").env_remove("API_POOL_MASTER_KEY");
    });
    refused(&output, "API_POOL_MASTER_KEY");
}

#[tokio::test]
async fn unusable_keys() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let place = Place::new(kind).await;
        done(&place.run(&["migrate"]));
        for command in ["serve", "worker", "doctor"] {
            let output = run(&place, &[command], |command| {
                command.env("API_POOL_MASTER_KEY", "08".repeat(32));
            });
            assert!(refused(&output, "master key").contains("key 1"));
        }
        done(&place.run(&["doctor"]));
    }

    // Made at the first start when none is given, for the owner's eyes only.
    let place = Place::new(Kind::Sqlite).await;
    let own = |place: &Place| {
        run(place, &["migrate"], |command| {
            command.env_remove("API_POOL_MASTER_KEY");
        })
    };
    done(&own(&place));
    let key = place.dir.path().join("pool.db.key");
    let (made, bits) = (fs::read_to_string(&key).unwrap(), fs::metadata(&key).unwrap().permissions().mode());
    assert_eq!((bits & 0o777, made.len()), (0o600, 44));
    done(&own(&place));
    assert_eq!(fs::read_to_string(&key).unwrap(), made, "and kept");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let line = refused(&own(&place), "pool.db.key");
    assert!(line.contains("600") && !line.contains(made.trim()));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&key, SECRET).unwrap();
    refused(&own(&place), "pool.db.key");
    // A lost key is not replaced by a new one, which would open nothing.
    fs::remove_file(&key).unwrap();
    refused(&own(&place), "pool.db.key is missing");
    assert!(!key.exists());
    fs::write(&key, made).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    done(&own(&place));
}

#[tokio::test]
async fn newer_databases_and_taken_ports() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let place = Place::new(kind).await;
        done(&place.run(&["migrate"]));
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port().to_string();
        let output = run(&place, &["serve", "--http-port", &port], |command| {
            command.env("LOG_LEVEL", "error");
        });
        refused(&output, &format!("127.0.0.1:{port}"));
        place.execute("INSERT INTO _sqlx_migrations SELECT 9999, 'from tomorrow', installed_on, success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1").await;
        for command in ["serve", "worker", "migrate", "doctor"] {
            let line = refused(&place.run(&[command]), "newer version");
            assert!(line.contains("9999"), "{line}");
        }
    }
}
