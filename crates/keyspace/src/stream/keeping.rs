//! Keeping for streams what takes long to keep, a piece at a time: the copy of a value that is to change, or what is
//! left of replies.

use super::copying::Copying;
use super::{Open, Source, Streams, UnsentReply};
use crate::shard::Shard;

/// Values of less memory than this are copied at once, in bytes.
const AT_ONCE_MAX_BYTES: usize = if cfg!(test) { 500 } else { 256 * 1024 };
/// If so many times what its readers still lack is less than a kept value takes, that is made, and the value goes.
const KEPT_MAX_TIMES: usize = 4;

/// Something that takes several steps.
#[derive(Debug)]
pub(super) enum Job {
    /// The value of a key is copied, and its readers will have the original.
    Copy { db: u16, key: Box<[u8]>, copying: Box<Copying> },
    /// The rest of all replies about a key is made.
    RestsOfKey { db: u16, key: Box<[u8]> },
    /// The rest of all replies about a value that is kept is made.
    RestsOfKept(u64),
}

impl Job {
    pub(super) fn is_copy(&self) -> bool {
        matches!(self, Job::Copy { .. })
    }

    pub(super) fn db_mut(&mut self) -> Option<&mut u16> {
        match self {
            Job::Copy { db, .. } | Job::RestsOfKey { db, .. } => Some(db),
            Job::RestsOfKept(_) => None,
        }
    }

    fn is_of_key(&self, wanted_db: u16, wanted: &[u8]) -> bool {
        match self {
            Job::Copy { db, key, .. } | Job::RestsOfKey { db, key } => *db == wanted_db && **key == *wanted,
            Job::RestsOfKept(_) => false,
        }
    }

    /// The job is for this stream.
    fn is_for(&self, open: &Open) -> bool {
        match self {
            Job::Copy { db, key, .. } | Job::RestsOfKey { db, key } => open.is_of_key(*db, key),
            Job::RestsOfKept(kept) => open.is_of_kept(*kept),
        }
    }
}

impl Streams {
    fn end(&mut self) {
        self.has_ended = true;
    }
}

impl Shard {
    /// A write that changes the value of `key` where it is had better wait for [`Shard::keep_some`] to get on: somebody
    /// is in the middle of the value, and what has to be kept for him is too much to be kept at once. Ask for every
    /// such key before each write, and again when [`Shard::take_kept`] says so. A write that did not ask does no harm
    /// but for the time that it takes.
    #[inline]
    pub fn must_wait_for_readers(&mut self, db: u16, key: &[u8]) -> bool {
        self.streams.are_of_keys() && self.must_wait_for_kept(db, key)
    }

    #[cold]
    fn must_wait_for_kept(&mut self, db: u16, key: &[u8]) -> bool {
        if self.streams.jobs.iter().any(|job| job.is_of_key(db, key)) {
            return true;
        }
        let Some(entry) = self.databases[db as usize].table().get(key) else { return false };
        let (value, value_bytes) = (entry.value(), entry.allocated_bytes());
        if value_bytes <= AT_ONCE_MAX_BYTES
            || self.databases[db as usize].table().is_over(entry, self.now_ms())
        {
            return false;
        }
        let readers = self.streams.open.iter().filter(|open| open.is_of_key(db, key));
        let unsent: Vec<UnsentReply> = readers
            .map(|open| UnsentReply { stream: open.id, len_bytes: open.unsent_len_bytes(value, value_bytes) })
            .collect();
        if unsent.is_empty() {
            return false;
        }
        let job = self.copy_job(db, key).unwrap_or_else(|| Job::RestsOfKey { db, key: key.into() });
        self.streams.jobs.push_back(job);
        // Now, so that a client whose limit that exceeds is gone before it is kept.
        self.streams.unsent.extend(unsent);
        true
    }

    /// The job to copy the value of a key, if it can be copied in steps, and its readers lack no less than it takes.
    fn copy_job(&self, db: u16, key: &[u8]) -> Option<Job> {
        let entry = self.databases[db as usize].table().get(key)?;
        let (value, value_bytes) = (entry.value(), entry.allocated_bytes());
        let readers = self.streams.open.iter().filter(|open| open.is_of_key(db, key));
        let unsent = readers.map(|open| open.unsent_len_bytes(value, value_bytes));
        if unsent.fold(0, usize::saturating_add) < value_bytes {
            return None;
        }
        let copying = Copying::begin(value, self.settings().thresholds)?;
        Some(Job::Copy { db, key: key.into(), copying: Box::new(copying) })
    }

    /// [`Shard::keep_some`] has something to do.
    pub fn has_to_keep(&self) -> bool {
        self.streams.jobs.iter().any(|job| !self.is_stuck(job))
    }

    /// The snapshot is in the middle of the value, which has to stay what it is as long as that.
    fn is_stuck(&self, job: &Job) -> bool {
        match job {
            Job::Copy { db, key, copying } => copying.is_done() && self.is_in_pieces(*db, key),
            _ => false,
        }
    }

