//! How much is on its way from one node to another, as both count it.

use std::sync::atomic::{AtomicUsize, Ordering};
use tessera_routing::Batch;

/// A home stops sending requests to a peer that has so many, or so many bytes of them, still to carry out. What a
/// client sends may have to wait for all of them.
pub(super) const REQUESTS_MAX: usize = 4 * 1024;
pub(super) const REQUESTS_MAX_LEN_BYTES: usize = 4 * 1024 * 1024;

/// How much something is that travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) requests: usize,
    pub(super) request_bytes: usize,
    pub(super) reply_bytes: usize,
}

impl Load {
    pub(super) fn of_batch(batch: &Batch) -> Load {
        Load {
            requests: batch.calls_len() - batch.done_calls() + batch.errands.len(),
            request_bytes: batch.words_len_bytes(),
            reply_bytes: batch.replies_len_bytes(),
        }
    }

    pub(super) fn add(&mut self, other: Load) {
        self.requests += other.requests;
        self.request_bytes += other.request_bytes;
        self.reply_bytes += other.reply_bytes;
    }

    pub(super) fn is_too_much_to_do(&self) -> bool {
        self.requests >= REQUESTS_MAX || self.request_bytes >= REQUESTS_MAX_LEN_BYTES
    }
}

/// What has been given to one channel and is not done with at its other end: requests that are not carried out, replies
/// and lines that are not taken in. A few additions per parcel, on memory of its own.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct OnWay {
    requests: AtomicUsize,
    request_bytes: AtomicUsize,
    pub(super) reply_bytes: AtomicUsize,
    pub(super) line_bytes: AtomicUsize,
}

// No other memory depends on these numbers, so that no order is needed.
impl OnWay {
    pub(super) fn add(&self, load: Load) {
        for (place, number) in self.places(load) {
            if number > 0 {
                place.fetch_add(number, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn remove(&self, load: Load) {
        for (place, number) in self.places(load) {
            if number > 0 {
                let before = place.fetch_sub(number, Ordering::Relaxed);
                debug_assert!(before >= number, "what is done with was counted before");
            }
        }
    }

    fn places(&self, load: Load) -> [(&AtomicUsize, usize); 3] {
        [
            (&self.requests, load.requests),
            (&self.request_bytes, load.request_bytes),
            (&self.reply_bytes, load.reply_bytes),
        ]
    }

    pub(super) fn now(&self) -> Load {
        Load {
            requests: self.requests.load(Ordering::Relaxed),
            request_bytes: self.request_bytes.load(Ordering::Relaxed),
            reply_bytes: self.reply_bytes.load(Ordering::Relaxed),
        }
    }
}
