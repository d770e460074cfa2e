//! Commands, by what they may touch, and the table entry that each becomes.

use crate::blocking::{Blocking, BlockingSteps};
use crate::error::Error;
use crate::flags::{Categories, Flags, KeyFlags};
use crate::gather::{Gather, Steps};
use crate::grammar;
use crate::host::{NodePart, SessionContext};
use crate::keys::KeyPositions;
use crate::spec::{Begin, Merge, Reach, Spec, Spread};
use crate::words::Words;
use tessera_keyspace::{Effect, Lookup, Stream, View, ViewMut};
use tessera_resp::{Args, Reply};
use tessera_values::CollectionRef;

/// A command that only reads one shard.
pub trait Read {
    /// Its declaration.
    const SPEC: Spec;
    /// Its parsed words.
    type Args<'a>;

    /// Reads its words.
    ///
    /// # Errors
    /// What the client is told instead.
    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error>;

    /// Does it and writes exactly one reply, or none and an error.
    ///
    /// # Errors
    /// What the client is told instead.
    fn execute(args: &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error>;
}

/// A command whose reply may be long.
///
/// [`Read::execute`] fails with [`Error::LongReply`] if the reply would be (see [`is_long`] and [`is_long_string`]) and
/// may be streamed. Then this is asked.
pub trait Streamed: Read {
    /// Writes the header of the reply. Returns the key that the rest is made from, and how.
    fn stream<'a>(
        args: &Self::Args<'a>,
        db: View<'_>,
        reply: &mut Reply<'_>,
    ) -> Option<(&'a [u8], Box<dyn Stream>)>;
}

/// Replies of more bytes than this are made a piece at a time.
const LONG_REPLY_BYTES: usize = 1024 * 1024;

/// Whether a reply of `elements` elements of a collection is long.
pub fn is_long(collection: impl CollectionRef, elements: usize) -> bool {
    let bytes = collection.content_bytes();
    bytes > LONG_REPLY_BYTES
        && bytes as u128 * elements as u128 > LONG_REPLY_BYTES as u128 * collection.len() as u128
}

/// Whether a reply that is a string of so many bytes is long.
#[inline]
pub fn is_long_string(len_bytes: usize) -> bool {
    len_bytes > LONG_REPLY_BYTES
}

/// How a long reply is begun: see [`Streamed::stream`].
pub type BeginStream = for<'a> fn(Args<'a>, View<'_>, &mut Reply<'_>) -> Option<(&'a [u8], Box<dyn Stream>)>;

/// A command that changes one shard.
pub trait Write {
    /// Its declaration.
    const SPEC: Spec;
    /// Its parsed words.
    type Args<'a>;

    /// Reads its words.
    ///
    /// # Errors
    /// What the client is told instead.
    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error>;

    /// Does it, writes exactly one reply, and tells what it came down to; or changes nothing, writes no reply and
    /// fails.
    ///
    /// # Errors
    /// What the client is told instead.
    fn execute(args: &Self::Args<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error>;
}

/// A command about the connection or the server.
pub trait Session {
    /// Its declaration.
    const SPEC: Spec;
    /// Its parsed words.
    type Args<'a>;

    /// Reads its words.
    ///
    /// # Errors
    /// What the client is told instead.
    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error>;

    /// Does it and writes exactly one reply, or none and an error.
    ///
    /// # Errors
    /// What the client is told instead.
    fn execute(
        args: &Self::Args<'_>,
        session: &mut SessionContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error>;
}

/// A command that every node carries out on its own clients or its own counters.
pub trait Everywhere {
    /// Its declaration.
    const SPEC: Spec;
    /// How the nodes' replies become one.
    const MERGE: Merge;
    /// Its parsed words.
    type Args<'a>;

    /// Reads its words.
    ///
    /// # Errors
    /// What the client is told instead.
    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error>;

    /// Does one node's part.
    ///
    /// # Errors
    /// What the client is told instead.
    fn execute(args: &Self::Args<'_>, node: &mut NodePart<'_>, reply: &mut Reply<'_>) -> Result<(), Error>;
}

/// A command about the transaction of its connection. What it does there is the node's: the queue lies with the
/// connection, and what is watched with the owners of the keys.
pub trait Transaction {
    /// Its declaration.
    const SPEC: Spec;
    /// What it does.
    const STEP: TransactionStep;
}

/// What is done to the transaction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionStep {
    /// Commands are queued from now on.
    Begin,
    /// What was queued is run.
    Execute,
    /// What was queued is forgotten.
    Discard,
    /// The next transaction runs only if these keys stay as they are.
    Watch,
    /// It runs whatever becomes of them.
    Unwatch,
}

/// How to run a command, its type forgotten. The words are whole, the name included.
#[derive(Clone, Copy)]
pub enum Run {
    /// See [`Read`].
    Read(fn(Args<'_>, View<'_>, &mut Reply<'_>) -> Result<(), Error>),
    /// See [`Write`].
    Write(fn(Args<'_>, &mut ViewMut<'_>, &mut Reply<'_>) -> Result<Effect, Error>),
    /// See [`Gather`].
    Gather(Steps),
    /// See [`Blocking`].
    Blocking(BlockingSteps),
    /// See [`Session`].
    Session(fn(Args<'_>, &mut SessionContext<'_>, &mut Reply<'_>) -> Result<(), Error>),
    /// See [`Transaction`].
    Transaction(TransactionStep),
    /// See [`Everywhere`].
    Everywhere(fn(Args<'_>, &mut NodePart<'_>, &mut Reply<'_>) -> Result<(), Error>),
    /// Only its subcommands can be run.
    Container,
}

/// One row of the command table.
#[derive(Clone, Copy)]
pub struct Command {
    /// What it says of itself.
    pub spec: Spec,
    /// How to run it.
    pub run: Run,
    /// How to begin a long reply.
    pub stream: Option<BeginStream>,
    /// Reads the words and forgets them: for commands that are split, before anything is done.
    pub check: fn(Args<'_>) -> Result<(), Error>,
    /// `config|get` for a subcommand, the plain name otherwise.
    pub full_name: &'static str,
    /// What it is called where commands are counted and clients are told of: for a subcommand that is not published,
    /// the name of what it belongs to.
    pub shown_name: &'static str,
    /// Its subcommands, if it has any.
    pub subcommands: &'static [Command],
    /// Where it runs, and how its parts come together.
    pub spread: Spread,
    /// The arity, as COMMAND INFO tells it.
    pub arity: i32,
    /// All flags, those that follow from the trait and the keys included.
    pub flags: Flags,
}

/// The first word behind the name: a subcommand's name is two words.
pub(crate) const fn first_argument(spec: &Spec) -> usize {
    spec.name_words()
}

impl Spec {
    /// How many words the name is. A subcommand's spec has a full name such as `config|get`.
    pub const fn name_words(&self) -> usize {
        let bytes = self.name.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            if bytes[at] == b'|' {
                return 2;
            }
            at += 1;
        }
        1
    }

    /// The last word of the name.
    pub fn last_name(&self) -> &'static str {
        self.name.split_once('|').map_or(self.name, |(_, last)| last)
    }
}

/// The name before `|`, or all of it.
const fn before_bar(name: &'static str) -> &'static str {
    let bytes = name.as_bytes();
    let mut at = 0;
    while at < bytes.len() && bytes[at] != b'|' {
        at += 1;
    }
    name.split_at(at).0
}

/// A command that changes keys says what it tells of them, so that it does not compile otherwise.
const fn assert_events(spec: &Spec) {
    let is_of_keys = !matches!(spec.spread, Some(Spread::AllShards(_)));
    assert!(!is_of_keys || !spec.events.is_empty(), "a command that changes keys declares its events");
}

const fn row(
    spec: Spec,
    reach: Reach,
    run: Run,
    check: fn(Args<'_>) -> Result<(), Error>,
    derived: Flags,
) -> Command {
    let arity = match spec.arity {
        Some(arity) => arity,
        None => grammar::arity(spec.name_words(), spec.grammar),
    };
    let positions = if KeyPositions::of(spec.keys).suffice { Flags::NONE } else { Flags::MOVABLE_KEYS };
    Command {
        spec,
        run,
        stream: None,
        check,
        full_name: spec.name,
        shown_name: if spec.private_subcommands { before_bar(spec.name) } else { spec.name },
        subcommands: &[],
        spread: Spread::of(&spec, reach),
        arity,
        flags: spec.flags.with(derived).with(positions),
    }
}

impl Command {
    /// Has statistics of its own. A subcommand that is not published has not.
    #[inline]
    pub fn is_counted_apart(&self) -> bool {
        !self.spec.private_subcommands || !self.subcommands.is_empty()
    }

    /// The row of a [`Read`] command.
    pub const fn read<C: Read>() -> Command {
        row(
            C::SPEC,
            Reach::Keys,
            Run::Read(|args, view, reply| {
                let parsed = C::parse(&mut Words::new(args, first_argument(&C::SPEC)))?;
                C::execute(&parsed, view, reply)
            }),
            |args| C::parse(&mut Words::new(args, first_argument(&C::SPEC))).map(drop),
            Flags::READONLY,
        )
    }

    /// The row of a [`Streamed`] command.
    pub const fn streamed<C: Streamed>() -> Command {
        let begin: BeginStream = |args, view, reply| {
            let parsed = C::parse(&mut Words::new(args, first_argument(&C::SPEC))).ok()?;
            C::stream(&parsed, view, reply)
        };
        Command { stream: Some(begin), ..Command::read::<C>() }
    }

    /// The row of a [`Write`] command.
    pub const fn write<C: Write>() -> Command {
        const { assert_events(&C::SPEC) };
        row(
            C::SPEC,
            Reach::Keys,
            Run::Write(|args, view, reply| {
                let parsed = C::parse(&mut Words::new(args, first_argument(&C::SPEC)))?;
                C::execute(&parsed, view, reply)
            }),
            |args| C::parse(&mut Words::new(args, first_argument(&C::SPEC))).map(drop),
            Flags::WRITE,
        )
    }

    /// The row of a [`Gather`] command that changes keys.
    pub const fn gather<C: Gather>() -> Command {
        const { assert_events(&C::SPEC) };
        row(
            C::SPEC,
            Reach::Gathered,
            Run::Gather(Steps::of::<C>()),
            |args| C::parse(&mut Words::new(args, first_argument(&C::SPEC))).map(drop),
            Flags::WRITE,
        )
    }

    /// The row of a [`Gather`] command that only reads.
    pub const fn gather_read<C: Gather>() -> Command {
        row(
            C::SPEC,
            Reach::Gathered,
            Run::Gather(Steps::of::<C>()),
            |args| C::parse(&mut Words::new(args, first_argument(&C::SPEC))).map(drop),
            Flags::READONLY,
        )
    }

    /// The row of a [`Blocking`] command.
    pub const fn blocking<C: Blocking>() -> Command {
        const { assert_events(&C::SPEC) };
        row(
            C::SPEC,
            Reach::Awaited,
            Run::Blocking(BlockingSteps::of::<C>()),
            |args| C::parse(&mut Words::new(args, first_argument(&C::SPEC))).map(drop),
            Flags::WRITE.with(Flags::BLOCKING),
        )
    }

    /// The row of a [`Session`] command.
    pub const fn session<C: Session>() -> Command {
        row(
            C::SPEC,
            Reach::Client,
            Run::Session(|args, session, reply| {
                let parsed = C::parse(&mut Words::new(args, first_argument(&C::SPEC)))?;
                C::execute(&parsed, session, reply)
            }),
            |args| C::parse(&mut Words::new(args, first_argument(&C::SPEC))).map(drop),
            Flags::NONE,
        )
    }

    /// The row of a [`Transaction`] command.
    pub const fn transaction<C: Transaction>() -> Command {
        row(C::SPEC, Reach::Client, Run::Transaction(C::STEP), |_| Ok(()), Flags::NONE)
    }

    /// The row of an [`Everywhere`] command.
    pub const fn everywhere<C: Everywhere>() -> Command {
        row(
            C::SPEC,
            Reach::Nodes(C::MERGE),
            Run::Everywhere(|args, node, reply| {
                let parsed = C::parse(&mut Words::new(args, first_argument(&C::SPEC)))?;
                C::execute(&parsed, node, reply)
            }),
            |args| C::parse(&mut Words::new(args, first_argument(&C::SPEC))).map(drop),
            Flags::NONE,
        )
    }

    /// The row of a name that only has subcommands.
    pub const fn container(spec: Spec, subcommands: &'static [Command]) -> Command {
        let container = row(spec, Reach::Client, Run::Container, |_| Ok(()), Flags::NONE);
        // At least the subcommand's name must follow.
        Command { arity: -2, ..container.with_subcommands(subcommands) }
    }

    /// The same with subcommands, besides what it does by itself.
    pub const fn with_subcommands(self, subcommands: &'static [Command]) -> Command {
        // A subcommand's words may always follow.
        Command { subcommands, arity: -self.arity.abs(), ..self }
    }

    /// The subcommands that COMMAND tells of.
    pub fn published_subcommands(&self) -> &'static [Command] {
        if self.spec.private_subcommands { &[] } else { self.subcommands }
    }

    /// Whether `words` words, the name included, are a number of words it takes.
    #[inline]
    pub fn takes(&self, words: usize) -> bool {
        match usize::try_from(self.arity) {
            Ok(exactly) => words == exactly,
            Err(_) => words >= self.arity.unsigned_abs() as usize,
        }
    }

    /// The word that is its first key, if keys are found by counting words.
    #[inline]
    pub fn first_key(&self) -> Option<usize> {
        match self.spec.keys.first()?.begin {
            Begin::Index(index) => Some(index),
            Begin::Keyword { .. } | Begin::Unknown => None,
        }
    }

    /// What it will look up first, as far as that can be told by counting words. Not every word may be right.
    #[inline]
    pub fn lookup<'a>(&self, args: Args<'a>) -> Option<Lookup<'a>> {
        let key = args.get(self.first_key()?)?;
        Some(Lookup { key, element: self.spec.element.and_then(|index| args.get(index)) })
    }

    /// It may change keys.
    #[inline]
    pub fn is_write(&self) -> bool {
        self.flags.has(Flags::WRITE)
    }

    /// Some of its words may be keys.
    pub fn has_keys(&self) -> bool {
        self.spec.keys.iter().any(|spec| !spec.flags.has(KeyFlags::NOT_KEY))
    }

    /// All ACL categories, those that follow from the flags included.
    pub fn categories(&self) -> Categories {
        let mut all = self.spec.categories;
        for (flag, category) in [
            (Flags::WRITE, Categories::WRITE),
            (Flags::READONLY, Categories::READ),
            (Flags::ADMIN, Categories::ADMIN | Categories::DANGEROUS),
            (Flags::PUBSUB, Categories::PUBSUB),
            (Flags::BLOCKING, Categories::BLOCKING),
        ] {
            if self.flags.has(flag) {
                all = all | category;
            }
        }
        // A container says nothing of the speed of what it contains, but Redis files it all the same.
        all | if self.flags.has(Flags::FAST) { Categories::FAST } else { Categories::SLOW }
    }
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Command").field(&self.full_name).finish()
    }
}
