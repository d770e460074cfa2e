//! Commands on keys of several shards that are more than the sum of their parts.
//!
//! Such a command runs in two steps. First it says what it needs of each key, and the owners of the keys
//! bring that. Then, with everything at hand, it decides: a reply, and what shall become of the keys, which
//! their owners carry out. If all keys are on one shard, both steps happen there at once and nothing is
//! copied.
//!
//! A command may find in what it was brought the names of further keys, whose texts are brought then.

use crate::command::first_argument;
use crate::error::Error;
use crate::spec::Spec;
use crate::words::Words;
use tessera_keyspace::{Effect, Event, Expire, KeyMove, Shard, ShardSettings, ViewMut, WrongType};
use tessera_resp::{Args, Reply};
use tessera_values::listpack::Element;
use tessera_values::{Collection, Hash, StringRef, Type, Value, ValueRef};

/// How much of a key is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Nothing: it is only written.
    Nothing,
    /// Whether it is there.
    Presence,
    /// Whether it is there and the type of its value, to see whether it can be changed: no hit or miss, no use.
    Type,
    /// Its value, read by the client's will: counts as hit or miss and as a use.
    Value,
    /// The same, but a small sorted set is kept as a large one from then on: what SORT does in Redis.
    Enlarged,
}

/// One key that the command is about.
#[derive(Clone, Copy, Debug)]
pub struct Need<'a> {
    /// The key.
    pub key: &'a [u8],
    /// In which database; `None`: the client's.
    pub db: Option<u16>,
    /// What of it is needed before deciding.
    pub what: What,
}

/// A text that is needed once it is known where it is: names of keys may be made of what other keys hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextNeed {
    /// The key, in the client's database. It holds a string; or a hash, whose field is needed.
    pub key: Box<[u8]>,
    /// The field of the hash.
    pub field: Option<Box<[u8]>>,
}

/// What was found at a key.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found<'v> {
    /// The key is there. False also where nothing was asked for.
    pub present: bool,
    /// Its value, where asked for.
    pub value: Option<ValueRef<'v>>,
    /// Its type, where that or the value was asked for.
    pub value_type: Option<Type>,
    /// Its expiry in Unix milliseconds.
    pub expire_at_ms: Option<i64>,
}

