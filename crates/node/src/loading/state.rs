//! One node's part in loading.

use super::plan::{Described, LoadPlan, PlannedFile};
use super::reader::FileReader;
use crate::disk_job::DiskJob;
use std::collections::VecDeque;
use tessera_command::host::Reload;
use tessera_storage::rdb::{DecodedEntry, Decoder};

/// How often the log tells how far loading is, in nanoseconds.
pub(super) const REPORT_PERIOD_NS: u64 = 5_000_000_000;

/// A file while it is read.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) planned: PlannedFile,
    pub(super) reader: FileReader,
    pub(super) decoder: Decoder,
    pub(super) keys: u64,
    pub(super) ended: bool,
}

impl Current {
    /// Whether a file that was read to its end is what the plan says.
    pub(super) fn is_whole(&self) -> Result<(), String> {
        let Current { planned, reader, decoder, keys, ended } = self;
        if !ended {
            return Err(format!("it breaks off after {} bytes", reader.len_bytes()));
        }
        let Some(Described { keys: keys_said, crc64, rdb_version }) = planned.described else {
            return Ok(());
        };
        if reader.len_bytes() != planned.len_bytes {
            return Err(format!(
                "it has {} bytes, and its manifest says {}",
                reader.len_bytes(),
                planned.len_bytes
            ));
        }
        if keys_said != *keys {
            return Err(format!("it has {keys} keys, and its manifest says {keys_said}"));
        }
        if rdb_version != decoder.version() {
            let version = decoder.version();
            return Err(format!("it is of version {version}, and its manifest says {rdb_version}"));
        }
        if decoder.checksum().is_some_and(|checksum| checksum == crc64) {
            return Ok(());
        }
        Err("its bytes are not those that its manifest was made for: it is of another snapshot, or damaged"
            .into())
    }
}

/// What becomes of a key that is loaded and is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum IfPresent {
    /// Loading fails: the file has it twice.
    #[default]
    Fail,
    /// What is loaded replaces it.
    Replace,
    /// It stays, and who has asked for it is told.
    Keep,
}

/// One node's part in loading.
#[derive(Debug, Default)]
pub(crate) struct Loading {
    /// Node 0 looks for what there is.
    pub(super) finding: Option<DiskJob<Result<LoadPlan, String>>>,
    /// The plan is known.
    pub(super) is_planned: bool,
    /// There is something to load: clients are told so.
    pub(super) is_refusing: bool,
    pub(super) files: VecDeque<PlannedFile>,
    pub(super) current: Option<Current>,
    /// For each node, what is to be sent to it in this turn, and about how much memory that is. This node's own
    /// is put into its shard at once.
    pub(super) parcels: Vec<(Vec<DecodedEntry>, usize)>,
    /// This node has sent everything.
    pub(super) has_sent: bool,
    /// How many nodes have sent everything.
    pub(super) senders_done: usize,
    /// This node has told node 0 that it has everything.
    pub(super) has_reported: bool,
    /// How many nodes have everything, as node 0 knows.
    pub(super) nodes_done: usize,
    /// Something can be decoded without waiting.
    pub(super) has_work: bool,
    pub(super) began_ns: u64,
    pub(super) next_report_ns: u64,
    /// The server is long since up: clients are not refused, they wait.
    pub(super) again: Option<Reload>,
    pub(super) if_present: IfPresent,
}

impl Loading {
    pub(super) fn new(nodes: usize, now_ns: u64) -> Loading {
        Loading {
            parcels: (0..nodes).map(|_| (Vec::new(), 0)).collect(),
            began_ns: now_ns,
            next_report_ns: now_ns + REPORT_PERIOD_NS,
            ..Loading::default()
        }
    }
}
