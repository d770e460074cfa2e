//! The declaration of a command.

use crate::flags::{Categories, Flags, KeyFlags};
use crate::grammar::Arg;
use crate::keys::KeyAt;
use tessera_keyspace::Event;
use tessera_resp::{Args, Reply};

/// Where COMMAND DOCS files a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Any key.
    Generic,
    /// Strings.
    String,
    /// Bitmaps.
    Bitmap,
    /// Lists.
    List,
    /// Hashes.
    Hash,
    /// Sets.
    Set,
    /// Sorted sets.
    SortedSet,
    /// HyperLogLogs.
    HyperLogLog,
    /// Places on the earth, in sorted sets.
    Geo,
    /// The connection.
    Connection,
    /// The server.
    Server,
    /// MULTI and its kin.
    Transactions,
    /// Redis Cluster.
    Cluster,
}

impl Group {
    /// The name in COMMAND DOCS.
    pub fn name(self) -> &'static str {
        match self {
            Group::Generic => "generic",
            Group::String => "string",
            Group::Bitmap => "bitmap",
            Group::List => "list",
            Group::Hash => "hash",
            Group::Set => "set",
            Group::SortedSet => "sorted-set",
            Group::HyperLogLog => "hyperloglog",
            Group::Geo => "geo",
            Group::Connection => "connection",
            Group::Server => "server",
            Group::Transactions => "transactions",
            Group::Cluster => "cluster",
        }
    }
}

/// Where the search for keys begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At this word; the command's name is word 0.
    Index(usize),
    /// Behind this word, looked for from word `from` on (from the end if negative).
    Keyword {
        /// The word, in upper case.
        word: &'static str,
        /// Where to look from.
        from: i32,
    },
    /// Nowhere that can be told: see [`Spec::own_keys`].
    Unknown,
}

/// How it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Find {
    /// A run of keys.
    Range {
        /// The last key's position counted from the first; counted from the command's end if negative (-1 is the
        /// last word).
        last: i32,
        /// From one key to the next.
        step: usize,
        /// If `last` is -1: stop after 1/`limit` of the words left (0 and 1: all of them).
        limit: usize,
    },
    /// A word tells how many keys follow.
    Count {
        /// That word's position counted from the beginning.
        at: usize,
        /// The first key's position counted from the beginning.
        first: usize,
        /// From one key to the next.
        step: usize,
    },
    /// In no way that can be told.
    Unknown,
}

/// How to find some of a command's keys.
#[derive(Clone, Copy, Debug)]
pub struct KeySpec {
    /// Where to begin.
    pub begin: Begin,
    /// How to go on.
    pub find: Find,
    /// What is done with them.
    pub flags: KeyFlags,
    /// A remark, as COMMAND INFO gives it.
    pub notes: Option<&'static str>,
}

impl KeySpec {
    /// One key at word `index`.
    pub const fn at(index: usize, flags: KeyFlags) -> KeySpec {
        KeySpec::range(index, 0, 1, flags)
    }

    /// Keys from word `index` on; `last` and `step` as in [`Find::Range`].
    pub const fn range(index: usize, last: i32, step: usize, flags: KeyFlags) -> KeySpec {
        KeySpec { begin: Begin::Index(index), find: Find::Range { last, step, limit: 0 }, flags, notes: None }
    }

    /// As many keys as word `index` tells, behind it.
    pub const fn counted(index: usize, flags: KeyFlags) -> KeySpec {
        let find = Find::Count { at: 0, first: 1, step: 1 };
        KeySpec { begin: Begin::Index(index), find, flags, notes: None }
    }

    /// Keys that no rule finds.
    pub const fn unknown(flags: KeyFlags) -> KeySpec {
        KeySpec { begin: Begin::Unknown, find: Find::Unknown, flags, notes: None }
    }

    /// With a remark.
    pub const fn notes(self, notes: &'static str) -> KeySpec {
        KeySpec { notes: Some(notes), ..self }
    }
}

/// How the replies of a command's parts become one.
#[derive(Clone, Copy, Debug)]
pub enum Merge {
    /// Integers are added up.
    Sum,
    /// Integers are added up; of other replies the first that is no error wins.
    SumOrAny,
    /// All parts answer alike; the first error wins.
    AllOk,
    /// Arrays with an element per key: put back in the order of the keys.
    ByPosition,
    /// Arrays: one after the other.
    Concat,
    /// Texts with a line per client: sorted by the number after `id=`.
    ClientLines,
    /// Integers: the largest.
    Max,
    /// As this says, which is given the replies of all parts and writes one.
    By(MergeParts),
}

