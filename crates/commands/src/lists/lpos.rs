use tessera_command::prelude::*;
use tessera_resp::number::parse_i64;
use tessera_values::listpack::Element;
use tessera_values::{List, ListRef};

pub struct LPos;

/// The parsed words of LPOS.
pub struct LPosArgs<'a> {
    key: &'a [u8],
    element: &'a [u8],
    options: Options,
}

struct Options {
    /// The search begins at the end.
    is_backward: bool,
    /// The first match that is told, from 1 on.
    rank: u64,
    /// How many matches are told; 0: all. Without it one, and not as an array.
    count: Option<u64>,
    /// How many elements are looked at; 0: all.
    max_len: u64,
}

impl Options {
    fn parse(words: &mut Words<'_>) -> Result<Options, Error> {
        let (mut rank, mut count, mut max_len) = (1, None, 0);
        while !words.is_empty() {
            let mut option = |token: &str| words.left() > 1 && words.take(token);
            if option("RANK") {
                rank = words.integer()?;
                if rank == i64::MIN {
                    return Err(Error::Text(
                        "ERR value is out of range, value must between -9223372036854775807 and \
                         9223372036854775807",
                    ));
                }
                if rank == 0 {
                    return Err(Error::Text(
                        "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... \
                         or use negative to start from the end of the list",
                    ));
                }
            } else if option("COUNT") {
                count = Some(not_negative(words.word()?, "ERR COUNT can't be negative")?);
            } else if option("MAXLEN") {
                max_len = not_negative(words.word()?, "ERR MAXLEN can't be negative")?;
            } else {
                return Err(Error::SYNTAX);
            }
        }
        Ok(Options { is_backward: rank < 0, rank: rank.unsigned_abs(), count, max_len })
    }
}

fn not_negative(word: &[u8], otherwise: &'static str) -> Result<u64, Error> {
    parse_i64(word).and_then(|number| u64::try_from(number).ok()).ok_or(Error::Text(otherwise))
}

impl Read for LPos {
    const SPEC: Spec = Spec {
        name: "lpos",
        summary: "Finds the indices of elements that are equal to one.",
        since: "6.0.6",
        group: Group::List,
        complexity: "O(N) with N the number of elements.",
        categories: Categories::LIST,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[
            key("key", 0),
            string("element"),
            integer("rank").after("RANK").optional(),
            integer("num-matches").after("COUNT").optional(),
            integer("len").after("MAXLEN").optional(),
        ],
        ..Spec::BASE
    };
    type Args<'a> = LPosArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<LPosArgs<'a>, Error> {
        let (key, element) = (words.word()?, words.word()?);
        Ok(LPosArgs { key, element, options: Options::parse(words)? })
    }

    fn execute(args: &LPosArgs<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let options = &args.options;
        let list = db.collection::<List>(args.key)?;
        let opened = reply.open();
        let mut told = 0;
        if let Some(list) = list {
            let most = options.count.unwrap_or(1);
            find(list, args.element, options, &mut |index| {
                reply.integer(index as i64);
                told += 1;
                told != most
            });
        }
        match options.count {
            Some(_) => reply.close_array(opened, told as usize),
            None if told == 0 => reply.null(),
            None => {}
        }
        Ok(())
    }
}

/// Tells the indices of matches until `tell` has enough.
fn find(list: ListRef<'_>, element: &[u8], options: &Options, tell: &mut dyn FnMut(usize) -> bool) {
    let len = list.len();
    let max_len = match options.max_len {
        0 => len,
        most => usize::try_from(most).unwrap_or(usize::MAX),
    };
    let needle = Element::new(element);
    let mut rank = options.rank;
    let mut look = |(index, found): (usize, Element<'_>)| {
        if found != needle {
            return true;
        }
        rank -= u64::from(rank > 0);
        rank > 0 || tell(index)
    };
    if options.is_backward {
        let from_back = list.range_back(max_len).enumerate();
        from_back.map(|(index, found)| (len - 1 - index, found)).all(&mut look);
    } else {
        list.range(0, max_len).enumerate().all(&mut look);
    }
}
