//! User names and passwords.

use subtle::ConstantTimeEq;
use tessera_command::prelude::*;

/// The only user there is.
const DEFAULT_USER: &[u8] = b"default";

/// What a client claims.
pub struct Credentials<'a> {
    /// The user; `None` means the default one.
    pub user: Option<&'a [u8]>,
    /// Its password.
    pub password: &'a [u8],
}

impl Credentials<'_> {
    /// Marks the client as authenticated, or counts a failure. Takes the same time wherever passwords of equal length
    /// differ.
    pub fn authenticate(&self, session: &mut SessionContext<'_>) -> Result<(), Error> {
        let is_right = match &session.host.config().require_pass {
            None => true,
            Some(secret) => bool::from(secret.0.as_slice().ct_eq(self.password)),
        };
        if is_right && self.user.is_none_or(|user| user == DEFAULT_USER) {
            session.client.authenticated = true;
            return Ok(());
        }
        session.host.note_authentication_failure();
        Err(Error::Text("WRONGPASS invalid username-password pair or user is disabled."))
    }
}
