//! What clients may call themselves.

use tessera_command::Error;

/// A name must not break the lines of CLIENT LIST: printable ASCII without blanks, up to its end or a NUL.
pub fn is_valid(name: &[u8]) -> bool {
    name.iter().take_while(|byte| **byte != 0).all(u8::is_ascii_graphic)
}

/// The name, if it is one.
pub fn validate_name(name: &[u8]) -> Result<&[u8], Error> {
    if is_valid(name) {
        Ok(name)
    } else {
        Err(Error::Text("ERR Client names cannot contain spaces, newlines or special characters."))
    }
}
