//! What a command says of itself, and all that follows from it.
//!
//! A command is a type that implements a trait, by what it may touch:
//!
//! | trait | sees | examples |
//! |---|---|---|
//! | [`Read`] | a shard, unchangeable | STRLEN, TTL, SCAN |
//! | [`Streamed`] | the same, for replies that may be long: they are made a piece at a time | LRANGE, HGETALL |
//! | [`Write`] | a shard, to change | SET, DEL |
//! | [`Blocking`] | a shard, to change, as soon as one of its keys holds something | BLPOP, BZPOPMIN |
//! | [`Gather`] | keys of several shards, in two steps: bring, then decide | RENAME, BITOP |
//! | [`Session`] | its client and its node ([`SessionContext`]) | HELLO, INFO |
//! | [`Everywhere`] | each node in turn | CLIENT LIST |
//!
//! Its [`Spec`] is the single declaration from which arity, key positions, flags, ACL categories, routing and
//! the COMMAND replies derive. Whoever wants to know something about a command asks its spec; nobody compares
//! names.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod blocking;
pub mod client;
pub mod command;
pub mod cursor;
pub mod error;
pub mod flags;
pub mod gather;
pub mod grammar;
pub mod help;
pub mod host;
pub mod introspect;
pub mod keys;
pub mod registry;
pub mod spec;
pub mod words;

pub use blocking::{Blocking, BlockingSteps, Target, Wait};
pub use client::Client;
pub use command::{
    Command, Everywhere, Read, Run, Session, Streamed, Transaction, TransactionStep, Write, is_long,
    is_long_string,
};
pub use error::Error;
pub use flags::{Categories, Flags, KeyFlags};
pub use gather::{Act, Change, Context, Found, Gather, Give, Need, TextNeed, Transfer, What};
pub use grammar::Arg;
pub use host::{Host, NodePart, SessionContext};
pub use registry::Registry;
pub use spec::{Group, KeySpec, Merge, Policy, Secrets, Spec, Spread};
pub use words::Words;

/// The version of Redis whose behaviour this is: what INFO and HELLO tell clients that choose by it.
pub const REDIS_VERSION: &str = "7.2.7";

/// What the file of a command needs.
pub mod prelude {
    pub use crate::grammar::{
        block, double, integer, key, literal, one_of, pattern, string, token, unix_time,
    };
    pub use crate::{
        Arg, Blocking, Categories, Change, Command, Context, Error, Everywhere, Flags, Found, Gather, Give,
        Group, KeyFlags, KeySpec, Merge, Need, NodePart, Policy, Read, Secrets, Session, SessionContext,
        Spec, Spread, Target, TextNeed, Transaction, TransactionStep, Transfer, Wait, What, Words, Write,
    };
    pub use crate::{Streamed, is_long, is_long_string};
    pub use tessera_keyspace::{Effect, Event, Expire, Stream, View, ViewMut, WrongType};
    pub use tessera_resp::{Args, Protocol, Reply};
    pub use tessera_values::{
        Collection, CollectionRef, Digits, StringRef, StringValue, Thresholds, Type, Value, ValueRef,
    };
}
