//! Commands of the connection family.

mod auth;
mod client;
mod credentials;
mod echo;
mod hello;
mod names;
mod ping;
mod quit;
mod reset;
mod select;
mod wait;
mod waitaof;

use tessera_command::{Command, Error, Words};

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command::session::<auth::Auth>(),
    Command::container(client::SPEC, client::SUBCOMMANDS),
    Command::session::<echo::Echo>(),
    Command::session::<hello::Hello>(),
    Command::session::<ping::Ping>(),
    Command::session::<quit::Quit>(),
    Command::session::<reset::Reset>(),
    Command::session::<select::Select>(),
    Command::session::<wait::WaitForReplicas>(),
    Command::session::<waitaof::WaitForLogs>(),
];

/// Reads the time-out of WAIT and WAITAOF, in milliseconds.
fn check_wait_timeout(words: &mut Words<'_>) -> Result<(), Error> {
    let timeout_ms = tessera_resp::number::parse_i64(words.word()?)
        .ok_or(Error::Text("ERR timeout is not an integer or out of range"))?;
    if timeout_ms < 0 { Err(Error::Text("ERR timeout is negative")) } else { words.end() }
}
