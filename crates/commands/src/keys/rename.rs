use tessera_command::gather::Context;
use tessera_command::prelude::*;

pub struct Rename;

impl Gather for Rename {
    const SPEC: Spec = Spec {
        name: "rename",
        summary: "Gives a key another name, whatever that held.",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(1)",
        categories: Categories::KEYSPACE,
        keys: &[
            KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::DELETE)),
            KeySpec::at(2, KeyFlags::OW.with(KeyFlags::UPDATE)),
        ],
        events: &[Event::RenameFrom, Event::RenameTo, Event::New],
        grammar: &[key("key", 0), key("newkey", 1)],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.word()?))
    }

    fn needs<'a>(
        &(key, new_key): &Self::Args<'a>,
        _: Context,
        needs: &mut Vec<Need<'a>>,
    ) -> Result<(), Error> {
        needs.extend([key, new_key].map(|key| Need { key, db: None, what: What::Presence }));
        Ok(())
    }

    fn decide(
        (key, new_key): &Self::Args<'_>,
        _: Context,
        found: &[Found<'_>],
        changes: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        if !found[0].present {
            return Err(Error::NO_SUCH_KEY);
        }
        if key != new_key {
            changes.push(Change::Move { from: 0, to: 1 });
        }
        reply.ok();
        Ok(())
    }
}
