//! What is kept on disk is kept: against other servers, signals, and Redis.

use crate::support::{Client, PROGRAM, TIMEOUT, free_port, until};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server on a directory that stays.
struct Keeper {
    child: Child,
    port: u16,
}

impl Keeper {
    /// Starts `program` on the directory and waits until it serves.
    fn start(program: &str, directory: &Path, options: &[&str]) -> Keeper {
        let port = free_port();
        let log =
            std::fs::OpenOptions::new().create(true).append(true).open(directory.join("log")).expect("a log");
        let child = Command::new(program)
            .args(["--port", &port.to_string(), "--dir"])
            .arg(directory)
            .args(options)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("the server starts");
        let keeper = Keeper { child, port };
        until("it serves", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok_and(|mut stream| {
                let mut answer = [0; 7];
                stream.write_all(b"PING\r\n").is_ok()
                    && stream.read_exact(&mut answer).is_ok()
                    && &answer == b"+PONG\r\n"
            })
        });
        keeper
    }

    fn tessera(directory: &Path, options: &[&str]) -> Keeper {
        Keeper::start(PROGRAM, directory, &[&["--shards", "2"], options].concat())
    }

    fn client(&self) -> Client<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        stream.set_read_timeout(Some(TIMEOUT)).expect("a socket");
        Client { stream }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    fn end(mut self, signal: &str) -> Option<i32> {
        self.signal(signal);
        self.wait()
    }

    fn wait(&mut self) -> Option<i32> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait().expect("its state") {
                return status.code();
            }
            assert!(Instant::now() < deadline, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a server says that does not start.
fn refused(directory: &Path, options: &[&str]) -> String {
    let port = free_port().to_string();
    let output = Command::new(PROGRAM)
        .args(["--port", &port, "--dir"])
        .arg(directory)
        .args(options)
        .output()
        .expect("the server starts");
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("a name").file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name != "log");
    names.sort();
    names
}

#[test]
fn a_directory_has_one_server_at_a_time() {
    let folder = tempfile::tempdir().expect("a directory");
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    std::fs::create_dir(&one).expect("a directory");
    std::fs::create_dir(&other).expect("a directory");
    let first = Keeper::tessera(&one, &[]);
    first.client().ask("SET a 1", "+OK\r\n");
    first.client().ask("SAVE", "+OK\r\n");
    let before = names(&one);
    for options in [&[][..], &["--save", ""], &["--dbfilename", "else.rdb"], &["--daemonize", "yes"]] {
        let told = refused(&one, options);
        assert!(told.contains("in use by another server") && told.contains("--dir"), "{told}");
        assert_eq!(names(&one), before);
    }
    let second = Keeper::tessera(&other, &["--enable-protected-configs", "yes"]);
    let told = second.client().text(&format!("CONFIG SET dir {}", one.display()));
    assert!(told.starts_with("-ERR CONFIG SET failed") && told.contains("in use"), "{told}");
    second.client().ask("SET b 2", "+OK\r\n");
    // A server that is killed leaves no lock behind.
    first.end("KILL");
    second.client().ask(&format!("CONFIG SET dir {}", one.display()), "+OK\r\n");
    assert!(refused(&one, &[]).contains("in use"));
    // What it has left is free.
    Keeper::tessera(&other, &[]).end("KILL");
    second.end("TERM");
    let again = Keeper::tessera(&one, &[]);
    again.client().ask("GET b", "$1\r\n2\r\n");
    assert_eq!(again.end("TERM"), Some(0));
}

#[test]
fn a_directory_that_cannot_be_written_is_no_obstacle_without_save_points() {
    // Nobody can write there.
    let port = free_port().to_string();
    let mut child = Command::new(PROGRAM)
        .args(["--port", &port, "--dir", "/proc/self", "--shards", "2", "--save", ""])
        .stdout(Stdio::null())
        .spawn()
        .expect("the server starts");
    until("it listens", || TcpStream::connect(format!("127.0.0.1:{port}")).is_ok());
    let stream = TcpStream::connect(format!("127.0.0.1:{port}")).expect("a connection");
    let mut client = Client { stream };
    client.ask("SET a 1", "+OK\r\n");
    client.ask("SAVE", "-ERR\r\n");
    client.send("SHUTDOWN\r\n");
    assert_eq!(child.wait().ok().and_then(|status| status.code()), Some(0));
}

