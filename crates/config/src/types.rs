//! The types of parameters that no type of the standard library serves.

use std::fmt;

macro_rules! choices {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident {
            $( $(#[doc = $variant_doc:literal])+ $variant:ident = $text:literal $(or $also:literal)?, )+
        }
    )+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub enum $name { $( $(#[doc = $variant_doc])+ $variant, )+ }

            impl $name {
                /// The names of all choices, in the order in which error messages list them.
                pub const NAMES: &'static [&'static str] = &[$($text, $($also,)?)+];

                /// The name of this choice in the configuration file.
                pub fn name(self) -> &'static str {
                    match self { $(Self::$variant => $text,)+ }
                }

                pub(crate) fn from_name(name: &str) -> Option<Self> {
                    match name { $($text $(| $also)? => Some(Self::$variant),)+ _ => None }
                }
            }
        )+
    };
}

choices! {
    /// How much the server writes to its log.
    LogLevel {
        /// Everything, for developers.
        Debug = "debug",
        /// Much that is rarely useful, yet not a mess.
        Verbose = "verbose",
        /// What one wants to know in production.
        Notice = "notice",
        /// Only what is important or critical.
        Warning = "warning",
        /// Nothing at all.
        Nothing = "nothing",
    }
    /// Which service manager the server reports to.
    Supervised {
        /// systemd, through the socket named by `NOTIFY_SOCKET`.
        Systemd = "systemd",
        /// systemd if `NOTIFY_SOCKET` is set, else none.
        Auto = "auto",
        /// None.
        No = "no",
    }
    /// Which interface to the kernel carries network and disk.
    IoDriver {
        /// io_uring where the kernel allows it, else epoll.
        Auto = "auto",
        /// io_uring, as INFO calls it; the server does not start without it.
        Uring = "uring" or "io_uring",
        /// epoll and ordinary file I/O.
        Epoll = "epoll",
    }
    /// Who may use something that is dangerous in wrong hands.
    Access {
        /// Nobody.
        No = "no",
        /// Everybody.
        Yes = "yes",
        /// Clients on this machine: connected over loopback or a unix socket.
        Local = "local",
    }
    /// Which payloads of RESTORE, and which files, are looked at in full.
    SanitizeDumpPayload {
        /// As Redis has it: none.
        No = "no",
        /// All.
        Yes = "yes",
        /// As Redis has it: payloads of clients.
        Clients = "clients",
    }
    /// What to do when memory is full.
    MaxMemoryPolicy {
        /// Evict the least recently used among keys with an expiry.
        VolatileLru = "volatile-lru",
        /// Evict the least frequently used among keys with an expiry.
        VolatileLfu = "volatile-lfu",
        /// Evict any key with an expiry.
        VolatileRandom = "volatile-random",
        /// Evict the key that expires first.
        VolatileTtl = "volatile-ttl",
        /// Evict the least recently used key.
        AllKeysLru = "allkeys-lru",
        /// Evict the least frequently used key.
        AllKeysLfu = "allkeys-lfu",
        /// Evict any key.
        AllKeysRandom = "allkeys-random",
        /// Evict nothing; writes that need memory fail.
        NoEviction = "noeviction",
    }
}

impl Access {
    /// Whether a client may, given whether it is on this machine.
    pub fn allows(self, is_local: bool) -> bool {
        match self {
            Self::No => false,
            Self::Yes => true,
            Self::Local => is_local,
        }
    }
}

/// A password. Its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

/// Bounds on what waits to be sent to one client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputBufferLimit {
    /// Past this many bytes the client is closed at once. 0 for no bound.
    pub hard_bytes: u64,
    /// Past this many bytes for `soft_seconds` the client is closed. 0 for no bound.
    pub soft_bytes: u64,
    /// How long the soft bound may be exceeded, in seconds.
    pub soft_seconds: u32,
}

/// The bounds for each class of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputBufferLimits {
    /// Ordinary clients.
    pub normal: OutputBufferLimit,
    /// Replicas.
    pub replica: OutputBufferLimit,
    /// Clients with at least one subscription.
    pub pubsub: OutputBufferLimit,
}

impl Default for OutputBufferLimits {
    fn default() -> Self {
        const MB: u64 = 1024 * 1024;
        Self {
            normal: OutputBufferLimit::default(),
            replica: OutputBufferLimit { hard_bytes: 256 * MB, soft_bytes: 64 * MB, soft_seconds: 60 },
            pubsub: OutputBufferLimit { hard_bytes: 32 * MB, soft_bytes: 8 * MB, soft_seconds: 60 },
        }
    }
}

/// One point of `save`: a snapshot is due after `seconds` if at least `changes` keys changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavePoint {
    /// Seconds since the last snapshot, at least 1.
    pub seconds: i64,
    /// Changes since the last snapshot.
    pub changes: i64,
}

