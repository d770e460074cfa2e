use super::FLAGS;
use tessera_command::prelude::*;
use tessera_config::memory_size;
use tessera_values::list::ListSetting;

pub struct QuicklistPackedThreshold;

/// The largest that Redis takes: a little less than 4 GiB.
const MAX_LEN_BYTES: u32 = u32::MAX - (1 << 20) + 1;
const NO_THRESHOLD: Error =
    Error::Text("ERR argument must be a memory value bigger than 1 and smaller than 4gb");

impl Everywhere for QuicklistPackedThreshold {
    const SPEC: Spec = Spec {
        name: "debug|quicklist-packed-threshold",
        summary: "Elements of at least this size get a node of their own in long lists; 0: only those that fit into no \
            other.",
        since: "7.0.0",
        group: Group::Server,
        flags: FLAGS,
        protected: true,
        private_subcommands: true,
        grammar: &[string("size")],
        ..Spec::BASE
    };
    const MERGE: Merge = Merge::AllOk;
    type Args<'a> = u32;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        let len_bytes = memory_size(words.word()?).and_then(|len_bytes| u32::try_from(len_bytes).ok());
        match len_bytes {
            Some(0) => Ok(ListSetting::LARGE_LEN_BYTES),
            Some(len_bytes @ ..=MAX_LEN_BYTES) => Ok(len_bytes),
            _ => Err(NO_THRESHOLD),
        }
    }

    fn execute(len_bytes: &u32, node: &mut NodePart<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        node.host.set_list_large_len(*len_bytes);
        reply.ok();
        Ok(())
    }
}
