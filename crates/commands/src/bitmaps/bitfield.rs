use super::field::Operations;
use super::offset::{self, Written};
use tessera_command::prelude::*;

pub struct BitField;

/// Without SET and INCRBY it only reads. Words that make no sense are taken for a change.
fn key_flags(args: Args<'_>) -> KeyFlags {
    let mut words = Words::new(args, 2);
    while !words.is_empty() {
        let arguments = if words.take("GET") {
            2
        } else if words.take("OVERFLOW") {
            1
        } else {
            return KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::UPDATE);
        };
        for _ in 0..arguments {
            if words.next_word().is_none() {
                return KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::UPDATE);
            }
        }
    }
    KeyFlags::RO.with(KeyFlags::ACCESS)
}

impl Write for BitField {
    const SPEC: Spec = Spec {
        name: "bitfield",
        summary: "Reads, sets and increments integers of any width within a string.",
        since: "3.2.0",
        group: Group::Bitmap,
        complexity: "O(1) for each operation.",
        flags: Flags::DENY_OOM,
        categories: Categories::BITMAP,
        keys: &[KeySpec::at(
            1,
            KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::UPDATE).with(KeyFlags::VARIABLE_FLAGS),
        )
        .notes("This command allows both access and modification of the key")],
        events: &[Event::SetBit, Event::Changed, Event::New],
        key_flags: Some(key_flags),
        grammar: &[
            key("key", 0),
            one_of(
                "operation",
                &[
                    block("get-block", &[string("encoding"), integer("offset")]).after("GET"),
                    block(
                        "write",
                        &[
                            one_of(
                                "overflow-block",
                                &[token("wrap", "WRAP"), token("sat", "SAT"), token("fail", "FAIL")],
                            )
                            .after("OVERFLOW")
                            .optional(),
                            one_of(
                                "write-operation",
                                &[
                                    block(
                                        "set-block",
                                        &[string("encoding"), integer("offset"), integer("value")],
                                    )
                                    .after("SET"),
                                    block(
                                        "incrby-block",
                                        &[string("encoding"), integer("offset"), integer("increment")],
                                    )
                                    .after("INCRBY"),
                                ],
                            ),
                        ],
                    ),
                ],
            )
            .optional()
            .multiple(),
        ],
        ..Spec::BASE
    };
    /// The key and the words of the operations.
    type Args<'a> = (&'a [u8], Words<'a>);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, *words))
    }

    fn execute(
        (key, words): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let operations = Operations::new(*words, db.settings());
        let (count, last_written) = operations.survey()?;
        let Some(last_written) = last_written else {
            answer_reads(key, operations, count, db.read(), reply)?;
            return Ok(Effect::None);
        };
        let (written, grown) = offset::with_room(db, key, last_written, |bytes| {
            let written = carry_out(operations, count, bytes, reply);
            let done = *written.as_ref().unwrap_or(&Written::Nothing);
            (written, done)
        })?;
        // Redis does not count it as a change if the string grew and then nothing fitted. But it has changed.
        Ok(if written? == Written::Other || grown { Effect::Verbatim } else { Effect::None })
    }
}

/// Carries out `count` operations and answers them. Returns what became of `bytes`.
///
/// # Errors
/// None, if they have been surveyed.
fn carry_out(
    operations: Operations<'_>,
    count: usize,
    bytes: &mut [u8],
    reply: &mut Reply<'_>,
) -> Result<Written, Error> {
    let mut all = Written::Nothing;
    reply.array(count);
    for operation in operations {
        let (answer, written) = operation?.write(bytes);
        match answer {
            Some(value) => reply.integer(value),
            None => reply.null(),
        }
        all = all.max(written);
    }
    Ok(all)
}

/// Answers `count` operations that all only read.
///
/// # Errors
/// If the key holds no string.
pub(super) fn answer_reads(
    key: &[u8],
    operations: Operations<'_>,
    count: usize,
    db: View<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), Error> {
    let mut digits = Digits::new();
    let bytes = db.string(key)?.map_or(b"".as_slice(), |string| string.as_bytes(&mut digits));
    reply.array(count);
    for operation in operations {
        reply.integer(operation?.read(bytes));
    }
    Ok(())
}
