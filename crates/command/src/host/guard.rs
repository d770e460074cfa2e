//! What a client may not do, decided before a command runs, and how it is told.

use crate::client::Client;
use crate::command::Command;
use crate::error::Error;
use crate::flags::Flags;
use crate::registry::{Registry, Unknown};
use tessera_config::Config;
use tessera_resp::Args;

/// How much of what a client sent is repeated in an error.
const SHOWN_LEN_BYTES: usize = 128;

/// A command that is not run.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Which, if its name is known: it counts as rejected.
    pub command: Option<&'static Command>,
    /// What the client is told.
    pub error: Error,
}

/// The command that `args` call, if `client` may run it with that many words. The checks are in Redis's order. `args`
/// must not be empty.
///
/// # Errors
/// There is no such command, the number of words is wrong, or the client may not.
#[inline]
pub fn admit(
    registry: &Registry,
    args: Args<'_>,
    client: &Client,
    config: &Config,
) -> Result<&'static Command, Refused> {
    admit_resolved(registry, registry.resolve(args), args, client, config)
}

/// The same with what [`Registry::resolve`] said of `args`.
///
/// # Errors
/// As [`admit`].
#[inline]
pub fn admit_resolved(
    registry: &Registry,
    resolved: Result<&'static Command, Unknown>,
    args: Args<'_>,
    client: &Client,
    config: &Config,
) -> Result<&'static Command, Refused> {
    match resolved {
        Ok(command) => {
            // Names behind such a command are arguments to Redis, so their number is looked at last.
            if command.spec.private_subcommands
                && command.spec.name_words() > 1
                && let Some(error) = refusal(command, client, config)
            {
                return Err(Refused { command: Some(command), error });
            }
            if !command.takes(args.len()) {
                return Err(Refused { command: Some(command), error: wrong_words(command, args) });
            }
            match refusal(command, client, config) {
                None => Ok(command),
                Some(error) => Err(Refused { command: Some(command), error }),
            }
        }
        Err(Unknown::Command) => Err(Refused { command: None, error: unknown_command(args) }),
        Err(Unknown::Subcommand(parent)) => Err(unknown_subcommand(registry, parent, args, client, config)),
    }
}

/// Why `client` may not run `command`, if it may not.
#[inline]
pub fn refusal(command: &Command, client: &Client, config: &Config) -> Option<Error> {
    if command.spec.protected && !config.enable_debug_command.allows(client.is_local) {
        return Some(PROTECTED);
    }
    if !client.authenticated && config.require_pass.is_some() && !command.flags.has(Flags::NO_AUTH) {
        return Some(Error::Text("NOAUTH Authentication required."));
    }
    None
}

const PROTECTED: Error = Error::Text(
    "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a \
     local connection, otherwise you need to set this option in the configuration file, and then restart the server.",
);

#[cold]
fn unknown_subcommand(
    registry: &Registry,
    parent: &str,
    args: Args<'_>,
    client: &Client,
    config: &Config,
) -> Refused {
    let private = registry.find(parent.as_bytes()).filter(|command| command.spec.private_subcommands);
    let error = match private {
        None => subcommand("unknown subcommand", parent, args),
        Some(command) => refusal(command, client, config).unwrap_or_else(|| wrong_form(parent, args)),
    };
    Refused { command: private, error }
}

