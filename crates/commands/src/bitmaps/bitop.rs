use tessera_command::prelude::*;

pub struct BitOp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    And,
    Or,
    Xor,
    Not,
    /// What is in the first and in none of the others.
    Diff,
    /// What is in any of the others and not in the first.
    Diff1,
    /// What is in the first and in any of the others.
    AndOr,
    /// What is in one of them only.
    One,
}

impl Operation {
    fn take(words: &mut Words<'_>) -> Result<Operation, Error> {
        [
            ("AND", Operation::And),
            ("OR", Operation::Or),
            ("XOR", Operation::Xor),
            ("NOT", Operation::Not),
            ("DIFF", Operation::Diff),
            ("DIFF1", Operation::Diff1),
            ("ANDOR", Operation::AndOr),
            ("ONE", Operation::One),
        ]
        .into_iter()
        .find_map(|(name, operation)| words.take(name).then_some(operation))
        .ok_or(Error::SYNTAX)
    }

    /// Whether it may be called with so many sources.
    fn check(self, sources: usize) -> Result<(), Error> {
        let text = match self {
            Operation::Not if sources != 1 => "ERR BITOP NOT must be called with a single source key.",
            Operation::Diff if sources < 2 => "ERR BITOP DIFF must be called with at least two source keys.",
            Operation::Diff1 if sources < 2 => {
                "ERR BITOP DIFF1 must be called with at least two source keys."
            }
            Operation::AndOr if sources < 2 => {
                "ERR BITOP ANDOR must be called with at least two source keys."
            }
            _ => return Ok(()),
        };
        Err(Error::Text(text))
    }
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
        summary: "Combines strings bit by bit and keeps the result; there are also `DIFF`, `DIFF1`, `ANDOR` and `ONE`, \
            as in Redis 8.2.",
        since: "2.6.0",
        group: Group::Bitmap,
        complexity: "O(N)",
        flags: Flags::DENY_OOM,
        categories: Categories::BITMAP,
        keys: &[
            KeySpec::at(2, KeyFlags::OW.with(KeyFlags::UPDATE)),
            KeySpec::range(3, -1, 1, KeyFlags::RO.with(KeyFlags::ACCESS)),
        ],
        events: &[Event::Set, Event::Del, Event::New],
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
        let operation = Operation::take(words)?;
        let args = BitOpArgs { operation, destination: words.word()?, sources: words.rest() };
        operation.check(args.sources.len())?;
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
            changes.push(Change::Put {
                index: 0,
                value: value.into(),
                expire: Expire::Clear,
                event: Event::Set,
            });
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
    match (operation, sources) {
        (Operation::One, _) => only_once(sources, len_bytes),
        (Operation::Diff | Operation::Diff1 | Operation::AndOr, [first, others @ ..]) => {
            against_others(operation, first, others, len_bytes)
        }
        _ => combine_in_turn(operation, sources, len_bytes),
    }
}

/// The operations that take one source after the other.
fn combine_in_turn(operation: Operation, sources: &[Found<'_>], len_bytes: usize) -> Result<Vec<u8>, Error> {
    let mut result = Vec::with_capacity(len_bytes);
    for (index, source) in sources.iter().enumerate() {
        let mut digits = Digits::new();
        let bytes = bytes_of(source, &mut digits)?;
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
            Operation::Xor => within.iter_mut().zip(bytes).for_each(|(byte, other)| *byte ^= other),
            _ => within.iter_mut().zip(bytes).for_each(|(byte, other)| *byte |= other),
        }
    }
    if operation == Operation::Not {
        result.iter_mut().for_each(|byte| *byte = !*byte);
    }
    Ok(result)
}

/// The operations that take the first source against all others together.
fn against_others(
    operation: Operation,
    first: &Found<'_>,
    others: &[Found<'_>],
    len_bytes: usize,
) -> Result<Vec<u8>, Error> {
    let mut digits = Digits::new();
    let first = bytes_of(first, &mut digits)?;
    let mut result = combine_in_turn(Operation::Or, others, len_bytes)?;
    let (within, beyond) = result.split_at_mut(first.len());
    let pairs = within.iter_mut().zip(first);
    match operation {
        Operation::Diff => pairs.for_each(|(byte, first)| *byte = first & !*byte),
        Operation::Diff1 => pairs.for_each(|(byte, first)| *byte &= !first),
        _ => pairs.for_each(|(byte, first)| *byte &= first),
    }
    if operation != Operation::Diff1 {
        beyond.fill(0);
    }
    Ok(result)
}

/// The bits that one source only has.
fn only_once(sources: &[Found<'_>], len_bytes: usize) -> Result<Vec<u8>, Error> {
    let (mut any, mut several) = (vec![0u8; len_bytes], vec![0u8; len_bytes]);
    for source in sources {
        let mut digits = Digits::new();
        let bytes = bytes_of(source, &mut digits)?;
        for ((any, several), byte) in any.iter_mut().zip(&mut several).zip(bytes) {
            *several |= *any & byte;
            *any |= byte;
        }
    }
    any.iter_mut().zip(several).for_each(|(any, several)| *any &= !several);
    Ok(any)
}

fn bytes_of<'d>(source: &Found<'d>, digits: &'d mut Digits) -> Result<&'d [u8], Error> {
    Ok(string_of(source)?.map_or(b"".as_slice(), |string| string.as_bytes(digits)))
}
