//! Compares the commands with a running server of Redis 7.2's behaviour: random commands, replies equal to the
//! byte, values, encodings and expiries equal, and an equal outcome where only the effects are replayed.
//!
//! `differential HOST:PORT [--seed N] [--count N] [--families strings,bitmaps,keys]`
//!
//! The server's data is lost, and its `proto-max-bulk-len` becomes 1 MB.
#![allow(clippy::print_stdout)]

mod engine;
mod generate;
mod server;

use engine::{Engine, State};
use generate::{Equality, Generator, KEYS_LEN, Template};
use server::Server;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use tessera_resp::{Protocol, scan};

const BATCH_LEN: usize = 50;
const STRING_MAX_LEN_BYTES: u64 = 1024 * 1024;
/// The clocks of two servers are read at different times.
const EXPIRY_TOLERANCE_MS: i64 = 5000;
const DIFFERENCES_MAX: usize = 20;

struct Options {
    address: String,
    seed: u64,
    count: usize,
    families: String,
}

fn options() -> Result<Options, String> {
    let mut words = std::env::args().skip(1);
    let mut options =
        Options { address: String::new(), seed: 1, count: 100_000, families: "strings,bitmaps,keys".into() };
    while let Some(word) = words.next() {
        if !word.starts_with("--") {
            options.address = word;
            continue;
        }
        let value = words.next().ok_or(format!("{word} needs a value"))?;
        let number = || value.parse::<u64>().map_err(|error| format!("{word} {value}: {error}"));
        match word.as_str() {
            "--seed" => options.seed = number()?,
            "--count" => options.count = number()? as usize,
            "--families" => options.families = value,
            _ => return Err(format!("unknown option {word}")),
        }
    }
    if options.address.is_empty() {
        return Err("differential HOST:PORT [--seed N] [--count N] [--families A,B]".into());
    }
    Ok(options)
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

struct Comparison {
    engine: Engine,
    server: Server,
    protocol: Protocol,
    compared: usize,
    differences: usize,
    /// The commands since the last time that all keys were compared.
    recent: Vec<Vec<Vec<u8>>>,
}

impl Comparison {
    fn report(&mut self, what: &str, expected: &str, got: &str) {
        self.differences += 1;
        println!("{what}\n  server: {expected}\n  engine: {got}");
    }

    /// Runs a batch on both sides.
    fn batch(&mut self, commands: Vec<(&'static Template, Vec<Vec<u8>>)>) -> std::io::Result<()> {
        commands.iter().for_each(|(_, words)| self.server.push(words));
        for (template, words) in commands {
            let expected = self.server.read()?;
            self.engine.set_now_ms(now_ms());
            // What containers answer to unknown subcommands is the node's.
            let Some(got) = self.engine.run(&words, self.protocol) else { continue };
            if !is_equal(&expected, &got, template.equality) {
                self.report(&shown(&words), &escaped(&expected), &escaped(&got));
            }
            self.compared += 1;
            self.recent.push(words);
        }
        let differences = self.differences;
        self.compare_keys()?;
        if self.differences > differences {
            println!(
                "  after {}",
                self.recent.iter().map(|words| shown(words)).collect::<Vec<_>>().join("\n    ")
            );
        }
        self.recent.clear();
        Ok(())
    }

    fn compare_keys(&mut self) -> std::io::Result<()> {
        for key in (0..KEYS_LEN).map(generate::key) {
            self.server.push(&[b"GET".as_slice(), &key]);
            self.server.push(&[b"OBJECT".as_slice(), b"ENCODING", &key]);
            self.server.push(&[b"PEXPIRETIME".as_slice(), &key]);
            let (value, encoding, expiry) = (self.server.read()?, self.server.read()?, self.server.read()?);
            let text = |reply| scan::text(reply).map(<[u8]>::to_vec);
            let expiry = scan::integer(&expiry).unwrap_or(-3);
            self.engine.set_now_ms(now_ms());
            let (state, replayed) = self.engine.states(&key);
            let name = key.escape_ascii().to_string();
            if !fits(&state, text(&value), text(&encoding), expiry) {
                let expected = format!("{} {} {expiry}", escaped(&value), escaped(&encoding));
                self.report(&name, &expected, &shown_state(&state));
            }
            // Replaying SET for INCRBYFLOAT may keep an integer as one.
            let without_encoding = |state: &State| state.clone().map(|(bytes, _, expiry)| (bytes, expiry));
            if without_encoding(&state) != without_encoding(&replayed) {
                self.report(&format!("{name} replayed"), &shown_state(&state), &shown_state(&replayed));
            }
        }
        Ok(())
    }
}

fn fits(state: &State, value: Option<Vec<u8>>, encoding: Option<Vec<u8>>, expiry: i64) -> bool {
    match state {
        None => value.is_none(),
        Some((bytes, name, at_ms)) => {
            value.as_ref() == Some(bytes)
                && encoding.as_deref() == Some(name.as_bytes())
                && (at_ms.unwrap_or(-1) - expiry).abs()
                    <= if at_ms.is_some() { EXPIRY_TOLERANCE_MS } else { 0 }
        }
    }
}

fn is_equal(expected: &[u8], got: &[u8], equality: Equality) -> bool {
    expected == got
        || match equality {
            Equality::Exact => false,
            Equality::Within(tolerance) => scan::integer(expected)
                .zip(scan::integer(got))
                .is_some_and(|(expected, got)| (expected - got).abs() <= tolerance),
            Equality::AnyOrder => sorted(expected) == sorted(got),
            Equality::SameKind => scan::text(expected).is_some() && scan::text(got).is_some(),
        }
}

/// The reply's bytes with the elements of all arrays in the order of their bytes.
fn sorted(reply: &[u8]) -> Vec<u8> {
    let Some(elements) = scan::elements(reply) else { return reply.to_vec() };
    let mut elements: Vec<Vec<u8>> = elements.map(sorted).collect();
    elements.sort_unstable();
    [format!("*{} ", elements.len()).into_bytes(), elements.concat()].concat()
}

fn shown(words: &[Vec<u8>]) -> String {
    words.iter().map(|word| format!("\"{}\"", escaped(word))).collect::<Vec<_>>().join(" ")
}

fn shown_state(state: &State) -> String {
    match state {
        None => "(none)".into(),
        Some((bytes, encoding, at_ms)) => format!("{} {encoding} {at_ms:?}", escaped(bytes)),
    }
}

fn escaped(bytes: &[u8]) -> String {
    let end = bytes.len().min(600);
    format!("{}{}", bytes[..end].escape_ascii(), if end < bytes.len() { "..." } else { "" })
}

fn run(options: &Options) -> Result<bool, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", options.address);
    let families: Vec<&str> = options.families.split(',').collect();
    let mut server = Server::connect(&options.address).map_err(failed)?;
    server
        .call(&["CONFIG", "SET", "proto-max-bulk-len", &STRING_MAX_LEN_BYTES.to_string()])
        .map_err(failed)?;
    server.call(&["FLUSHALL"]).map_err(failed)?;
    let mut generator = Generator::new(options.seed, &families, now_ms());
    let mut comparison = Comparison {
        engine: Engine::new(STRING_MAX_LEN_BYTES),
        server,
        protocol: Protocol::Resp2,
        compared: 0,
        differences: 0,
        recent: Vec::new(),
    };
    while comparison.compared < options.count && comparison.differences < DIFFERENCES_MAX {
        if comparison.compared.is_multiple_of(20 * BATCH_LEN) {
            comparison.protocol = match comparison.protocol {
                Protocol::Resp2 => Protocol::Resp3,
                Protocol::Resp3 => Protocol::Resp2,
            };
            let version = if comparison.protocol == Protocol::Resp3 { "3" } else { "2" };
            comparison.server.call(&["HELLO", version]).map_err(failed)?;
        }
        let commands = (0..BATCH_LEN).map(|_| generator.next_command()).collect();
        comparison.batch(commands).map_err(failed)?;
    }
    println!(
        "seed {}, families {}: {} commands compared, {} differences",
        options.seed, options.families, comparison.compared, comparison.differences
    );
    Ok(comparison.differences == 0)
}

fn main() -> ExitCode {
    match options().and_then(|options| run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
