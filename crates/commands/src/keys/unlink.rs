use tessera_command::prelude::*;

pub struct Unlink;

impl Write for Unlink {
    const SPEC: Spec = Spec {
        name: "unlink",
        summary: "Removes keys and frees what they held in the background.",
        since: "4.0.0",
        group: Group::Generic,
        complexity: "O(N) in the number of keys; what they held is freed later.",
        spread: Some(Spread::ByKey(Merge::Sum)),
        flags: Flags::FAST,
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::range(1, -1, 1, KeyFlags::RM.with(KeyFlags::DELETE))],
        events: &[Event::Del],
        grammar: &[key("key", 0).multiple()],
        ..Spec::BASE
    };
    type Args<'a> = Args<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Args<'a>, Error> {
        Ok(words.rest())
    }

    fn execute(keys: &Self::Args<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        super::removal::remove_all(*keys, true, db, reply)
    }
}
