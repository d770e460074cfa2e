//! The types of values, and their names.

/// The type of a value, however that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// See [`crate::Value::String`].
    String,
    /// See [`crate::Value::List`].
    List,
    /// See [`crate::Value::Hash`].
    Hash,
    /// See [`crate::Value::Set`].
    Set,
    /// See [`crate::Value::SortedSet`].
    SortedSet,
}

impl Type {
    /// All of them.
    pub const ALL: [Type; 5] = [Type::String, Type::List, Type::Hash, Type::Set, Type::SortedSet];

    /// The name that TYPE answers.
    pub const fn name(self) -> &'static str {
        match self {
            Type::String => "string",
            Type::List => "list",
            Type::Hash => "hash",
            Type::Set => "set",
            Type::SortedSet => "zset",
        }
    }

    /// The type that has this name, in any case.
    pub fn named(name: &[u8]) -> Option<Type> {
        Type::ALL.into_iter().find(|value_type| value_type.name().as_bytes().eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Hash, List, Set, SortedSet, StringValue, Value};

    #[test]
    fn each_value_has_its_type_and_each_type_its_name() {
        let values: [Value; 5] = [
            StringValue::fixed(b"text").into(),
            List::default().into(),
            Hash::default().into(),
            Set::default().into(),
            SortedSet::default().into(),
        ];
        assert_eq!(values.map(|value| value.as_ref().value_type()), Type::ALL);
        assert_eq!(Type::ALL.map(Type::name), ["string", "list", "hash", "set", "zset"]);
        for value_type in Type::ALL {
            assert_eq!(Type::named(value_type.name().as_bytes()), Some(value_type));
            assert_eq!(Type::named(value_type.name().to_uppercase().as_bytes()), Some(value_type));
        }
        for name in ["", "strin", "strings", "stream", "none", "sortedset", "zset "] {
            assert_eq!(Type::named(name.as_bytes()), None, "{name}");
        }
    }
}
