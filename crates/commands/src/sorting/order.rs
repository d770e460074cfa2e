//! What is to be sorted, and how.

use super::pattern::Pattern;
use super::request::Request;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;
use tessera_command::prelude::*;
use tessera_values::double;
use tessera_values::listpack::Element;
use tessera_values::partial_sort::partial_sort;

const NOT_NUMBERS: Error = Error::Text("ERR One or more scores can't be converted into double");

/// The elements of a collection before they are sorted.
pub struct Elements<'v> {
    elements: Vec<Element<'v>>,
    /// Which of them are wanted, once they are sorted.
    pub window: Range<usize>,
    order: Order,
    /// Where elements' weights are, if they are no weights themselves.
    pub by: Option<Pattern<'v>>,
    is_descending: bool,
    /// Equal weights are told apart by the elements: those come in an order of chance.
    breaks_ties: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    AsTheyCome,
    Numbers,
    /// Texts up to their first zero byte, which is how far C's `strcoll` sees.
    Texts,
    WholeTexts,
}

/// What an element is sorted by.
enum Weight<'v> {
    Number(f64),
    Text(Option<Cow<'v, [u8]>>),
}

fn bytes_of(element: Element<'_>) -> Cow<'_, [u8]> {
    match element {
        Element::Bytes(bytes) => Cow::Borrowed(bytes),
        Element::Integer(_) => Cow::Owned(element.to_vec()),
    }
}

fn element_of(string: StringRef<'_>) -> Element<'_> {
    match string {
        StringRef::Integer(integer) => Element::Integer(integer),
        StringRef::Fixed(bytes) | StringRef::Growing(bytes) => Element::Bytes(bytes),
    }
}

/// The text that was found, if any.
pub fn text_at<'v>(found: &Found<'v>) -> Option<Element<'v>> {
    match found.value {
        Some(ValueRef::String(string)) => Some(element_of(string)),
        _ => None,
    }
}

impl<'v> Elements<'v> {
    /// Those of `value`, a missing one having none.
    ///
    /// # Errors
    /// If it has no elements.
    pub fn of<'a: 'v>(request: &Request<'a>, value: Option<ValueRef<'v>>) -> Result<Elements<'v>, Error> {
        let len = match value {
            None => 0,
            Some(ValueRef::String(_) | ValueRef::Hash(_)) => return Err(Error::WRONG_TYPE),
            Some(value) => value.elements_len(),
        };
        let mut window = window(request, len);
        let is_set = matches!(value, Some(ValueRef::Set(_)));
        // A set that is kept as a list must be so in an order of its own.
        let is_set_to_store = is_set && request.store.is_some();
        let order = match (request.is_as_it_comes, request.is_alpha, request.store) {
            (true, _, _) if is_set_to_store => Order::WholeTexts,
            (true, _, _) => Order::AsTheyCome,
            (false, false, _) => Order::Numbers,
            (false, true, Some(_)) => Order::WholeTexts,
            (false, true, None) => Order::Texts,
        };
        let is_sorted = order != Order::AsTheyCome;
        let by = request.by.filter(|_| is_sorted && !request.is_as_it_comes);
        let elements = match value {
            _ if is_sorted || is_set => elements(value, 0..len),
            // Those that are wanted, and no others, from the end that they come from.
            _ if request.is_descending => {
                let mut elements = elements(value, len - window.end..len - window.start);
                elements.reverse();
                window = 0..elements.len();
                elements
            }
            _ => {
                let elements = elements(value, window);
                window = 0..elements.len();
                elements
            }
        };
        let breaks_ties = is_set && value.is_some_and(|value| value.encoding_name() == "hashtable");
        Ok(Elements { elements, window, order, by, is_descending: request.is_descending, breaks_ties })
    }

    /// All of them, unsorted.
    pub fn unsorted(&self) -> &[Element<'v>] {
        &self.elements
    }

    /// Those that are wanted, in order. `weights`: what was found where `by` leads.
    ///
    /// # Errors
    /// If weights should be numbers but are not.
    pub fn sorted(&self, weights: &[Found<'v>]) -> Result<Vec<Element<'v>>, Error> {
        if self.order == Order::AsTheyCome {
            return Ok(self.elements[self.window.clone()].to_vec());
        }
        let mut weighed = Vec::with_capacity(self.elements.len());
        for (index, element) in self.elements.iter().enumerate() {
            let weight = match self.by {
                None => Some(*element),
                Some(_) => weights.get(index).and_then(text_at),
            };
            weighed.push((self.weigh(weight)?, *element));
        }
        let compare = |left: &_, right: &_| {
            let order = self.compare(left, right);
            if self.is_descending { order.reverse() } else { order }
        };
        // Which of equal weights come first shows. Redis sorts so where it sorts by weights and not all are wanted.
        if self.by.is_some() && self.window.len() < weighed.len() {
            partial_sort(&mut weighed, self.window.clone(), compare);
        } else {
            weighed.sort_by(compare);
        }
        Ok(weighed[self.window.clone()].iter().map(|(_, element)| *element).collect())
    }

    fn weigh(&self, text: Option<Element<'v>>) -> Result<Weight<'v>, Error> {
        Ok(match (self.order, text) {
            (Order::Numbers, None) => Weight::Number(0.0),
            (Order::Numbers, Some(Element::Integer(integer))) => Weight::Number(integer as f64),
            (Order::Numbers, Some(Element::Bytes(bytes))) => {
                Weight::Number(double::parse_weight(bytes).ok_or(NOT_NUMBERS)?)
            }
            (Order::Texts, Some(Element::Bytes(bytes))) => {
                let seen = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
                Weight::Text(Some(Cow::Borrowed(&bytes[..seen])))
            }
            (_, text) => Weight::Text(text.map(bytes_of)),
        })
    }

    fn compare(&self, left: &(Weight<'v>, Element<'v>), right: &(Weight<'v>, Element<'v>)) -> Ordering {
        let by_bytes = || bytes_of(left.1).cmp(&bytes_of(right.1));
        match (&left.0, &right.0) {
            (Weight::Number(first), Weight::Number(second)) => {
                first.partial_cmp(second).unwrap_or(Ordering::Equal).then_with(by_bytes)
            }
            (Weight::Text(first), Weight::Text(second)) => {
                let order = first.cmp(second);
                if self.breaks_ties { order.then_with(by_bytes) } else { order }
            }
            _ => Ordering::Equal,
        }
    }
}

/// Which elements LIMIT lets through of `len`.
fn window(request: &Request<'_>, len: usize) -> Range<usize> {
    let start = usize::try_from(request.offset.max(0)).unwrap_or(usize::MAX).min(len);
    let count = usize::try_from(request.count).unwrap_or(len).min(len - start);
    start..start + count
}

fn elements(value: Option<ValueRef<'_>>, range: Range<usize>) -> Vec<Element<'_>> {
    match value {
        Some(ValueRef::List(list)) => list.range(range.start, range.len()).collect(),
        Some(ValueRef::SortedSet(set)) => set.range(range).map(|(member, _)| member).collect(),
        Some(ValueRef::Set(set)) => set.iter().skip(range.start).take(range.len()).collect(),
        Some(ValueRef::String(_) | ValueRef::Hash(_)) | None => Vec::new(),
    }
}
