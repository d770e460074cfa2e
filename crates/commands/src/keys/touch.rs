use tessera_command::prelude::*;

pub struct Touch;

impl Read for Touch {
    const SPEC: Spec = Spec {
        name: "touch",
        summary: "Notes a use of each key and counts those that are there.",
        since: "3.2.1",
        group: Group::Generic,
        complexity: "O(N) in the number of keys.",
        spread: Some(Spread::ByKey(Merge::Sum)),
        flags: Flags::FAST,
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::range(1, -1, 1, KeyFlags::RO)],
        grammar: &[key("key", 0).multiple()],
        ..Spec::BASE
    };
    type Args<'a> = Args<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Args<'a>, Error> {
        Ok(words.rest())
    }

    fn execute(keys: &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let mut touched = 0;
        for entry in keys.iter().filter_map(|key| db.find_untouched(key)) {
            // It is the command's purpose, so CLIENT NO-TOUCH does not apply.
            db.shard().note_use(entry);
            touched += 1;
        }
        reply.integer(touched);
        Ok(())
    }
}