#[test]
fn what_cannot_be_loaded_is_told_and_stays() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = |name: &str| folder.path().join(name);
    let server = Keeper::tessera(folder.path(), &[]);
    (0..100).for_each(|key| server.client().ask(&format!("SET key:{key} v:{key}"), "+OK\r\n"));
    assert_eq!(server.end("TERM"), Some(0));
    // The file of another snapshot, of the same length.
    let good = std::fs::read(path("dump-epoch1-shard1.rdb")).expect("a file");
    let mut wrong = good.clone();
    let body_end = wrong.len() - 8;
    let value = wrong.windows(2).rposition(|bytes| bytes == b"v:").expect("a value");
    wrong[value] ^= 1;
    wrong[body_end..].fill(0);
    std::fs::write(path("dump-epoch1-shard1.rdb"), &wrong).expect("a file");
    let before = names(folder.path());
    for driver in ["uring", "epoll"].into_iter().filter(|driver| crate::support::can_run(driver)) {
        let told = refused(folder.path(), &["--io-driver", driver, "--rdbchecksum", "no"]);
        assert!(told.contains("is of another snapshot, or damaged"), "{told}");
    }
    std::fs::write(path("dump-epoch1-shard1.rdb"), &good).expect("a file");
    std::fs::rename(path("dump.manifest"), path("elsewhere")).expect("a file");
    let told = refused(folder.path(), &[]);
    assert!(told.contains("no dump.manifest that names them"), "{told}");
    std::fs::create_dir(path("dump.manifest")).expect("a directory");
    let told = refused(folder.path(), &[]);
    assert!(told.contains("not a regular file"), "{told}");
    std::fs::remove_dir(path("dump.manifest")).expect("a directory");
    std::fs::rename(path("elsewhere"), path("dump.manifest")).expect("a file");
    assert_eq!(names(folder.path()), before);
    let server = Keeper::tessera(folder.path(), &[]);
    server.client().ask("DBSIZE", ":100\r\n");
}

#[test]
fn hanging_up_does_not_end_it_and_insisting_is_for_the_end_under_way() {
    let folder = tempfile::tempdir().expect("a directory");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("a directory");
    let mut server = Keeper::tessera(&data, &[]);
    server.signal("HUP");
    server.client().ask("SET a 1", "+OK\r\n");
    let log = std::fs::File::open(data.join("log")).expect("a log");
    let told = |what: &str| {
        let mut text = String::new();
        let mut log = &log;
        std::io::Seek::rewind(&mut log).expect("a log");
        log.read_to_string(&mut text).expect("a log");
        text.matches(what).count()
    };
    // It cannot save any more.
    let away = folder.path().join("away");
    std::fs::rename(&data, &away).expect("a directory");
    for times in 1..4 {
        server.signal("INT");
        until("it says so", || told("can't exit") == times);
        server.client().ask("GET a", "$1\r\n1\r\n");
    }
    std::fs::rename(&away, &data).expect("a directory");
    server.signal("INT");
    assert_eq!(server.wait(), Some(0));
    let server = Keeper::tessera(&data, &[]);
    server.client().ask("GET a", "$1\r\n1\r\n");
}

#[test]
fn what_flushall_removed_does_not_come_back() {
    for shards in ["1", "3"] {
        let folder = tempfile::tempdir().expect("a directory");
        let options = ["--save", "100000 1000000", "--shards", shards];
        let server = Keeper::start(PROGRAM, folder.path(), &options);
        let mut client = server.client();
        client.ask("SET a 1", "+OK\r\n");
        client.ask("SAVE", "+OK\r\n");
        client.ask("FLUSHALL", "+OK\r\n");
        server.end("KILL");
        let server = Keeper::start(PROGRAM, folder.path(), &options);
        server.client().ask("DBSIZE", ":0\r\n");
    }
}

/// From Redis to here and back, three times over, as docs/persistence.md says.
#[test]
fn coming_and_going() {
    let redis = "redis-server";
    if Command::new(redis).arg("--version").output().is_err() {
        eprintln!("no {redis} here");
        return;
    }
    let folder = tempfile::tempdir().expect("a directory");
    let mut keys = 0;
    let mut write = |keeper: &Keeper, name: &str| {
        let mut client = keeper.client();
        client.ask("DBSIZE", &format!(":{keys}\r\n"));
        client.ask(&format!("SET {name} {keys}"), "+OK\r\n");
        client.ask("SELECT 3", "+OK\r\n");
        client.ask(&format!("SET last {name}"), "+OK\r\n");
        keys += 1;
    };
    for round in 0..3 {
        let server = Keeper::start(redis, folder.path(), &["--save", "100 1000"]);
        write(&server, &format!("redis:{round}"));
        assert_eq!(server.end("TERM"), Some(0));
        let server = Keeper::tessera(folder.path(), &[]);
        write(&server, &format!("tessera:{round}"));
        // For whoever stays, one file after the other is replaced.
        server.client().ask("SAVE", "+OK\r\n");
        server.client().ask("SAVE", "+OK\r\n");
        assert!(!names(folder.path()).contains(&"dump.rdb".to_owned()), "{:?}", names(folder.path()));
        assert_eq!(server.end("TERM"), Some(0));
        // And again without Redis between.
        let server = Keeper::tessera(folder.path(), &["--snapshot-merged", "yes"]);
        write(&server, &format!("merged:{round}"));
        assert_eq!(server.end("TERM"), Some(0));
        let left: Vec<String> =
            names(folder.path()).into_iter().filter(|name| name != "dump.rdb.replaced").collect();
        assert_eq!(left, ["dump.rdb"]);
    }
    // Who forgets that: Redis finds nothing, and what it saves then does not win over the snapshot in silence.
    let server = Keeper::tessera(folder.path(), &[]);
    write(&server, "end");
    assert_eq!(server.end("TERM"), Some(0));
    std::thread::sleep(Duration::from_secs(1));
    let server = Keeper::start(redis, folder.path(), &["--save", "100 1000"]);
    server.client().ask("DBSIZE", ":0\r\n");
    server.client().ask("SET a 1", "+OK\r\n");
    assert_eq!(server.end("TERM"), Some(0));
    let told = refused(folder.path(), &[]);
    assert!(
        told.contains("has both a snapshot of Tessera") && told.contains("move the other one away"),
        "{told}"
    );
    std::fs::remove_file(folder.path().join("dump.rdb")).expect("a file");
    let server = Keeper::tessera(folder.path(), &[]);
    server.client().ask("DBSIZE", ":10\r\n");
    assert_eq!(server.end("TERM"), Some(0));
}

