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
/// How many refusals are told.
const MAX_REFUSALS: usize = 100;
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

/// One thing that is wrong in a configuration file or on the command line.
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

/// Everything that is refused of a configuration, told at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Each line or option, in the order in which they were read; at least one.
    pub errors: Vec<FileError>,
    /// There were more than are kept.
    pub are_more: bool,
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("*** FATAL CONFIG FILE ERROR ***")?;
        for error in &self.errors {
            write!(formatter, "\n{error}")?;
        }
        if self.are_more {
            write!(formatter, "\n... and more: only the first {MAX_REFUSALS} are told")?;
        }
        Ok(())
    }
}

impl Error for Refused {}

/// A configuration while files and options are put into it, one on top of the other.
///
/// Reading goes on behind what is wrong, so that all of it can be told at once.
#[derive(Debug, Default)]
pub struct Reading {
    config: Config,
    without_effect: Vec<&'static str>,
    errors: Vec<FileError>,
    are_more: bool,
}

impl Reading {
    /// On top of a configuration.
    #[cfg(test)]
    pub(crate) fn over(config: Config) -> Self {
        Self { config, ..Self::default() }
    }

    /// Applies a configuration file: one directive a line, `#` comments, quoting as [`split_words`] has it, `include`.
    ///
    /// `file` is what messages call it.
    pub fn file(&mut self, file: &str, text: &[u8], include: &mut Include<'_>) {
        Reader { reading: self, include, includes_left: MAX_INCLUDES + 1 }.read(file, text, 0);
    }

    /// Applies one option of the command line: its name without the dashes, and its values.
    pub fn option(&mut self, name: &[u8], values: &[Vec<u8>]) {
        let applied = match find(name) {
            None => Err(unknown_option(name)),
            Some((parameter, spelled)) => {
                let words = parameter.kind.split_directive(values);
                words.and_then(|words| self.state(parameter, spelled, &words))
            }
        };
        if let Err(reason) = applied {
            let mut line = name.to_vec();
            for value in values {
                line.push(b' ');
                quote_word(&mut line, value);
            }
            self.refuse_option(&line, reason);
        }
    }

    /// Refuses a part of the command line.
    pub fn refuse_option(&mut self, line: &[u8], reason: String) {
        let line = String::from_utf8_lossy(line).into_owned();
        self.refuse(FileError { file: "the command line".to_owned(), line_number: 0, line, reason });
    }

    /// The configuration, and the names of the parameters that were stated and have no effect.
    ///
    /// # Errors
    ///
    /// [`Refused`] if anything was wrong.
    pub fn finish(self) -> Result<(Config, Vec<&'static str>), Refused> {
        let Self { config, without_effect, errors, are_more } = self;
        if errors.is_empty() { Ok((config, without_effect)) } else { Err(Refused { errors, are_more }) }
    }

    fn refuse(&mut self, error: FileError) {
        if self.errors.len() < MAX_REFUSALS {
            self.errors.push(error);
        } else {
            self.are_more = true;
        }
    }

    fn state(
        &mut self,
        parameter: &Parameter,
        spelled: &'static str,
        words: &[Vec<u8>],
    ) -> Result<(), String> {
        self.config.state(parameter, words)?;
        if parameter.no_effect.is_some() && !self.without_effect.contains(&spelled) {
            self.without_effect.push(spelled);
        }
        Ok(())
    }
}

impl Config {
    /// What a line of a file or an option says. Lines of `save` add up, after the first has done away with the
    /// defaults; an empty one does away with those before it.
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
    reading: &'a mut Reading,
    include: &'a mut Include<'b>,
    /// One more than may be included yet, so that 0 says that it has been too many.
    includes_left: usize,
}

impl Reader<'_, '_> {
    fn read(&mut self, file: &str, text: &[u8], depth: usize) {
        for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let line = trim(line);
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            match self.apply(line, depth) {
                Ok(included) => {
                    for Included { name, text } in included {
                        self.read(&name, &text, depth + 1);
                    }
                }
                Err(reason) => self.reading.refuse(FileError {
                    file: file.to_owned(),
                    line_number: index + 1,
                    line: String::from_utf8_lossy(line).into_owned(),
                    reason,
                }),
            }
        }
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
        if let Some((parameter, spelled)) = find(name) {
            let words = parameter.kind.split_directive(arguments)?;
            self.reading.state(parameter, spelled, &words)?;
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
        let too_many = || format!("more than {MAX_INCLUDES} files are included");
        if self.includes_left == 0 {
            return Err(too_many());
        }
        let files = (self.include)(path)?;
        self.includes_left = self.includes_left.saturating_sub(files.len());
        if self.includes_left == 0 {
            return Err(too_many());
        }
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