/// See [`Merge::By`].
pub type MergeParts = fn(&[&[u8]], &mut Reply<'_>);

/// The option that says how many elements a walk is to visit in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountOption {
    /// Its name in upper case.
    pub word: &'static str,
    /// How many it is without the option.
    pub default: usize,
}

/// Where a command runs, and how its parts come together. Redis publishes the same as command tips. Most of it follows
/// from the command's trait: see [`Spread::of`].
#[derive(Clone, Copy, Debug)]
pub enum Spread {
    /// On the client's own node; it has no keys.
    Nowhere,
    /// On the shard of its first key; all its keys are there.
    OneShard,
    /// Split by the shards of its keys, each part a command of the same kind.
    ByKey(Merge),
    /// On every shard.
    AllShards(Merge),
    /// On the shard that word `cursor` says; and if that does not suffice on all that follow at one moment.
    Cursor {
        /// Which word is the cursor. Behind it are pairs of an option and its value.
        cursor: usize,
        /// Which of them says how many elements are wanted.
        count: CountOption,
    },
    /// On a random shard, with chances by the number of keys; and if the reply is null on all at one moment.
    AnyShard,
    /// Brought together from the shards of its keys, decided, and written back.
    Gather,
    /// On the shards of the keys it waits for, one after the other in the order of the keys.
    Blocking,
    /// On every node, on its clients.
    AllNodes(Merge),
}

/// What a command may touch, by its trait.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reach {
    /// [`crate::Read`], [`crate::Streamed`] and [`crate::Write`]: keys.
    Keys,
    /// [`crate::Gather`].
    Gathered,
    /// [`crate::Blocking`].
    Awaited,
    /// [`crate::Session`], [`crate::Transaction`], and names that only have subcommands.
    Client,
    /// [`crate::Everywhere`], with how the nodes' replies become one.
    Nodes(Merge),
}

impl Spread {
    /// Where a command of this reach runs. A spec that says what cannot be so does not compile, as the command table is
    /// made by the compiler.
    pub(crate) const fn of(spec: &Spec, reach: Reach) -> Spread {
        match (reach, spec.spread) {
            (Reach::Keys, None) => {
                assert!(
                    !spec.keys.is_empty() || spec.own_keys.is_some(),
                    "a command on one shard needs a key: say `spread` or `keys`"
                );
                Spread::OneShard
            }
            (Reach::Keys, Some(spread)) => {
                let is_of_keys = matches!(
                    spread,
                    Spread::ByKey(_) | Spread::AllShards(_) | Spread::AnyShard | Spread::Cursor { .. }
                );
                assert!(is_of_keys, "that follows from the trait: do not say `spread`");
                spread
            }
            (_, Some(_)) => panic!("that follows from the trait: do not say `spread`"),
            (Reach::Gathered, None) => Spread::Gather,
            (Reach::Awaited, None) => Spread::Blocking,
            (Reach::Client, None) => Spread::Nowhere,
            (Reach::Nodes(merge), None) => Spread::AllNodes(merge),
        }
    }
}

/// What COMMAND INFO publishes of a command's request and response policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// What follows from [`Spread`], before the other tips.
    FromSpread,
    /// Only what is among [`Spec::tips`]: Redis publishes another policy than the one carried out here, or none, or
    /// lists it in another order.
    AsTips,
}

/// Which of a command's words are secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// None.
    None,
    /// All but the name.
    All,
    /// So many words behind each that is `word`, in any case.
    After {
        /// The word, in upper case.
        word: &'static str,
        /// How many follow it.
        len: usize,
    },
    /// Pairs of a parameter and its value begin at word 2: values of parameters that are, and of those that nobody
    /// knows, which may be a secret one misspelled, or one of another version.
    Parameters,
}

impl Secrets {
    /// The positions of the secret words of `args`, in ascending order.
    pub fn positions(self, args: Args<'_>) -> Vec<usize> {
        match self {
            Secrets::None => Vec::new(),
            Secrets::All => (1..args.len()).collect(),
            Secrets::After { word, len } => {
                let is_it = |index: &usize| {
                    args.get(*index).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
                };
                let mut found: Vec<usize> = (1..args.len())
                    .filter(is_it)
                    .flat_map(|index| index + 1..=index + len)
                    .filter(|index| *index < args.len())
                    .collect();
                found.dedup();
                found
            }
            Secrets::Parameters => (3..args.len())
                .step_by(2)
                .filter(|index| {
                    tessera_config::find(&args[index - 1])
                        .is_none_or(|(parameter, _)| parameter.is_sensitive())
                })
                .collect(),
        }
    }
}

