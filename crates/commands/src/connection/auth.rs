use super::credentials::Credentials;
use tessera_command::prelude::*;

pub struct Auth;

impl Session for Auth {
    const SPEC: Spec = Spec {
        name: "auth",
        summary: "Proves to the server who is connected.",
        since: "1.0.0",
        group: Group::Connection,
        complexity: "O(N) in the length of the password.",
        flags: Flags::NO_SCRIPT
            .with(Flags::LOADING)
            .with(Flags::STALE)
            .with(Flags::FAST)
            .with(Flags::NO_AUTH)
            .with(Flags::ALLOW_BUSY),
        categories: Categories::CONNECTION,
        grammar: &[string("username").optional().since("6.0.0"), string("password")],
        history: &[("6.0.0", "A user name may come before the password.")],
        secrets: Secrets::All,
        ..Spec::BASE
    };
    type Args<'a> = Credentials<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        match (words.next_word(), words.next_word(), words.is_empty()) {
            (Some(password), None, _) => Ok(Credentials { user: None, password }),
            (Some(user), Some(password), true) => Ok(Credentials { user: Some(user), password }),
            _ => Err(Error::SYNTAX),
        }
    }

    fn execute(
        credentials: &Credentials<'_>,
        session: &mut SessionContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        if credentials.user.is_none() && session.host.config().require_pass.is_none() {
            return Err(Error::Text(
                "ERR AUTH <password> called without any password configured for the default user. Are you sure your \
configuration is correct?",
            ));
        }
        credentials.authenticate(session)?;
        reply.ok();
        Ok(())
    }
}
