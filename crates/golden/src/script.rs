//! The format of a transcript.
//!
//! A transcript is a text file, `<group>/<command>.golden`. What a person writes starts in the first column:
//!
//! | line | meaning |
//! |---|---|
//! | `# ...` | a comment |
//! | `> SET key "a\x00b"` | send a command on the connection `main`, and wait for one reply |
//! | `name> GET key` | the same on another connection |
//! | `@raw "PING\r\n"` | send bytes on `main` (`@raw:name` on another); any number of replies follows |
//! | `@read name` | wait for one reply that no command of this step asked for (`@read name 3`: for three) |
//! | `@drain name` | take whatever replies come on this connection (the recorder until it is quiet) |
//! | `@connect name` | open a connection and greet it with HELLO (`@connect name bare`: no greeting) |
//! | `@close name` | close a connection from our side |
//! | `@closed name` | the server has closed the connection (waits for it) |
//! | `@quiet name` | nothing comes from the server on this connection for 50 ms |
//! | `@sleep 100` | wait, in milliseconds |
//! | `@proto 2` | what follows is for RESP2 only (`3`: RESP3 only; `both`: both, which is the start) |
//! | `@server --option value` | needs a server started with this option |
//! | `@tcp` | is not played over a unix socket |
//! | `@documented` | the replies are from documentation, by hand: it is never recorded |
//!
//! Words are quoted as in [`crate::words`]. `${name}` in a word is what an earlier `@capture` kept.
//!
//! A matcher stands before the step it applies to, or after `@always` for all steps that follow:
//!
//! | matcher | meaning |
//! |---|---|
//! | `@mask regex => text` | replace in every scalar, and in every line of a text of several lines |
//! | `@drop regex` | leave out the children (or pairs, or lines) whose first line matches |
//! | `@keep regex` | leave out all others |
//! | `@unordered`, `@unordered pairs` | sort the children (or pairs, or lines) |
//! | `@subset`, `@subset pairs` | the server under test may have further children (or pairs, or lines) |
//! | `@range low high` | integers within the bounds are equal |
//! | `@type` | only the type is compared |
//! | `@scan` | iterate the SCAN (HSCAN, SSCAN, ZSCAN) to its end; the reply is the sorted set of all keys (members, pairs) |
//! | `@capture name regex` | keep the first group of the match for later steps |
//! | `@noreply` | no reply is waited for |
//!
//! What the recorder writes below a step has the first two columns for the protocol: `2 ` and `3 ` for a reply of one
//! version, two spaces for a reply that is the same in both. Then the reply as on the wire, one line per RESP line with
//! children indented: `+OK`, `-ERR ...`, `:1`, `$3 "foo"`, `$-1`, `*2`, `_`, `,1.5`, `%1`, `~2`, `=7 txt: "foo"`, `>2`.
//! A length or count that may vary is `..`. `<closed>` says that the server closed the connection.
//!
//! Every file is played from an empty database, once in each protocol, on new connections.

use crate::matchers::Matchers;
use crate::words;

/// The protocol version a script is played in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// RESP2.
    Resp2,
    /// RESP3: every connection is greeted with `HELLO 3`.
    Resp3,
}

impl Protocol {
    /// Both versions.
    pub const ALL: [Self; 2] = [Self::Resp2, Self::Resp3];

    /// The number HELLO takes.
    pub fn number(self) -> u8 {
        match self {
            Self::Resp2 => 2,
            Self::Resp3 => 3,
        }
    }

