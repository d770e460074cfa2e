use tessera_command::host::Action;
use tessera_command::prelude::*;

const FLAGS: Flags = Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::NO_ASYNC_LOADING).with(Flags::NO_MULTI);

/// A replica would take the end of the connection for a fault, and come back for the whole snapshot again and again.
/// Told that there is no link to a master yet, it comes back once a second; of any other error it makes a SYNC, and
/// after that it connects anew at once.
const NO_LINK: Error = Error::Text(
    "NOMASTERLINK There is no replication: only clients that have said REPLCONF RDB-ONLY 1 are sent a snapshot",
);

const ONLY_SNAPSHOTS: Error = Error::Text(
    "ERR There is no replication: only clients that have said REPLCONF RDB-ONLY 1 are sent a snapshot",
);

pub struct Sync;

impl Session for Sync {
    const SPEC: Spec = Spec {
        name: "sync",
        summary: "Sends a new snapshot, as one RDB file, and closes the connection.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "",
        flags: FLAGS,
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, _: &mut Reply<'_>) -> Result<(), Error> {
        if !session.client.rdb_only {
            return Err(ONLY_SNAPSHOTS);
        }
        session.host.act(Action::SendSnapshot);
        Ok(())
    }
}

pub struct PSync;

impl Session for PSync {
    const SPEC: Spec = Spec {
        name: "psync",
        summary: "Sends a new snapshot, as one RDB file, and closes the connection.",
        since: "2.8.0",
        group: Group::Server,
        complexity: "",
        flags: FLAGS,
        grammar: &[string("replicationid"), integer("offset")],
        arity: Some(-3),
        ..Spec::BASE
    };
    type Args<'a> = ();

    /// Wherever a client wants to go on, it gets everything.
    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.rest();
        Ok(())
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        if !session.client.rdb_only {
            return Err(NO_LINK);
        }
        reply.simple(&format!("FULLRESYNC {} 0", session.host.facts().replication.id));
        session.host.act(Action::SendSnapshot);
        Ok(())
    }
}
