use tessera_command::prelude::*;
use tessera_values::Set;
use tessera_values::listpack::Element;

pub struct SMove;

/// The parsed words of SMOVE.
pub struct SMoveArgs<'a> {
    source: &'a [u8],
    destination: &'a [u8],
    member: &'a [u8],
}

/// A member from one set to another.
static TRANSFER: Transfer = Transfer {
    take,
    taken: |key, member| vec![b"SREM", key, member],
    give: GIVE,
    give_back: GIVE,
    tells_target_first: false,
    reply: answer,
};

const GIVE: Give = Give { run: give, given: |key, member| vec![b"SADD", key, member] };

impl Gather for SMove {
    const SPEC: Spec = Spec {
        name: "smove",
        summary: "Moves a member from one set to another.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(1)",
        flags: Flags::FAST,
        categories: Categories::SET,
        keys: &[
            KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::DELETE)),
            KeySpec::at(2, KeyFlags::RW.with(KeyFlags::INSERT)),
        ],
        events: &[Event::SRem, Event::SAdd, Event::Del, Event::New],
        element: Some(3),
        grammar: &[key("source", 0), key("destination", 1), string("member")],
        ..Spec::BASE
    };
    type Args<'a> = SMoveArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<SMoveArgs<'a>, Error> {
        Ok(SMoveArgs { source: words.word()?, destination: words.word()?, member: words.word()? })
    }

    fn needs<'a>(args: &SMoveArgs<'a>, _: Context, needs: &mut Vec<Need<'a>>) -> Result<(), Error> {
        // A key that is both is on one shard, where looking at its value costs nothing.
        let what = if args.source == args.destination { What::Value } else { What::Type };
        needs.extend([args.source, args.destination].map(|key| Need { key, db: None, what }));
        Ok(())
    }

    fn decide(
        args: &SMoveArgs<'_>,
        _: Context,
        found: &[Found<'_>],
        changes: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let [source, destination] = found else { return Err(Error::SYNTAX) };
        let is_other = |found: &Found<'_>| found.value_type.is_some_and(|held| held != Type::Set);
        if !source.present {
            reply.integer(0);
        } else if is_other(source) || is_other(destination) {
            return Err(Error::WRONG_TYPE);
        } else if args.source == args.destination {
            let set = source.value.and_then(Set::of_ref);
            reply.integer(i64::from(set.is_some_and(|set| set.contains(Element::new(args.member)))));
        } else {
            changes.push(Change::Transfer { from: 0, to: 1, what: args.member.into(), transfer: &TRANSFER });
        }
        Ok(())
    }
}

fn take(db: &mut ViewMut<'_>, key: &[u8], member: &[u8]) -> Option<Vec<u8>> {
    let removed = db.change(key, Event::SRem, |set: &mut Set| {
        let removed = set.remove(Element::new(member));
        (removed, removed)
    });
    let removed = removed.ok()??;
    removed.then(|| member.to_vec())
}

fn give(db: &mut ViewMut<'_>, key: &[u8], member: &[u8]) -> Result<(), WrongType> {
    let (thresholds, member) = (db.settings().thresholds, Element::new(member));
    db.change_or_create(key, Event::SAdd, |set: &mut Set| {
        if set.is_empty() {
            *set = Set::for_members(member, 1, &thresholds);
        }
        let added = set.add(member, &thresholds);
        ((), added)
    })
}

fn answer(taken: Option<&[u8]>, reply: &mut Reply<'_>) {
    reply.integer(i64::from(taken.is_some()));
}
