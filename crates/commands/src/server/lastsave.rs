use tessera_command::prelude::*;

pub struct LastSave;

impl Session for LastSave {
    const SPEC: Spec = Spec {
        name: "lastsave",
        summary: "Answers when everything was saved last, as a Unix time in seconds.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(1)",
        flags: Flags::LOADING.with(Flags::STALE).with(Flags::FAST),
        categories: Categories::ADMIN.with(Categories::DANGEROUS),
        tips: &["nondeterministic_output"],
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        reply.integer(session.host.facts().persistence.last_save_unix_s);
        Ok(())
    }
}
