use tessera_command::prelude::*;

pub struct GetName;

impl Session for GetName {
    const SPEC: Spec = Spec {
        name: "client|getname",
        summary: "Answers the connection's name.",
        since: "2.6.9",
        group: Group::Connection,
        complexity: "O(1)",
        flags: Flags::NO_SCRIPT.with(Flags::LOADING).with(Flags::STALE),
        categories: Categories::CONNECTION,
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let name = &session.client.name;
        reply.bulk_or_null((!name.is_empty()).then_some(&**name));
        Ok(())
    }
}
