use tessera_command::host::{Action, Reload};
use tessera_command::prelude::*;

pub struct ReloadKeys;

const OTHER_OPTION: Error =
    Error::Text("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");

impl Session for ReloadKeys {
    const SPEC: Spec = Spec {
        name: "debug|reload",
        summary: "Saves all keys, unless `NOSAVE` is given, removes them, unless `NOFLUSH` is given, and loads what is \
            saved, while all clients wait. `MERGE`: what is loaded replaces keys that are there.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(N) in the number of keys of all databases.",
        // Not while something is loaded already.
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT),
        protected: true,
        private_subcommands: true,
        grammar: &[one_of(
            "option",
            &[token("merge", "MERGE"), token("noflush", "NOFLUSH"), token("nosave", "NOSAVE")],
        )
        .optional()
        .multiple()],
        ..Spec::BASE
    };
    type Args<'a> = Reload;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        let mut reload = Reload { saves: true, flushes: true, merges: false };
        while let Some(word) = words.next_word() {
            match word.to_ascii_uppercase().as_slice() {
                b"MERGE" => reload.merges = true,
                b"NOFLUSH" => reload.flushes = false,
                b"NOSAVE" => reload.saves = false,
                _ => return Err(OTHER_OPTION),
            }
        }
        Ok(reload)
    }

    fn execute(reload: &Reload, session: &mut SessionContext<'_>, _: &mut Reply<'_>) -> Result<(), Error> {
        session.host.act(Action::Reload(*reload));
        Ok(())
    }
}
