//! What modules write. It can be passed over without them, since it says of each part what it is.

use super::reader::{Reader, Stop, bad};
use crate::rdb::opcodes::ModuleOpcode;

/// The characters of a module's name, each of which is six bits.
const NAME_CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const NAME_LEN: u32 = 9;
/// The lowest bits of an identifier are the version of what the module writes.
const VERSION_BITS: u32 = 10;

/// The name that is in a module's identifier.
pub(super) fn name(identifier: u64) -> String {
    (0..NAME_LEN)
        .rev()
        .map(|index| char::from(NAME_CHARACTERS[(identifier >> (VERSION_BITS + 6 * index)) as usize & 0x3f]))
        .collect()
}

/// What stands before the data that a module keeps besides its values: its identifier, and when it wants to be
/// given the data.
pub(super) fn auxiliary_name(reader: &mut Reader<'_>) -> Result<String, Stop> {
    let identifier = reader.number()?;
    if reader.number()? != u64::from(ModuleOpcode::Unsigned.number()) {
        return bad("a module's data begins otherwise");
    }
    reader.number()?;
    Ok(name(identifier))
}

/// Passes over as much as is there up to the end of a module's data.
pub(super) fn skip(reader: &mut Reader<'_>) -> Result<(), Stop> {
    while reader.whole(skip_part)? {}
    Ok(())
}

/// False if that was the end.
fn skip_part(reader: &mut Reader<'_>) -> Result<bool, Stop> {
    let number = reader.number()?;
    match u8::try_from(number).ok().and_then(ModuleOpcode::from_number) {
        Some(ModuleOpcode::End) => return Ok(false),
        Some(ModuleOpcode::Signed | ModuleOpcode::Unsigned) => drop(reader.number()?),
        Some(ModuleOpcode::Float) => drop(reader.array::<4>()?),
        Some(ModuleOpcode::Double) => drop(reader.array::<8>()?),
        Some(ModuleOpcode::String) => drop(reader.string()?),
        None => return bad(format!("a part of a module's data is of unknown type {number}")),
    }
    Ok(true)
}
