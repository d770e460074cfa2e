//! CONFIG GET and CONFIG SET.

use std::borrow::Cow;

use tessera_values::glob::{Case, is_pattern, matches_with};

use crate::kind::Kind;
use crate::table::{Config, Id, Mutability, PARAMETERS, Parameter, find};

/// Why CONFIG SET changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetError {
    /// No parameter has this name.
    Unknown(Vec<u8>),
    /// A parameter cannot take the value.
    Failed {
        /// The name of the parameter, as the client wrote it or as the table spells it: what Redis puts there.
        name: Vec<u8>,
        /// Why.
        reason: Cow<'static, str>,
    },
}

impl SetError {
    /// The error for a value that was well-formed but could not be put into effect, such as a port in use.
    pub fn not_applied(id: Id, reason: impl Into<Cow<'static, str>>) -> Self {
        let name =
            PARAMETERS.iter().find(|parameter| parameter.id == id).map_or("", |parameter| parameter.name);
        Self::failed(name.as_bytes(), reason)
    }

    /// The text of the error reply, without the `ERR` before it.
    pub fn message(&self) -> Vec<u8> {
        let mut message = match self {
            Self::Unknown(name) => {
                [b"Unknown option or number of arguments for CONFIG SET - '", name.as_slice(), b"'"].concat()
            }
            Self::Failed { name, reason } => [
                b"CONFIG SET failed (possibly related to argument '",
                name.as_slice(),
                b"') - ",
                reason.as_bytes(),
            ]
            .concat(),
        };
        // An error reply is one line.
        for byte in &mut message {
            if matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
        message
    }

    fn failed(name: &[u8], reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Failed { name: name.to_vec(), reason: reason.into() }
    }
}

impl Config {
    /// The parameters that any of `patterns` names, with their values, each once.
    ///
    /// A parameter named without a pattern keeps the spelling it was asked by.
    pub fn get(&self, patterns: &[&[u8]]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut found: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        let mut add = |name: &[u8], parameter: &Parameter| {
            if !found.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                found.push((name.to_vec(), self.value(parameter.id).print()));
            }
        };
        for &pattern in patterns {
            if !is_pattern(pattern) {
                if let Some((parameter, _)) = find(pattern) {
                    add(pattern, parameter);
                }
                continue;
            }
            for parameter in PARAMETERS.iter().filter(|parameter| !parameter.is_hidden) {
                for name in parameter.names() {
                    if matches_with(pattern, name.as_bytes(), Case::Insensitive) {
                        add(name.as_bytes(), parameter);
                    }
                }
            }
        }
        found
    }

    /// The configuration after CONFIG SET of these names and values, and which parameters changed.
    ///
    /// All or nothing, and nothing takes effect by itself: the caller puts the changes into effect and then keeps the
    /// new configuration, or keeps the old one and replies with [`SetError::not_applied`].
    ///
    /// `client_is_local` says whether the client is on this machine, which `enable-protected-configs local` asks.
    ///
    /// # Errors
    ///
    /// [`SetError`] for the first name that is unknown, may not change or is given twice; then for the first value
    /// that does not fit.
    pub fn set(&self, pairs: &[(&[u8], &[u8])], client_is_local: bool) -> Result<(Self, Vec<Id>), SetError> {
        let mut settings: Vec<(&Parameter, &str, &[u8])> =
            Vec::with_capacity(pairs.len().min(PARAMETERS.len()));
        for &(name, value) in pairs {
            let Some((parameter, spelled)) = find(name) else {
                return Err(SetError::Unknown(name.to_vec()));
            };
            match parameter.mutability {
                Mutability::AtStart => return Err(SetError::failed(name, "can't set immutable config")),
                Mutability::Protected if !self.enable_protected_configs.allows(client_is_local) => {
                    return Err(SetError::failed(name, "can't set protected config"));
                }
                Mutability::Mutable | Mutability::Protected => {}
            }
            // An alias and the name it stands for count as two, as in Redis.
            if settings.iter().any(|(_, earlier, _)| *earlier == spelled) {
                return Err(SetError::failed(name, "duplicate parameter"));
            }
            settings.push((parameter, spelled, value));
        }

        let mut next = self.clone();
        let mut changed = Vec::new();
        for (parameter, spelled, value) in settings {
            let words = parameter.kind.split_argument(value);
            let did_change =
                next.put(parameter, &words).map_err(|reason| SetError::failed(spelled.as_bytes(), reason))?;
            if did_change && !changed.contains(&parameter.id) {
                changed.push(parameter.id);
            }
        }
        Ok((next, changed))
    }

    /// Gives a parameter the value that `words` spell; whether it is another one than before.
    pub(crate) fn put(&mut self, parameter: &Parameter, words: &[Vec<u8>]) -> Result<bool, String> {
        let current = self.value(parameter.id);
        let value = parameter.kind.parse(words, &current)?;
        let changes = value != current;
        if let Some(missing) = parameter.not_built
            && changes
        {
            let only = match current.print() {
                empty if empty.is_empty() => "\"\"".to_owned(),
                text => String::from_utf8_lossy(&text).into_owned(),
            };
            return Err(format!("{missing}: the only value is {only}"));
        }
        if changes && !self.store(parameter.id, value) {
            return Err(format!("argument does not fit: {:?}", parameter.kind));
        }
        Ok(changes)
    }
}

impl Parameter {
    /// Whether the parameter's value is a list, so that `--name value value` is one setting.
    pub fn takes_many_words(&self) -> bool {
        Kind::takes_many_words(self.kind)
    }
}
