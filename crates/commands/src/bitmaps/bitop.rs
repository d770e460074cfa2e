use tessera_command::prelude::*;

pub struct BitOp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    And,
    Or,
    Xor,
    Not,
}

/// The parsed words of BITOP.
pub struct BitOpArgs<'a> {
    operation: Operation,
    destination: &'a [u8],
    sources: Args<'a>,
}

impl Gather for BitOp {
    const SPEC: Spec = Spec {
        name: "bitop",
        summary: "Combines strings bit by bit and keeps the result.",
        since: "2.6.0",
        group: Group::Bitmap,
        complexity: "O(N)",
        spread: Spread::Gather,
        flags: Flags::DENY_OOM,
        categories: Categories::BITMAP,
        keys: &[
            KeySpec::at(2, KeyFlags::OW.with(KeyFlags::UPDATE)),
            KeySpec::range(3, -1, 1, KeyFlags::RO.with(KeyFlags::ACCESS)),
        ],
        grammar: &[
            one_of(
                "operation",
                &[token("and", "AND"), token("or", "OR"), token("xor", "XOR"), token("not", "NOT")],
            ),
            key("destkey", 0),
            key("key", 1).multiple(),
        ],
        ..Spec::BASE
    };
    type Args<'a> = BitOpArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<BitOpArgs<'a>, Error> {
        let operation = if words.take("AND") {
            Operation::And
        } else if words.take("OR") {
            Operation::Or
        } else if words.take("XOR") {
            Operation::Xor
        } else if words.take("NOT") {
            Operation::Not
        } else {
            return Err(Error::SYNTAX);
        };
        let args = BitOpArgs { operation, destination: words.word()?, sources: words.rest() };
        if operation == Operation::Not && args.sources.len() != 1 {
            return Err(Error::Text("ERR BITOP NOT must be called with a single source key."));
        }
        Ok(args)
    }

    fn needs<'a>(args: &BitOpArgs<'a>, _context: Context, needs: &mut Vec<Need<'a>>) -> Result<(), Error> {
        needs.push(Need { key: args.destination, db: None, what: What::Presence });
        needs.extend(args.sources.iter().map(|key| Need { key, db: None, what: What::Value }));
        Ok(())
    }

    fn decide(
        args: &BitOpArgs<'_>,
        _context: Context,
        found: &[Found<'_>],
        changes: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let [destination, sources @ ..] = found else { return Err(Error::SYNTAX) };
        let mut len_bytes = 0;
        for source in sources {
            len_bytes = string_of(source)?.map_or(0, StringRef::len_bytes).max(len_bytes);
        }
        if len_bytes > 0 {
            let value = StringValue::raw(combine(args.operation, sources, len_bytes)?);
            changes.push(Change::Put { index: 0, value: value.into(), expire: Expire::Clear });
        } else if destination.present {
            changes.push(Change::Remove { index: 0 });
        }
        reply.integer(len_bytes as i64);
        Ok(())
    }
}

fn string_of<'v>(found: &Found<'v>) -> Result<Option<StringRef<'v>>, Error> {
    match found.value {
        None => Ok(None),
        Some(ValueRef::String(string)) => Ok(Some(string)),
        Some(_) => Err(Error::WRONG_TYPE),
    }
}

/// The sources combined; those shorter than `len_bytes`, the length of the longest, count as followed by zeros.
fn combine(operation: Operation, sources: &[Found<'_>], len_bytes: usize) -> Result<Vec<u8>, Error> {
    let mut result = Vec::with_capacity(len_bytes);
    for (index, source) in sources.iter().enumerate() {
        let mut digits = Digits::new();
        let bytes = string_of(source)?.map_or(b"".as_slice(), |string| string.as_bytes(&mut digits));
        if index == 0 {
            result.extend_from_slice(bytes);
            result.resize(len_bytes, 0);
            continue;
        }
        let (within, beyond) = result.split_at_mut(bytes.len());
        // Plain loops over bytes: the compiler makes vector instructions of them.
        match operation {
            Operation::And => {
                within.iter_mut().zip(bytes).for_each(|(byte, other)| *byte &= other);
                beyond.fill(0);
            }
            Operation::Or => within.iter_mut().zip(bytes).for_each(|(byte, other)| *byte |= other),
            Operation::Xor => within.iter_mut().zip(bytes).for_each(|(byte, other)| *byte ^= other),
            Operation::Not => {}
        }
    }
    if operation == Operation::Not {
        result.iter_mut().for_each(|byte| *byte = !*byte);
    }
    Ok(result)
}
