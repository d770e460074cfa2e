//! What MONITOR streams.

use tessera_resp::Args;
use tessera_resp::words::quote_word;

/// The line of one command, as it goes to a monitoring client: `+1339518083.107412 [0 127.0.0.1:60866] "get" "x"`.
/// `peer` is an address, or `unix:` and a path. The words at `hidden` (those behind the name of AUTH, say) are shown as
/// `(redacted)`.
pub fn monitor_line(unix_us: i64, db: u16, peer: &str, args: Args<'_>, hidden: &[usize]) -> Vec<u8> {
    let (seconds, microseconds) = (unix_us.div_euclid(1_000_000), unix_us.rem_euclid(1_000_000));
    let mut line = format!("+{seconds}.{microseconds:06} [{db} {peer}]").into_bytes();
    for (index, word) in args.iter().enumerate() {
        line.push(b' ');
        quote_word(&mut line, if hidden.contains(&index) { b"(redacted)" } else { word });
    }
    line.extend_from_slice(b"\r\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_resp::args::OwnedArgs;

    #[test]
    fn a_line_quotes_every_word() {
        let words = OwnedArgs::from_words([&b"auth"[..], b"secret", b"a\"\\\n\x07\xff b"]);
        let line = monitor_line(1_700_000_000_000_042, 3, "127.0.0.1:5", words.as_args(), &[1]);
        assert_eq!(
            line.escape_ascii().to_string(),
            r#"+1700000000.000042 [3 127.0.0.1:5] \"auth\" \"(redacted)\" \"a\\\"\\\\\\n\\a\\xff b\"\r\n"#
        );
    }
}
