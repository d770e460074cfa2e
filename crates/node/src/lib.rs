//! One core's loop, generic over what carries its bytes and what tells it the time.
#![forbid(unsafe_code)]

pub mod clock;
pub mod doorbell;
pub mod mesh;
pub mod network;
pub mod replies;
mod sync;
