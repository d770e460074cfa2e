//! What nodes tell each other of commands for all nodes.

use crate::mesh::NoteLen;
use tessera_command::Command;
use tessera_resp::Protocol;
use tessera_resp::args::OwnedArgs;
use tessera_routing::Ticket;

/// Of a command that every node carries out.
pub enum EverywhereNote {
    /// Do your part; answer with `Part`.
    Run(EverywhereCall),
    /// A part is done, and this its reply.
    Part(Ticket, Vec<u8>),
    /// Say [`EverywhereNote::Settled`], with this number of the sender's, when all that it has sent so far is done.
    IsSettled(u64),
    /// It is.
    Settled(u64),
}

/// A command for all nodes.
pub struct EverywhereCall {
    /// Where the answer belongs.
    pub ticket: Ticket,
    /// The client that asks.
    pub caller_id: u64,
    /// What the client speaks.
    pub protocol: Protocol,
    /// Which command.
    pub command: &'static Command,
    /// Its words.
    pub words: OwnedArgs,
    /// If it begins a pause it is answered when nothing is under way that was begun before. Not within a transaction,
    /// which is under way itself.
    pub settles: bool,
}

impl EverywhereNote {
    pub(super) fn len_bytes(&self) -> NoteLen {
        match self {
            EverywhereNote::Run(call) => NoteLen::Request(call.words.as_args().total_len_bytes()),
            EverywhereNote::Part(_, reply) => NoteLen::Reply(reply.len()),
            EverywhereNote::IsSettled(_) | EverywhereNote::Settled(_) => NoteLen::Short,
        }
    }
}
