//! The atomics of [`crate::doorbell`], named in one place so that a model checker can put its own here.

pub use std::sync::atomic::{AtomicBool, Ordering, fence};
