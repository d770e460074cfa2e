//! What COMMAND tells of commands, and the page of all commands: rendered from their specs.

mod docs;
mod info;
mod markdown;

pub use docs::docs;
pub use info::{info, key_flags, tips};
pub use markdown::render_markdown;