/// Readers show a database as often as it is named, so one file of all shards names each once: the one of
/// `snapshot-merged`, and what SYNC sends.
#[test]
fn one_file_names_each_database_once() {
    let folder = tempfile::tempdir().expect("a directory");
    let (merged, fetched) = (folder.path().join("dump.rdb"), folder.path().join("fetched.rdb"));
    let server = Keeper::tessera(folder.path(), &["--shards", "3", "--snapshot-merged", "yes"]);
    let mut client = server.client();
    for db in [0, 3, 15] {
        client.ask(&format!("SELECT {db}"), "+OK\r\n");
        for number in 0..200 {
            client.ask(&format!("SET key:{number} {db}"), "+OK\r\n");
        }
        client.ask("PEXPIREAT key:7 9000000000000", ":1\r\n");
    }
    client.ask("SAVE", "+OK\r\n");
    check_databases(&merged);
    client.ask("CONFIG SET snapshot-merged no", "+OK\r\n");
    client.ask("SET key:8 changed", "+OK\r\n");
    fetch(&server, &fetched);
    check_databases(&fetched);
    assert!(names(folder.path()).iter().any(|name| name == "dump.manifest"));
    assert_eq!(server.end("TERM"), Some(0));
}

/// What SYNC sends.
fn fetch(server: &Keeper, path: &Path) {
    let mut stream = server.client().stream;
    stream.write_all(b"REPLCONF rdb-only 1\r\nSYNC\r\n").expect("a server");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the server closes when all is sent");
    let file = answer.windows(5).position(|window| window == b"REDIS").expect("an RDB file");
    std::fs::write(path, &answer[file..]).expect("a file");
}

fn check_databases(path: &Path) {
    let bytes = std::fs::read(path).expect("a file");
    // Behind its choice each database has its sizes: 200 keys, of which one expires.
    let named: Vec<[u8; 6]> = [0, 3, 15].map(|db| [0xfe, db, 0xfb, 0x40, 200, 1]).to_vec();
    let found = bytes.windows(6).position(|window| window == named[0]);
    let body = &bytes[found.expect("the first database")..bytes.len() - 9];
    let chosen: Vec<&[u8]> = body.windows(6).filter(|window| window[0] == 0xfe).collect();
    assert_eq!(chosen, named);
    assert_eq!(body.windows(4).filter(|window| *window == b"key:").count(), 600);
}

/// Nothing that INFO tells lags behind once the server answers other things than LOADING.
#[test]
fn what_was_loaded_is_counted_from_the_first_answer_on() {
    const KEYS: usize = 20_000;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let options = ["--shards", "4", "--enable-debug-command", "local"];
    let first = Keeper::start(PROGRAM, directory.path(), &options);
    let mut client = first.client();
    client.ask(&format!("DEBUG POPULATE {KEYS} key 100"), "+OK\r\n");
    client.ask("PEXPIREAT key:7 99999999999999", ":1\r\n");
    client.ask("SAVE", "+OK\r\n");
    drop(first);
    for _ in 0..5 {
        let server = Keeper::start(PROGRAM, directory.path(), &options);
        // All in one piece, on a new connection: nobody has had time to catch up.
        let mut client = server.client();
        client.send("DBSIZE\r\nINFO keyspace\r\nINFO memory\r\n");
        client.expect(format!(":{KEYS}\r\n"));
        let keyspace = client.text("");
        assert!(keyspace.contains(&format!("db0:keys={KEYS},expires=1,")), "{keyspace}");
        let memory = client.text("");
        let tells = |name: &str| {
            let line = memory.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|value| value.parse::<usize>().ok()).expect("INFO tells it")
        };
        assert!(tells("used_memory") > KEYS * 100, "{memory}");
        assert!(tells("used_memory_dataset") > KEYS * 100, "{memory}");
        assert!(tells("used_memory_peak") >= KEYS * 100, "{memory}");
    }
}