impl<'v> Found<'v> {
    /// What a [`TextNeed`] led to.
    pub fn of_text(text: Option<StringRef<'v>>) -> Found<'v> {
        let value = text.map(ValueRef::String);
        Found {
            present: text.is_some(),
            value,
            value_type: value.map(ValueRef::value_type),
            expire_at_ms: None,
        }
    }
}

/// What shall become of a key; `index` counts the needs.
#[derive(Clone, Debug)]
pub enum Change {
    /// It holds this from now on.
    Put {
        /// Which key.
        index: usize,
        /// What it holds.
        value: Value,
        /// Until when.
        expire: Expire,
        /// What the key is told.
        event: Event,
    },
    /// It holds from now on what another does, whose value was asked for.
    Copy {
        /// From which key.
        from: usize,
        /// To which key.
        to: usize,
        /// Until when.
        expire: Expire,
        /// What the key is told.
        event: Event,
    },
    /// It is gone.
    Remove {
        /// Which key.
        index: usize,
    },
    /// Its value and expiry go to another key, whatever that held: [`Event::RenameFrom`] and [`Event::RenameTo`].
    Move {
        /// From which key.
        from: usize,
        /// To which key.
        to: usize,
    },
    /// An element of a collection goes to another. It is the command's only change, and it writes the reply: only
    /// then is it known what went.
    Transfer {
        /// From which key.
        from: usize,
        /// To which key.
        to: usize,
        /// Which element, where that is not a matter of its place.
        what: Box<[u8]>,
        /// How.
        transfer: &'static Transfer,
    },
    /// The owner of a key does the rest. It is the command's only change, and it writes the reply.
    Act {
        /// Which key.
        index: usize,
        /// What the act needs to know besides the key.
        what: Box<[u8]>,
        /// The rest of the command.
        act: Act,
    },
}

/// Changes what a key holds and writes the reply. What that came down to it records itself, and never answers
/// [`Effect::Verbatim`]: the command's words are not those of this shard alone. `None`, with nothing written and
/// nothing changed, if the key is no longer what it was when the command was decided: then it looks at its keys once
/// more.
///
/// # Errors
/// What the client is told instead; nothing is changed then.
pub type Act =
    fn(db: &mut ViewMut<'_>, key: &[u8], what: &[u8], reply: &mut Reply<'_>) -> Result<Option<Effect>, Error>;

/// How an element goes from one key to another. Each step is done by the owner of the key.
#[derive(Debug)]
pub struct Transfer {
    /// Takes the element from the source; `None` if it is not there, or the source is of another type.
    pub take: Take,
    /// What the source's log is told of it.
    pub taken: ElementEffect,
    /// Gives it to the target.
    pub give: Give,
    /// Gives it back to the source, in the place where it was, if the target is of another type.
    pub give_back: Give,
    /// Where one shard has both keys, the target is told of before the source, though it is changed behind it: so does
    /// Redis with lists.
    pub tells_target_first: bool,
    /// Answers the client, who is told of the wrong type without it.
    pub reply: fn(taken: Option<&[u8]>, reply: &mut Reply<'_>),
}

/// Takes an element out of what a key holds; `what` tells which, where that is not a matter of its place.
pub type Take = fn(db: &mut ViewMut<'_>, key: &[u8], what: &[u8]) -> Option<Vec<u8>>;

/// Adds an element to what a key holds, which may be nothing.
#[derive(Clone, Copy, Debug)]
pub struct Give {
    /// Does it.
    pub run: GiveStep,
    /// What the key's log is told of it.
    pub given: ElementEffect,
}

/// [`Give::run`].
pub type GiveStep = fn(db: &mut ViewMut<'_>, key: &[u8], element: &[u8]) -> Result<(), WrongType>;

/// The words of a command that does to the key, on its shard alone, what was done with an element as [`Take`] sent it.
pub type ElementEffect = for<'a> fn(key: &'a [u8], element: &'a [u8]) -> Vec<&'a [u8]>;

/// What decides besides the keys.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Unix milliseconds.
    pub now_ms: i64,
    /// The client's database.
    pub db: u16,
    /// How many databases there are.
    pub databases_len: u16,
    /// What the configuration says.
    pub settings: ShardSettings,
}

impl Context {
    /// What `shard` tells a client of database `db`.
    pub fn of(shard: &Shard, db: u16) -> Context {
        Context {
            now_ms: shard.now_ms(),
            db,
            databases_len: shard.databases_len() as u16,
            settings: shard.settings(),
        }
    }
}

/// A command of this kind.
pub trait Gather {
    /// Its declaration.
    const SPEC: Spec;
    /// Its parsed words.
    type Args<'a>;

    /// Reads its words.
    ///
    /// # Errors
    /// What the client is told instead.
    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error>;

    /// Says what it needs of which keys.
    ///
    /// # Errors
    /// What the client is told instead.
    fn needs<'a>(args: &Self::Args<'a>, context: Context, needs: &mut Vec<Need<'a>>) -> Result<(), Error>;

    /// Whether it may need texts besides, of keys on any shard.
    fn needs_more(_args: &Self::Args<'_>) -> bool {
        false
    }

    /// Says which texts it needs besides, given what was found so far. They are looked for next, and stand behind all
    /// that was found before, in the order of these needs, without a value if there is no such text. This is repeated
    /// until it needs no more. What is wrong is told by [`Gather::decide`].
    fn text_needs(
        _args: &Self::Args<'_>,
        _context: Context,
        _found: &[Found<'_>],
        _needs: &mut Vec<TextNeed>,
    ) {
    }

    /// Decides, given what was found, in the order of the needs.
    ///
    /// # Errors
    /// What the client is told instead; nothing is changed then.
    fn decide(
        args: &Self::Args<'_>,
        context: Context,
        found: &[Found<'_>],
        changes: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error>;
}

type NeedsStep = for<'a> fn(Args<'a>, Context, &mut Vec<Need<'a>>) -> Result<(), Error>;
type TextsStep = fn(Args<'_>, Context, &[Found<'_>], &mut Vec<TextNeed>);
type DecideStep = fn(Args<'_>, Context, &[Found<'_>], &mut Vec<Change>, &mut Reply<'_>) -> Result<(), Error>;

/// The steps of a [`Gather`] command, without its type.
#[derive(Clone, Copy)]
pub struct Steps {
    /// [`Gather::parse`] and [`Gather::needs`].
    pub needs: NeedsStep,
    /// [`Gather::parse`] and [`Gather::needs_more`].
    pub needs_more: fn(Args<'_>) -> bool,
    /// [`Gather::parse`] and [`Gather::text_needs`].
    pub text_needs: TextsStep,
    /// [`Gather::parse`] and [`Gather::decide`].
    pub decide: DecideStep,
}

impl Steps {
    pub(crate) const fn of<C: Gather>() -> Steps {
        Steps {
            needs: |args, context, needs| {
                let parsed = C::parse(&mut Words::new(args, first_argument(&C::SPEC)))?;
                C::needs(&parsed, context, needs)
            },
            needs_more: |args| {
                let parsed = C::parse(&mut Words::new(args, first_argument(&C::SPEC)));
                parsed.is_ok_and(|parsed| C::needs_more(&parsed))
            },
            text_needs: |args, context, found, needs| {
                if let Ok(parsed) = C::parse(&mut Words::new(args, first_argument(&C::SPEC))) {
                    C::text_needs(&parsed, context, found, needs);
                }
            },
            decide: |args, context, found, changes, reply| {
                let parsed = C::parse(&mut Words::new(args, first_argument(&C::SPEC)))?;
                C::decide(&parsed, context, found, changes, reply)
            },
        }
    }

    /// Both steps on one shard that has all the keys.
    ///
    /// # Errors
    /// What the client is told; nothing is changed then.
    pub fn run_on_one_shard(
        &self,
        args: Args<'_>,
        shard: &mut Shard,
        db: u16,
        touch: bool,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let context = Context::of(shard, db);
        let mut needs = Vec::new();
        (self.needs)(args, context, &mut needs)?;
        // A replica knows of an expired key only what it is told: before what was decided without the key. As in Redis,
        // keys that are read come before those that are only written.
        for is_only_written in [false, true] {
            for need in needs.iter().filter(|need| (need.what == What::Presence) == is_only_written) {
                let db = need.db.unwrap_or(db);
                shard.remove_if_expired(db, need.key);
                prepare(shard, db, need.key, need.what);
            }
        }
        let mut found: Vec<Found<'_>> =
            needs.iter().map(|need| find(shard, db, touch, need.key, need.db, need.what)).collect();
        let mut needs_more = (self.needs_more)(args);
        let mut over = Vec::new();
        while needs_more {
            let mut texts = Vec::new();
            (self.text_needs)(args, context, &found, &mut texts);
            found.extend(texts.iter().map(|need| Found::of_text(find_text(shard, db, touch, need))));
            needs_more = !texts.is_empty();
            over.extend(texts.into_iter().filter(|need| is_text_over(shard, db, need)));
        }
        let mut changes = Vec::new();
        (self.decide)(args, context, &found, &mut changes, reply)?;
        if changes.is_empty() {
            return Ok(Effect::None);
        }
        // Likewise of the texts without which it was decided.
        over.iter().for_each(|need| remove_text_over(shard, db, need));
        let mut effect = Effect::None;
        for change in changes {
            effect = match apply(shard, db, touch, &needs, change, reply)? {
                Effect::None => effect,
                done => done,
            };
        }
        Ok(effect)
    }
}

/// What is done to a key before [`find`] looks at it.
pub fn prepare(shard: &mut Shard, db: u16, key: &[u8], what: What) {
    if what == What::Enlarged {
        shard.view_mut(db, false).enlarge_sorted_set(key);
    }
}

/// Looks at one key for a [`Need`].
pub fn find<'v>(
    shard: &'v Shard,
    client_db: u16,
    touch: bool,
    key: &[u8],
    db: Option<u16>,
    what: What,
) -> Found<'v> {
    let view = shard.view(db.unwrap_or(client_db), touch);
    let entry = match what {
        What::Nothing => None,
        What::Presence | What::Type => view.peek(key),
        What::Value | What::Enlarged => view.find(key),
    };
    match entry {
        None => Found::default(),
        Some(entry) => Found {
            present: true,
            value: matches!(what, What::Value | What::Enlarged).then(|| entry.value()),
            value_type: (what != What::Presence).then(|| entry.value().value_type()),
            expire_at_ms: entry.expire_at_ms(),
        },
    }
}

/// Looks for a text. Counts as hit or miss and as a use.
pub fn find_text<'v>(shard: &'v Shard, db: u16, touch: bool, need: &TextNeed) -> Option<StringRef<'v>> {
    match (shard.view(db, touch).find(&need.key)?.value(), &need.field) {
        (ValueRef::String(string), None) => Some(string),
        (ValueRef::Hash(hash), Some(field)) => Some(match hash.get(field, shard.now_ms())? {
            Element::Bytes(bytes) => StringRef::Fixed(bytes),
            Element::Integer(integer) => StringRef::Integer(integer),
        }),
        _ => None,
    }
}

/// Whether a text is there, and not found because its time, or that of its key, is over.
fn is_text_over(shard: &Shard, db: u16, need: &TextNeed) -> bool {
    let (table, now_ms) = (shard.database(db).table(), shard.now_ms());
    let Some(entry) = table.get(&need.key) else { return false };
    let is_field_over = || match (entry.value(), &need.field) {
        (ValueRef::Hash(hash), Some(field)) => {
            hash.find(field, now_ms).is_none() && hash.find(field, i64::MIN).is_some()
        }
        _ => false,
    };
    table.is_over(entry, now_ms) || is_field_over()
}

/// Removes a text whose time is over, and records that.
#[cold]
fn remove_text_over(shard: &mut Shard, db: u16, need: &TextNeed) {
    if shard.remove_if_expired(db, &need.key) {
        return;
    }
    let Some(field) = &need.field else { return };
    let now_ms = shard.now_ms();
    let mut db = shard.view_mut(db, false);
    let removed = db.change(&need.key, Event::HExpired, |hash: &mut Hash| {
        let is_gone = hash.as_ref().find(field, now_ms).is_none() && hash.remove(field);
        (is_gone, is_gone)
    });
    if removed == Ok(Some(true)) {
        db.record(&[b"HDEL", &need.key, field]);
    }
}

/// Carries a change out.
fn apply(
    shard: &mut Shard,
    client_db: u16,
    touch: bool,
    needs: &[Need<'_>],
    change: Change,
    reply: &mut Reply<'_>,
) -> Result<Effect, Error> {
    let at = |index: usize| (needs[index].db.unwrap_or(client_db), needs[index].key);
    match change {
        Change::Put { index, value, expire, event } => {
            let (db, key) = at(index);
            shard.view_mut(db, touch).put(key, value, expire, event);
        }
        Change::Copy { from, to, expire, event } => {
            let ((from_db, from), (to_db, to)) = (at(from), at(to));
            let value = shard.database(from_db).table().get(from).map(|entry| entry.value().to_value());
            if let Some(value) = value {
                shard.view_mut(to_db, touch).put(to, value, expire, event);
            }
        }
        Change::Remove { index } => {
            let (db, key) = at(index);
            shard.view_mut(db, touch).delete(key);
        }
        Change::Move { from, to } => {
            let (from, to) = (at(from), at(to));
            shard.move_key(KeyMove { from, from_event: Event::RenameFrom, to, to_event: Event::RenameTo });
        }
        Change::Transfer { from, to, what, transfer } => {
            let (from_db, from_key) = at(from);
            let (to_db, to_key) = at(to);
            let start = shard.events_mut().len();
            let taken = (transfer.take)(&mut shard.view_mut(from_db, touch), from_key, &what);
            let end = shard.events_mut().len();
            if let Some(element) = &taken
                && let Err(wrong) = (transfer.give.run)(&mut shard.view_mut(to_db, touch), to_key, element)
            {
                (transfer.give_back.run)(&mut shard.view_mut(from_db, touch), from_key, element)?;
                return Err(wrong.into());
            }
            if transfer.tells_target_first {
                shard.events_mut().tell_last(start, end);
            }
            (transfer.reply)(taken.as_deref(), reply);
            return Ok(if taken.is_some() { Effect::Verbatim } else { Effect::None });
        }
        Change::Act { index, what, act } => {
            let (db, key) = at(index);
            let effect = act(&mut shard.view_mut(db, touch), key, &what, reply)?;
            return Ok(effect.expect("nothing comes between deciding and acting on one shard"));
        }
    }
    Ok(Effect::Verbatim)
}
