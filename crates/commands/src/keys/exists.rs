use tessera_command::prelude::*;

pub struct Exists;

impl Read for Exists {
    const SPEC: Spec = Spec {
        name: "exists",
        summary: "Counts how many of the keys are there; a key given twice counts twice.",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(N) in the number of keys.",
        spread: Some(Spread::ByKey(Merge::Sum)),
        flags: Flags::FAST,
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::range(1, -1, 1, KeyFlags::RO)],
        grammar: &[key("key", 0).multiple()],
        history: &[("3.0.3", "Takes several keys.")],
        ..Spec::BASE
    };
    type Args<'a> = Args<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Args<'a>, Error> {
        Ok(words.rest())
    }

    fn execute(keys: &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let present = keys.iter().filter(|key| db.find_untouched(key).is_some()).count();
        reply.integer(present as i64);
        Ok(())
    }
}
