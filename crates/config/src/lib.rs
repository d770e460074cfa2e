//! Parameters of the server: declared once, in [`table`]; CONFIG GET, SET and REWRITE, the configuration file, the
//! command line and the documentation follow from the declaration.
//!
//! Pure: text in, typed values out, and back. Who reads files and puts values into effect is the server.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

mod access;
mod file;
mod kind;
mod markdown;
mod no_effect;
mod rewrite;
mod suggest;
pub mod table;
mod text_kinds;
mod types;
mod value;

#[cfg(test)]
mod tests;

pub use access::SetError;
pub use file::{FileError, Include, Included, MAX_INCLUDE_DEPTH, MAX_INCLUDES, Reading, Refused};
pub use kind::{Kind, memory_size};
pub use markdown::render_markdown;
pub use no_effect::OtherValues;
pub use rewrite::{SIGNATURE, rewrite};
pub use suggest::{nearest_name, unknown_option};
pub use table::{Config, Group, Id, Mutability, PARAMETERS, Parameter, find};
pub use types::{
    Access, CpuList, IoDriver, LogLevel, MaxMemoryPolicy, OutputBufferLimit, OutputBufferLimits,
    SanitizeDumpPayload, SavePoint, SavePoints, Secret, ShutdownFlags, Supervised,
};
pub use value::{ByteCount, FileName, Permissions, Value};
