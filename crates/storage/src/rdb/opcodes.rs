//! The numbers of the format: what may follow, and of which type a value is.
//!
//! Sources: `rdb.h` of Valkey 7.2.7 for everything up to version 11; `rdb.h` of Redis 7.4 for the opcode of slots and
//! for hashes whose fields expire (version 12).

/// The version that is written: the first with listpacks throughout, read by Redis 7.0 and later.
pub const VERSION_WRITTEN: u32 = 10;
/// The version of what DUMP answers: that of Redis 7.2.
pub const VERSION_DUMPED: u32 = 11;
/// The version that is written, in files and by DUMP, where fields of hashes expire: that of Redis 7.4.
pub const VERSION_WITH_FIELD_EXPIRY: u32 = 12;
/// The latest version that is read: that of Redis 7.4.
pub const VERSION_READ_MAX: u32 = 12;

/// What every file begins with, before the four digits of its version.
pub const MAGIC: &[u8; 5] = b"REDIS";

/// The first two bits of a length's first byte: the other six are the length.
pub const LEN_6_BITS: u8 = 0;
/// The first two bits of a length's first byte: the other six and the next byte are the length.
pub const LEN_14_BITS: u8 = 0b01;
/// A length's first byte: four bytes of length follow, big-endian.
pub const LEN_32_BITS: u8 = 0x80;
/// A length's first byte: eight bytes of length follow, big-endian.
pub const LEN_64_BITS: u8 = 0x81;
/// The first two bits of a string's first byte: it is encoded as the other six bits say.
pub const ENCODED: u8 = 0b11;

/// The first byte of a string that is an integer of one byte.
pub const STRING_INT8: u8 = ENCODED << 6;
/// The first byte of a string that is an integer of two bytes, little-endian.
pub const STRING_INT16: u8 = ENCODED << 6 | 1;
/// The first byte of a string that is an integer of four bytes, little-endian.
pub const STRING_INT32: u8 = ENCODED << 6 | 2;
/// The first byte of a string that is compressed: its length as it stands there, its length as it was, and the bytes
/// follow.
pub const STRING_LZF: u8 = ENCODED << 6 | 3;

/// A node of a quicklist 2 is one element.
pub const NODE_PLAIN: u64 = 1;
/// A node of a quicklist 2 is a listpack.
pub const NODE_PACKED: u64 = 2;

macro_rules! numbered {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $number:literal, $text:literal;)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$doc])* $variant = $number,)*
        }

        impl $name {
            /// All of them, in the order of their numbers.
            pub const ALL: &[$name] = &[$($name::$variant),*];

            /// The one with this number.
            pub fn from_number(number: u8) -> Option<$name> {
                match number {
                    $($number => Some($name::$variant),)*
                    _ => None,
                }
            }

            /// Its number.
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// What it is called in messages.
            pub fn name(self) -> &'static str {
                match self {
                    $($name::$variant => $text,)*
                }
            }
        }
    };
}

numbered! {
    /// The type of a value, and how it is written.
    ValueType {
        /// A string.
        String = 0, "string";
        /// A list, element by element.
        List = 1, "list";
        /// A set, member by member.
        Set = 2, "set";
        /// A sorted set, each member before its score as text.
        SortedSet = 3, "zset";
        /// A hash, each field before its value.
        Hash = 4, "hash";
        /// A sorted set, each member before its score as a double of eight bytes.
        SortedSet2 = 5, "zset-v2";
        /// A module's value as release candidates of Redis 4.0 wrote it.
        ModulePreRelease = 6, "module-value-pre-release";
        /// A module's value.
        Module2 = 7, "module-value";
        /// A hash in a zipmap.
        HashZipmap = 9, "hash-zipmap";
        /// A list in a ziplist.
        ListZiplist = 10, "list-ziplist";
        /// A set of integers in an intset.
        SetIntset = 11, "set-intset";
        /// A sorted set in a ziplist.
        SortedSetZiplist = 12, "zset-ziplist";
        /// A hash in a ziplist.
        HashZiplist = 13, "hash-ziplist";
        /// A list in several ziplists.
        ListQuicklist = 14, "quicklist";
        /// A stream.
        StreamListpacks = 15, "stream";
        /// A hash in a listpack.
        HashListpack = 16, "hash-listpack";
        /// A sorted set in a listpack.
        SortedSetListpack = 17, "zset-listpack";
        /// A list in several listpacks and large elements.
        ListQuicklist2 = 18, "quicklist-v2";
        /// A stream as from Redis 7.0 on.
        StreamListpacks2 = 19, "stream-v2";
        /// A set in a listpack, as from version 11 on.
        SetListpack = 20, "set-listpack";
        /// A stream as from Redis 7.2 on.
        StreamListpacks3 = 21, "stream-v3";
        /// A hash whose fields expire, as release candidates of Redis 7.4 wrote it.
        HashMetadataPreRelease = 22, "hash-metadata-pre-release";
        /// A hash in a listpack whose fields expire, as release candidates of Redis 7.4 wrote it.
        HashListpackTimesPreRelease = 23, "hash-listpack-ex-pre-release";
        /// A hash whose fields expire, as from version 12 on.
        HashMetadata = 24, "hash-metadata";
        /// A hash in a listpack whose fields expire, as from version 12 on.
        HashListpackTimes = 25, "hash-listpack-ex";
    }
}

numbered! {
    /// What follows, if it is not a value's type.
    Opcode {
        /// Sizes of a slot: its number, its keys, those of them that expire.
        SlotInfo = 244, "slot-info";
        /// The code of a library of functions.
        Function2 = 245, "function";
        /// A library of functions as release candidates of Redis 7.0 wrote it.
        FunctionPreRelease = 246, "function-pre-release";
        /// What a module keeps besides its values.
        ModuleAuxiliary = 247, "module-aux";
        /// Seconds since the next key was used, as a length.
        Idle = 248, "idle";
        /// How often the next key was used, in one byte.
        Frequency = 249, "freq";
        /// An auxiliary field: two strings.
        Auxiliary = 250, "aux";
        /// Sizes of the database: its keys, those of them that expire.
        ResizeDatabase = 251, "resizedb";
        /// When the next key expires: Unix milliseconds in eight bytes, little-endian.
        ExpireTimeMs = 252, "expiretime-ms";
        /// When the next key expires: Unix seconds in four bytes, little-endian.
        ExpireTime = 253, "expiretime";
        /// The number of the database of the keys that follow, as a length.
        SelectDatabase = 254, "selectdb";
        /// The end, behind which eight bytes of checksum follow as from version 5 on.
        End = 255, "eof";
    }
}

numbered! {
    /// What follows in a module's value.
    ModuleOpcode {
        /// Its end.
        End = 0, "eof";
        /// A signed integer, as a length.
        Signed = 1, "signed";
        /// An unsigned integer, as a length.
        Unsigned = 2, "unsigned";
        /// A float of four bytes, little-endian.
        Float = 3, "float";
        /// A double of eight bytes, little-endian.
        Double = 4, "double";
        /// A string.
        String = 5, "string";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_one_thing() {
        for number in 0..=u8::MAX {
            let value_type = ValueType::from_number(number);
            let opcode = Opcode::from_number(number);
            assert!(value_type.is_none() || opcode.is_none(), "{number}");
            assert!(value_type.is_none_or(|value_type| value_type.number() == number));
            assert!(opcode.is_none_or(|opcode| opcode.number() == number));
        }
    }
}
