//! HyperLogLogs: how many different elements, about.

mod pfadd;
mod pfcount;
mod pfdebug;
mod pfmerge;
mod pfselftest;

use tessera_command::{Command, Error, Found};
use tessera_values::hyperloglog::{Corrupt, NotHyperLogLog};
use tessera_values::{Digits, StringRef, ValueRef};

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command::write::<pfadd::PfAdd>(),
    Command::gather_read::<pfcount::PfCount>(),
    Command::write::<pfdebug::PfDebug>(),
    Command::gather::<pfmerge::PfMerge>(),
    Command::session::<pfselftest::PfSelfTest>(),
];

const NOT_HYPERLOGLOG: Error = Error::Text("WRONGTYPE Key is not a valid HyperLogLog string value.");
const CORRUPT_TEXT: &str = "INVALIDOBJ Corrupted HLL object detected";
const CORRUPT: Error = Error::Text(CORRUPT_TEXT);

fn not_hyperloglog(_: NotHyperLogLog) -> Error {
    NOT_HYPERLOGLOG
}

fn corrupt(_: Corrupt) -> Error {
    CORRUPT
}

/// The string that was found at a key, and its bytes, unless there is no such key. `digits` is room for those of an
/// integer, which is no HyperLogLog.
fn string_of<'b>(
    found: &Found<'b>,
    digits: &'b mut Digits,
) -> Result<Option<(StringRef<'b>, &'b [u8])>, Error> {
    match found.value {
        None => Ok(None),
        Some(ValueRef::String(string)) => Ok(Some((string, string.as_bytes(digits)))),
        Some(_) => Err(Error::WRONG_TYPE),
    }
}
