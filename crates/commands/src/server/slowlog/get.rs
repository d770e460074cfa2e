use tessera_command::host::{SlowlogEntry, guard::wrong_form};
use tessera_command::prelude::*;
use tessera_resp::number::parse_i64;

/// How many entries are answered if none asks for more.
const DEFAULT_LEN: usize = 10;

pub struct Get;

impl Session for Get {
    const SPEC: Spec = Spec {
        name: "slowlog|get",
        summary: "Answers the last slow commands, newest first.",
        since: "2.2.12",
        group: Group::Server,
        complexity: "O(N) in the number of entries answered.",
        flags: Flags::ADMIN.with(Flags::LOADING).with(Flags::STALE),
        grammar: &[integer("count").optional()],
        history: &[("4.0.0", "Entries tell the client's address and name.")],
        policy: Policy::AsTips,
        tips: &["request_policy:all_nodes", "nondeterministic_output"],
        ..Spec::BASE
    };
    type Args<'a> = usize;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        if words.left() > 1 {
            return Err(wrong_form("slowlog", words.all()));
        }
        match words.next_word().map(parse_i64) {
            None => Ok(DEFAULT_LEN),
            Some(Some(-1)) => Ok(usize::MAX),
            Some(Some(count @ 0..)) => Ok(usize::try_from(count).unwrap_or(usize::MAX)),
            Some(_) => Err(Error::Text("ERR count should be greater than or equal to -1")),
        }
    }

    fn execute(count: &usize, session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        session.host.with_slowlog(&mut |log| {
            reply.array(log.len().min(*count));
            log.entries().take(*count).for_each(|entry| write(entry, reply));
        });
        Ok(())
    }
}

fn write(entry: &SlowlogEntry, reply: &mut Reply<'_>) {
    reply.array(6);
    reply.integer(entry.id as i64);
    reply.integer(entry.unix_s);
    reply.integer(i64::try_from(entry.duration_us).unwrap_or(i64::MAX));
    reply.array(entry.words.len());
    entry.words.iter().for_each(|word| reply.bulk(word));
    reply.bulk(entry.peer.as_bytes());
    reply.bulk(&entry.client_name);
}