/// Whether the words are a line of HTTP: a web page makes its reader's browser talk to the server, and hopes that the
/// body of its request holds commands. Redis closes such connections without an answer.
#[cold]
pub fn is_http(args: Args<'_>) -> bool {
    args.get(0).is_some_and(|name| name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:"))
}

#[cold]
fn unknown_command(args: Args<'_>) -> Error {
    let mut text = b"ERR unknown command '".to_vec();
    text.extend_from_slice(shown(&args[0], SHOWN_LEN_BYTES));
    text.extend_from_slice(b"', with args beginning with: ");
    let start = text.len();
    for word in args.iter().skip(1) {
        let Some(room @ 1..) = SHOWN_LEN_BYTES.checked_sub(text.len() - start) else { break };
        text.push(b'\'');
        text.extend_from_slice(shown(word, room));
        text.extend_from_slice(b"' ");
    }
    Error::built(text)
}

/// What a client is told whose words are too few or too many for `command`.
#[cold]
fn wrong_words(command: &Command, args: Args<'_>) -> Error {
    match command.full_name.split_once('|') {
        Some((parent, _)) if command.spec.private_subcommands => wrong_form(parent, args),
        _ => Error::Arity,
    }
}

/// The subcommand is known, but not in this form; `parent` is the command's name.
#[cold]
pub fn wrong_form(parent: &str, args: Args<'_>) -> Error {
    subcommand("unknown subcommand or wrong number of arguments for", parent, args)
}

fn subcommand(what: &str, parent: &str, args: Args<'_>) -> Error {
    let mut text = format!("ERR {what} '").into_bytes();
    text.extend_from_slice(shown(args.get(1).unwrap_or_default(), SHOWN_LEN_BYTES));
    text.extend_from_slice(format!("'. Try {} HELP.", parent.to_ascii_uppercase()).as_bytes());
    Error::built(text)
}

/// Redis prints these as C strings: a NUL ends them.
fn shown(word: &[u8], max_len: usize) -> &[u8] {
    let end = word.iter().position(|byte| *byte == 0).unwrap_or(word.len());
    &word[..end.min(max_len)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Spec;
    use tessera_config::{Access, Secret};
    use tessera_resp::args::OwnedArgs;

    const OPEN: Command = Command::container(Spec { name: "ping", ..Spec::BASE }, &[]);
    const AUTH: Command = Command::container(Spec { name: "auth", flags: Flags::NO_AUTH, ..Spec::BASE }, &[]);
    const DEBUG: Command = Command::container(Spec { name: "debug", protected: true, ..Spec::BASE }, &[]);

    #[test]
    fn passwords_and_protected_commands() {
        let stranger = Client::new(1, false, 0);
        let known = Client { is_local: true, ..Client::new(2, true, 0) };
        let mut config = Config::default();
        assert_eq!(refusal(&OPEN, &stranger, &config), None);
        config.require_pass = Some(Secret(b"x".to_vec()));
        assert!(refusal(&OPEN, &stranger, &config).is_some());
        assert_eq!(refusal(&AUTH, &stranger, &config), None);
        assert_eq!(refusal(&OPEN, &known, &config), None);
        assert!(refusal(&DEBUG, &known, &config).is_some());
        config.enable_debug_command = Access::Local;
        assert_eq!(refusal(&DEBUG, &known, &config), None);
        let remote = Client { is_local: false, ..known };
        assert!(refusal(&DEBUG, &remote, &config).is_some());
    }

    #[test]
    fn browsers_are_known_by_their_lines() {
        for (line, expected) in
            [(&["POST", "/", "HTTP/1.1"][..], true), (&["Host:", "a"], true), (&["HOST", "a"], false)]
        {
            let words = OwnedArgs::from_words(line.iter().map(|word| word.as_bytes()));
            assert_eq!(is_http(words.as_args()), expected, "{line:?}");
        }
    }

    static TABLE: [Command; 3] = [
        OPEN,
        AUTH,
        Command::container(
            Spec { name: "debug", protected: true, private_subcommands: true, ..Spec::BASE },
            &[Command {
                arity: 3,
                ..Command::container(
                    Spec { name: "debug|sleep", protected: true, private_subcommands: true, ..Spec::BASE },
                    &[],
                )
            }],
        ),
    ];

    fn told(words: &[&[u8]], config: &Config) -> String {
        let owned = OwnedArgs::from_words(words);
        let client = Client { is_local: true, ..Client::new(1, true, 0) };
        match admit(&Registry::new(&TABLE), owned.as_args(), &client, config) {
            Ok(command) => format!("runs {}", command.full_name),
            Err(refused) => {
                String::from_utf8_lossy(&refused.error.text(refused.command.map_or("", |c| c.full_name)))
                    .into()
            }
        }
    }

    // All texts recorded from Valkey 7.2.7.
    #[test]
    fn what_was_sent_is_repeated_in_part() {
        let config = Config::default();
        assert_eq!(
            told(&[b"foo", b"a\0b", b"c"], &config),
            "ERR unknown command 'foo', with args beginning with: 'a' 'c' "
        );
        assert_eq!(told(&[b"foo"], &config), "ERR unknown command 'foo', with args beginning with: ");
        let long = [b'x'; 200];
        assert_eq!(
            told(&[&long, &long, b"y"], &config),
            format!("ERR unknown command '{0}', with args beginning with: '{0}' ", "x".repeat(128))
        );
        assert_eq!(told(&[b"ping"], &config), "ERR wrong number of arguments for 'ping' command");
    }

    #[test]
    fn private_subcommands_are_told_as_arguments() {
        let mut config = Config::default();
        assert_eq!(told(&[b"debug"], &config), "ERR wrong number of arguments for 'debug' command");
        for words in [&[&b"debug"[..], b"FOO"][..], &[b"debug", b"SLEEP"]] {
            config.enable_debug_command = Access::No;
            assert!(told(words, &config).starts_with("ERR DEBUG command not allowed."));
            config.enable_debug_command = Access::Yes;
            assert_eq!(
                told(words, &config),
                format!(
                    "ERR unknown subcommand or wrong number of arguments for '{}'. Try DEBUG HELP.",
                    String::from_utf8_lossy(words[1])
                )
            );
        }
    }
}
