//! The words of SORT and SORT_RO.

use super::pattern::Pattern;
use tessera_command::prelude::*;

/// What the words ask for.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// What is to be sorted.
    pub key: &'a [u8],
    /// Where elements' weights are.
    pub by: Option<Pattern<'a>>,
    /// Some BY led nowhere: nothing is sorted.
    pub is_as_it_comes: bool,
    /// Weights are texts.
    pub is_alpha: bool,
    /// The greatest first.
    pub is_descending: bool,
    /// How many elements are passed over. Below 0 is 0.
    pub offset: i64,
    /// How many elements follow; all if negative.
    pub count: i64,
    /// What is told of each element; nothing means itself.
    pub gets: Vec<Pattern<'a>>,
    /// Where the result is kept.
    pub store: Option<&'a [u8]>,
}

impl<'a> Request<'a> {
    /// Reads all words.
    ///
    /// # Errors
    /// What the client is told instead.
    pub fn parse(words: &mut Words<'a>, may_store: bool) -> Result<Request<'a>, Error> {
        let mut request = Request {
            key: words.word()?,
            by: None,
            is_as_it_comes: false,
            is_alpha: false,
            is_descending: false,
            offset: 0,
            count: -1,
            gets: Vec::new(),
            store: None,
        };
        while !words.is_empty() {
            let left = words.left() - 1;
            if words.take("ASC") {
                request.is_descending = false;
            } else if words.take("DESC") {
                request.is_descending = true;
            } else if words.take("ALPHA") {
                request.is_alpha = true;
            } else if left >= 2 && words.take("LIMIT") {
                (request.offset, request.count) = (words.integer()?, words.integer()?);
            } else if left >= 1 && may_store && words.take("STORE") {
                request.store = Some(words.word()?);
            } else if left >= 1 && words.take("BY") {
                let pattern = Pattern::parse(words.word()?);
                request.is_as_it_comes |= !pattern.has_keys();
                request.by = Some(pattern);
            } else if left >= 1 && words.take("GET") {
                request.gets.push(Pattern::parse(words.word()?));
            } else {
                return Err(Error::SYNTAX);
            }
        }
        Ok(request)
    }
}
