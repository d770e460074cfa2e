//! Which binaries the developer commands start.

use std::io;
use std::path::{Path, PathBuf};

/// Tessera's: the one that is given, or else what was built last with the usual profiles.
///
/// # Errors
/// If there is none.
pub fn tessera(given: Option<&Path>) -> io::Result<PathBuf> {
    if let Some(given) = given {
        return Ok(given.to_path_buf());
    }
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let built = ["release", "debug"].map(|profile| target.join(profile).join("tessera-server"));
    built.into_iter().find(|path| path.is_file()).ok_or_else(|| {
        io::Error::other("no tessera-server is built: cargo build --release, or give --tessera")
    })
}