    fn index(self) -> usize {
        usize::from(self.number() - 2)
    }
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Action {
    /// Nothing: a directive that changes how others are read, a comment, an empty line.
    None,
    /// Send a command.
    Command {
        /// The connection's name.
        connection: String,
        /// The words, before `${name}` is replaced.
        words: Vec<Vec<u8>>,
    },
    /// Send bytes, possibly none, and take all replies.
    Raw {
        /// The connection's name.
        connection: String,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Wait for replies.
    Read {
        /// The connection's name.
        connection: String,
        /// How many.
        count: usize,
    },
    /// Open a connection.
    Connect {
        /// The connection's name.
        connection: String,
        /// Whether to leave out HELLO.
        bare: bool,
    },
    /// Close a connection.
    Close(String),
    /// Wait until the server has closed a connection.
    Closed(String),
    /// Check that nothing comes.
    Quiet(String),
    /// Wait.
    Sleep {
        /// For how long.
        duration_ms: u64,
    },
}

impl Action {
    /// Whether reply lines may follow.
    pub fn has_reply(&self) -> bool {
        matches!(self, Self::Command { .. } | Self::Raw { .. } | Self::Read { .. })
    }
}

/// One line that a person wrote, with what was recorded below it.
#[derive(Debug, Clone)]
pub struct Step {
    /// The line as it stands in the file.
    pub source: String,
    /// Its number, from 1.
    pub line_number: usize,
    /// What it does.
    pub action: Action,
    /// What may vary in the reply.
    pub matchers: Matchers,
    /// The only protocol version it is for, if not both.
    pub only: Option<Protocol>,
    expected: [Vec<String>; 2],
}

impl Step {
    /// Whether the step is played in `protocol`.
    pub fn is_for(&self, protocol: Protocol) -> bool {
        self.only.is_none_or(|only| only == protocol)
    }

    /// The reply recorded for `protocol`.
    pub fn expected(&self, protocol: Protocol) -> &[String] {
        &self.expected[protocol.index()]
    }

    /// Replaces the reply recorded for `protocol`.
    pub fn set_expected(&mut self, protocol: Protocol, lines: Vec<String>) {
        self.expected[protocol.index()] = lines;
    }
}

/// Options of a server: names without dashes, and values.
pub type ServerOptions = Vec<(String, String)>;

/// A transcript.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// All lines but replies, in order.
    pub steps: Vec<Step>,
    /// Options the server needs.
    pub server_options: ServerOptions,
    /// Whether the replies speak of TCP.
    pub tcp_only: bool,
    /// Whether the replies were written by hand from documentation, as no server at hand gives them.
    pub documented: bool,
}

impl Script {
    /// Reads a transcript.
    ///
    /// # Errors
    /// The number of the first line that is not understood, and why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser::default();
        for (index, line) in text.lines().enumerate() {
            parser.line(index + 1, line).map_err(|reason| format!("line {}: {reason}", index + 1))?;
        }
        Ok(parser.script)
    }
}

/// Writes the transcript back.
impl std::fmt::Display for Script {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for step in &self.steps {
            writeln!(out, "{}", step.source)?;
            let [resp2, resp3] = &step.expected;
            if step.only.is_none() && resp2 == resp3 {
                write_reply(out, ' ', resp2)?;
            } else {
                write_reply(out, '2', resp2)?;
                write_reply(out, '3', resp3)?;
            }
        }
        Ok(())
    }
}

fn write_reply(out: &mut std::fmt::Formatter<'_>, mark: char, lines: &[String]) -> std::fmt::Result {
    lines.iter().try_for_each(|line| writeln!(out, "{mark} {line}"))
}

#[derive(Default)]
struct Parser {
    script: Script,
    only: Option<Protocol>,
    always: Matchers,
    next: Matchers,
}

impl Parser {
    fn line(&mut self, line_number: usize, line: &str) -> Result<(), String> {
        let (first, second) = (line.as_bytes().first(), line.as_bytes().get(1));
        if second == Some(&b' ')
            && let Some(mark @ (b' ' | b'2' | b'3')) = first
        {
            return self.reply(*mark, &line[2..]);
        }
        let action = match first {
            None | Some(b'#') => Action::None,
            Some(b'@') => self.directive(&line[1..])?,
            Some(_) => {
                let (name, command) = line.split_once("> ").ok_or("not a command, directive or comment")?;
                Action::Command { connection: connection_name(name)?, words: words::split(command)? }
            }
        };
        let mut matchers = Matchers::default();
        if action.has_reply() {
            matchers = self.always.clone();
            matchers.merge(&std::mem::take(&mut self.next));
        }
        let source = line.to_owned();
        let step =
            Step { source, line_number, action, matchers, only: self.only, expected: Default::default() };
        self.script.steps.push(step);
        Ok(())
    }

    fn reply(&mut self, mark: u8, line: &str) -> Result<(), String> {
        let step = self.script.steps.last_mut().filter(|step| step.action.has_reply());
        let step = step.ok_or("a reply that follows no command")?;
        if mark != b'3' {
            step.expected[0].push(line.to_owned());
        }
        if mark != b'2' {
            step.expected[1].push(line.to_owned());
        }
        Ok(())
    }

