//! Commands and replies as a report shows them.

/// Bytes longer than this are cut.
const SHOWN_MAX_LEN_BYTES: usize = 200;

/// A command.
pub fn command(words: &[Vec<u8>]) -> String {
    words.iter().map(|word| format!("\"{}\"", bytes(word))).collect::<Vec<_>>().join(" ")
}

/// Bytes, escaped.
pub fn bytes(bytes: &[u8]) -> String {
    let end = bytes.len().min(SHOWN_MAX_LEN_BYTES);
    let more = if end < bytes.len() { format!("... ({} bytes)", bytes.len()) } else { String::new() };
    format!("{}{more}", bytes[..end].escape_ascii())
}