/// All that a command says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Its name in lower case; of a subcommand, both words: `config|get`.
    pub name: &'static str,
    /// What it does, in a sentence of our own.
    pub summary: &'static str,
    /// The Redis version that brought it.
    pub since: &'static str,
    /// Where it is filed.
    pub group: Group,
    /// Its cost.
    pub complexity: &'static str,
    /// Where it runs, if it reads or writes keys and does so on more shards than the one of its first key:
    /// [`Spread::ByKey`], [`Spread::AllShards`], [`Spread::AnyShard`] or [`Spread::Cursor`].
    pub spread: Option<Spread>,
    /// A large value, collection or string, it leaves as it is, or replaces or removes whole, though it may change its
    /// keys: it never has to wait until such a value is kept for clients that are in the middle of reading it. Only for
    /// keys with [`KeyFlags::RW`].
    pub leaves_values: bool,
    /// Whatever its keys hold, it succeeds and all of its parts answer alike, once its words are right and there is
    /// memory for it: it may be answered before its parts are done. Only for [`Spread::ByKey`].
    pub always_succeeds: bool,
    /// Flags that do not follow from its trait.
    pub flags: Flags,
    /// Runs only where `enable-debug-command` allows it.
    pub protected: bool,
    /// The ACL categories of its subject.
    pub categories: Categories,
    /// Command tips, without the request and response policies that follow from [`Spread`].
    pub tips: &'static [&'static str],
    /// Whether those policies are published.
    pub policy: Policy,
    /// Where its keys are. COMMAND INFO's first, last and step follow.
    pub keys: &'static [KeySpec],
    /// What it may tell of keys: which events come of what it changes. A write command has some, unless it is about
    /// whole databases.
    pub events: &'static [Event],
    /// The word that usually is an element (a field, a member) of what its first key holds. Commands of a pipeline have
    /// theirs looked for together; nothing depends on it.
    pub element: Option<usize>,
    /// For commands whose key specs say [`KeyFlags::VARIABLE_FLAGS`]: what they do with their keys, given all words,
    /// the name included.
    pub key_flags: Option<fn(Args<'_>) -> KeyFlags>,
    /// Finds the keys among all words that key specs cannot tell of.
    pub own_keys: Option<fn(Args<'_>, &mut Vec<KeyAt>)>,
    /// For a command that may change which database its client's later commands work on: the number that the words
    /// name, whether there is such a database or not.
    pub selects: Option<fn(Args<'_>) -> Option<u16>>,
    /// Its arguments. The arity follows.
    pub grammar: &'static [Arg],
    /// The arity as Redis publishes it, where it accepts words that its arguments do not tell of.
    pub arity: Option<i32>,
    /// Words that must not be shown: in the slow log, to MONITOR.
    pub secrets: Secrets,
    /// Its subcommands are not published as such: Redis reads their names as it reads arguments.
    pub private_subcommands: bool,
    /// Changes over Redis versions: version, what changed.
    pub history: &'static [(&'static str, &'static str)],
    /// Since when it should not be used any more, and what to use instead.
    pub deprecated: Option<(&'static str, &'static str)>,
    /// Not for users: COMMAND DOCS flags it `syscmd`.
    pub system: bool,
}

impl Spec {
    /// What most specs have in common; to be used as `..Spec::BASE`.
    pub const BASE: Spec = Spec {
        name: "",
        summary: "",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(1)",
        spread: None,
        leaves_values: false,
        always_succeeds: false,
        flags: Flags::NONE,
        protected: false,
        categories: Categories::NONE,
        tips: &[],
        policy: Policy::FromSpread,
        keys: &[],
        events: &[],
        element: None,
        key_flags: None,
        own_keys: None,
        selects: None,
        grammar: &[],
        arity: None,
        secrets: Secrets::None,
        private_subcommands: false,
        history: &[],
        deprecated: None,
        system: false,
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_resp::args::OwnedArgs;

    #[test]
    fn passwords_are_found_among_the_words() {
        let found = |secrets: Secrets, line: &str| {
            let words = OwnedArgs::from_words(line.split(' '));
            secrets.positions(words.as_args())
        };
        let after_auth = Secrets::After { word: "AUTH", len: 2 };
        assert_eq!(found(Secrets::All, "auth user word"), [1, 2]);
        assert_eq!(found(Secrets::None, "auth user word"), []);
        assert_eq!(found(after_auth, "hello 3 auth user word setname x"), [3, 4]);
        assert_eq!(found(after_auth, "hello 3 AUTH user"), [3]);
        assert_eq!(found(after_auth, "hello 3"), []);
        assert_eq!(found(Secrets::Parameters, "config set port 1 RequirePass word hz"), [5]);
        for secret in
            ["masterauth", "masteruser", "tls-key-file-pass", "tls-client-key-file-pass", "requirepas"]
        {
            assert_eq!(
                found(Secrets::Parameters, &format!("config set hz 1 {secret} word")),
                [5],
                "{secret}"
            );
        }
    }
}
