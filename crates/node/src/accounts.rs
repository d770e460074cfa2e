//! What there is to write down of a command that is under way.

use tessera_command::Command;
use tessera_resp::Args;
use tessera_resp::args::OwnedArgs;

/// Who sent a command, as the slow log tells it.
pub(crate) struct Sender<'a> {
    /// The client's address.
    pub(crate) peer: &'a str,
    /// Its name, which may be empty.
    pub(crate) name: &'a [u8],
}

/// A command that is under way, and what will be written down of it, once, at its end: all commands but those that run
/// whole on one shard, and those that are done at once.
#[derive(Debug)]
pub struct Account {
    /// The command.
    pub command: &'static Command,
    /// Its words, as the client sent them.
    pub words: OwnedArgs,
    /// When it began, in monotonic nanoseconds.
    pub began_ns: u64,
    /// How long it was worked on until it was last paused, in nanoseconds.
    worked_ns: u64,
    /// Since when it has been worked on, in monotonic nanoseconds; `None` while it is paused.
    working_since_ns: Option<u64>,
}

impl Account {
    /// Of a command that begins now.
    pub(crate) fn open(command: &'static Command, args: Args<'_>, began_ns: u64) -> Account {
        let words = OwnedArgs::from_words(args.iter());
        Account { command, words, began_ns, worked_ns: 0, working_since_ns: Some(began_ns) }
    }

    /// It waits for other clients to do something, which is not work.
    pub(crate) fn pause(&mut self, now_ns: u64) {
        self.worked_ns = self.duration_ns(now_ns);
        self.working_since_ns = None;
    }

    /// It is worked on again.
    pub(crate) fn resume(&mut self, now_ns: u64) {
        self.working_since_ns.get_or_insert(now_ns);
    }

    /// While it waited, somebody else has worked on it for so long.
    pub(crate) fn add_work_of_other(&mut self, duration_ns: u64) {
        if self.working_since_ns.is_none() {
            self.worked_ns += duration_ns;
        }
    }

    /// How long it has been worked on, in nanoseconds.
    pub(crate) fn duration_ns(&self, now_ns: u64) -> u64 {
        self.worked_ns + self.working_since_ns.map_or(0, |since_ns| now_ns.saturating_sub(since_ns))
    }
}

/// The text of a reply that is an error.
pub(crate) fn error_text(reply: &[u8]) -> Option<&[u8]> {
    reply.strip_prefix(b"-").map(<[u8]>::trim_ascii_end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_command::Registry;

    #[test]
    fn waiting_is_not_work() {
        let registry = Box::leak(Box::new(Registry::new(&tessera_commands::COMMANDS)));
        let words = OwnedArgs::from_words(["BLPOP", "key", "0"]);
        let Ok(command) = registry.resolve(words.as_args()) else { panic!("it is a command") };
        let mut account = Account::open(command, words.as_args(), 1_000);
        // Work of others is part of its own, unless it waits.
        account.add_work_of_other(50);
        assert_eq!(account.duration_ns(1_100), 100);
        account.pause(1_100);
        account.pause(2_000);
        account.add_work_of_other(7);
        assert_eq!(account.duration_ns(9_000), 107);
        account.resume(9_000);
        account.resume(9_005);
        assert_eq!(account.duration_ns(9_010), 117);
        assert_eq!((account.began_ns, account.words), (1_000, words));
    }

    #[test]
    fn an_error_is_told_by_its_first_byte() {
        assert_eq!(error_text(b"-ERR\r\n"), Some(&b"ERR"[..]));
        assert_eq!(error_text(b"-WRONGTYPE Operation\r\n"), Some(&b"WRONGTYPE Operation"[..]));
        assert_eq!((error_text(b":-1\r\n"), error_text(b"")), (None, None));
    }
}
