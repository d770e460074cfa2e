//! The seam between a node and its disk: operations go in, completions come out of a later turn.
//!
//! A [`Disk`] belongs to one node and to one thread, and never blocks it. `drivers` implements it with glommio's direct
//! I/O and, for nodes on epoll, with a thread of its own; `sim` with files in memory that fail when told to.

use std::io;
use std::sync::Arc;

/// A file that this node has open. The driver's number for it; not used again while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u64);

/// Writes, but for the last of a file, are a multiple of this long, and begin at a multiple of it: what direct I/O
/// needs.
pub const BLOCK_LEN_BYTES: usize = 4096;

/// What a node wants of its disk. Paths are used as they are.
#[derive(Debug)]
pub enum Operation {
    /// Makes a new file to write to; one that is there is emptied. Answers [`Output::File`].
    Create {
        /// Its path.
        path: Arc<str>,
    },
    /// Opens a file to read. Answers [`Output::Opened`].
    Open {
        /// Its path.
        path: Arc<str>,
    },
    /// Writes all the bytes. Several may be under way, also of one file. The buffer comes back in [`Output::Written`].
    Write {
        /// Where to.
        file: FileId,
        /// Where in the file, a multiple of [`BLOCK_LEN_BYTES`].
        offset_bytes: u64,
        /// What. If its length is not a multiple of [`BLOCK_LEN_BYTES`], this is the end of the file.
        bytes: Vec<u8>,
    },
    /// Reads up to so many bytes; fewer only at the end of the file. Answers [`Output::Read`].
    Read {
        /// Where from.
        file: FileId,
        /// Where in the file, a multiple of [`BLOCK_LEN_BYTES`].
        offset_bytes: u64,
        /// How many.
        len_bytes: usize,
    },
    /// Returns once everything written to the file, and its length, is on the disk. No write of it is under way.
    Sync {
        /// Which.
        file: FileId,
    },
    /// Closes a file. No operation on it is under way.
    Close {
        /// Which.
        file: FileId,
    },
    /// What is in a directory. Answers [`Output::Names`].
    List {
        /// Its path.
        directory: Arc<str>,
    },
    /// Gives a file another name, in place of any file of that name, at once.
    Rename {
        /// What it is called.
        from: Arc<str>,
        /// What it is to be called.
        to: Arc<str>,
    },
    /// Removes a file.
    Remove {
        /// Its path.
        path: Arc<str>,
    },
    /// Returns once the names in a directory are on the disk.
    SyncDirectory {
        /// Its path.
        directory: Arc<str>,
    },
}

/// What an operation that succeeded answers.
#[derive(Debug)]
pub enum Output {
    /// Nothing but that it is done.
    Done,
    /// The new file.
    File(FileId),
    /// The opened file and its length in bytes.
    Opened(FileId, u64),
    /// The buffer, for use again.
    Written(Vec<u8>),
    /// What was read.
    Read(Vec<u8>),
    /// Everything in the directory whose name is text.
    Names(Vec<Listed>),
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// The name.
    pub name: String,
    /// The file's length in bytes; 0 if it is none.
    pub len_bytes: u64,
    /// It is a regular file, or leads to one. Otherwise it is a directory, a pipe, a link to nothing: it cannot be read
    /// as a file, and a file of this name is not absent either.
    pub is_regular: bool,
}

impl Listed {
    /// A regular file.
    pub fn file(name: impl Into<String>, len_bytes: u64) -> Listed {
        Listed { name: name.into(), len_bytes, is_regular: true }
    }

    /// Anything else.
    pub fn other(name: impl Into<String>) -> Listed {
        Listed { name: name.into(), len_bytes: 0, is_regular: false }
    }
}

/// An operation that is over.
#[derive(Debug)]
pub struct Completion {
    /// The number that it was submitted under.
    pub tag: u64,
    /// What came of it.
    pub result: io::Result<Output>,
}

/// One node's disk.
pub trait Disk {
    /// Begins an operation; `tag` is the node's own and comes back with the completion. Operations may overtake each
    /// other.
    fn submit(&mut self, tag: u64, operation: Operation);

    /// Takes the operations that are over, if any. Whoever completes one sees to it that the node's poll of its network
    /// returns.
    fn take_completions(&mut self, into: &mut Vec<Completion>);

    /// Whether a file that is open is read and written past the system's cache, as the file system allows.
    fn is_direct(&self, file: FileId) -> bool;
}
