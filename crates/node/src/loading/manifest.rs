//! Reads a manifest.

use super::reader::FileReader;
use crate::desk::Desk;
use std::sync::Arc;
use tessera_storage::manifest::{MANIFEST_MAX_LEN_BYTES, Manifest};

/// The manifest at this path. Of a file that is too long for one, no more is read than it takes to see that.
///
/// # Errors
/// It cannot be read, or is none: a sentence.
pub(crate) async fn read_manifest(desk: &Desk, path: &Arc<str>) -> Result<Manifest, String> {
    let (mut reader, mut bytes) = (FileReader::new(desk.clone(), path.clone()), Vec::new());
    while let Some(piece) = reader.piece().await.map_err(|error| format!("{path}: {error}"))? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > MANIFEST_MAX_LEN_BYTES {
            reader.give_up();
        }
    }
    Manifest::decode(&bytes).map_err(|error| format!("{path}: {error}"))
}