    /// Somebody is to be told something: see [`Shard::take_kept`] and [`Shard::take_unsent`].
    pub fn has_kept_news(&self) -> bool {
        self.streams.has_ended || !self.streams.unsent.is_empty()
    }

    /// Something is kept that writes have waited for, or need not be kept any more.
    pub fn take_kept(&mut self) -> bool {
        std::mem::take(&mut self.streams.has_ended)
    }

    /// Goes on to keep what writes wait for, by about `len_bytes`.
    pub fn keep_some(&mut self, len_bytes: usize) {
        let Some(job) = self.streams.jobs.pop_front() else { return };
        if self.is_stuck(&job) {
            return self.streams.jobs.push_back(job);
        }
        let job = match job {
            Job::Copy { db, key, copying } => self.copy_some(db, key, copying, len_bytes),
            job => self.make_some(job, len_bytes),
        };
        match job {
            Some(job) => self.streams.jobs.push_back(job),
            None => self.streams.end(),
        }
    }

    fn copy_some(
        &mut self,
        db: u16,
        key: Box<[u8]>,
        mut copying: Box<Copying>,
        len_bytes: usize,
    ) -> Option<Job> {
        let value = self.databases[db as usize].table().get(&key)?.value();
        if !copying.is_done() {
            copying.copy_some(value, len_bytes);
            return Some(Job::Copy { db, key, copying });
        }
        let encoding = value.encoding_name();
        let copy = copying.finish();
        let copy = if copy.as_ref().encoding_name() == encoding { copy } else { value.to_value() };
        // The readers keep the original, in which their places, and the order of elements, are what they were.
        let original = self.exchange_for_copy(db, &key, copy)?;
        self.dispose(db, original, true);
        None
    }

    /// Makes a piece of one of the replies that the job is for. The job, if it is not done.
    fn make_some(&mut self, job: Job, len_bytes: usize) -> Option<Job> {
        if let Job::RestsOfKey { db, key } = &job {
            // Others may have come who lack so much that now the value is less.
            if let Some(copy) = self.copy_job(*db, key) {
                return Some(copy);
            }
        }
        let open = self.streams.open.iter_mut().find(|open| job.is_for(open))?;
        let (value, value_bytes) = match &open.source {
            Source::Key { db, key } => {
                let entry = self.databases[*db as usize].table().get(key)?;
                (entry.value(), entry.allocated_bytes())
            }
            Source::Kept(kept) => (self.kept.get(*kept)?, self.kept.bytes_of(*kept)),
            Source::Nothing => return None,
        };
        if open.made.is_empty() && matches!(open.source, Source::Key { .. }) {
            let len_bytes = open.unsent_len_bytes(value, value_bytes);
            // It may have begun since the job did.
            self.streams.unsent.push(UnsentReply { stream: open.id, len_bytes });
        }
        let mut piece = Vec::new();
        let more = open.stream.write_some(value, len_bytes, &mut piece);
        self.streams.made_len_bytes += piece.len();
        open.made.push_back(piece);
        if !more && open.stream.left_len() == 0 {
            let source = std::mem::replace(&mut open.source, Source::Nothing);
            self.streams.recount();
            if let Source::Kept(kept) = source {
                self.release_kept(kept);
            }
        }
        // The next is for another of them.
        let is_next = self.streams.open.iter().any(|open| job.is_for(open));
        is_next.then_some(job)
    }

    /// Looks whether it is worth while to keep a value for those that are in the middle of it.
    pub(super) fn weigh(&mut self, kept: u64) {
        let value_bytes = self.kept.bytes_of(kept);
        let Some(value) = self.kept.get(kept) else { return };
        let readers = self.streams.open.iter().filter(|open| open.is_of_kept(kept));
        let unsent = readers.map(|open| open.unsent_len_bytes(value, value_bytes));
        let Some(unsent_bytes) = unsent.reduce(usize::saturating_add) else { return };
        let is_known = |job: &Job| matches!(job, Job::RestsOfKept(id) if *id == kept);
        if unsent_bytes.saturating_mul(KEPT_MAX_TIMES) < value_bytes
            && !self.streams.jobs.iter().any(is_known)
        {
            self.streams.jobs.push_back(Job::RestsOfKept(kept));
        }
    }

    /// Nobody is in the middle of the value of this key any more, or something was kept at once.
    pub(super) fn end_jobs_of_key(&mut self, db: u16, key: &[u8]) {
        let mut index = 0;
        while let Some(job) = self.streams.jobs.get(index) {
            if !job.is_of_key(db, key) {
                index += 1;
                continue;
            }
            if let Some(Job::Copy { copying, .. }) = self.streams.jobs.remove(index) {
                self.graveyard.bury_value(copying.finish());
            }
            self.streams.end();
        }
    }
}
