use super::object::reference_count;
use tessera_command::prelude::*;
use tessera_storage::rdb::dumped_value_len_bytes;
use tessera_values::ListRef;
use tessera_values::listpack::Pack;

pub struct DebugObject;

/// Bits of the clock that Redis keeps with each object.
const CLOCK_MASK: i64 = (1 << 24) - 1;

impl Read for DebugObject {
    const SPEC: Spec = Spec {
        name: "debug|object",
        summary: "Tells how a key is kept, in one line for people and test tools.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(N), where N is the length of the value",
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::LOADING).with(Flags::STALE),
        protected: true,
        private_subcommands: true,
        keys: &[KeySpec::at(2, KeyFlags::RO)],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Error> {
        words.word()
    }

    fn execute(key: &&[u8], db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let entry = db.peek(key).ok_or(Error::NO_SUCH_KEY)?;
        let idle_s = db.shard().idle_s(entry);
        let clock = (db.now_ms() / 1000 - idle_s as i64) & CLOCK_MASK;
        reply.simple(&format!(
            "Value at:{:p} refcount:{} encoding:{} serializedlength:{} lru:{clock} lru_seconds_idle:{idle_s}{}",
            entry.key().as_ptr(),
            reference_count(entry.value(), db.settings().shares_integers),
            entry.value().encoding_name(),
            dumped_value_len_bytes(entry.value(), db.settings().compress_dumps),
            told_of_nodes(entry.value()),
        ));
        Ok(())
    }
}

/// What is told of a list of several nodes besides.
fn told_of_nodes(value: ValueRef<'_>) -> String {
    let ValueRef::List(list @ ListRef::Nodes(nodes)) = value else { return String::new() };
    let places = std::iter::successors(nodes.first(), |place| nodes.next(*place));
    let len_bytes: usize =
        places.map(|place| nodes.get(place).map_or_else(<[u8]>::len, Pack::len_bytes)).sum();
    let average = list.len() as f64 / nodes.len() as f64;
    format!(
        " ql_nodes:{} ql_avg_node:{average:.2} ql_listpack_max:{} ql_compressed:0 ql_uncompressed_size:{len_bytes}",
        nodes.len(),
        nodes.setting(),
    )
}
