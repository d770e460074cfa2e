use tessera_command::prelude::*;
use tessera_resp::number::parse_i64;

const OUT_OF_RANGE: Error =
    Error::Text("ERR value is out of range, value must between -2147483648 and 2147483647");

pub struct Select;

impl Session for Select {
    const SPEC: Spec = Spec {
        name: "select",
        summary: "Changes the database that commands of this connection work on.",
        since: "1.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        flags: Flags::LOADING.with(Flags::STALE).with(Flags::FAST),
        categories: Categories::CONNECTION,
        selects: Some(|args| u16::try_from(parse_i64(args.get(1)?)?).ok()),
        grammar: &[integer("index")],
        ..Spec::BASE
    };
    type Args<'a> = i32;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        let index = words.integer()?;
        i32::try_from(index).map_err(|_| OUT_OF_RANGE)
    }

    fn execute(index: &i32, session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let databases = session.host.config().databases;
        session.client.db = u16::try_from(*index)
            .ok()
            .filter(|index| *index < databases)
            .ok_or(Error::Text("ERR DB index is out of range"))?;
        reply.ok();
        Ok(())
    }
}
