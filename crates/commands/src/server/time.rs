use tessera_command::prelude::*;

pub struct Time;

impl Session for Time {
    const SPEC: Spec = Spec {
        name: "time",
        summary: "Answers the time of the server's clock: Unix seconds, and microseconds beyond them.",
        since: "2.6.0",
        group: Group::Server,
        complexity: "O(1)",
        flags: Flags::LOADING.with(Flags::STALE).with(Flags::FAST),
        tips: &["nondeterministic_output"],
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let unix_us = session.host.unix_us();
        reply.array(2);
        reply.bulk_integer(unix_us.div_euclid(1_000_000));
        reply.bulk_integer(unix_us.rem_euclid(1_000_000));
        Ok(())
    }
}
