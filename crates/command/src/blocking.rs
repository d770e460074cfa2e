//! Commands that wait until a key holds something for them.
//!
//! Such a command looks at its keys in order. If none holds anything it waits: the owners of its keys remember it, in
//! the order in which waiting clients came, and serve it when one of the keys comes to hold a collection of the right
//! type. Whoever serves it first wins; time, CLIENT UNBLOCK and the end of the connection compete in the same way.

use crate::command::first_argument;
use crate::error::Error;
use crate::gather::Transfer;
use crate::spec::Spec;
use crate::words::Words;
use tessera_keyspace::{Effect, ViewMut};
use tessera_resp::{Args, Reply};
use tessera_values::Type;

/// What a blocking command waits for.
#[derive(Clone, Debug)]
pub struct Wait<'a> {
    /// The keys, in the order in which they are looked at.
    pub keys: Vec<&'a [u8]>,
    /// For how long, in milliseconds; `None`: without end.
    pub timeout_ms: Option<u64>,
    /// Where what is taken goes, if not to the client. There is only one key to wait for then.
    pub target: Option<Target<'a>>,
}

impl Wait<'_> {
    /// Makes sure that its time will ever be up. Comes before any key is looked at.
    ///
    /// # Errors
    /// If that would be beyond the last time there is.
    pub fn check(&self, now_ms: i64) -> Result<(), Error> {
        match self.timeout_ms {
            Some(ms) if ms > i64::MAX.abs_diff(now_ms) => Err(Error::Text("ERR timeout is out of range")),
            _ => Ok(()),
        }
    }
}

/// Where a blocking command puts what it takes.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The key.
    pub key: &'a [u8],
    /// The way there if another shard owns that key. If one shard owns both keys [`Blocking::serve`] does it all.
    pub transfer: &'static Transfer,
}

/// A command of this kind. Where waiting is not allowed, such as within a transaction, it gives up at once.
pub trait Blocking {
    /// Its declaration.
    const SPEC: Spec;
    /// The type that a key must be of to be worth waking up for.
    const WAITS_FOR: Type;
    /// Its parsed words.
    type Args<'a>;

    /// Reads its words.
    ///
    /// # Errors
    /// What the client is told instead.
    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error>;

    /// What it waits for.
    fn wait<'a>(args: &Self::Args<'a>) -> Wait<'a>;

    /// Takes what it came for from one of its keys, writes exactly one reply, and tells what it came down to. `None`,
    /// with nothing written, if the key is not there.
    ///
    /// # Errors
    /// What the client is told instead; nothing is changed then.
    fn serve(
        args: &Self::Args<'_>,
        key: &[u8],
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Option<Effect>, Error>;

    /// Answers a client that has waited for nothing.
    fn give_up(reply: &mut Reply<'_>);

    /// Answers a client that may not wait, such as within a transaction.
    fn refuse_to_wait(reply: &mut Reply<'_>) {
        Self::give_up(reply);
    }
}

type WaitStep = for<'a> fn(Args<'a>) -> Result<Wait<'a>, Error>;
type ServeStep = fn(Args<'_>, &[u8], &mut ViewMut<'_>, &mut Reply<'_>) -> Result<Option<Effect>, Error>;

/// The steps of a [`Blocking`] command, without its type.
#[derive(Clone, Copy)]
pub struct BlockingSteps {
    /// [`Blocking::WAITS_FOR`].
    pub waits_for: Type,
    /// [`Blocking::parse`] and [`Blocking::wait`].
    pub wait: WaitStep,
    /// [`Blocking::parse`] and [`Blocking::serve`].
    pub serve: ServeStep,
    /// [`Blocking::give_up`].
    pub give_up: fn(&mut Reply<'_>),
    /// [`Blocking::refuse_to_wait`].
    pub refuse_to_wait: fn(&mut Reply<'_>),
}

impl BlockingSteps {
    pub(crate) const fn of<C: Blocking>() -> BlockingSteps {
        BlockingSteps {
            waits_for: C::WAITS_FOR,
            wait: |args| Ok(C::wait(&C::parse(&mut Words::new(args, first_argument(&C::SPEC)))?)),
            serve: |args, key, db, reply| {
                let parsed = C::parse(&mut Words::new(args, first_argument(&C::SPEC)))?;
                C::serve(&parsed, key, db, reply)
            },
            give_up: C::give_up,
            refuse_to_wait: C::refuse_to_wait,
        }
    }

    /// Looks at the keys in order and gives up at once if none of them holds anything.
    ///
    /// # Errors
    /// What the client is told instead.
    pub fn run_without_waiting(
        &self,
        args: Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let wait = (self.wait)(args)?;
        wait.check(db.now_ms())?;
        if let Some(effect) = self.try_keys(args, &wait.keys, db, reply)? {
            return Ok(effect);
        }
        (self.refuse_to_wait)(reply);
        Ok(Effect::None)
    }

    /// Looks at the keys in order, and waits for nothing. `None`, with nothing written, if none of them holds anything.
    ///
    /// # Errors
    /// What the client is told instead.
    pub fn try_keys(
        &self,
        args: Args<'_>,
        keys: &[&[u8]],
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Option<Effect>, Error> {
        for key in keys {
            if let Some(effect) = (self.serve)(args, key, db, reply)? {
                return Ok(Some(effect));
            }
        }
        Ok(None)
    }
}
