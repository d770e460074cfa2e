use tessera_command::prelude::*;

/// What a client says of how it wants a snapshot.
#[derive(Default)]
pub struct Wishes {
    rdb_only: Option<bool>,
}

pub struct ReplConf;

impl Session for ReplConf {
    const SPEC: Spec = Spec {
        name: "replconf",
        summary: "Says how a client that gets a snapshot wants it.",
        since: "3.0.0",
        group: Group::Server,
        complexity: "O(1)",
        flags: Flags::ADMIN
            .with(Flags::NO_SCRIPT)
            .with(Flags::LOADING)
            .with(Flags::STALE)
            .with(Flags::ALLOW_BUSY),
        arity: Some(-1),
        system: true,
        ..Spec::BASE
    };
    type Args<'a> = Wishes;

    /// Of Redis's options those that are about the stream of changes, and filters of snapshots, are unknown here.
    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        if !words.left().is_multiple_of(2) {
            return Err(Error::SYNTAX);
        }
        let mut wishes = Wishes::default();
        while let Some(name) = words.next_word() {
            match name.to_ascii_lowercase().as_slice() {
                // Capabilities that the server does not make use of are none of its concern.
                b"capa" => {
                    words.word()?;
                }
                b"rdb-only" => match words.integer()? {
                    value @ (0 | 1) => wishes.rdb_only = Some(value == 1),
                    _ => return Err(OUT_OF_RANGE),
                },
                _ => return Err(Error::built([b"ERR Unrecognized REPLCONF option: ", name].concat())),
            }
        }
        Ok(wishes)
    }

    fn execute(
        wishes: &Wishes,
        session: &mut SessionContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        session.client.rdb_only = wishes.rdb_only.unwrap_or(session.client.rdb_only);
        reply.simple("OK");
        Ok(())
    }
}

const OUT_OF_RANGE: Error = Error::Text("ERR value is out of range, must be between 0 and 1");