/// The points of `save`.
#[derive(Clone, Debug)]
pub struct SavePoints {
    /// In the order in which they were given.
    pub points: Vec<SavePoint>,
    /// Somebody has given them. Lines of a configuration file add up; the first one takes the place of the defaults.
    pub(crate) are_given: bool,
}

impl SavePoints {
    /// These and no others.
    pub fn of(points: Vec<SavePoint>) -> SavePoints {
        SavePoints { points, are_given: true }
    }
}

impl Default for SavePoints {
    /// After an hour with a change, five minutes with 100, a minute with 10,000.
    fn default() -> SavePoints {
        let points = [(3600, 1), (300, 100), (60, 10_000)];
        let points = points.map(|(seconds, changes)| SavePoint { seconds, changes }).to_vec();
        SavePoints { points, are_given: false }
    }
}

impl PartialEq for SavePoints {
    fn eq(&self, other: &SavePoints) -> bool {
        self.points == other.points
    }
}

/// What the server does when it is told to end by a signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShutdownFlags {
    /// Save, also without save points.
    pub save: bool,
    /// Do not save, also with save points.
    pub no_save: bool,
    /// Wait for no replicas. There are none.
    pub now: bool,
    /// End even if saving fails.
    pub force: bool,
}

impl ShutdownFlags {
    /// The names in the configuration file, in the order in which error messages list them.
    pub const NAMES: &'static [&'static str] = &["default", "save", "nosave", "now", "force"];

    /// What these words say together; `None` without any, or if one is none of the names.
    pub(crate) fn parse(words: &[Vec<u8>]) -> Option<Self> {
        let mut flags = Self::default();
        for word in words {
            match word.to_ascii_lowercase().as_slice() {
                b"default" => {}
                b"save" => flags.save = true,
                b"nosave" => flags.no_save = true,
                b"now" => flags.now = true,
                b"force" => flags.force = true,
                _ => return None,
            }
        }
        (!words.is_empty()).then_some(flags)
    }

    /// The names of those that are set.
    pub(crate) fn names(self) -> Vec<&'static str> {
        let all = [(self.save, "save"), (self.no_save, "nosave"), (self.now, "now"), (self.force, "force")];
        let names: Vec<_> = all.iter().filter(|(is_set, _)| *is_set).map(|(_, name)| *name).collect();
        if names.is_empty() { vec!["default"] } else { names }
    }
}

/// A list of processor cores, such as `0-7:2,9`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuList {
    text: String,
    cores: Vec<usize>,
}

impl CpuList {
    /// The highest core number a list may name.
    pub const MAX_CORE: usize = 4095;

    /// Reads a list: numbers and ranges `first-last` or `first-last:step`, separated by commas.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let number = |digits: &str| -> Option<usize> {
            let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            all_digits.then(|| digits.parse().ok()).flatten().filter(|&value| value <= Self::MAX_CORE)
        };
        let mut cores = Vec::new();
        for item in text.split(',') {
            let (range, step) = match item.trim().split_once(':') {
                Some((range, step)) => (range, number(step)?),
                None => (item.trim(), 1),
            };
            let (first, last) = match range.split_once('-') {
                Some((first, last)) => (number(first)?, number(last)?),
                None if item.contains(':') => return None,
                None => (number(range)?, number(range)?),
            };
            if first > last || step == 0 {
                return None;
            }
            for core in (first..=last).step_by(step) {
                if !cores.contains(&core) {
                    cores.push(core);
                }
            }
        }
        Some(Self { text: text.to_owned(), cores })
    }

    /// The cores, without repetition, in the order in which the list names them.
    pub fn cores(&self) -> &[usize] {
        &self.cores
    }

    /// The list as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_lists() {
        let cases: &[(&str, Option<&[usize]>)] = &[
            ("0", Some(&[0])),
            ("3,1,2", Some(&[3, 1, 2])),
            ("0-3", Some(&[0, 1, 2, 3])),
            ("0-7:2,9", Some(&[0, 2, 4, 6, 9])),
            ("0-2, 1-3", Some(&[0, 1, 2, 3])),
            ("", None),
            ("a", None),
            ("3-1", None),
            ("0-3:0", None),
            ("1:2", None),
            ("+1", None),
            ("1,", None),
            ("0-4096", None),
            ("99999999999999999999", None),
        ];
        for (text, expected) in cases {
            let list = CpuList::parse(text);
            assert_eq!(list.as_ref().map(CpuList::cores), *expected, "{text:?}");
        }
    }

    #[test]
    fn passwords_stay_out_of_debug_output() {
        assert!(!format!("{:?}", Secret(b"hunter2".to_vec())).contains("hunter2"));
    }
}
