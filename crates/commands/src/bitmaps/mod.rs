//! Strings as rows of bits and of small integers. Bit 0 is the highest of the first byte.

mod bitcount;
mod bitfield;
mod bitfield_ro;
mod bitop;
mod bitpos;
mod bits;
mod field;
mod getbit;
mod offset;
mod range;
mod setbit;

use tessera_command::Command;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command::read::<bitcount::BitCount>(),
    Command::write::<bitfield::BitField>(),
    Command::read::<bitfield_ro::BitFieldRo>(),
    Command::gather::<bitop::BitOp>(),
    Command::read::<bitpos::BitPos>(),
    Command::read::<getbit::GetBit>(),
    Command::write::<setbit::SetBit>(),
];
