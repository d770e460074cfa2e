//! Values of parameters between their text and their typed field.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use crate::types::{
    Access, CpuList, IoDriver, LogLevel, MaxMemoryPolicy, OutputBufferLimit, OutputBufferLimits,
    SanitizeDumpPayload, SavePoint, SavePoints, Secret, ShutdownFlags, Supervised,
};

/// A value of any kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `yes` or `no`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number of bytes.
    Bytes(u64),
    /// Permission bits.
    Permissions(u32),
    /// One of a list of names.
    Choice(&'static str),
    /// Bytes; `None` when not set.
    Text(Option<Vec<u8>>),
    /// A password; `None` when not set.
    Secret(Option<Secret>),
    /// Words separated by blanks.
    Words(Vec<Vec<u8>>),
    /// Processor cores; `None` when not set.
    CpuList(Option<CpuList>),
    /// Bounds on output buffers.
    OutputBufferLimits(OutputBufferLimits),
    /// Percentiles, from 0 to 100.
    Percentiles(Vec<f64>),
    /// When to save.
    SavePoints(Vec<SavePoint>),
}

impl Value {
    /// The text of the value as CONFIG GET gives it.
    pub fn print(&self) -> Vec<u8> {
        match self {
            Self::Bool(value) => yes_or_no(*value).into(),
            Self::Integer(value) => value.to_string().into(),
            Self::Bytes(value) => value.to_string().into(),
            Self::Permissions(value) => format!("{value:o}").into(),
            Self::Choice(name) => (*name).into(),
            Self::Text(text) => text.clone().unwrap_or_default(),
            Self::Secret(secret) => secret.clone().map(|secret| secret.0).unwrap_or_default(),
            Self::Words(words) => words.join(&b' '),
            Self::CpuList(list) => list.as_ref().map(|list| list.text().into()).unwrap_or_default(),
            Self::OutputBufferLimits(limits) => print_limits(limits).into(),
            Self::Percentiles(values) => {
                values.iter().map(|value| print_percentile(*value)).collect::<Vec<_>>().join(" ").into()
            }
            Self::SavePoints(points) => {
                let points: Vec<_> =
                    points.iter().map(|point| format!("{} {}", point.seconds, point.changes)).collect();
                points.join(" ").into()
            }
        }
    }
}

pub(crate) fn yes_or_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

fn print_limits(limits: &OutputBufferLimits) -> String {
    let print = |class: &str, limit: &OutputBufferLimit| {
        format!("{class} {} {} {}", limit.hard_bytes, limit.soft_bytes, limit.soft_seconds)
    };
    [print("normal", &limits.normal), print("slave", &limits.replica), print("pubsub", &limits.pubsub)]
        .join(" ")
}

/// C's `%f` without trailing zeros.
pub(crate) fn print_percentile(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A type that a field of [`Config`](crate::Config) may have.
pub(crate) trait Field: Sized {
    fn to_value(&self) -> Value;

    /// `None` when the value is of another kind or out of the type's range: the table of parameters pairs kinds and
    /// types, and its bounds keep values in range, so a parsed value always fits.
    fn from_value(value: Value) -> Option<Self>;
}

macro_rules! integer_fields {
    ($($type:ty),+) => {$(
        impl Field for $type {
            fn to_value(&self) -> Value {
                // No parameter's upper bound is over `i64::MAX`.
                Value::Integer(i64::try_from(*self).unwrap_or(i64::MAX))
            }

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::Integer(value) => Self::try_from(value).ok(),
                    _ => None,
                }
            }
        }
    )+};
}

integer_fields!(u16, u32, u64, i32, i64);

macro_rules! choice_fields {
    ($($type:ty),+) => {$(
        impl Field for $type {
            fn to_value(&self) -> Value {
                Value::Choice(self.name())
            }

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::Choice(name) => Self::from_name(name),
                    _ => None,
                }
            }
        }
    )+};
}

choice_fields!(LogLevel, Supervised, IoDriver, Access, MaxMemoryPolicy, SanitizeDumpPayload);

/// A field whose type is just what one variant of [`Value`] holds.
macro_rules! plain_fields {
    ($($type:ty => $variant:ident),+ $(,)?) => {$(
        impl Field for $type {
            fn to_value(&self) -> Value {
                Value::$variant(self.clone())
            }

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::$variant(value) => Some(value),
                    _ => None,
                }
            }
        }
    )+};
}

plain_fields! {
    bool => Bool,
    Option<Secret> => Secret,
    Vec<Vec<u8>> => Words,
    Option<CpuList> => CpuList,
    OutputBufferLimits => OutputBufferLimits,
    Vec<f64> => Percentiles,
}

impl Field for Option<PathBuf> {
    fn to_value(&self) -> Value {
        Value::Text(self.as_ref().map(|path| path.as_os_str().as_bytes().to_vec()))
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.map(|bytes| PathBuf::from(OsString::from_vec(bytes)))),
            _ => None,
        }
    }
}

impl Field for PathBuf {
    fn to_value(&self) -> Value {
        Value::Text(Some(self.as_os_str().as_bytes().to_vec()))
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Text(Some(bytes)) => Some(Self::from(OsString::from_vec(bytes))),
            _ => None,
        }
    }
}

/// A number of bytes. Keeps fields of bytes apart from other numbers, which are printed and parsed differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteCount(pub u64);

impl Field for ByteCount {
    fn to_value(&self) -> Value {
        Value::Bytes(self.0)
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Bytes(value) => Some(Self(value)),
            _ => None,
        }
    }
}

impl Field for SavePoints {
    fn to_value(&self) -> Value {
        Value::SavePoints(self.points.clone())
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::SavePoints(points) => Some(Self::of(points)),
            _ => None,
        }
    }
}

impl Field for ShutdownFlags {
    fn to_value(&self) -> Value {
        Value::Words(self.names().iter().map(|name| name.as_bytes().to_vec()).collect())
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Words(words) => Self::parse(&words),
            _ => None,
        }
    }
}

/// The name of a file in the data directory. May be empty, which names none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName(pub Vec<u8>);

impl FileName {
    /// Redis's name for its snapshot.
    pub fn dump() -> FileName {
        FileName(b"dump.rdb".to_vec())
    }
}

impl Field for FileName {
    fn to_value(&self) -> Value {
        Value::Text(Some(self.0.clone()))
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Text(Some(name)) => Some(Self(name)),
            _ => None,
        }
    }
}

/// Permission bits of a file, such as `0o700`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions(pub u32);

impl Field for Permissions {
    fn to_value(&self) -> Value {
        Value::Permissions(self.0)
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Permissions(value) => Some(Self(value)),
            _ => None,
        }
    }
}
