use super::FLAGS;
use super::set_active_expire::is_on;
use tessera_command::prelude::*;

pub struct SetSkipChecksumValidation;

impl Everywhere for SetSkipChecksumValidation {
    const SPEC: Spec = Spec {
        name: "debug|set-skip-checksum-validation",
        summary: "Whether RESTORE takes payloads whose checksum is wrong (1) or refuses them (0).",
        since: "1.0.0",
        group: Group::Server,
        flags: FLAGS,
        protected: true,
        private_subcommands: true,
        grammar: &[integer("skip")],
        ..Spec::BASE
    };
    const MERGE: Merge = Merge::AllOk;
    type Args<'a> = bool;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.word().map(is_on)
    }

    fn execute(skip: &bool, node: &mut NodePart<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        node.host.set_skip_checksums(*skip);
        reply.ok();
        Ok(())
    }
}
