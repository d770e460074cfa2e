//! Reading configuration files.

use std::error::Error;
use std::fmt;

use tessera_resp::words::{quote_word, split_words};

use crate::kind::Kind;
use crate::suggest::unknown_option;
use crate::table::{Config, Parameter, find};
use crate::types::SavePoints;
use crate::value::Value;

/// How deep files may include files.
pub const MAX_INCLUDE_DEPTH: usize = 16;
/// How many files one configuration may include in all.
pub const MAX_INCLUDES: usize = 1000;

/// One file that an `include` directive names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// What messages call it.
    pub name: String,
    /// What it holds.
    pub text: Vec<u8>,
}

/// Finds the files that an `include` directive names, which may be a pattern; an error says why it cannot.
pub type Include<'a> = dyn FnMut(&[u8]) -> Result<Vec<Included>, String> + 'a;

/// What is wrong in a configuration file. Its text is the block that Redis prints before it gives up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// The file.
    pub file: String,
    /// The number of the line, from 1; 0 for the command line.
    pub line_number: usize,
    /// The line without blanks around it.
    pub line: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "*** FATAL CONFIG FILE ERROR ***")?;
        match self.line_number {
            0 => writeln!(formatter, "Reading {}", self.file)?,
            number => {
                writeln!(formatter, "Reading the configuration file '{}', at line {number}", self.file)?
            }
        }
        writeln!(formatter, ">>> '{}'", self.line)?;
        formatter.write_str(&self.reason)
    }
}

impl Error for FileError {}

impl Config {
    /// Applies a configuration file on top of this configuration: one directive a line, `#` comments, quoting as
    /// [`split_words`] has it, `include`.
    ///
    /// `file` is what messages call it. On an error some lines may have been applied: the configuration is then of no
    /// use.
    ///
    /// # Errors
    ///
    /// [`FileError`] for the first line that is wrong.
    pub fn parse_file(
        &mut self,
        file: &str,
        text: &[u8],
        include: &mut Include<'_>,
    ) -> Result<(), FileError> {
        Reader { config: self, include, includes_left: MAX_INCLUDES }.read(file, text, 0)
    }

    /// Applies one option of the command line: its name without the dashes, and its values.
    ///
    /// # Errors
    ///
    /// [`FileError`] when the option is unknown or a value does not fit.
    pub fn parse_option(&mut self, name: &[u8], values: &[Vec<u8>]) -> Result<(), FileError> {
        let applied = match find(name) {
            None => Err(unknown_option(name)),
            Some((parameter, _)) => {
                let words = parameter.kind.split_directive(values);
                words.and_then(|words| self.state(parameter, &words))
            }
        };
        applied.map_err(|reason| {
            let mut line = name.to_vec();
            for value in values {
                line.push(b' ');
                quote_word(&mut line, value);
            }
            let line = String::from_utf8_lossy(&line).into_owned();
            FileError { file: "the command line".to_owned(), line_number: 0, line, reason }
        })
    }
}

impl Config {
    /// What a line of a file or an option says. Lines of `save` add up, after the first has done away with the defaults; an
    /// empty one does away with those before it.
    fn state(&mut self, parameter: &Parameter, words: &[Vec<u8>]) -> Result<(), String> {
        if parameter.kind != Kind::SavePoints {
            return self.put(parameter, words).map(|_| ());
        }
        let Value::SavePoints(added) = parameter.kind.parse(words, &self.value(parameter.id))? else {
            return Ok(());
        };
        let adds_up = self.save.are_given && !added.is_empty();
        let kept = if adds_up { std::mem::take(&mut self.save.points) } else { Vec::new() };
        self.save = SavePoints::of([kept, added].concat());
        Ok(())
    }
}

struct Reader<'a, 'b> {
    config: &'a mut Config,
    include: &'a mut Include<'b>,
    includes_left: usize,
}

impl Reader<'_, '_> {
    fn read(&mut self, file: &str, text: &[u8], depth: usize) -> Result<(), FileError> {
        for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let line = trim(line);
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let error = |reason: String| FileError {
                file: file.to_owned(),
                line_number: index + 1,
                line: String::from_utf8_lossy(line).into_owned(),
                reason,
            };
            let included = self.apply(line, depth).map_err(error)?;
            for Included { name, text } in included {
                self.read(&name, &text, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Applies one line; returns the files to read in its place.
    fn apply(&mut self, line: &[u8], depth: usize) -> Result<Vec<Included>, String> {
        if line.contains(&0) {
            return Err("NUL byte in configuration line".to_owned());
        }
        let words = split_words(line).map_err(|_| "Unbalanced quotes in configuration line".to_owned())?;
        let Some((name, arguments)) = words.split_first() else {
            return Ok(Vec::new());
        };
        if let Some((parameter, _)) = find(name) {
            let words = parameter.kind.split_directive(arguments)?;
            self.config.state(parameter, &words)?;
            return Ok(Vec::new());
        }
        match arguments {
            [path] if name.eq_ignore_ascii_case(b"include") => self.find_included(path, depth),
            _ if name.eq_ignore_ascii_case(b"include") => Err("wrong number of arguments".to_owned()),
            _ => Err(unknown_option(name)),
        }
    }

    fn find_included(&mut self, path: &[u8], depth: usize) -> Result<Vec<Included>, String> {
        if depth == MAX_INCLUDE_DEPTH {
            return Err(format!("files include each other more than {MAX_INCLUDE_DEPTH} levels deep"));
        }
        let files = (self.include)(path)?;
        self.includes_left = self
            .includes_left
            .checked_sub(files.len())
            .ok_or_else(|| format!("more than {MAX_INCLUDES} files are included"))?;
        Ok(files)
    }
}

/// A line without the blanks around it.
pub(crate) fn trim(line: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = line.iter().position(|byte| !is_blank(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    &line[start..end]
}
