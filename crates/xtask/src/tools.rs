//! `cargo xtask tools`: redis-cli, redis-benchmark and memtier_benchmark against a running Tessera, without an error.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use tessera_golden::{Endpoint, Server};

use crate::programs;

/// A tool that takes longer hangs.
const TIMEOUT: Duration = Duration::from_secs(300);
/// What tools write when something is wrong.
const COMPLAINTS: &[&str] = &["ERR ", "rror:", "WARNING", "Could not", "failed:", "refused", "Unexpected"];

/// What to run.
#[derive(Args)]
pub struct Options {
    /// Tessera's binary; the one of target/release, or else of target/debug, if not given.
    #[arg(long, value_name = "PATH")]
    tessera: Option<PathBuf>,
    /// Numbers of shards.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 3, 8])]
    shards: Vec<u16>,
    /// Where memtier_benchmark is; it is left out if not given and not in the path.
    #[arg(long, value_name = "PATH")]
    memtier: Option<PathBuf>,
    /// SET commands for redis-cli --pipe.
    #[arg(long, default_value_t = 100_000)]
    pipe: u32,
    /// Requests of each benchmark.
    #[arg(long, default_value_t = 20_000)]
    requests: u32,
    /// Print all that the tools write.
    #[arg(long)]
    verbose: bool,
}

