use tessera_command::prelude::*;

const NOT_TRACKED: Error = Error::Text(
    "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies \
     at runtime LRU and LFU data will take some time to adjust.",
);

pub struct IdleTime;

impl Read for IdleTime {
    const SPEC: Spec = Spec {
        name: "object|idletime",
        summary: "Tells how many seconds ago a key was last used.",
        since: "2.2.3",
        group: Group::Generic,
        complexity: "O(1)",
        categories: Categories::KEYSPACE,
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::at(2, KeyFlags::RO)],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Error> {
        words.word()
    }

    fn execute(key: &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        match db.find_untouched(key) {
            Some(_) if db.settings().eviction_policy.counts_uses() => return Err(NOT_TRACKED),
            Some(entry) => reply.integer(db.shard().idle_s(entry) as i64),
            None => reply.null(),
        }
        Ok(())
    }
}
