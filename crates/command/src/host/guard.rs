//! What a client may not do, decided before a command runs, and how it is told.

use crate::client::Client;
use crate::command::Command;
use crate::error::Error;
use crate::flags::Flags;
use crate::registry::Unknown;
use tessera_config::Config;
use tessera_resp::Args;

/// How much of what a client sent is repeated in an error.
const SHOWN_LEN_BYTES: usize = 128;

/// Why `client` may not run `command`, if it may not. The node asks after it has found the command and checked the
/// number of its words.
#[inline]
pub fn refusal(command: &Command, client: &Client, config: &Config) -> Option<Error> {
    if command.spec.protected && !config.enable_debug_command.allows(client.is_local) {
        return Some(Error::Text(
            "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it \
             from a local connection, otherwise you need to set this option in the configuration file, and then \
             restart the server.",
        ));
    }
    if !client.authenticated && config.require_pass.is_some() && !command.flags.has(Flags::NO_AUTH) {
        return Some(Error::Text("NOAUTH Authentication required."));
    }
    None
}

/// What a client is told whose words call nothing.
#[cold]
pub fn unknown(unknown: Unknown, args: Args<'_>) -> Error {
    match unknown {
        Unknown::Command => {
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
        Unknown::Subcommand(parent) => subcommand("unknown subcommand", parent, args),
    }
}

/// What a client is told whose words are too few or too many for `command`, or make no sense to it.
#[cold]
pub fn wrong_words(command: &Command, args: Args<'_>) -> Error {
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
    fn what_was_sent_is_repeated_in_part() {
        let told = |words: &[&[u8]], why| {
            let owned = OwnedArgs::from_words(words);
            String::from_utf8_lossy(&unknown(why, owned.as_args()).text("")).into_owned()
        };
        // Recorded from Valkey 7.2.7.
        assert_eq!(
            told(&[b"foo", b"a\0b", b"c"], Unknown::Command),
            "ERR unknown command 'foo', with args beginning with: 'a' 'c' "
        );
        assert_eq!(
            told(&[b"foo"], Unknown::Command),
            "ERR unknown command 'foo', with args beginning with: "
        );
        let long = [b'x'; 200];
        assert_eq!(
            told(&[&long, &long, b"y"], Unknown::Command),
            format!("ERR unknown command '{0}', with args beginning with: '{0}' ", "x".repeat(128))
        );
        assert_eq!(
            told(&[b"config", b"FOO"], Unknown::Subcommand("config")),
            "ERR unknown subcommand 'FOO'. Try CONFIG HELP."
        );
    }
}
