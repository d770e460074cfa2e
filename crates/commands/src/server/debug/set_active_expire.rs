use super::FLAGS;
use tessera_command::prelude::*;

pub struct SetActiveExpire;

impl Everywhere for SetActiveExpire {
    const SPEC: Spec = Spec {
        name: "debug|set-active-expire",
        summary: "Whether expired keys are looked for (1) or only met (0).",
        since: "1.0.0",
        group: Group::Server,
        flags: FLAGS,
        protected: true,
        private_subcommands: true,
        grammar: &[integer("enabled")],
        ..Spec::BASE
    };
    const MERGE: Merge = Merge::AllOk;
    type Args<'a> = bool;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.word().map(is_on)
    }

    fn execute(enabled: &bool, node: &mut NodePart<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        node.host.set_active_expire(*enabled);
        reply.ok();
        Ok(())
    }
}

/// C's `atoi`, which reads digits as far as they go: whether it is anything but 0.
pub(super) fn is_on(word: &[u8]) -> bool {
    let word = word.trim_ascii_start();
    let digits = word.strip_prefix(b"-").or_else(|| word.strip_prefix(b"+")).unwrap_or(word);
    digits.iter().take_while(|byte| byte.is_ascii_digit()).any(|byte| *byte != b'0')
}
