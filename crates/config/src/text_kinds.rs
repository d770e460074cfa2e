//! Reading values that are text of a special form.

use crate::kind::memory_size;
use crate::types::ShutdownFlags;
use crate::value::Value;

/// Text without NUL bytes, which files and the system's calls cannot hold.
pub(crate) fn refuse_nul(word: &[u8]) -> Result<Vec<u8>, String> {
    if word.contains(&0) { Err("argument must not hold a NUL byte".to_owned()) } else { Ok(word.to_vec()) }
}

/// Any text; empty stands for none.
pub(crate) fn optional_text(word: &[u8]) -> Result<Value, String> {
    refuse_nul(word).map(|text| Value::Text((!text.is_empty()).then_some(text)))
}

/// Any text.
pub(crate) fn text(word: &[u8]) -> Result<Value, String> {
    refuse_nul(word).map(|text| Value::Text(Some(text)))
}

/// The name of a file or directory that is in no other directory.
pub(crate) fn base_name(word: &[u8], name: &str, what: &str) -> Result<Value, String> {
    if word.is_empty() {
        Err(format!("{name} can't be empty"))
    } else if word.contains(&b'/') {
        Err(format!("{name} can't be a path, just a {what}"))
    } else {
        text(word)
    }
}

/// The name of a host.
pub(crate) fn host_name(word: &[u8]) -> Result<Value, String> {
    if word.len() >= 256 {
        return Err("Hostnames must be less than 256 characters".to_owned());
    }
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    if !word.iter().all(is_allowed) {
        return Err("Hostnames may only contain alphanumeric characters, hyphens or dots".to_owned());
    }
    optional_text(word)
}

/// The name of a node of a cluster.
pub(crate) fn node_name(word: &[u8]) -> Result<Value, String> {
    if word.iter().any(|byte| b"!#$%&()*+:;<>?@[]^{|}~\0".contains(byte)) {
        return Err("Announced human node name contained invalid character".to_owned());
    }
    optional_text(word)
}

/// Letters that stand for classes of events.
pub(crate) fn event_classes(word: &[u8]) -> Result<Value, String> {
    if word.iter().all(|byte| b"Ag$lshzxeKEtmdn".contains(byte)) {
        text(word)
    } else {
        Err("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".to_owned())
    }
}

/// A locale that has this server's order: that of the bytes.
pub(crate) fn locale(word: &[u8]) -> Result<Value, String> {
    match word {
        b"" | b"C" | b"POSIX" => text(word),
        _ => Err("Invalid locale name: this version sorts by bytes, as the locale C does, and has no other"
            .to_owned()),
    }
}

/// The title of a process: text, in which names in braces stand for what changes.
pub(crate) fn title_template(word: &[u8]) -> Result<Value, String> {
    const NAMES: [&[u8]; 7] =
        [b"title", b"listen-addr", b"server-mode", b"config-file", b"port", b"tls-port", b"unixsocket"];
    let invalid = || "template format is invalid or contains unknown variables".to_owned();
    let mut rest = word;
    let mut says_something = false;
    while let Some((first, behind)) = rest.split_first() {
        if *first != b'{' {
            (says_something, rest) = (true, behind);
        } else if let Some(behind) = behind.strip_prefix(b"{") {
            (says_something, rest) = (true, behind);
        } else {
            let end = behind.iter().position(|byte| *byte == b'}').ok_or_else(invalid)?;
            let (name, behind) = behind.split_at(end);
            if !NAMES.contains(&name) {
                return Err(invalid());
            }
            // These two are empty for a server that is neither of a cluster nor on a unix socket, and when it is tried
            // out.
            says_something |= !matches!(name, b"title" | b"server-mode" | b"unixsocket");
            rest = behind.get(1..).unwrap_or_default();
        }
    }
    if says_something { text(word) } else { Err(invalid()) }
}

/// A number of bytes, or a part of the whole in percent.
pub(crate) fn memory_or_percent(word: &[u8]) -> Result<Value, String> {
    if let Some(bytes) = memory_size(word) {
        return match i64::try_from(bytes) {
            Ok(_) => Ok(Value::Bytes(bytes)),
            // Redis takes what is past the greatest number for a negative one, and those for percent.
            Err(_) => Err("percentage argument must be less or equal to 100".to_owned()),
        };
    }
    let percent = word.strip_suffix(b"%").and_then(tessera_resp::number::parse_i64);
    match percent {
        Some(0) => Ok(Value::Bytes(0)),
        Some(101..) => Err("percentage argument must be less or equal to 100".to_owned()),
        Some(1..) => text(word),
        _ => Err("argument must be a memory or percent value".to_owned()),
    }
}

/// The address of a primary, or `no one`.
pub(crate) fn replica_of(words: &[Vec<u8>]) -> Result<Value, String> {
    let [host, port] = words else {
        // What CONFIG GET says of a server that is nobody's replica.
        let says_nothing = words.iter().all(Vec::is_empty);
        return if says_nothing {
            Ok(Value::Text(None))
        } else {
            Err("wrong number of arguments".to_owned())
        };
    };
    if host.eq_ignore_ascii_case(b"no") && port.eq_ignore_ascii_case(b"one") {
        return Ok(Value::Text(None));
    }
    let is_port = str::from_utf8(port).ok().and_then(|port| port.parse::<u16>().ok()).is_some();
    if is_port { text(&words.join(&b' ')) } else { Err("Invalid master port".to_owned()) }
}

/// Three adjustments: of a primary, of a replica, of a child process.
pub(crate) fn oom_scores(words: &[Vec<u8>]) -> Result<Value, String> {
    if words.len() != 3 {
        return Err("wrong number of arguments".to_owned());
    }
    let score =
        |word: &Vec<u8>| crate::kind::c_integer(word, 10).filter(|value| (-2000..=2000).contains(value));
    let scores: Option<Vec<i64>> = words.iter().map(score).collect();
    match scores {
        Some(scores) => Ok(Value::Words(scores.iter().map(|score| score.to_string().into()).collect())),
        None => Err("Invalid oom-score-adj-values, elements must be between -2000 and 2000.".to_owned()),
    }
}

/// What a signal does.
pub(crate) fn shutdown_flags(words: &[Vec<u8>]) -> Result<Value, String> {
    let flags = ShutdownFlags::parse(words).ok_or_else(|| {
        format!("argument(s) must be one of the following: {}", ShutdownFlags::NAMES.join(", "))
    })?;
    if flags.save && flags.no_save {
        return Err("shutdown options SAVE and NOSAVE can't be used simultaneously".to_owned());
    }
    Ok(Value::Words(flags.names().iter().map(|name| name.as_bytes().to_vec()).collect()))
}
