use super::FLAGS;
use super::digesting::{Digest, LEN_BYTES};
use tessera_command::prelude::*;
use tessera_resp::scan;

pub struct DatasetDigest;

impl Everywhere for DatasetDigest {
    const SPEC: Spec = Spec {
        name: "debug|digest",
        summary: "Answers a sum of all keys with what they hold, the same for equal data.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(N) in the length of all data.",
        flags: FLAGS,
        protected: true,
        private_subcommands: true,
        ..Spec::BASE
    };
    const MERGE: Merge = Merge::By(merge);
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    /// A node's part is the digests of its shard's databases, one behind the other.
    fn execute((): &(), node: &mut NodePart<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let shard = node.host.shard();
        let numbers = 0..shard.databases_len() as u16;
        let digests: Vec<[u8; LEN_BYTES]> =
            numbers.map(|number| Digest::of_database(shard.database(number)).0).collect();
        reply.bulk(digests.as_flattened());
        Ok(())
    }
}

/// Keys count in any order, so a database's digest is those of its parts xored; databases count in their order.
fn merge(parts: &[&[u8]], reply: &mut Reply<'_>) {
    let parts: Vec<&[u8]> = parts.iter().filter_map(|part| scan::text(part)).collect();
    let databases = parts.first().map_or(0, |part| part.len() / LEN_BYTES);
    let mut all = Digest::default();
    for number in 0..databases {
        let mut database = Digest::default();
        for part in &parts {
            database.merge(part.get(number * LEN_BYTES..).unwrap_or_default());
        }
        // Without keys there is nothing but zeros.
        if database != Digest::default() {
            all.mix(&(number as u32).to_be_bytes());
            all.merge(&database.0);
        }
    }
    reply.simple(&all.to_hex());
}
