//! What keys hold, and how much memory that takes.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod extended;
pub mod glob;
pub mod string;

pub use string::{Digits, StringValue};

/// The value of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Bytes, or an integer that was given as its decimal digits.
    String(StringValue),
}

impl Value {
    /// The name that TYPE answers.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::String(_) => "string",
        }
    }

    /// The name that OBJECT ENCODING answers.
    pub fn encoding_name(&self) -> &'static str {
        match self {
            Value::String(string) => string.encoding().name(),
        }
    }

    /// A byte of what lies apart from the `Value` itself, to have it loaded; 0 if there is nothing.
    #[inline]
    pub fn first_byte(&self) -> u8 {
        match self {
            Value::String(string) => string.first_byte(),
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
