//! The protocol: bytes to frames and frames to bytes, RESP2, RESP3 and inline. No I/O.
//!
//! * [`Decoder`] takes a command out of received bytes, in place and resumable.
//! * [`Args`] is a command's words, borrowed from those bytes.
//! * [`Reply`] writes a reply in the protocol the client speaks.
//! * [`scan`] walks replies already written, for merging the parts of a command that ran on several shards.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod args;
pub mod decode;
pub mod number;
pub mod reply;
pub mod scan;
pub mod words;

pub use args::{Args, Span};
pub use decode::{Decoded, Decoder, KEPT_SPANS_MAX, Limits, ProtocolError};
pub use reply::{LINE_END, Protocol, Reply};
