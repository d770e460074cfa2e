use super::credentials::Credentials;
use super::names::validate_name;
use tessera_command::prelude::*;
use tessera_command::{Client, REDIS_VERSION};
use tessera_resp::number::parse_i64;

pub struct Greeting<'a> {
    protocol: Option<Protocol>,
    credentials: Option<Credentials<'a>>,
    name: Option<&'a [u8]>,
}

pub struct Hello;

impl Session for Hello {
    const SPEC: Spec = Spec {
        name: "hello",
        summary: "Opens the conversation: chooses the protocol, proves who is connected, and tells about the server.",
        since: "6.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        flags: Flags::NO_SCRIPT
            .with(Flags::LOADING)
            .with(Flags::STALE)
            .with(Flags::FAST)
            .with(Flags::NO_AUTH)
            .with(Flags::ALLOW_BUSY),
        categories: Categories::CONNECTION,
        grammar: &[block(
            "arguments",
            &[
                integer("protover"),
                block("auth", &[string("username"), string("password")]).after("AUTH").optional(),
                string("clientname").after("SETNAME").optional(),
            ],
        )
        .optional()],
        history: &[("6.2.0", "The protocol version may be left out.")],
        secrets: Secrets::After { word: "AUTH", len: 2 },
        ..Spec::BASE
    };
    type Args<'a> = Greeting<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        let mut greeting = Greeting { protocol: None, credentials: None, name: None };
        if let Some(version) = words.next_word() {
            greeting.protocol = Some(match parse_i64(version) {
                None => return Err(Error::Text("ERR Protocol version is not an integer or out of range")),
                Some(2) => Protocol::Resp2,
                Some(3) => Protocol::Resp3,
                Some(_) => return Err(Error::Text("NOPROTO unsupported protocol version")),
            });
        }
        while let Some(option) = words.next_word() {
            if option.eq_ignore_ascii_case(b"auth") && words.left() >= 2 {
                greeting.credentials =
                    Some(Credentials { user: Some(words.word()?), password: words.word()? });
            } else if option.eq_ignore_ascii_case(b"setname") && words.left() >= 1 {
                greeting.name = Some(validate_name(words.word()?)?);
            } else {
                // Redis prints it as a C string: a NUL ends it.
                let shown = option.split(|byte| *byte == 0).next().unwrap_or_default();
                return Err(Error::built([b"ERR Syntax error in HELLO option '", shown, b"'"].concat()));
            }
        }
        Ok(greeting)
    }

    fn execute(
        greeting: &Greeting<'_>,
        session: &mut SessionContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        if let Some(credentials) = &greeting.credentials {
            credentials.authenticate(session)?;
        }
        if !session.client.authenticated {
            return Err(Error::Text(
                "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH \
<user> <pass> option can be used to authenticate the client and select the RESP protocol version at the \
same time",
            ));
        }
        if let Some(name) = greeting.name {
            session.client.name = name.into();
        }
        if let Some(protocol) = greeting.protocol {
            session.client.protocol = protocol;
            reply.set_protocol(protocol);
        }
        describe(session.client, reply);
        Ok(())
    }
}

fn describe(client: &Client, reply: &mut Reply<'_>) {
    reply.map(7);
    reply.bulk(b"server");
    reply.bulk(b"redis");
    reply.bulk(b"version");
    reply.bulk(REDIS_VERSION.as_bytes());
    reply.bulk(b"proto");
    reply.integer(match client.protocol {
        Protocol::Resp2 => 2,
        Protocol::Resp3 => 3,
    });
    reply.bulk(b"id");
    reply.integer(client.id as i64);
    reply.bulk(b"mode");
    reply.bulk(b"standalone");
    reply.bulk(b"role");
    reply.bulk(b"master");
    reply.bulk(b"modules");
    reply.array(0);
}
