use tessera_command::prelude::*;

const NOT_TRACKED: Error = Error::Text(
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching \
     between policies at runtime LRU and LFU data will take some time to adjust.",
);

pub struct Freq;

impl Read for Freq {
    const SPEC: Spec = Spec {
        name: "object|freq",
        summary: "Tells how often a key is used, on a logarithmic scale; only under an LFU eviction policy.",
        since: "4.0.0",
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

    fn execute(key: &&[u8], db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        match db.find_untouched(key) {
            None => reply.null(),
            Some(entry) if db.settings().eviction_policy.counts_uses() => {
                reply.integer(i64::from(db.shard().frequency(entry)));
            }
            Some(_) => return Err(NOT_TRACKED),
        }
        Ok(())
    }
}
