//! A snapshot as it is sent to a client: where its bytes come from.

use super::body::Body;
use crate::desk::Desk;
use crate::loading::reader::FileReader;
use crate::network::ConnectionId;
use crate::notes::snapshot::Published;
use std::sync::Arc;
use tessera_storage::checksum::Crc64;
use tessera_storage::rdb::put_end;

/// The length of an end: its mark and the checksum, in bytes.
const END_LEN_BYTES: u64 = 9;

impl Published {
    /// How long a file of these bodies is, in bytes.
    pub(super) fn len_bytes(&self, bodies: &[Body]) -> u64 {
        let bodies_len: u64 = bodies.iter().map(|body| body.before.len() as u64 + body.len_bytes).sum();
        self.header.len() as u64 + bodies_len + END_LEN_BYTES
    }
}

/// One client's.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) connection: ConnectionId,
    pub(super) published: Arc<Published>,
    /// Of each file.
    pub(super) readers: Vec<FileReader>,
    /// Which body is being sent, from which file, and how far that has been read, in bytes.
    pub(super) at: usize,
    pub(super) reader: usize,
    pub(super) file_offset_bytes: u64,
    pub(super) checksum: Crc64,
    pub(super) has_begun: bool,
    pub(super) has_ended: bool,
}

/// A client that waits for a snapshot.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) connection: ConnectionId,
    /// The one that it waits for was asked for by this node for it; otherwise another is under way.
    pub(super) is_asked: bool,
}

/// All clients of a node that are sent snapshots.
#[derive(Debug, Default)]
pub(crate) struct Transfers {
    pub(super) waiting: Vec<Waiting>,
    pub(super) running: Vec<Transfer>,
}

impl Transfers {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }
}

impl Transfer {
    pub(super) fn new(desk: &Desk, connection: ConnectionId, published: Arc<Published>) -> Transfer {
        let mut paths: Vec<_> = published.bodies.iter().map(|body| body.path.clone()).collect();
        paths.sort();
        paths.dedup();
        let readers = paths.into_iter().map(|path| FileReader::to_be_aimed(desk.clone(), path)).collect();
        Transfer {
            connection,
            published,
            readers,
            at: 0,
            reader: 0,
            file_offset_bytes: 0,
            checksum: Crc64::new(),
            has_begun: false,
            has_ended: false,
        }
    }

    pub(super) fn give_up(&mut self) {
        self.has_ended = true;
        self.readers.iter_mut().for_each(FileReader::give_up);
    }

    pub(super) fn is_over(&self) -> bool {
        self.has_ended && self.readers.iter().all(FileReader::is_closed)
    }

    /// Takes in what has been read, and asks for more.
    pub(super) fn go_on_reading(&mut self) -> Result<(), String> {
        let mut outcome = Ok(());
        for reader in &mut self.readers {
            let worked = reader.work().map_err(|error| format!("{}: {error}", reader.path()));
            outcome = outcome.and(worked);
        }
        outcome
    }

    /// A file was read to its end, and that came before the end of its body.
    pub(super) fn has_run_short(&self) -> bool {
        let Some(body) = self.published.bodies.get(self.at) else { return false };
        !self.has_ended
            && self.has_begun
            && self.readers[self.reader].has_no_more()
            && self.file_offset_bytes < body.offset_bytes + body.len_bytes
    }

    /// Begins with the next body: what comes before it.
    fn begin_body(&mut self) -> Vec<u8> {
        let Some(body) = self.published.bodies.get(self.at) else { return Vec::new() };
        let found = self.readers.binary_search_by(|reader| reader.path().cmp(&body.path));
        self.reader = found.expect("each path has a reader, and they are sorted");
        let end_bytes = body.offset_bytes + body.len_bytes;
        self.file_offset_bytes = self.readers[self.reader].aim(body.offset_bytes, end_bytes);
        self.checksum.update(&body.before);
        body.before.clone()
    }

    /// The next bytes to send, or `None` if the disk has to bring more first.
    pub(super) fn next_bytes(&mut self) -> Option<Vec<u8>> {
        if !self.has_begun {
            if !self.readers.iter().all(FileReader::has_opened) {
                return None;
            }
            self.has_begun = true;
            let published = self.published.clone();
            let len_bytes = if published.is_one_file {
                published.bodies[0].len_bytes
            } else {
                self.checksum.update(&published.header);
                published.len_bytes(&published.bodies)
            };
            let mut bytes = format!("${len_bytes}\r\n").into_bytes();
            if !published.is_one_file {
                bytes.extend_from_slice(&published.header);
            }
            bytes.append(&mut self.begin_body());
            return Some(bytes);
        }
        let Some(body) = self.published.bodies.get(self.at) else { return Some(self.end()) };
        let (start, end) = (body.offset_bytes, body.offset_bytes + body.len_bytes);
        if self.file_offset_bytes >= end {
            // What is behind the body is of no use.
            self.at += 1;
            return Some(self.begin_body());
        }
        let mut piece = self.readers[self.reader].next_piece()?;
        let piece_start = self.file_offset_bytes;
        self.file_offset_bytes += piece.len() as u64;
        piece.truncate(usize::try_from(end.saturating_sub(piece_start)).unwrap_or(usize::MAX));
        let skipped = usize::try_from(start.saturating_sub(piece_start)).unwrap_or(usize::MAX);
        piece.drain(..skipped.min(piece.len()));
        if !self.published.is_one_file {
            self.checksum.update(&piece);
        }
        Some(piece)
    }

    fn end(&mut self) -> Vec<u8> {
        self.give_up();
        let mut bytes = Vec::new();
        if !self.published.is_one_file {
            put_end(&mut bytes);
            self.checksum.update(&bytes);
            let checksum = if self.published.states_checksum { self.checksum.value() } else { 0 };
            bytes.extend_from_slice(&checksum.to_le_bytes());
        }
        bytes
    }
}
