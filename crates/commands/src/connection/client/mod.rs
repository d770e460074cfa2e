//! CLIENT: connections as the server sees them.

mod getname;
mod getredir;
mod help;
mod id;
mod info;
mod kill;
mod list;
mod no_evict;
mod no_touch;
mod pause;
mod reply;
mod setinfo;
mod setname;
mod trackinginfo;
mod unblock;
mod unpause;

use tessera_command::prelude::*;

/// The declaration of the name itself.
pub const SPEC: Spec = Spec {
    name: "client",
    summary: "Tells about connections and changes them.",
    since: "2.4.0",
    group: Group::Connection,
    complexity: "Depends on subcommand.",
    ..Spec::BASE
};

/// The subcommands.
pub const SUBCOMMANDS: &[Command] = &[
    Command::session::<getname::GetName>(),
    Command::session::<getredir::GetRedir>(),
    Command::session::<id::Id>(),
    Command::session::<info::Info>(),
    Command::everywhere::<kill::Kill>(),
    Command::everywhere::<list::List>(),
    Command::session::<no_evict::NoEvict>(),
    Command::session::<no_touch::NoTouch>(),
    Command::everywhere::<pause::PauseClients>(),
    Command::session::<reply::ReplyTo>(),
    Command::session::<setinfo::SetInfo>(),
    Command::session::<setname::SetName>(),
    Command::session::<trackinginfo::TrackingInfo>(),
    Command::everywhere::<unblock::Unblock>(),
    Command::everywhere::<unpause::Unpause>(),
    Command::session::<help::Help>(),
];

fn on_or_off(words: &mut Words<'_>) -> Result<bool, Error> {
    if words.take("on") {
        Ok(true)
    } else if words.take("off") {
        Ok(false)
    } else {
        Err(Error::SYNTAX)
    }
}
