//! Lists: elements in an order.

mod blmove;
mod blmpop;
mod blpop;
mod brpop;
mod brpoplpush;
mod index;
mod lindex;
mod linsert;
mod llen;
mod lmove;
mod lmpop;
mod lpop;
mod lpos;
mod lpush;
mod lpushx;
mod lrange;
mod lrem;
mod lset;
mod ltrim;
mod moving;
mod pop;
mod push;
mod rpop;
mod rpoplpush;
mod rpush;
mod rpushx;

use tessera_command::prelude::*;
use tessera_keyspace::ShardSettings;
use tessera_values::list::{End, ListSetting};
use tessera_values::listpack::Element;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command::blocking::<blmove::BlMove>(),
    Command::blocking::<blmpop::BlmPop>(),
    Command::blocking::<blpop::BlPop>(),
    Command::blocking::<brpop::BrPop>(),
    Command::blocking::<brpoplpush::BrPopLPush>(),
    Command::read::<lindex::LIndex>(),
    Command::write::<linsert::LInsert>(),
    Command::read::<llen::LLen>(),
    Command::gather::<lmove::LMove>(),
    Command::gather::<lmpop::LmPop>(),
    Command::write::<lpop::LPop>(),
    Command::read::<lpos::LPos>(),
    Command::write::<lpush::LPush>(),
    Command::write::<lpushx::LPushX>(),
    Command::streamed::<lrange::LRange>(),
    Command::write::<lrem::LRem>(),
    Command::write::<lset::LSet>(),
    Command::write::<ltrim::LTrim>(),
    Command::write::<rpop::RPop>(),
    Command::gather::<rpoplpush::RPopLPush>(),
    Command::write::<rpush::RPush>(),
    Command::write::<rpushx::RPushX>(),
];

/// Which of the two ends, in COMMAND DOCS.
const ENDS: &[Arg] = &[token("left", "LEFT"), token("right", "RIGHT")];

/// What the configuration says of a list's form.
fn form_setting(settings: ShardSettings) -> ListSetting {
    settings.thresholds.list_setting()
}

/// What is told of a list that elements were added to at an end.
fn push_event(end: End) -> Event {
    match end {
        End::Front => Event::LPush,
        End::Back => Event::RPush,
    }
}

/// What is told of a list that elements were taken from at an end.
fn pop_event(end: End) -> Event {
    match end {
        End::Front => Event::LPop,
        End::Back => Event::RPop,
    }
}

/// Reads LEFT or RIGHT.
fn end(words: &mut Words<'_>) -> Result<End, Error> {
    let word = words.word()?;
    if word.eq_ignore_ascii_case(b"RIGHT") {
        Ok(End::Back)
    } else if word.eq_ignore_ascii_case(b"LEFT") {
        Ok(End::Front)
    } else {
        Err(Error::SYNTAX)
    }
}

/// The end as an argument of LMOVE.
fn end_word(end: End) -> &'static [u8] {
    match end {
        End::Front => b"LEFT",
        End::Back => b"RIGHT",
    }
}

/// The command that takes elements from an end.
fn pop_word(end: End) -> &'static [u8] {
    match end {
        End::Front => b"LPOP",
        End::Back => b"RPOP",
    }
}

/// Answers an element.
#[inline]
fn answer_element(element: Element<'_>, reply: &mut Reply<'_>) {
    match element {
        Element::Bytes(bytes) => reply.bulk(bytes),
        Element::Integer(value) => reply.bulk_integer(value),
    }
}

/// Whether a command may go on with what was found at a key: nothing, or a list.
fn check_type(found: &Found<'_>) -> Result<bool, Error> {
    match found.value_type {
        None => Ok(false),
        Some(Type::List) => Ok(true),
        Some(_) => Err(Error::WRONG_TYPE),
    }
}
