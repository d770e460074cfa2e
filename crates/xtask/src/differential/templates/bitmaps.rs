//! Bitmaps.

use super::{Template, exact};

/// Commands of this family.
pub const TEMPLATES: &[Template] = &[
    exact(3, "BITCOUNT <key>"),
    exact(6, "BITCOUNT <key> <index> <index> (BYTE|BIT)?"),
    exact(1, "BITCOUNT <key> <index>* (BYTE|BIT)?"),
    exact(
        10,
        "BITFIELD <key> (GET <type> <field_offset>|(OVERFLOW (WRAP|SAT|FAIL))? (SET|INCRBY) <type> <field_offset> \
            <integer>)+",
    ),
    exact(4, "BITFIELD <key> (OVERFLOW (WRAP|SAT|FAIL)|INCRBY <type> <field_offset> <index>)*"),
    exact(3, "BITFIELD <key> (GET <type> <field_offset>)*"),
    exact(3, "BITFIELD_RO <key> (GET <type> <field_offset>)*"),
    exact(1, "BITFIELD_RO <key> (GET <type> <field_offset>|SET <type> <field_offset> <integer>)+"),
    exact(6, "BITOP (AND|OR|XOR) <key> <key>+"),
    exact(2, "BITOP (NOT|AND) <key> <key>"),
    exact(1, "BITOP (NOT|AND|NAND|<text>) <key> <key>+"),
    exact(3, "BITPOS <key> (0|1)"),
    exact(8, "BITPOS <key> (0|1) <index>? <index>? (BYTE|BIT)?"),
    exact(4, "BITPOS <key> (0|1) <index> <index> (BYTE|BIT)?"),
    exact(1, "BITPOS <key> <integer> <index>*"),
    exact(3, "GETBIT <key> <bit_offset>"),
    exact(6, "SETBIT <key> <bit_offset> (0|1)"),
    exact(1, "SETBIT <key> <bit_offset> <integer>"),
];
