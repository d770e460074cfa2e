//! What kinds of values parameters take, and how their text is read.

use tessera_resp::number::parse_i64;
use tessera_resp::words::split_words;

use crate::text_kinds;
use crate::types::{CpuList, OutputBufferLimit, OutputBufferLimits, SavePoint, Secret};
use crate::value::Value;

/// What values a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `yes` or `no`.
    Bool,
    /// A whole number from `min` to `max`.
    Integer {
        /// The least value.
        min: i64,
        /// The greatest value.
        max: i64,
    },
    /// A whole number from `min` to `max`, moved to the nearest bound of `low` to `high`.
    ClampedInteger {
        /// The least value that is not an error.
        min: i64,
        /// The greatest value that is not an error.
        max: i64,
        /// The least value that takes effect.
        low: i64,
        /// The greatest value that takes effect.
        high: i64,
    },
    /// A number of bytes from `min` to `max`, with an optional unit such as `kb` or `mb`.
    MemorySize {
        /// The least number of bytes.
        min: u64,
        /// The greatest number of bytes.
        max: u64,
    },
    /// Permission bits in octal, up to `max`.
    Permissions {
        /// The greatest value.
        max: u32,
    },
    /// One of these names.
    Choice(&'static [&'static str]),
    /// A path; empty means none.
    OptionalPath,
    /// A path.
    Path,
    /// The name of a file, without a directory.
    FileName,
    /// A password; empty means none.
    Secret,
    /// Up to `max` network addresses.
    Addresses {
        /// The greatest number of addresses.
        max: usize,
    },
    /// Processor cores; empty means none.
    CpuList,
    /// Groups of four words: class, hard bytes, soft bytes, soft seconds.
    OutputBufferLimits,
    /// Percentiles.
    Percentiles,
    /// Pairs of seconds and changes.
    SavePoints,
    /// What a signal to end does.
    ShutdownFlags,
    /// Any text.
    Text,
    /// Any text; empty means none.
    OptionalText,
    /// The name of a file or directory, without the way to it.
    BaseName {
        /// The parameter, as its errors name it.
        name: &'static str,
        /// What it is the name of.
        what: &'static str,
    },
    /// The name of a host; empty means none.
    HostName,
    /// The name of a node; empty means none.
    NodeName,
    /// Letters for classes of events.
    EventClasses,
    /// The name of a locale.
    Locale,
    /// Text with names in braces.
    TitleTemplate,
    /// A number of bytes, or percent of the whole.
    MemoryOrPercent,
    /// A host and a port, or `no one`.
    ReplicaOf,
    /// Three numbers from -2000 to 2000.
    OomScores,
}

impl Kind {
    /// Whether a line of a configuration file may give more than one word.
    pub fn takes_many_words(self) -> bool {
        matches!(
            self,
            Self::Addresses { .. }
                | Self::OutputBufferLimits
                | Self::Percentiles
                | Self::SavePoints
                | Self::ShutdownFlags
                | Self::ReplicaOf
                | Self::OomScores
        )
    }

    /// Splits one argument into the words that [`Kind::parse`] takes, as CONFIG SET does: at every single space.
    pub(crate) fn split_argument(self, argument: &[u8]) -> Vec<Vec<u8>> {
        if !self.takes_many_words() {
            vec![argument.to_vec()]
        } else if argument.is_empty() {
            Vec::new()
        } else {
            argument.split(|&byte| byte == b' ').map(<[u8]>::to_vec).collect()
        }
    }

