use tessera_command::prelude::*;

pub struct TrackingInfo;

impl Session for TrackingInfo {
    const SPEC: Spec = Spec {
        name: "client|trackinginfo",
        summary: "Answers that nothing is told of keys that the client may keep copies of.",
        since: "6.2.0",
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

    fn execute((): &(), _: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        reply.map(3);
        reply.bulk(b"flags");
        reply.set(1);
        reply.bulk(b"off");
        reply.bulk(b"redirect");
        reply.integer(-1);
        reply.bulk(b"prefixes");
        reply.array(0);
        Ok(())
    }
}
