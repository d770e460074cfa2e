use tessera_command::client::ReplyMode;
use tessera_command::prelude::*;

pub enum Choice {
    On,
    Off,
    Skip,
}

pub struct ReplyTo;

impl Session for ReplyTo {
    const SPEC: Spec = Spec {
        name: "client|reply",
        summary: "Chooses whether commands of this connection are answered.",
        since: "3.2.0",
        group: Group::Connection,
        complexity: "O(1)",
        flags: Flags::NO_SCRIPT.with(Flags::LOADING).with(Flags::STALE),
        categories: Categories::CONNECTION,
        grammar: &[one_of("action", &[token("on", "ON"), token("off", "OFF"), token("skip", "SKIP")])],
        ..Spec::BASE
    };
    type Args<'a> = Choice;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        let choice = if words.take("on") {
            Choice::On
        } else if words.take("off") {
            Choice::Off
        } else if words.take("skip") {
            Choice::Skip
        } else {
            return Err(Error::SYNTAX);
        };
        Ok(choice)
    }

    fn execute(
        choice: &Choice,
        session: &mut SessionContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let mode = &mut session.client.reply_mode;
        match choice {
            Choice::On => {
                *mode = ReplyMode::On;
                reply.ok();
            }
            // These two are not answered.
            Choice::Off => *mode = ReplyMode::Off,
            Choice::Skip if *mode != ReplyMode::Off => *mode = ReplyMode::SkipNext,
            Choice::Skip => {}
        }
        Ok(())
    }
}
