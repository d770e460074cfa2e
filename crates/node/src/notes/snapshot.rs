//! What nodes tell each other of snapshots.

use crate::loading::plan::LoadPlan;
use crate::mesh::Traffic;
use crate::snapshot::body::Body;
use crate::snapshot::status::Purpose;
use std::sync::Arc;
use tessera_command::host::Reload;
use tessera_keyspace::snapshot::SnapshotLayout;

/// What each node does at the cut.
#[derive(Debug)]
pub struct CutOrder {
    pub(crate) attempt: u64,
    /// The number of the set of files.
    pub(crate) epoch: u64,
    /// The cut, in Unix milliseconds.
    pub(crate) cut_at_unix_ms: i64,
    /// The file of each shard.
    pub(crate) paths: Vec<Arc<str>>,
    pub(crate) compress: bool,
    /// Each file ends with its checksum.
    pub(crate) checksum: bool,
    pub(crate) ahead_max_len_bytes: usize,
    /// What all shards together may write, in bytes per second; 0 for no bound.
    pub(crate) rate_limit_bytes_per_s: u64,
    /// How long each key takes, however fast it is, in nanoseconds. For tests.
    pub(crate) key_delay_ns: u64,
    /// Clients stay held: the server is to end with it, or to load it again.
    pub(crate) keeps_holding: bool,
}

/// A shard's file, written and on the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenPart {
    /// Its length, in bytes.
    pub(crate) len_bytes: u64,
    /// The checksum of all its bytes but the last eight.
    pub(crate) checksum: u64,
    /// Where its body begins, behind the header.
    pub(crate) body_offset_bytes: u64,
    /// How long its body is.
    pub(crate) body_len_bytes: u64,
    /// Keys in it.
    pub(crate) keys: u64,
    /// The version of RDB that it needs.
    pub(crate) rdb_version: u32,
    /// Where its body has which database.
    pub(crate) layout: Arc<SnapshotLayout>,
    /// What the shard had counted of changes at the cut.
    pub(crate) changes: u64,
}

/// What nodes tell each other about a snapshot.
#[derive(Debug)]
pub enum SnapshotNote {
    /// Node 0: hold your clients, and report when nothing is under way; or report again.
    Drain {
        /// Grows with each.
        attempt: u64,
        /// How often that was asked.
        round: u32,
    },
    /// To node 0: nothing is under way here.
    Report {
        /// In which attempt.
        attempt: u64,
        /// The last round heard of.
        round: u32,
        /// What was sent and done.
        traffic: Traffic,
    },
    /// Node 0: it took too long; let your clients go.
    GiveUp {
        /// Which attempt.
        attempt: u64,
    },
    /// This is the cut.
    Cut(Arc<CutOrder>),
    /// Node 0: the snapshot has failed or was given up.
    Abort {
        /// Which.
        epoch: u64,
    },
    /// To node 0: my shard's file is written, or is not and never will be. Nothing of it is under way.
    Part {
        /// Of which snapshot.
        epoch: u64,
        /// What was written, or what went wrong.
        outcome: Result<WrittenPart, String>,
    },
    /// To node 0: all keys are removed, and a client waits for a snapshot without them.
    Removed,
    /// To node 0: one of my clients wants all keys to be loaded again.
    Reload {
        /// Of what my clients have asked for.
        number: u64,
        /// What it wants.
        reload: Reload,
    },
    /// Node 0, or a peer that has heard from it: load this again.
    LoadAgain(Arc<ReloadOrder>),
    /// Node 0: all nodes have done so, or it is not to be.
    Reloaded {
        /// The node of the client that has asked for it.
        home: usize,
        /// Which of those that its clients have asked for.
        number: u64,
        /// The answer.
        reply: &'static [u8],
    },
    /// Node 0: a snapshot has ended, and the server has not.
    Ended {
        /// How.
        ended: Ended,
        /// What there is to send to clients that want it.
        published: Option<Arc<Published>>,
    },
}

/// How a snapshot ended, for those who wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What it was for.
    pub(crate) purpose: Purpose,
    /// It is whole.
    pub(crate) is_whole: bool,
    /// The attempt that came to its cut; the highest number if it failed before.
    pub(crate) attempt: u64,
}

/// A snapshot that counts, for whoever is to be sent it.
#[derive(Debug)]
pub struct Published {
    /// The beginning of a file of all shards.
    pub(crate) header: Vec<u8>,
    pub(crate) bodies: Vec<Body>,
    /// Files end with their checksums.
    pub(crate) states_checksum: bool,
    /// The one body is a whole file with a header and an end already.
    pub(crate) is_one_file: bool,
}

/// What each node does when it is known what there is to load.
#[derive(Debug)]
pub struct ReloadOrder {
    /// Grows with each.
    pub(crate) number: u64,
    pub(crate) reload: Reload,
    /// All of it.
    pub(crate) plan: LoadPlan,
}
