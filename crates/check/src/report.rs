//! What was found, for people to read.

use crate::file::{FileFacts, shown_text};
use crate::survey::Survey;
use std::fmt::Write;
use std::path::Path;
use tessera_storage::time::utc;

/// How much of a long key is shown, in bytes.
const KEY_SHOWN_LEN_BYTES: usize = 80;

/// What a file says of itself.
pub fn file(path: &Path, facts: &FileFacts, out: &mut String) {
    let _ = writeln!(out, "{}: whole, {} bytes, {} keys", path.display(), facts.len_bytes, facts.keys);
    for (name, value) in &facts.fields {
        let time = match (name.as_str(), value.parse::<i64>()) {
            ("ctime", Ok(unix_s)) => format!(" ({})", utc(unix_s.saturating_mul(1000))),
            ("tessera-cut-ms", Ok(unix_ms)) => format!(" ({})", utc(unix_ms)),
            _ => String::new(),
        };
        let _ = writeln!(out, "  {name}: {value}{time}");
    }
    if facts.empty_keys > 0 {
        let _ = writeln!(out, "  keys without anything in them, which are not loaded: {}", facts.empty_keys);
    }
    for module in &facts.modules {
        let _ = writeln!(out, "  data of the module {module}, which is not loaded");
    }
}

/// What is in it.
pub fn survey(survey: &Survey, out: &mut String) {
    let _ = writeln!(
        out,
        "\n{:<10} {:>14} {:>16} {:>18} {:>12} {:>12}",
        "database", "keys", "elements", "memory bytes", "expiring", "expired"
    );
    for (db, database) in &survey.databases {
        let sums = database.sums;
        let _ = writeln!(
            out,
            "{db:<10} {:>14} {:>16} {:>18} {:>12} {:>12}",
            sums.keys, sums.elements, sums.memory_bytes, database.volatile, database.expired
        );
    }
    let _ =
        writeln!(out, "\n{:<22} {:>14} {:>16} {:>18}", "type, encoding", "keys", "elements", "memory bytes");
    for ((type_name, encoding), sums) in &survey.kinds {
        let kind = format!("{type_name}, {encoding}");
        let _ = writeln!(out, "{kind:<22} {:>14} {:>16} {:>18}", sums.keys, sums.elements, sums.memory_bytes);
    }
    if let Some((first_ms, last_ms)) = survey.expiries_ms {
        let _ = writeln!(out, "\nexpiries from {} to {}", utc(first_ms), utc(last_ms));
    }
    for (what, (keys, db, key)) in &survey.unsupported {
        let shown = shown_text(&key[..key.len().min(KEY_SHOWN_LEN_BYTES)]);
        let _ = writeln!(
            out,
            "\nkeys that Tessera cannot load: {keys}, each a {what}; the first is {shown} in database {db}"
        );
    }
    let largest = survey.largest();
    if !largest.is_empty() {
        let _ = writeln!(out, "\nlargest keys (memory bytes, elements, type, database, key)");
    }
    for large in largest {
        let shown = shown_text(&large.key[..large.key.len().min(KEY_SHOWN_LEN_BYTES)]);
        let more = if large.key.len() > KEY_SHOWN_LEN_BYTES { "..." } else { "" };
        let _ = writeln!(
            out,
            "  {:>14} {:>12} {:<8} {:>4} {shown}{more}",
            large.memory_bytes,
            large.elements,
            large.value_type.name(),
            large.db
        );
    }
    for name in &survey.functions {
        let _ = writeln!(out, "library of functions: {name} (Tessera does not run functions)");
    }
}
