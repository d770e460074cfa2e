//! What keys hold, and how much memory that takes.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod allocation;
pub mod extended;
pub mod glob;
pub mod string;

pub use string::{Digits, StringRef, StringValue};

/// The value of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Bytes, or an integer that was given as its decimal digits.
    String(StringValue),
}

impl Value {
    /// The value to look at.
    #[inline]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Value::String(string) => ValueRef::String(string.as_ref()),
        }
    }

    /// Memory beyond the `Value` itself, in bytes.
    pub fn allocated_bytes(&self) -> usize {
        match self {
            Value::String(string) => string.allocated_bytes(),
        }
    }
}

impl From<StringValue> for Value {
    fn from(string: StringValue) -> Value {
        Value::String(string)
    }
}

/// A value to look at, however it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueRef<'a> {
    /// See [`Value::String`].
    String(StringRef<'a>),
}

impl ValueRef<'_> {
    /// The name that TYPE answers.
    pub fn type_name(self) -> &'static str {
        match self {
            ValueRef::String(_) => "string",
        }
    }

    /// The name that OBJECT ENCODING answers.
    pub fn encoding_name(self) -> &'static str {
        match self {
            ValueRef::String(string) => string.encoding().name(),
        }
    }

    /// A value of its own.
    pub fn to_value(self) -> Value {
        match self {
            ValueRef::String(string) => Value::String(string.to_string_value()),
        }
    }
}
