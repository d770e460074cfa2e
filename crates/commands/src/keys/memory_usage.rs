use tessera_command::prelude::*;

pub struct MemoryUsage;

impl Read for MemoryUsage {
    const SPEC: Spec = Spec {
        name: "memory|usage",
        summary: "Tells how many bytes a key and its value take.",
        since: "4.0.0",
        group: Group::Server,
        complexity: "O(N) in the number of samples.",
        keys: &[KeySpec::at(2, KeyFlags::RO)],
        grammar: &[key("key", 0), integer("count").after("SAMPLES").optional()],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Error> {
        let key = words.word()?;
        while !words.is_empty() {
            // How many elements of a collection to look at. A string has none.
            if words.left() < 2 || !words.take("SAMPLES") || words.integer()? < 0 {
                return Err(Error::SYNTAX);
            }
        }
        Ok(key)
    }

    fn execute(key: &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        match db.peek(key) {
            Some(entry) => reply.integer(entry.allocated_bytes() as i64),
            None => reply.null(),
        }
        Ok(())
    }
}
