//! Reading one RDB file to its end.

use crate::Trouble;
use crate::survey::Survey;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use tessera_storage::rdb::{DecodeOptions, DecodedEntry, Decoder, Item};

/// Read at once, in bytes.
const PIECE_LEN_BYTES: usize = 1024 * 1024;

/// What a file says of itself.
#[derive(Debug, Default)]
pub struct FileFacts {
    /// Its length in bytes.
    pub len_bytes: u64,
    /// Its auxiliary fields, in order.
    pub fields: Vec<(String, String)>,
    /// How many keys it has.
    pub keys: u64,
    /// Keys with collections without elements, which no server keeps.
    pub empty_keys: u64,
    /// Modules that keep something besides their values.
    pub modules: Vec<String>,
}

/// Reads the file at `path` to its end, and counts what is in it. `look` sees each key first, and may object to it.
///
/// # Errors
/// If it cannot be read, or is damaged.
pub fn read(
    path: &Path,
    survey: &mut Survey,
    look: &mut dyn FnMut(&DecodedEntry) -> Result<(), String>,
) -> Result<FileFacts, Trouble> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| Trouble::Unreadable(format!("{shown}: {error}"));
    let mut file = File::open(path).map_err(unreadable)?;
    let mut decoder = Decoder::new(DecodeOptions { skip_unsupported: true, ..DecodeOptions::default() });
    let mut facts = FileFacts::default();
    let mut piece = vec![0; PIECE_LEN_BYTES];
    let mut ended = false;
    loop {
        while let Some(item) = decoder.next().map_err(|error| {
            let text = format!("{shown}: {error}");
            if error.is_unsupported { Trouble::Unsupported(text) } else { Trouble::Damaged(text) }
        })? {
            match item {
                Item::Auxiliary { name, value } => {
                    facts.fields.push((shown_text(&name), shown_text(&value)));
                }
                Item::Entry(entry) => {
                    look(&entry).map_err(|problem| Trouble::Damaged(format!("{shown}: {problem}")))?;
                    facts.keys += 1;
                    survey.add(&entry);
                }
                Item::Unsupported { db, key, what } => {
                    facts.keys += 1;
                    survey.add_unsupported(db, key, what);
                }
                Item::Function(code) => survey.functions.push(library_name(&code)),
                Item::Empty { .. } => facts.empty_keys += 1,
                Item::ModuleAuxiliary { module } => facts.modules.push(module),
                Item::Sizes { .. } => {}
                Item::End => ended = true,
            }
        }
        let len = file.read(&mut piece).map_err(unreadable)?;
        if len == 0 {
            break;
        }
        if ended {
            return Err(Trouble::Damaged(format!("{shown}: there are bytes after the end")));
        }
        facts.len_bytes += len as u64;
        decoder.feed(&piece[..len]);
    }
    if !ended {
        return Err(Trouble::Damaged(format!("{shown}: it breaks off after {} bytes", facts.len_bytes)));
    }
    Ok(facts)
}

/// The name in the first line of a library's code, as `#!lua name=mylib` has it.
fn library_name(code: &[u8]) -> String {
    let first = code.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let text = shown_text(first);
    text.split_whitespace().find_map(|word| word.strip_prefix("name=")).unwrap_or("?").to_owned()
}

/// Bytes for people to read.
pub fn shown_text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
