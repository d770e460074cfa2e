//! The commands without server, shards and drivers: replies, values, encodings and expiries equal to those of a running
//! server, and an equal outcome where only the effects are replayed.

use super::chance::{FORGETFUL, keeps_chance, sorts, tells_chance, walks_partly};
use super::comparison::{known, version_of};
use super::connection::{Connection, encode};
use super::engine::{Engine, State, reading};
use super::equality::is_equal;
use super::generate::{Generator, KEYS_LEN, key};
use super::known::is_unequal_after;
use super::templates::{Equality, Template};
use super::{STRING_MAX_LEN_BYTES, now_ms, shown};
use std::io;
use std::net::SocketAddr;
use tessera_resp::{Protocol, scan};
use tessera_values::{Thresholds, Type};

const BATCH_LEN: u64 = 50;
/// The clocks of two servers are read at different times.
const EXPIRY_TOLERANCE_MS: i64 = 5000;
const DIFFERENCES_MAX: usize = 20;

struct Comparison {
    engine: Engine,
    server: Connection,
    version: String,
    protocol: Protocol,
    compared: u64,
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
    fn batch(&mut self, commands: Vec<(&'static Template, Vec<Vec<u8>>)>) -> io::Result<()> {
        let mut bytes = Vec::new();
        for (_, words) in &commands {
            if sorts(words) {
                encode(&FORGETFUL.map(|word| word.as_bytes().to_vec()), &mut bytes);
            }
            encode(words, &mut bytes);
        }
        self.server.send(&bytes, None)?;
        for (template, words) in commands {
            if sorts(&words) {
                self.server.read()?;
            }
            let expected = self.server.read()?.to_vec();
            self.engine.set_now_ms(now_ms());
            let value_type = words.get(1).and_then(|key| self.engine.value_type(key));
            let tells_chance = template.equality == Equality::Exact && tells_chance(&words, value_type);
            // What containers answer to unknown subcommands is the node's.
            let Some(got) = self.engine.run(&words, self.protocol) else { continue };
            let both_keys = scan::text(&expected).is_some() && scan::text(&got).is_some();
            let is_random = template.equality == Equality::RandomKey && (both_keys || expected == got);
            let is_equal = is_equal(&expected, &got, template.equality, (&[], &[]));
            if !is_random && !tells_chance && !is_equal && !self.knows(&words, &expected, &got) {
                self.report(&shown::command(&words), &shown::bytes(&expected), &shown::bytes(&got));
            }
            self.compared += 1;
            self.recent.push(words);
        }
        let differences = self.differences;
        self.compare_keys()?;
        if self.differences > differences {
            println!(
                "  after {}",
                self.recent.iter().map(|words| shown::command(words)).collect::<Vec<_>>().join("\n    ")
            );
        }
        self.recent.clear();
        Ok(())
    }

    /// Whether this is a known difference of the server.
    fn knows(&self, words: &[Vec<u8>], expected: &[u8], got: &[u8]) -> bool {
        known(&self.version, words, expected, got).is_some()
    }

    /// Whether what the engine holds is what the server tells of a key: the value, in answer to `words`, its encoding,
    /// and its expiry in Unix milliseconds.
    fn fits(&self, state: &State, words: &[Vec<u8>], value: &[u8], encoding: &[u8], expiry: i64) -> bool {
        let Some((bytes, name, at_ms)) = state else { return words.is_empty() };
        let name = format!("${}\r\n{name}\r\n", name.len());
        let asked = [b"OBJECT".to_vec(), b"ENCODING".to_vec()];
        let tolerance_ms = if at_ms.is_some() { EXPIRY_TOLERANCE_MS } else { 0 };
        !words.is_empty()
            && (value == bytes || self.knows(words, value, bytes))
            && (encoding == name.as_bytes() || self.knows(&asked, encoding, name.as_bytes()))
            && (at_ms.unwrap_or(-1) - expiry).abs() <= tolerance_ms
    }

    fn compare_keys(&mut self) -> io::Result<()> {
        for key in (0..KEYS_LEN).map(key) {
            let mut ask = |words: &[&[u8]]| {
                let words: Vec<&[u8]> = words.iter().copied().chain([key.as_slice()]).collect();
                self.server.call(&words).map(<[u8]>::to_vec)
            };
            let (kind, encoding, expiry) =
                (ask(&[b"TYPE"])?, ask(&[b"OBJECT", b"ENCODING"])?, ask(&[b"PEXPIRETIME"])?);
            let kind = String::from_utf8_lossy(kind.get(1..).unwrap_or_default()).trim_end().to_owned();
            let (words, value) = match Type::named(kind.as_bytes()) {
                Some(value_type) => {
                    let (words, normal) = reading(value_type, &key);
                    let value = normal(self.server.call(&words)?);
                    (words, value)
                }
                None => Default::default(),
            };
            let expiry = scan::integer(&expiry).unwrap_or(-3);
            self.engine.set_now_ms(now_ms());
            let (state, replayed) = self.engine.states(&key, self.protocol);
            let name = key.escape_ascii().to_string();
            if !self.fits(&state, &words, &value, &encoding, expiry) {
                let expected = format!("{} {} {expiry}", shown::bytes(&value), shown::bytes(&encoding));
                self.report(&name, &expected, &shown_state(&state));
            }
            // Replaying SET for INCRBYFLOAT may keep an integer as one. SORT enlarges a sorted set, which is not
            // logged, and the sign of zero is kept in large ones only: so it is in Redis.
            let without_encoding = |state: &State| {
                state.clone().map(|(bytes, _, expiry)| (without_signed_zeros(&bytes), expiry))
            };
            if without_encoding(&state) != without_encoding(&replayed) {
                self.report(&format!("{name} replayed"), &shown_state(&state), &shown_state(&replayed));
            }
        }
        Ok(())
    }
}

/// A reply in which negative zeros are zeros.
fn without_signed_zeros(reply: &[u8]) -> Vec<u8> {
    let text = reply.escape_ascii().to_string();
    text.replace(",-0\\r", ",0\\r").replace("$2\\r\\n-0\\r", "$1\\r\\n0\\r").into_bytes()
}

fn shown_state(state: &State) -> String {
    match state {
        None => "(none)".into(),
        Some((bytes, encoding, at_ms)) => format!("{} {encoding} {at_ms:?}", shown::bytes(bytes)),
    }
}

/// Sets the threshold of this name. `None` if there is no such, or the value is no number.
fn set_threshold(thresholds: &mut Thresholds, name: &str, value: &str) -> Option<()> {
    let threshold = match name {
        "hash-max-listpack-entries" => &mut thresholds.hash_max_listpack_entries,
        "hash-max-listpack-value" => &mut thresholds.hash_max_listpack_value_bytes,
        "list-max-listpack-size" => {
            thresholds.list_max_listpack_size = value.parse().ok()?;
            return Some(());
        }
        "set-max-intset-entries" => &mut thresholds.set_max_intset_entries,
        "set-max-listpack-entries" => &mut thresholds.set_max_listpack_entries,
        "set-max-listpack-value" => &mut thresholds.set_max_listpack_value_bytes,
        "zset-max-listpack-entries" => &mut thresholds.zset_max_listpack_entries,
        "zset-max-listpack-value" => &mut thresholds.zset_max_listpack_value_bytes,
        "hll-sparse-max-bytes" => &mut thresholds.hll_sparse_max_bytes,
        _ => return None,
    };
    *threshold = value.parse().ok()?;
    Some(())
}

/// Compares `count` commands of these families with the server at `redis`, which was started with these thresholds;
/// false if something differs, which is printed.
///
/// # Errors
/// Those of the connection, and if a parameter is no threshold.
pub fn run(
    redis: SocketAddr,
    seed: u64,
    count: u64,
    families: &[&str],
    parameters: &[(String, String)],
) -> io::Result<bool> {
    let mut thresholds = Thresholds::default();
    for (name, value) in parameters {
        set_threshold(&mut thresholds, name, value)
            .ok_or_else(|| io::Error::other(format!("{name}={value} is no threshold")))?;
    }
    let mut server = Connection::open(redis)?;
    server.call(&["CONFIG", "SET", "proto-max-bulk-len", &STRING_MAX_LEN_BYTES.to_string()])?;
    server.call(&["FLUSHALL"])?;
    let version = version_of(&mut server)?;
    let mut generator = Generator::new(seed, families, now_ms());
    let mut comparison = Comparison {
        engine: Engine::new(STRING_MAX_LEN_BYTES, thresholds),
        server,
        version,
        protocol: Protocol::Resp2,
        compared: 0,
        differences: 0,
        recent: Vec::new(),
    };
    while comparison.compared < count && comparison.differences < DIFFERENCES_MAX {
        if comparison.compared.is_multiple_of(20 * BATCH_LEN) {
            comparison.protocol = match comparison.protocol {
                Protocol::Resp2 => Protocol::Resp3,
                Protocol::Resp3 => Protocol::Resp2,
            };
            let version = if comparison.protocol == Protocol::Resp3 { "3" } else { "2" };
            comparison.server.call(&["HELLO", version])?;
        }
        let commands =
            (0..BATCH_LEN).map(|_| generator.next_command()).map(|(_, template, words)| (template, words));
        let is_sent = |words: &[Vec<u8>]| {
            !walks_partly(words) && !keeps_chance(words) && !is_unequal_after(&comparison.version, words)
        };
        let commands = commands.filter(|(_, words)| is_sent(words)).collect();
        comparison.batch(commands)?;
    }
    println!(
        "seed {seed}, in this process: {} commands compared, {} differences",
        comparison.compared, comparison.differences
    );
    Ok(comparison.differences == 0)
}
