//! Golden transcripts: scripts of commands together with the replies that a server of Redis 7.2's behaviour
//! gave to them, recorded once and replayed against Tessera ever after.
//!
//! The format of a transcript is described in [`script`]. A [`Player`] plays a script over real sockets in one
//! protocol version; [`replay`] compares what came back with what the file holds, and [`record`] writes it into
//! the file. In the same way [`events`] holds the keyspace events that commands led to.
//!
//! This crate reads RESP with its own reader ([`frame`]) and shares no code with the server: a mistake made in
//! the server's codec must not be able to hide itself here.

#![forbid(unsafe_code)]

mod connection;
mod event_recorder;
pub mod events;
pub mod frame;
mod matchers;
mod player;
mod render;
mod report;
mod run;
pub mod script;
mod server;
pub mod words;

pub use connection::Endpoint;
pub use event_recorder::{find_recordings, load_recording, record_events};
pub use player::{PlayError, Player};
pub use report::{FileReport, Mismatch, Summary};
pub use run::{find_scripts, load, record, replay};
pub use script::{Protocol, Script, ServerOptions};
pub use server::Server;
