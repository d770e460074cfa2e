use crate::connection::names::is_valid;
use tessera_command::prelude::*;

#[derive(Clone, Copy)]
pub enum Attribute {
    LibraryName,
    LibraryVersion,
}

pub struct SetInfo;

impl Session for SetInfo {
    const SPEC: Spec = Spec {
        name: "client|setinfo",
        summary: "Notes which library the client uses.",
        since: "7.2.0",
        group: Group::Connection,
        complexity: "O(1)",
        flags: Flags::NO_SCRIPT.with(Flags::LOADING).with(Flags::STALE),
        categories: Categories::CONNECTION,
        grammar: &[one_of("attr", &[string("libname").after("LIB-NAME"), string("libver").after("LIB-VER")])],
        policy: Policy::AsTips,
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        ..Spec::BASE
    };
    type Args<'a> = (Attribute, &'a [u8]);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        let option = words.word()?;
        let attribute = if option.eq_ignore_ascii_case(b"lib-name") {
            Attribute::LibraryName
        } else if option.eq_ignore_ascii_case(b"lib-ver") {
            Attribute::LibraryVersion
        } else {
            return Err(Error::built([b"ERR Unrecognized option '", option, b"'"].concat()));
        };
        let value = words.word()?;
        if !is_valid(value) {
            let text = [b"ERR ", option, b" cannot contain spaces, newlines or special characters."].concat();
            return Err(Error::built(text));
        }
        Ok((attribute, value))
    }

    fn execute(
        (attribute, value): &Self::Args<'_>,
        session: &mut SessionContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let place = match attribute {
            Attribute::LibraryName => &mut session.client.library_name,
            Attribute::LibraryVersion => &mut session.client.library_version,
        };
        *place = (*value).into();
        reply.ok();
        Ok(())
    }
}
