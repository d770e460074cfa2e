//! COMMAND: what the server knows of its commands.

mod count;
mod docs;
mod getkeys;
mod getkeysandflags;
mod help;
mod info;
mod key_words;
mod list;

use tessera_command::prelude::*;

/// The subcommands.
pub const SUBCOMMANDS: &[Command] = &[
    Command::session::<count::Count>(),
    Command::session::<docs::Docs>(),
    Command::session::<getkeys::GetKeys>(),
    Command::session::<getkeysandflags::GetKeysAndFlags>(),
    Command::session::<info::Info>(),
    Command::session::<list::List>(),
    Command::session::<help::Help>(),
];

pub struct CommandRoot;

impl Session for CommandRoot {
    const SPEC: Spec = Spec {
        name: "command",
        summary: "Describes all commands.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(N) in the number of commands.",
        flags: Flags::LOADING.with(Flags::STALE),
        categories: Categories::CONNECTION,
        tips: &["nondeterministic_output_order"],
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<(), Error> {
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        info::all(session.host.registry(), reply);
        Ok(())
    }
}
