use super::answer;
use tessera_command::prelude::*;
use tessera_values::Set;

pub struct SMembers;

impl Read for SMembers {
    const SPEC: Spec = Spec {
        name: "smembers",
        summary: "Tells all members of a set.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(N) in the number of members.",
        spread: Spread::OneShard,
        tips: &["nondeterministic_output_order"],
        categories: Categories::SET,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.word()
    }

    fn execute(key: &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let set = db.collection::<Set>(key)?;
        answer::members(set, reply);
        Ok(())
    }
}
