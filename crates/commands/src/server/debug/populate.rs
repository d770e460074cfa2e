use tessera_command::prelude::*;
use tessera_resp::number::parse_i64;

pub struct Populate;

/// The keys to make.
pub struct Population<'a> {
    count: u32,
    prefix: &'a [u8],
    /// How long each value is, in bytes; 0: as long as its text.
    value_len_bytes: u64,
}

/// Longer keys are cut, as in Redis.
const KEY_MAX_LEN_BYTES: usize = 127;
const NOT_POSITIVE: Error = Error::Text("ERR value is out of range, must be positive");
const TOO_MANY: Error = Error::Text("ERR OOM in dictTryExpand");
const TOO_LONG: Error = Error::Text("ERR string exceeds maximum allowed size (proto-max-bulk-len)");

impl Write for Populate {
    const SPEC: Spec = Spec {
        name: "debug|populate",
        summary: "Makes so many keys named `key:<number>`, or with another prefix, which hold strings. Those that are \
            there stay as they are.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(N) in the number of keys.",
        spread: Some(Spread::AllShards(Merge::AllOk)),
        // Not while a file is loaded: it may have the same keys.
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT),
        protected: true,
        events: &[Event::Changed, Event::New],
        private_subcommands: true,
        grammar: &[integer("count"), string("prefix").optional(), integer("size").optional()],
        ..Spec::BASE
    };
    type Args<'a> = Population<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        let count = natural(words.word()?)?;
        let prefix = words.next_word().unwrap_or(b"key");
        let value_len_bytes = words.next_word().map_or(Ok(0), natural)?;
        if !words.is_empty() {
            return Err(wrong_number_of_words(words.all()));
        }
        Ok(Population { count: u32::try_from(count).map_err(|_| TOO_MANY)?, prefix, value_len_bytes })
    }

    fn execute(
        population: &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        if population.value_len_bytes > db.settings().string_max_len_bytes {
            return Err(TOO_LONG);
        }
        for number in 0..population.count {
            let digits = format!(":{number}");
            let mut key = [population.prefix, digits.as_bytes()].concat();
            key.truncate(KEY_MAX_LEN_BYTES);
            if db.shard_mut().owns(&key) && !db.has_to_write(&key) {
                let mut value = format!("value:{number}").into_bytes();
                if population.value_len_bytes > 0 {
                    value.resize(population.value_len_bytes as usize, 0);
                }
                db.put_string(&key, &value, Expire::Clear, Event::Changed);
            }
        }
        reply.ok();
        // As in Redis: nobody else is told, and nothing is to be saved for it.
        Ok(Effect::None)
    }
}

fn natural(word: &[u8]) -> Result<u64, Error> {
    parse_i64(word).and_then(|number| u64::try_from(number).ok()).ok_or(NOT_POSITIVE)
}

fn wrong_number_of_words(words: Args<'_>) -> Error {
    let name = words.get(1).unwrap_or_default();
    let before: &[u8] = b"ERR unknown subcommand or wrong number of arguments for '";
    Error::built([before, name, b"'. Try DEBUG HELP."].concat())
}
