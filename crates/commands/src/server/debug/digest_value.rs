use super::FLAGS;
use super::digesting::Digest;
use tessera_command::prelude::*;

pub struct DigestValue;

impl Read for DigestValue {
    const SPEC: Spec = Spec {
        name: "debug|digest-value",
        summary: "Answers a sum of what each of the keys holds, the same for equal values.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(N) in the length of the values.",
        spread: Some(Spread::ByKey(Merge::ByPosition)),
        flags: FLAGS,
        protected: true,
        private_subcommands: true,
        keys: &[KeySpec::range(2, -1, 1, KeyFlags::RO)],
        grammar: &[key("key", 0).optional().multiple()],
        ..Spec::BASE
    };
    type Args<'a> = Args<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok(words.rest())
    }

    fn execute(keys: &Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        reply.array(keys.len());
        for key in keys.iter() {
            // Also keys whose time is over.
            let entry = db.database().table().get(key);
            reply.simple(&entry.map_or_else(Digest::default, Digest::of_value).to_hex());
        }
        Ok(())
    }
}
