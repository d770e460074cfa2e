//! Sets of properties of commands and of their keys, in the terms of COMMAND INFO.

macro_rules! bit_set {
    (
        $(#[$doc:meta])* $name:ident: $repr:ty {
            $($(#[$bit_doc:meta])* $constant:ident = $bit:literal => $text:literal,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name($repr);

        impl $name {
            /// None of them.
            pub const NONE: $name = $name(0);
            $($(#[$bit_doc])* pub const $constant: $name = $name(1 << $bit);)*

            /// Every member there is, with the name Redis gives it, in the order Redis lists them.
            pub const ALL: &'static [($name, &'static str)] = &[$(($name::$constant, $text)),*];

            /// These and those.
            pub const fn with(self, other: $name) -> $name {
                $name(self.0 | other.0)
            }

            /// These without those.
            pub const fn without(self, other: $name) -> $name {
                $name(self.0 & !other.0)
            }

            /// All of `other` are among these.
            #[inline]
            pub const fn has(self, other: $name) -> bool {
                self.0 & other.0 == other.0
            }

            /// The names of these, in Redis's order.
            pub fn names(self) -> impl Iterator<Item = &'static str> {
                Self::ALL.iter().filter(move |(bit, _)| self.has(*bit)).map(|(_, name)| *name)
            }

            /// The member of this name, in any case.
            pub fn by_name(name: &[u8]) -> Option<$name> {
                Self::ALL.iter().find(|(_, known)| known.as_bytes().eq_ignore_ascii_case(name)).map(|(bit, _)| *bit)
            }
        }

        impl std::ops::BitOr for $name {
            type Output = $name;

            fn bitor(self, other: $name) -> $name {
                self.with(other)
            }
        }
    };
}

bit_set! {
    /// Command flags. `WRITE` and `READONLY` come from the trait a command implements, `MOVABLE_KEYS` from its key
    /// specs; no spec names them.
    Flags: u32 {
        /// May change the keyspace.
        WRITE = 0 => "write",
        /// Only reads the keyspace.
        READONLY = 1 => "readonly",
        /// Refused when memory is short.
        DENY_OOM = 2 => "denyoom",
        /// For the person who runs the server.
        ADMIN = 3 => "admin",
        /// Publish and subscribe.
        PUBSUB = 4 => "pubsub",
        /// Not for scripts.
        NO_SCRIPT = 5 => "noscript",
        /// May wait for something to happen.
        BLOCKING = 6 => "blocking",
        /// Answered while the data set is loading.
        LOADING = 7 => "loading",
        /// Answered by a replica whose data is out of date.
        STALE = 8 => "stale",
        /// Not shown to MONITOR.
        SKIP_MONITOR = 9 => "skip_monitor",
        /// Not noted in the slow log.
        SKIP_SLOWLOG = 10 => "skip_slowlog",
        /// Takes constant or logarithmic time.
        FAST = 11 => "fast",
        /// Answered before AUTH.
        NO_AUTH = 12 => "no_auth",
        /// Keys are optional.
        NO_MANDATORY_KEYS = 13 => "no_mandatory_keys",
        /// Refused while a data set is loaded beside the one in use.
        NO_ASYNC_LOADING = 14 => "no_async_loading",
        /// Not allowed within MULTI.
        NO_MULTI = 15 => "no_multi",
        /// Finding the keys takes more than first, last and step.
        MOVABLE_KEYS = 16 => "movablekeys",
        /// Accepted while a script or a module keeps the server busy.
        ALLOW_BUSY = 17 => "allow_busy",
        /// May have effects to replicate although it is not a write.
        MAY_REPLICATE = 18 => "may_replicate",
        /// Runs although CLIENT PAUSE is on.
        UNPAUSABLE = 19 => "unpausable",
        /// Refused like a write while snapshots fail.
        TELLS_OF_DISK = 20 => "tells_of_disk",
        /// Removes every key, so that a snapshot under way is not worth going on with.
        REMOVES_ALL = 21 => "removes_all",
        /// Runs at once even between MULTI and EXEC.
        NOT_QUEUED = 22 => "not_queued",
        /// Ends a transaction, so that it is never refused within one because memory is short.
        ENDS_QUEUE = 23 => "ends_queue",
    }
}

impl Flags {
    /// Those that COMMAND INFO does not tell.
    pub const UNPUBLISHED: Flags = Flags::MAY_REPLICATE
        .with(Flags::UNPAUSABLE)
        .with(Flags::TELLS_OF_DISK)
        .with(Flags::REMOVES_ALL)
        .with(Flags::NOT_QUEUED)
        .with(Flags::ENDS_QUEUE);
}

bit_set! {
    /// ACL categories. `READ`, `WRITE`, `FAST`, `SLOW`, `ADMIN`, `BLOCKING`, `PUBSUB` and most of `DANGEROUS` follow
    /// from the flags; a spec names only those of its subject.
    Categories: u32 {
        /// Names of keys, and what holds for any type.
        KEYSPACE = 0 => "keyspace",
        /// Reads keys.
        READ = 1 => "read",
        /// Writes keys.
        WRITE = 2 => "write",
        /// Sets.
        SET = 3 => "set",
        /// Sorted sets.
        SORTED_SET = 4 => "sortedset",
        /// Lists.
        LIST = 5 => "list",
        /// Hashes.
        HASH = 6 => "hash",
        /// Strings.
        STRING = 7 => "string",
        /// Bitmaps.
        BITMAP = 8 => "bitmap",
        /// HyperLogLogs.
        HYPERLOGLOG = 9 => "hyperloglog",
        /// Geographic indices.
        GEO = 10 => "geo",
        /// Streams.
        STREAM = 11 => "stream",
        /// Publish and subscribe.
        PUBSUB = 12 => "pubsub",
        /// For the person who runs the server.
        ADMIN = 13 => "admin",
        /// Constant or logarithmic time.
        FAST = 14 => "fast",
        /// Everything else.
        SLOW = 15 => "slow",
        /// May wait.
        BLOCKING = 16 => "blocking",
        /// Can hurt others.
        DANGEROUS = 17 => "dangerous",
        /// About the connection itself.
        CONNECTION = 18 => "connection",
        /// MULTI and its kin.
        TRANSACTION = 19 => "transaction",
        /// Scripts.
        SCRIPTING = 20 => "scripting",
    }
}

bit_set! {
    /// What a command does with a key.
    KeyFlags: u16 {
        /// Reads the value.
        RO = 0 => "RO",
        /// Reads it and changes it.
        RW = 1 => "RW",
        /// Overwrites it, whatever it was.
        OW = 2 => "OW",
        /// Removes it.
        RM = 3 => "RM",
        /// What the key holds, or part of it, reaches the client.
        ACCESS = 4 => "access",
        /// Changes what is there.
        UPDATE = 5 => "update",
        /// Adds to what is there.
        INSERT = 6 => "insert",
        /// Takes from what is there.
        DELETE = 7 => "delete",
        /// Not a key, but routed like one.
        NOT_KEY = 8 => "not_key",
        /// Not all keys are found this way.
        INCOMPLETE = 9 => "incomplete",
        /// The other flags depend on the command's options.
        VARIABLE_FLAGS = 10 => "variable_flags",
    }
}
