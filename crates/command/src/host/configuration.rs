//! The configuration of the server.

use crate::error::Error;
use tessera_config::Config;

/// The configuration in force, to read and to change.
pub trait Configuration {
    /// The configuration in force.
    fn config(&self) -> &Config;

    /// CONFIG SET: checks all pairs, puts them into effect on the whole server, or changes nothing. `caller_is_local`
    /// decides about protected parameters.
    ///
    /// # Errors
    /// The error reply, code included.
    fn config_set(&mut self, pairs: &[(&[u8], &[u8])], caller_is_local: bool) -> Result<(), Error>;

    /// CONFIG REWRITE: writes the configuration in force into the file it came from.
    ///
    /// # Errors
    /// The error reply, code included: there is no file, or it could not be written.
    fn config_rewrite(&mut self) -> Result<(), Error>;
}
