//! Which clients CLIENT LIST and CLIENT KILL mean.

use super::client_info::ClientInfo;
use crate::error::Error;
use crate::words::Words;
use tessera_resp::number::parse_i64;

/// What Redis calls the type of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// A client like any other.
    Normal,
    /// A replica, or a client that monitors.
    Replica,
    /// A client with subscriptions.
    PubSub,
    /// The server this one replicates.
    Master,
}

impl ClientKind {
    /// The kind of this name, in any case.
    ///
    /// # Errors
    /// If there is none; the text names it.
    pub fn parse(name: &[u8]) -> Result<ClientKind, Error> {
        for (known, kind) in [
            (&b"normal"[..], ClientKind::Normal),
            (b"slave", ClientKind::Replica),
            (b"replica", ClientKind::Replica),
            (b"pubsub", ClientKind::PubSub),
            (b"master", ClientKind::Master),
        ] {
            if known.eq_ignore_ascii_case(name) {
                return Ok(kind);
            }
        }
        Err(Error::built([b"ERR Unknown client type '", name, b"'"].concat()))
    }

    /// The kind of a client: there are no replicas and no subscriptions, and Redis files a client that monitors under
    /// normal.
    pub fn of(_client: &ClientInfo<'_>) -> ClientKind {
        ClientKind::Normal
    }
}

/// Conditions that must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientFilter<'a> {
    /// Its number.
    pub id: Option<u64>,
    /// Its type.
    pub kind: Option<ClientKind>,
    /// Its address.
    pub peer: Option<&'a [u8]>,
    /// The server's address it is connected to.
    pub local: Option<&'a [u8]>,
    /// Not the client that asks.
    pub skip_caller: bool,
}

impl<'a> ClientFilter<'a> {
    /// Reads CLIENT KILL's options, all words to the end. There must be at least one pair.
    ///
    /// # Errors
    /// What the client is told.
    pub fn parse_kill(words: &mut Words<'a>) -> Result<ClientFilter<'a>, Error> {
        let mut filter = ClientFilter { skip_caller: true, ..ClientFilter::default() };
        while let Some(option) = words.next_word() {
            let value = words.word()?;
            let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
            if is("id") {
                filter.id = Some(parse_client_id(value)?);
            } else if is("type") {
                filter.kind = Some(ClientKind::parse(value)?);
            } else if is("addr") {
                filter.peer = Some(value);
            } else if is("laddr") {
                filter.local = Some(value);
            } else if is("user") {
                // There is one user, and all clients are that one.
                if value != b"default" {
                    return Err(Error::built([b"ERR No such user '", value, b"'"].concat()));
                }
            } else if is("skipme") && value.eq_ignore_ascii_case(b"yes") {
                filter.skip_caller = true;
            } else if is("skipme") && value.eq_ignore_ascii_case(b"no") {
                filter.skip_caller = false;
            } else {
                return Err(Error::SYNTAX);
            }
        }
        Ok(filter)
    }

    /// Whether all conditions hold for `info`, asked by client number `caller_id`.
    pub fn matches(&self, info: &ClientInfo<'_>, caller_id: u64) -> bool {
        self.id.is_none_or(|id| id == info.client.id)
            && self.kind.is_none_or(|kind| kind == ClientKind::of(info))
            && self.peer.is_none_or(|peer| peer == info.connection.peer.as_bytes())
            && self.local.is_none_or(|local| local == info.connection.local.as_bytes())
            && !(self.skip_caller && info.client.id == caller_id)
    }
}

fn parse_client_id(text: &[u8]) -> Result<u64, Error> {
    parse_i64(text)
        .and_then(|id| u64::try_from(id).ok())
        .filter(|id| *id > 0)
        .ok_or(Error::Text("ERR client-id should be greater than 0"))
}
