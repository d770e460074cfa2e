use super::FLAGS;
use tessera_command::prelude::*;

pub struct Sleep;

impl Session for Sleep {
    const SPEC: Spec = Spec {
        name: "debug|sleep",
        summary: "Stops all threads that serve connections for so many seconds.",
        since: "1.0.0",
        group: Group::Server,
        flags: FLAGS,
        protected: true,
        private_subcommands: true,
        grammar: &[double("seconds")],
        ..Spec::BASE
    };
    type Args<'a> = u64;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((leading_number(words.word()?) * 1_000_000.0) as u64)
    }

    fn execute(
        duration_us: &u64,
        session: &mut SessionContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        session.host.sleep(*duration_us);
        reply.ok();
        Ok(())
    }
}

/// The number that the text begins with, as C's `strtod` reads it; 0 if it begins with none.
fn leading_number(text: &[u8]) -> f64 {
    /// No number that matters is longer.
    const MAX_LEN_BYTES: usize = 64;
    let text = text.trim_ascii_start();
    (1..=text.len().min(MAX_LEN_BYTES))
        .rev()
        .find_map(|len| std::str::from_utf8(&text[..len]).ok()?.parse().ok())
        .unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_far_as_they_go() {
        for (text, number) in
            [("0.5", 0.5), ("1e1x", 10.0), (" 2 ", 2.0), ("x", 0.0), ("", 0.0), ("-1", -1.0)]
        {
            assert_eq!(leading_number(text.as_bytes()), number, "{text:?}");
        }
    }
}