    fn directive(&mut self, text: &str) -> Result<Action, String> {
        let (name, argument) = text.split_once(' ').unwrap_or((text, ""));
        if let Some(target) = name.strip_prefix("raw:").or((name == "raw").then_some("")) {
            return Ok(Action::Raw {
                connection: connection_name(target)?,
                bytes: words::split(argument)?.concat(),
            });
        }
        match name {
            "proto" => {
                self.only = match argument {
                    "2" => Some(Protocol::Resp2),
                    "3" => Some(Protocol::Resp3),
                    "both" => None,
                    other => return Err(format!("no protocol {other}")),
                };
            }
            "server" => {
                let (option, value) =
                    argument.split_once(' ').ok_or("@server needs an option and a value")?;
                let option = option.strip_prefix("--").ok_or("an option starts with --")?;
                self.script.server_options.push((option.to_owned(), value.to_owned()));
            }
            "tcp" => self.script.tcp_only = true,
            "documented" => self.script.documented = true,
            "always" => {
                let (name, argument) = argument.split_once(' ').unwrap_or((argument, ""));
                if !self.always.add(name.trim_start_matches('@'), argument)? {
                    return Err(format!("no matcher {name}"));
                }
            }
            "read" => {
                let (name, count) = argument.split_once(' ').unwrap_or((argument, "1"));
                let count = count.parse().map_err(|_| format!("not a count: {count}"))?;
                return Ok(Action::Read { connection: connection_name(name)?, count });
            }
            "drain" => return Ok(Action::Raw { connection: connection_name(argument)?, bytes: Vec::new() }),
            "connect" => {
                let (name, bare) = match argument.split_once(' ') {
                    None => (argument, false),
                    Some((name, "bare")) => (name, true),
                    Some((_, other)) => return Err(format!("not `bare`: {other}")),
                };
                return Ok(Action::Connect { connection: connection_name(name)?, bare });
            }
            "close" => return Ok(Action::Close(connection_name(argument)?)),
            "closed" => return Ok(Action::Closed(connection_name(argument)?)),
            "quiet" => return Ok(Action::Quiet(connection_name(argument)?)),
            "sleep" => {
                let duration_ms = argument.parse().map_err(|_| format!("not a number: {argument}"))?;
                return Ok(Action::Sleep { duration_ms });
            }
            _ if self.next.add(name, argument)? => {}
            other => return Err(format!("no directive @{other}")),
        }
        Ok(Action::None)
    }
}

/// A connection's name; an empty one is `main`.
pub(crate) fn connection_name(name: &str) -> Result<String, String> {
    match name {
        "" => Ok("main".to_owned()),
        _ if name.bytes().all(|byte| byte.is_ascii_alphanumeric()) => Ok(name.to_owned()),
        _ => Err(format!("not a connection's name: {name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# A comment\n\n> GET \"a b\"\n2 $-1\n3 _\n@range 1 2\nother> TTL a\n  :1..2\n@proto 3\n> \
        PING\n3 +PONG\n@raw \"x\\r\\n\"\n3 -ERR x\n3 <closed>\n";

    #[test]
    fn writes_back_what_it_read() {
        assert_eq!(Script::parse(TEXT).unwrap().to_string(), TEXT);
    }

    #[test]
    fn reads_steps() {
        let script = Script::parse(TEXT).unwrap();
        let steps: Vec<_> = script.steps.iter().filter(|step| step.action.has_reply()).collect();
        assert_eq!(steps[0].expected(Protocol::Resp2), ["$-1"]);
        assert_eq!(steps[0].expected(Protocol::Resp3), ["_"]);
        assert!(matches!(&steps[1].action, Action::Command { connection, .. } if connection == "other"));
        assert_eq!(steps[1].matchers.range, Some((1, 2)));
        assert_eq!(steps[2].matchers.range, None);
        assert!(!steps[2].is_for(Protocol::Resp2));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for text in
            ["@nothing", "PING", "  +OK", "@proto 4", "@mask (", "@range 1", "@server port 1", "a b> PING"]
        {
            assert!(Script::parse(text).is_err(), "{text}");
        }
    }
}
