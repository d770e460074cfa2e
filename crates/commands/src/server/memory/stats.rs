use crate::server::overhead::Overhead;
use tessera_command::host::Facts;
use tessera_command::prelude::*;

pub struct Stats;

impl Session for Stats {
    const SPEC: Spec = Spec {
        name: "memory|stats",
        summary: "Answers what takes how much memory.",
        since: "4.0.0",
        group: Group::Server,
        complexity: "O(1)",
        policy: Policy::AsTips,
        tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        write(&session.host.facts(), reply);
        Ok(())
    }
}

/// What the fields of Redis tell of parts that this version lacks.
const ABSENT: [&str; 2] = ["replication.backlog", "clients.slaves"];
const ABSENT_TOO: [&str; 4] = ["cluster.links", "aof.buffer", "lua.caches", "functions.caches"];

fn write(facts: &Facts, reply: &mut Reply<'_>) {
    let (memory, overhead) = (&facts.memory, Overhead::of(facts));
    let databases: Vec<_> =
        facts.keyspace.iter().enumerate().filter(|(_, database)| database.keys > 0).collect();
    reply.map(27 + databases.len());
    number("peak.allocated", memory.peak_bytes.max(memory.used_bytes), reply);
    number("total.allocated", memory.used_bytes, reply);
    number("startup.allocated", memory.startup_bytes, reply);
    ABSENT.iter().for_each(|name| number(name, 0, reply));
    number("clients.normal", memory.clients_bytes, reply);
    ABSENT_TOO.iter().for_each(|name| number(name, 0, reply));
    for (index, database) in databases {
        reply.bulk(format!("db.{index}").as_bytes());
        reply.map(3);
        number("overhead.hashtable.main", database.table_bytes, reply);
        // Times of expiry are kept with the keys.
        number("overhead.hashtable.expires", 0, reply);
        number("overhead.hashtable.slot-to-keys", 0, reply);
    }
    number("overhead.total", overhead.overhead_bytes, reply);
    number("keys.count", overhead.keys, reply);
    number("keys.bytes-per-key", overhead.bytes_per_key, reply);
    number("dataset.bytes", overhead.dataset_bytes, reply);
    ratio("dataset.percentage", overhead.dataset_percent, reply);
    ratio("peak.percentage", overhead.peak_percent, reply);
    number("allocator.allocated", memory.allocator_allocated_bytes, reply);
    number("allocator.active", memory.allocator_active_bytes, reply);
    number("allocator.resident", memory.allocator_resident_bytes, reply);
    ratio("allocator-fragmentation.ratio", overhead.fragmentation_ratio, reply);
    difference("allocator-fragmentation.bytes", overhead.fragmentation_bytes, reply);
    ratio("allocator-rss.ratio", overhead.allocator_ratio, reply);
    difference("allocator-rss.bytes", overhead.allocator_bytes, reply);
    ratio("rss-overhead.ratio", overhead.process_ratio, reply);
    difference("rss-overhead.bytes", overhead.process_bytes, reply);
    ratio("fragmentation", overhead.total_ratio, reply);
    difference("fragmentation.bytes", overhead.total_bytes, reply);
}

fn number(name: &str, value: u64, reply: &mut Reply<'_>) {
    difference(name, i64::try_from(value).unwrap_or(i64::MAX), reply);
}

fn difference(name: &str, value: i64, reply: &mut Reply<'_>) {
    reply.bulk(name.as_bytes());
    reply.integer(value);
}

fn ratio(name: &str, value: f32, reply: &mut Reply<'_>) {
    reply.bulk(name.as_bytes());
    reply.double(f64::from(value));
}