    /// Splits the words after a directive of a configuration file into those that [`Kind::parse`] takes: a single
    /// quoted word may hold several.
    pub(crate) fn split_directive(self, words: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, String> {
        match words {
            [word] if self.takes_many_words() && !word.is_empty() => {
                split_words(word).map_err(|_| "Unbalanced quotes in configuration line".to_owned())
            }
            [_] => Ok(words.to_vec()),
            _ if self.takes_many_words() => Ok(words.to_vec()),
            _ => Err("wrong number of arguments".to_owned()),
        }
    }

    /// Reads a value. `current` is the value before, which `client-output-buffer-limit` changes in part.
    pub(crate) fn parse(self, words: &[Vec<u8>], current: &Value) -> Result<Value, String> {
        let first = words.first().map(Vec::as_slice).unwrap_or_default();
        match self {
            Self::Bool => parse_bool(first),
            Self::Integer { min, max } => parse_integer(first, min, max).map(Value::Integer),
            Self::ClampedInteger { min, max, low, high } => {
                parse_integer(first, min, max).map(|value| Value::Integer(value.clamp(low, high)))
            }
            Self::MemorySize { min, max } => parse_memory(first, min, max),
            Self::Permissions { max } => parse_permissions(first, max),
            Self::Choice(names) => parse_choice(first, names),
            Self::OptionalPath | Self::OptionalText => text_kinds::optional_text(first),
            Self::Path | Self::Text => text_kinds::text(first),
            Self::FileName if first.contains(&b'/') => {
                Err("dbfilename can't be a path, just a filename".to_owned())
            }
            Self::FileName => text_kinds::text(first),
            Self::Secret => Ok(Value::Secret((!first.is_empty()).then(|| Secret(first.to_vec())))),
            Self::Addresses { max } => parse_addresses(one_empty_is_none(words), max),
            Self::CpuList => parse_cpu_list(first),
            Self::OutputBufferLimits => parse_limits(words, current),
            Self::Percentiles => parse_percentiles(one_empty_is_none(words)),
            Self::SavePoints => parse_save_points(one_empty_is_none(words)),
            Self::ShutdownFlags => text_kinds::shutdown_flags(words),
            Self::BaseName { name, what } => text_kinds::base_name(first, name, what),
            Self::HostName => text_kinds::host_name(first),
            Self::NodeName => text_kinds::node_name(first),
            Self::EventClasses => text_kinds::event_classes(first),
            Self::Locale => text_kinds::locale(first),
            Self::TitleTemplate => text_kinds::title_template(first),
            Self::MemoryOrPercent => text_kinds::memory_or_percent(first),
            Self::ReplicaOf => text_kinds::replica_of(words),
            Self::OomScores => text_kinds::oom_scores(words),
        }
    }
}

/// A single empty word stands for no words at all.
fn one_empty_is_none(words: &[Vec<u8>]) -> &[Vec<u8>] {
    match words {
        [word] if word.is_empty() => &[],
        _ => words,
    }
}

fn parse_bool(word: &[u8]) -> Result<Value, String> {
    if word.eq_ignore_ascii_case(b"yes") {
        Ok(Value::Bool(true))
    } else if word.eq_ignore_ascii_case(b"no") {
        Ok(Value::Bool(false))
    } else {
        Err("argument must be 'yes' or 'no'".to_owned())
    }
}

/// Reads a decimal number without blanks, plus sign or leading zeros.
fn parse_integer(word: &[u8], min: i64, max: i64) -> Result<i64, String> {
    let value = parse_i64(word).ok_or_else(|| "argument couldn't be parsed into an integer".to_owned())?;
    if (min..=max).contains(&value) { Ok(value) } else { Err(out_of_bounds(&min, &max)) }
}

fn out_of_bounds(min: &dyn std::fmt::Display, max: &dyn std::fmt::Display) -> String {
    format!("argument must be between {min} and {max} inclusive")
}

fn parse_memory(word: &[u8], min: u64, max: u64) -> Result<Value, String> {
    let value = memory_size(word).ok_or_else(|| "argument must be a memory value".to_owned())?;
    if (min..=max).contains(&value) { Ok(Value::Bytes(value)) } else { Err(out_of_bounds(&min, &max)) }
}

/// Reads a number of bytes with Redis's units: `k`, `m`, `g` are powers of 1000, `kb`, `mb`, `gb` powers of 1024.
///
/// No digits count as 0, too many as the greatest number, and the product wraps: all as Redis has it.
pub fn memory_size(word: &[u8]) -> Option<u64> {
    let digits_len = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    // Redis copies the digits into a buffer of 128 bytes.
    if digits_len >= 128 {
        return None;
    }
    let (digits, unit) = word.split_at(digits_len);
    let multiplier: u64 = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    let number = digits
        .iter()
        .fold(0_u64, |number, digit| number.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
    Some(number.wrapping_mul(multiplier))
}

fn parse_permissions(word: &[u8], max: u32) -> Result<Value, String> {
    let value =
        c_integer(word, 8).ok_or_else(|| "argument couldn't be parsed as an octal number".to_owned())?;
    match u32::try_from(value) {
        Ok(value) if value <= max => Ok(Value::Permissions(value)),
        _ => Err(format!("argument must be between 0 and {max:o} inclusive")),
    }
}

/// Reads a number as C's `strtoll` does, all of it or nothing: blanks and a sign may lead, nothing at all is 0.
pub(crate) fn c_integer(word: &[u8], radix: u32) -> Option<i64> {
    if word.is_empty() {
        return Some(0);
    }
    let blanks = word.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b'\x0b').count();
    str::from_utf8(&word[blanks..]).ok().and_then(|text| i64::from_str_radix(text, radix).ok())
}

fn parse_choice(word: &[u8], names: &'static [&'static str]) -> Result<Value, String> {
    match names.iter().find(|name| word.eq_ignore_ascii_case(name.as_bytes())) {
        Some(name) => Ok(Value::Choice(name)),
        None => Err(format!("argument(s) must be one of the following: {}", names.join(", "))),
    }
}

