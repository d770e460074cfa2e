use super::FLAGS;
use tessera_command::prelude::*;

/// Too large for an integer.
const BIG_NUMBER: &[u8] = b"1234567999999999999999999999999999999";

/// Thousandths that have no exact double.
const A_DOUBLE: f64 = 3_141.0 / 1_000.0;

pub struct ProtocolReply;

impl Session for ProtocolReply {
    const SPEC: Spec = Spec {
        name: "debug|protocol",
        summary: "Answers a value of the given type: string, integer, double, bignum, null, array, set, map, attrib, \
            push, verbatim, true or false.",
        since: "1.0.0",
        group: Group::Server,
        flags: FLAGS,
        protected: true,
        private_subcommands: true,
        grammar: &[string("type")],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.word()
    }

    fn execute(kind: &&[u8], _home: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let is_resp3 = reply.protocol() == Protocol::Resp3;
        match kind.to_ascii_lowercase().as_slice() {
            b"string" => reply.bulk(b"Hello World"),
            b"integer" => reply.integer(12345),
            b"double" => reply.double(A_DOUBLE),
            b"bignum" if is_resp3 => reply.raw(&[b"(", BIG_NUMBER, b"\r\n"].concat()),
            b"bignum" => reply.bulk(BIG_NUMBER),
            b"null" => reply.null(),
            b"array" => {
                reply.array(3);
                (0..3).for_each(|number| reply.integer(number));
            }
            b"set" => {
                reply.set(3);
                (0..3).for_each(|number| reply.integer(number));
            }
            b"map" => {
                reply.map(3);
                for number in 0..3 {
                    reply.integer(number);
                    reply.boolean(number == 1);
                }
            }
            b"attrib" => {
                if is_resp3 {
                    reply.raw(b"|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n");
                }
                reply.bulk(b"Some real reply following the attribute");
            }
            b"push" if is_resp3 => {
                // What is pushed while a command runs follows the command's reply.
                reply.bulk(b"Some real reply following the push reply");
                reply.push(2);
                reply.bulk(b"server-cpu-usage");
                reply.integer(42);
            }
            b"push" => return Err(Error::Text("ERR RESP2 is not supported by this command")),
            b"true" => reply.boolean(true),
            b"false" => reply.boolean(false),
            b"verbatim" => reply.verbatim("txt", b"This is a verbatim\nstring"),
            _ => {
                return Err(Error::Text(
                    "ERR Wrong protocol type name. Please use one of the following: \
string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
                ));
            }
        }
        Ok(())
    }
}
