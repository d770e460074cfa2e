//! The steps of SORT and SORT_RO: the collection, then weights, then what is told of the elements.

use super::order::{Elements, text_at};
use super::pattern::Pattern;
use super::request::Request;
use tessera_command::prelude::*;
use tessera_values::List;
use tessera_values::listpack::Element;

/// The collection's place among the needs.
const COLLECTION: usize = 0;
/// The place of where the result is kept.
const DESTINATION: usize = 1;

pub fn needs<'a>(request: &Request<'a>, needs: &mut Vec<Need<'a>>) {
    needs.push(Need { key: request.key, db: None, what: What::Enlarged });
    needs.extend(request.store.map(|key| Need { key, db: None, what: What::Presence }));
}

pub fn needs_more(request: &Request<'_>) -> bool {
    request.gets.iter().chain(&request.by).any(|pattern| pattern.has_keys())
}

/// What was found, by what it is for.
struct Brought<'f, 'v> {
    elements: Elements<'v>,
    weights: &'f [Found<'v>],
    texts: &'f [Found<'v>],
}

impl<'f, 'v> Brought<'f, 'v> {
    fn of<'a: 'v>(request: &Request<'a>, found: &'f [Found<'v>]) -> Result<Brought<'f, 'v>, Error> {
        let elements = Elements::of(request, found[COLLECTION].value)?;
        let rest = &found[COLLECTION + 1 + usize::from(request.store.is_some())..];
        let weights_len = if elements.by.is_some() { elements.unsorted().len() } else { 0 };
        let (weights, texts) = rest.split_at(weights_len.min(rest.len()));
        Ok(Brought { elements, weights, texts })
    }

    fn has_weights(&self) -> bool {
        self.elements.by.is_none() || self.weights.len() == self.elements.unsorted().len()
    }
}

pub fn text_needs(request: &Request<'_>, found: &[Found<'_>], needs: &mut Vec<TextNeed>) {
    let Ok(brought) = Brought::of(request, found) else { return };
    let mut digits = Digits::new();
    if !brought.has_weights() {
        let by = brought.elements.by.unwrap_or(Pattern::Nowhere);
        let elements = brought.elements.unsorted().iter();
        return needs.extend(elements.filter_map(|element| by.need(element.as_bytes(&mut digits))));
    }
    if !brought.texts.is_empty() || !request.gets.iter().any(|pattern| pattern.has_keys()) {
        return;
    }
    let Ok(sorted) = brought.elements.sorted(brought.weights) else { return };
    for element in sorted {
        let element = element.as_bytes(&mut digits);
        needs.extend(request.gets.iter().filter_map(|pattern| pattern.need(element)));
    }
}

pub fn decide(
    request: &Request<'_>,
    context: Context,
    found: &[Found<'_>],
    changes: &mut Vec<Change>,
    reply: &mut Reply<'_>,
) -> Result<(), Error> {
    let brought = Brought::of(request, found)?;
    let sorted = brought.elements.sorted(brought.weights)?;
    let mut texts = brought.texts.iter();
    let told: Vec<Option<Element<'_>>> = if request.gets.is_empty() {
        sorted.into_iter().map(Some).collect()
    } else {
        let each = sorted.iter().flat_map(|element| request.gets.iter().map(move |get| (get, *element)));
        each.map(|(get, element)| match get {
            Pattern::Itself => Some(element),
            Pattern::Nowhere => None,
            Pattern::Key { .. } => texts.next().and_then(text_at),
        })
        .collect()
    };
    if request.store.is_none() {
        reply.array(told.len());
        told.into_iter().for_each(|element| answer(element, reply));
        return Ok(());
    }
    reply.integer(told.len() as i64);
    if !told.is_empty() {
        let texts: Vec<Vec<u8>> =
            told.into_iter().map(|element| element.map_or_else(Vec::new, Element::to_vec)).collect();
        let setting = context.settings.thresholds.list_setting();
        let list = List::stored(texts.iter().map(Vec::as_slice), setting);
        changes.push(Change::Put {
            index: DESTINATION,
            value: list.into(),
            expire: Expire::Clear,
            event: Event::SortStore,
        });
    } else if found[DESTINATION].present {
        changes.push(Change::Remove { index: DESTINATION });
    }
    Ok(())
}

fn answer(element: Option<Element<'_>>, reply: &mut Reply<'_>) {
    match element {
        Some(Element::Bytes(bytes)) => reply.bulk(bytes),
        Some(Element::Integer(integer)) => reply.bulk_integer(integer),
        None => reply.null(),
    }
}
