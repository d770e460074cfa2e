//! The words of a search.
//!
//! They are read when the sorted set is at hand: a member may be the center, and whether it is there is looked at in
//! the order of the words, as in Redis.

use super::units;
use tessera_command::prelude::*;
use tessera_values::geo::{Area, Extent, Position};
use tessera_values::{SortedSetRef, double};

/// Which command it is, which decides how its words are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// GEORADIUS and its read-only form.
    Radius {
        /// It may store what it finds.
        stores: bool,
    },
    /// GEORADIUSBYMEMBER and its read-only form.
    RadiusByMember {
        /// It may store what it finds.
        stores: bool,
    },
    /// GEOSEARCH.
    Search,
    /// GEOSEARCHSTORE.
    SearchStore,
}

/// Distances from the center in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The nearest first.
    Ascending,
    /// The farthest first.
    Descending,
}

/// Where the result goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Store<'a> {
    pub key: &'a [u8],
    /// Distances become scores, not places.
    pub distances: bool,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Query<'a> {
    center: Option<Position>,
    has_member: bool,
    has_place: bool,
    extent: Option<(Extent, f64)>,
    pub order: Option<Order>,
    /// At most so many; above zero.
    pub count: Option<usize>,
    /// Any will do if there are more.
    pub any: bool,
    pub with_distance: bool,
    pub with_score: bool,
    pub with_coordinates: bool,
    pub store: Option<Store<'a>>,
}

impl<'a> Query<'a> {
    /// Reads all words of a command, its name included, given the sorted set, if there is one.
    pub fn parse(args: Args<'a>, form: Form, source: Option<SortedSetRef<'_>>) -> Result<Query<'a>, Error> {
        let mut query = Query::default();
        let mut words = Words::new(args, 2);
        match form {
            Form::Radius { .. } => {
                query.center = Some(units::position(&mut words)?);
                query.take_radius(&mut words)?;
            }
            Form::RadiusByMember { .. } => match source {
                Some(set) => {
                    query.take_member(&mut words, set)?;
                    query.take_radius(&mut words)?;
                }
                // Redis does not look at the radius then.
                None => words = Words::new(args, 5),
            },
            Form::Search => {}
            Form::SearchStore => {
                let key = args.get(1).ok_or(Error::SYNTAX)?;
                query.store = Some(Store { key, distances: false });
                words = Words::new(args, 3);
            }
        }
        while !words.is_empty() {
            query.take_option(&mut words, form, source)?;
        }
        query.check(args, form)?;
        // As only that way those that are counted are the nearest.
        if query.count.is_some() && query.order.is_none() && !query.any {
            query.order = Some(Order::Ascending);
        }
        Ok(query)
    }

    /// Where to search; `None` without a sorted set to search in.
    pub fn area(&self) -> Option<Area> {
        let (extent, unit_m) = self.extent?;
        Some(Area { center: self.center?, extent, unit_m })
    }

    fn take_option(
        &mut self,
        words: &mut Words<'a>,
        form: Form,
        source: Option<SortedSetRef<'_>>,
    ) -> Result<(), Error> {
        let is_search = matches!(form, Form::Search | Form::SearchStore);
        let stores = matches!(form, Form::Radius { stores: true } | Form::RadiusByMember { stores: true });
        if words.take("WITHDIST") {
            self.with_distance = true;
        } else if words.take("WITHHASH") {
            self.with_score = true;
        } else if words.take("WITHCOORD") {
            self.with_coordinates = true;
        } else if words.take("ANY") {
            self.any = true;
        } else if words.take("ASC") {
            self.order = Some(Order::Ascending);
        } else if words.take("DESC") {
            self.order = Some(Order::Descending);
        } else if words.take("COUNT") {
            let count = words.integer()?;
            self.count = usize::try_from(count).ok().filter(|count| *count > 0);
            if self.count.is_none() {
                return Err(Error::Text("ERR COUNT must be > 0"));
            }
        } else if stores && words.take("STORE") {
            self.store = Some(Store { key: words.word()?, distances: false });
        } else if stores && words.take("STOREDIST") {
            self.store = Some(Store { key: words.word()?, distances: true });
        } else if let (Form::SearchStore, Some(store)) = (form, self.store)
            && words.take("STOREDIST")
        {
            self.store = Some(Store { distances: true, ..store });
        } else if is_search {
            self.take_area(words, source)?;
        } else {
            return Err(Error::SYNTAX);
        }
        Ok(())
    }

    fn take_area(&mut self, words: &mut Words<'a>, source: Option<SortedSetRef<'_>>) -> Result<(), Error> {
        let is_box = matches!(self.extent, Some((Extent::Box { .. }, _)));
        let is_circle = matches!(self.extent, Some((Extent::Circle { .. }, _)));
        if !self.has_place && words.left() > 1 && words.take("FROMMEMBER") {
            self.has_member = true;
            match source {
                Some(set) => self.take_member(words, set)?,
                None => drop(words.word()?),
            }
        } else if !self.has_member && words.left() > 2 && words.take("FROMLONLAT") {
            self.has_place = true;
            self.center = Some(units::position(words)?);
        } else if !is_box && words.left() > 2 && words.take("BYRADIUS") {
            self.take_radius(words)?;
        } else if !is_circle && words.left() > 3 && words.take("BYBOX") {
            self.take_box(words)?;
        } else {
            return Err(Error::SYNTAX);
        }
        Ok(())
    }

    fn take_member(&mut self, words: &mut Words<'a>, set: SortedSetRef<'_>) -> Result<(), Error> {
        let score = set.score(words.word()?);
        let score = score.ok_or(Error::Text("ERR could not decode requested zset member"))?;
        self.center = Some(Position::from_score(score));
        Ok(())
    }

    fn take_radius(&mut self, words: &mut Words<'a>) -> Result<(), Error> {
        let radius = double::parse(words.word()?).ok_or(Error::Text("ERR need numeric radius"))?;
        if radius < 0.0 {
            return Err(Error::Text("ERR radius cannot be negative"));
        }
        self.extent = Some((Extent::Circle { radius }, units::unit_m(words.word()?)?));
        Ok(())
    }

    fn take_box(&mut self, words: &mut Words<'a>) -> Result<(), Error> {
        let width = double::parse(words.word()?).ok_or(Error::Text("ERR need numeric width"))?;
        let height = double::parse(words.word()?).ok_or(Error::Text("ERR need numeric height"))?;
        if width < 0.0 || height < 0.0 {
            return Err(Error::Text("ERR height or width cannot be negative"));
        }
        self.extent = Some((Extent::Box { width, height }, units::unit_m(words.word()?)?));
        Ok(())
    }

    /// Whether what was asked for goes together.
    fn check(&self, args: Args<'_>, form: Form) -> Result<(), Error> {
        if self.store.is_some() && (self.with_distance || self.with_score || self.with_coordinates) {
            return Err(Error::Text(if form == Form::SearchStore {
                "ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            } else {
                "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            }));
        }
        if matches!(form, Form::Search | Form::SearchStore) {
            let wanting = |what: &[u8]| {
                let name = args.get(0).unwrap_or_default();
                Err(Error::built([b"ERR exactly one of ", what, b" can be specified for ", name].concat()))
            };
            if !self.has_member && !self.has_place {
                return wanting(b"FROMMEMBER or FROMLONLAT");
            }
            if self.extent.is_none() {
                return wanting(b"BYRADIUS and BYBOX");
            }
        }
        if self.any && self.count.is_none() {
            return Err(Error::Text("ERR the ANY argument requires COUNT argument"));
        }
        Ok(())
    }
}