fn parse_addresses(words: &[Vec<u8>], max: usize) -> Result<Value, String> {
    if words.len() > max {
        return Err("Too many bind addresses specified.".to_owned());
    }
    // Whether an address exists shows when it is bound, but what cannot be one must not come into a file.
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    if words.iter().all(|word| !word.is_empty() && word.iter().all(is_plain)) {
        Ok(Value::Words(words.to_vec()))
    } else {
        Err("Failed to bind to specified addresses.".to_owned())
    }
}

fn parse_cpu_list(word: &[u8]) -> Result<Value, String> {
    if word.is_empty() {
        return Ok(Value::CpuList(None));
    }
    match str::from_utf8(word).ok().and_then(CpuList::parse) {
        Some(list) => Ok(Value::CpuList(Some(list))),
        None => Err(format!("argument must be a list of cores up to {}, such as 0-7:2,9", CpuList::MAX_CORE)),
    }
}

fn parse_limits(words: &[Vec<u8>], current: &Value) -> Result<Value, String> {
    const BAD_NUMBER: &str = "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
    if !words.len().is_multiple_of(4) {
        return Err("Wrong number of arguments in buffer limit configuration.".to_owned());
    }
    let mut limits = match current {
        Value::OutputBufferLimits(limits) => *limits,
        _ => OutputBufferLimits::default(),
    };
    for group in words.chunks_exact(4) {
        let limit = match group[0].to_ascii_lowercase().as_slice() {
            b"normal" => &mut limits.normal,
            b"slave" | b"replica" => &mut limits.replica,
            b"pubsub" => &mut limits.pubsub,
            _ => return Err("Invalid client class specified in buffer limit configuration.".to_owned()),
        };
        let hard_bytes = memory_size(&group[1]).ok_or(BAD_NUMBER)?;
        let soft_bytes = memory_size(&group[2]).ok_or(BAD_NUMBER)?;
        let soft_seconds = c_integer(&group[3], 10).ok_or(BAD_NUMBER)?;
        // Redis keeps an `int` here.
        let soft_seconds = i32::try_from(soft_seconds).ok().and_then(|value| u32::try_from(value).ok());
        let soft_seconds = soft_seconds.ok_or(BAD_NUMBER)?;
        *limit = OutputBufferLimit { hard_bytes, soft_bytes, soft_seconds };
    }
    Ok(Value::OutputBufferLimits(limits))
}

fn parse_percentiles(words: &[Vec<u8>]) -> Result<Value, String> {
    let mut percentiles = Vec::with_capacity(words.len());
    for word in words {
        let value = str::from_utf8(word)
            .ok()
            .and_then(|text| text.parse::<f64>().ok())
            .filter(|value| !value.is_nan());
        let value = value.ok_or("Invalid latency-tracking-info-percentiles parameters")?;
        if !(0.0..=100.0).contains(&value) {
            return Err(
                "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]".to_owned()
            );
        }
        percentiles.push(value);
    }
    Ok(Value::Percentiles(percentiles))
}

fn parse_save_points(words: &[Vec<u8>]) -> Result<Value, String> {
    const INVALID: &str = "Invalid save parameters";
    if !words.len().is_multiple_of(2) {
        return Err(INVALID.to_owned());
    }
    let mut points = Vec::with_capacity(words.len() / 2);
    for pair in words.chunks_exact(2) {
        let seconds = c_integer(&pair[0], 10).filter(|&seconds| seconds >= 1).ok_or(INVALID)?;
        let changes = c_integer(&pair[1], 10).filter(|&changes| changes >= 0).ok_or(INVALID)?;
        points.push(SavePoint { seconds, changes });
    }
    Ok(Value::SavePoints(points))
}
