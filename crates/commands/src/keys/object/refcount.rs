use tessera_command::prelude::*;

pub struct RefCount;

impl Read for RefCount {
    const SPEC: Spec = Spec {
        name: "object|refcount",
        summary: "Tells how many references to the value of a key there are.",
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
            Some(entry) => {
                reply.integer(super::reference_count(entry.value(), db.settings().shares_integers))
            }
            None => reply.null(),
        }
        Ok(())
    }
}
