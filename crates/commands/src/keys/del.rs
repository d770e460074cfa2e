use tessera_command::prelude::*;

pub struct Del;

impl Write for Del {
    const SPEC: Spec = Spec {
        name: "del",
        summary: "Removes keys.",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(N) in the number of keys, plus O(M) for each key that holds a collection of M elements.",
        spread: Some(Spread::ByKey(Merge::Sum)),
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
        let later = db.settings().lazy_free.user_delete;
        super::removal::remove_all(*keys, later, db, reply)
    }
}
