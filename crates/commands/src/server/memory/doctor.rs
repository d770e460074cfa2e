use crate::server::overhead::Overhead;
use tessera_command::host::Facts;
use tessera_command::prelude::*;

/// Below this nothing can be said.
const LITTLE_BYTES: u64 = 5 << 20;
/// Ratios are odd only beyond this difference.
const MUCH_BYTES: i64 = 10 << 20;
/// More than this per connection is much.
const BIG_CLIENT_BYTES: u64 = 200 << 10;

pub struct Doctor;

impl Session for Doctor {
    const SPEC: Spec = Spec {
        name: "memory|doctor",
        summary: "Explains to a person what is odd about the use of memory.",
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
        reply.verbatim("txt", explain(&session.host.facts()).as_bytes());
        Ok(())
    }
}

fn explain(facts: &Facts) -> String {
    let (memory, overhead) = (&facts.memory, Overhead::of(facts));
    if memory.used_bytes < LITTLE_BYTES {
        return "There is too little data to tell anything.\n".into();
    }
    let clients = facts.clients.connected.max(1);
    let odd = [
        (
            memory.peak_bytes as f32 / memory.used_bytes as f32 > 1.5,
            "Peak: more than one and a half times as much memory was in use before. What the allocator kept of it is \
                used \
again when data grows; MEMORY PURGE gives it back.",
        ),
        (
            overhead.total_ratio > 1.4 && overhead.total_bytes > MUCH_BYTES,
            "Resident memory: the process takes 1.4 times the memory that its data takes, or more.",
        ),
        (
            overhead.fragmentation_ratio > 1.1 && overhead.fragmentation_bytes > MUCH_BYTES,
            "Fragmentation: pages of the allocator are used in part. A peak in the past or a change in the sizes of \
                values \
leaves them so.",
        ),
        (
            overhead.allocator_ratio > 1.1 && overhead.allocator_bytes > MUCH_BYTES,
            "Allocator: it keeps pages that are not in use. MEMORY PURGE gives them back.",
        ),
        (
            overhead.process_ratio > 1.1 && overhead.process_bytes > MUCH_BYTES,
            "Process: memory is taken by others than the allocator.",
        ),
        (
            memory.clients_bytes / clients > BIG_CLIENT_BYTES,
            "Clients: on average a connection takes more than 200 KiB. CLIENT LIST tells which read too slowly or send \
                large \
commands (omem, qbuf).",
        ),
    ];
    let found: Vec<&str> = odd.iter().filter(|(is_odd, _)| *is_odd).map(|(_, text)| *text).collect();
    if found.is_empty() {
        return "Nothing is odd about the use of memory.\n".into();
    }
    let mut report = String::from("Some things are odd about the use of memory:\n\n");
    found.iter().for_each(|text| report.extend([" * ", text, "\n\n"]));
    report
}
