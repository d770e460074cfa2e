use super::bgsave::IN_PROGRESS;
use tessera_command::host::Action;
use tessera_command::prelude::*;

pub struct Save;

impl Session for Save {
    const SPEC: Spec = Spec {
        name: "save",
        summary: "Saves all databases, and answers when they are saved; other clients are served meanwhile.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(N) in the number of keys of all databases.",
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::NO_ASYNC_LOADING).with(Flags::NO_MULTI),
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, _: &mut Reply<'_>) -> Result<(), Error> {
        if !session.host.begin_snapshot(false) {
            return Err(IN_PROGRESS);
        }
        session.host.act(Action::AwaitSnapshot);
        Ok(())
    }
}
