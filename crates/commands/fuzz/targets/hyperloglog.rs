//! No string, whatever its bytes, makes a HyperLogLog or a command on one fall over; and of those that are sound both
//! representations say the same.
//!
//! The first byte tells what becomes of the others: a string as it is, or the registers behind a header.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tessera_command::{Registry, Run};
use tessera_keyspace::{Event, Expire, Shard, ShardSettings};
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Protocol, Reply};
use tessera_values::hyperloglog::{HyperLogLog, HyperLogLogMut, Registers, empty};

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::new(&tessera_commands::COMMANDS));

const DENSE_LEN_BYTES: usize = 16 + 12 * 1024;
/// Three elements of different registers.
const ELEMENTS: [&[u8]; 3] = [b"", b"element", b"another"];

/// The string that these bytes stand for.
fn string(data: &[u8]) -> Vec<u8> {
    let Some((kind, rest)) = data.split_first() else { return Vec::new() };
    let mut bytes = empty();
    match kind % 8 {
        0 => rest.to_vec(),
        1 => {
            bytes[4] = 0;
            bytes.truncate(16);
            bytes.extend(rest.iter().copied().cycle().take(DENSE_LEN_BYTES - 16));
            bytes.resize(DENSE_LEN_BYTES, 0);
            bytes
        }
        2 => [bytes.as_slice(), rest].concat(),
        3 => {
            // Sound, but for chance: as many zeros as there is room for go before.
            let zeros = 0x4000 - 4 * rest.len().min(0x1000 - 1);
            bytes.truncate(16);
            bytes.extend(((zeros - 1) as u16 | 0x4000).to_be_bytes());
            bytes.extend(rest.iter().map(|byte| byte | 0x83));
            bytes
        }
        _ => {
            bytes.truncate(16);
            [bytes.as_slice(), rest].concat()
        }
    }
}

fn registers(bytes: &[u8]) -> Option<Registers> {
    let mut registers = Registers::default();
    let log = HyperLogLog::new(bytes).ok()?;
    log.merge_into(&mut registers).ok()?;
    // One that is not sound counts on behind the last register.
    log.estimate().ok()?;
    Some(registers)
}

/// What is sound stays so, and says the same in either representation.
fn check_value(bytes: &[u8]) {
    let Some(before) = registers(bytes) else { return };
    let mut dense = bytes.to_vec();
    HyperLogLogMut::new(&mut dense).expect("it is one").make_dense().expect("it is sound");
    assert_eq!(registers(&dense).expect("dense ones are sound")[..], before[..]);
    let mut added = [bytes.to_vec(), dense];
    for element in ELEMENTS {
        let raised = added.each_mut().map(|bytes| {
            let max_bytes = bytes.len() as u64 + 1;
            HyperLogLogMut::new(bytes).expect("it is one").add(element, max_bytes).expect("it is sound")
        });
        assert_eq!(raised[0], raised[1]);
        let [sparse, dense] = added.each_ref().map(|bytes| registers(bytes).expect("it is sound"));
        assert_eq!(sparse[..], dense[..]);
    }
}

fn run(shard: &mut Shard, words: &[&[u8]]) {
    let owned = OwnedArgs::from_words(words);
    let args = owned.as_args();
    let command = REGISTRY.resolve(args).expect("it is a command");
    let mut out = Vec::new();
    let mut reply = Reply::new(&mut out, Protocol::Resp3);
    let result = match command.run {
        Run::Write(run) => run(args, &mut shard.view_mut(0, true), &mut reply),
        Run::Gather(steps) => steps.run_on_one_shard(args, shard, 0, true, &mut reply),
        _ => panic!("{} is about a key", command.full_name),
    };
    // Refused or not.
    let _ = result;
}

fuzz_target!(|data: &[u8]| {
    let Some((&[len, choice], rest)) = data.split_first_chunk::<2>() else { return };
    let (first, second) = rest.split_at(usize::from(len).min(rest.len()));
    let (first, second) = (string(first), string(second));
    if choice & 1 == 0 {
        return check_value(&first);
    }
    let mut shard = Shard::new(1, 7);
    let mut settings = ShardSettings::default();
    settings.thresholds.hll_sparse_max_bytes = u64::from(choice) * 4;
    shard.set_settings(settings);
    shard.view_mut(0, true).put_string(b"first", &first, Expire::Clear, Event::Set);
    shard.view_mut(0, true).put_string(b"second", &second, Expire::Clear, Event::Set);
    let add: Vec<&[u8]> = [b"PFADD".as_slice(), b"first"].into_iter().chain(ELEMENTS).collect();
    match choice >> 1 & 7 {
        0 => run(&mut shard, &[b"PFCOUNT", b"first", b"second"]),
        1 => run(&mut shard, &[b"PFMERGE", b"second", b"first"]),
        2 => run(&mut shard, &[b"PFMERGE", b"third", b"first", b"second"]),
        3 => run(&mut shard, &[b"PFDEBUG", b"DECODE", b"first"]),
        4 => run(&mut shard, &[b"PFDEBUG", b"GETREG", b"first"]),
        5 => run(&mut shard, &[b"PFDEBUG", b"TODENSE", b"first"]),
        _ => run(&mut shard, &add),
    }
    run(&mut shard, &[b"PFCOUNT", b"first"]);
    run(&mut shard, &[b"PFCOUNT", b"second"]);
});