/// Runs all tools.
///
/// # Errors
/// What kept it from being done. Complaints are printed and told by the exit code.
pub fn run(options: &Options) -> io::Result<ExitCode> {
    let program = programs::tessera(options.tessera.as_deref())?;
    let memtier = options.memtier.clone().or_else(|| found("memtier_benchmark"));
    if memtier.is_none() {
        println!("memtier_benchmark is not installed: left out");
    }
    let mut complaints = 0;
    for shards in &options.shards {
        let server = Server::start(&program, &[("shards".to_owned(), shards.to_string())])?;
        let Endpoint::Tcp(address) = server.endpoint() else { return Err(io::Error::other("no address")) };
        let mut bench = Bench { address, shards: *shards, verbose: options.verbose, complaints: 0 };
        bench.redis_cli(options.pipe)?;
        bench.redis_benchmark(options.requests)?;
        if let Some(memtier) = &memtier {
            bench.memtier(memtier.to_str().unwrap_or_default(), options.requests)?;
        }
        complaints += bench.complaints;
    }
    Ok(if complaints == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A program in the path.
fn found(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The tools against one server.
struct Bench {
    address: SocketAddr,
    shards: u16,
    verbose: bool,
    complaints: u32,
}

impl Bench {
    fn redis_cli(&mut self, pipe: u32) -> io::Result<()> {
        let mut sets = String::new();
        for number in 0..pipe {
            let (key, value) = (format!("pipe:{number}"), format!("value of {number}"));
            sets += &format!("*3\r\n$3\r\nSET\r\n${}\r\n{key}\r\n${}\r\n{value}\r\n", key.len(), value.len());
        }
        let told = self.cli(&["--pipe"], Some(sets.into_bytes()), None)?;
        self.must_hold("--pipe", &told, &format!("errors: 0, replies: {pipe}"));
        let told = self.cli(&["DBSIZE"], None, None)?;
        self.must_hold("DBSIZE", &told, &pipe.to_string());
        let told = self.cli(&["--scan"], None, None)?;
        if told.lines().count() < pipe as usize {
            self.complain("--scan", &format!("{} of {pipe} keys", told.lines().count()));
        }
        let told = self.cli(&["--scan", "--pattern", "pipe:1?"], None, None)?;
        if told.lines().count() != 10 {
            self.complain("--scan --pattern", &told);
        }
        for option in ["--bigkeys", "--memkeys"] {
            let told = self.cli(&[option], None, None)?;
            self.must_hold(option, &told, &format!("{pipe} strings"));
        }
        for (options, seconds) in [(["--stat", "-i", "0.2"].as_slice(), 2), (&["--latency", "-i", "1"], 5)] {
            let told = self.cli(options, None, Some(Duration::from_secs(seconds)))?;
            if told.trim().is_empty() {
                self.complain(options[0], "nothing was written");
            }
        }
        for (words, holds) in [
            (["COMMAND", "DOCS", "GET"].as_slice(), "summary"),
            (&["-3", "HELLO", "3"], "proto"),
            (&["PING"], "PONG"),
            (&["INFO", "everything"], "redis_version:7.2"),
            (&["CLIENT", "LIST"], "cmd=client|list"),
            (&["MEMORY", "DOCTOR"], ""),
            (&["FLUSHALL"], "OK"),
        ] {
            let told = self.cli(words, None, None)?;
            self.must_hold(&words.join(" "), &told, holds);
        }
        Ok(())
    }

    fn redis_benchmark(&mut self, requests: u32) -> io::Result<()> {
        let requests = requests.to_string();
        let tests = ["-t", "ping,set,get,incr,mset", "-n", &requests, "-r", "10000", "-q"];
        for more in
            [[].as_slice(), &["-P", "16"], &["-P", "16", "-c", "200", "--threads", "2"], &["-d", "10000"]]
        {
            let told = self.tool("redis-benchmark", &[tests.as_slice(), more].concat())?;
            self.must_hold(&format!("redis-benchmark {}", more.join(" ")), &told, "requests per second");
        }
        Ok(())
    }

    fn memtier(&mut self, program: &str, requests: u32) -> io::Result<()> {
        let requests = (requests / 100).to_string();
        let load = ["-n", &requests, "-c", "25", "-t", "4", "--hide-histogram", "--key-maximum", "10000"];
        for protocol in ["resp2", "resp3"] {
            for more in [
                [].as_slice(),
                &["--pipeline", "30"],
                &["--data-size-range", "1-20000", "--ratio", "1:1"],
                &["--command", "MGET __key__ second:__key__ third:__key__"],
                &[
                    "--command",
                    "INCR counter:__key__",
                    "--command",
                    "MSET __key__ __data__ second:__key__ __data__",
                ],
                &[
                    "--command",
                    "SETRANGE __key__ 10 __data__",
                    "--command-ratio",
                    "2",
                    "--command",
                    "GETDEL __key__",
                ],
            ] {
                let what = format!("memtier {protocol} {}", more.join(" "));
                let told =
                    self.tool(program, &[load.as_slice(), &["--protocol", protocol], more].concat())?;
                self.must_hold(&what, &told, "Totals");
            }
        }
        Ok(())
    }

    fn cli(&mut self, words: &[&str], input: Option<Vec<u8>>, limit: Option<Duration>) -> io::Result<String> {
        self.start("redis-cli", words, input, limit)
    }

    fn tool(&mut self, program: &str, words: &[&str]) -> io::Result<String> {
        self.start(program, words, None, None)
    }

    /// Runs a tool and returns what it wrote. With a `limit`, it is one that does not end by itself.
    fn start(
        &mut self,
        program: &str,
        words: &[&str],
        input: Option<Vec<u8>>,
        limit: Option<Duration>,
    ) -> io::Result<String> {
        // What is stopped must not leave its words in a buffer.
        let mut command = Command::new(if limit.is_some() { "stdbuf" } else { program });
        if limit.is_some() {
            command.args(["-oL", program]);
        }
        let mut child = command
            .args(["-h", &self.address.ip().to_string(), "-p", &self.address.port().to_string()])
            .args(words)
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| io::Error::other(format!("{program}: {error}")))?;
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
            std::thread::spawn(move || stdin.write_all(&input));
        }
        let id = child.id();
        let stopper = std::thread::spawn(move || {
            let deadline = Instant::now() + limit.unwrap_or(TIMEOUT);
            let is_running = || std::path::Path::new(&format!("/proc/{id}/fd/1")).exists();
            while is_running() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(20));
            }
            if is_running() {
                // Like a person's Ctrl-C.
                let _ = Command::new("kill").args(["-INT", &id.to_string()]).status();
                return true;
            }
            false
        });
        let output = child.wait_with_output()?;
        let was_stopped = stopper.join().unwrap_or(false);
        let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).replace('\r', "\n");
        let what = format!("{program} {}", words.join(" "));
        println!("{} shards: {what}", self.shards);
        if self.verbose {
            println!("{told}");
        }
        if !output.status.success() && limit.is_none() {
            self.complain(&what, &format!("{}\n{told}", output.status));
        }
        if was_stopped && limit.is_none() {
            self.complain(&what, "it took too long");
        }
        let complaint = told.lines().find(|line| COMPLAINTS.iter().any(|complaint| line.contains(complaint)));
        if let Some(line) = complaint {
            self.complain(&what, line);
        }
        Ok(told)
    }

    fn must_hold(&mut self, what: &str, told: &str, expected: &str) {
        if !told.contains(expected) {
            let start: String = told.chars().take(1000).collect();
            self.complain(what, &format!("without \"{expected}\": {start}"));
        }
    }

    fn complain(&mut self, what: &str, complaint: &str) {
        self.complaints += 1;
        println!("{} shards: COMPLAINT: {what}: {complaint}", self.shards);
    }
}
