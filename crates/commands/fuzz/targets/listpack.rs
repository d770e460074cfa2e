//! Bytes that are taken for a listpack are walked alike from both ends, and changing it does what changing a list of
//! strings does.
//!
//! The first byte tells how many bytes are the listpack's elements; what follows them are changes. Header and end are
//! put around the elements, so that short inputs get further than the first check.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tessera_values::listpack::{Element, Listpack, Position};

/// Both are those of an element that is kept as an integer, and of one that is not.
const TEXTS: &[&[u8]] = &[b"", b"0", b"-1", b"4095", b"-32768", b"9223372036854775807", b"01", b"text"];

fn texts(listpack: &Listpack) -> Vec<Vec<u8>> {
    listpack.iter().map(Element::to_vec).collect()
}

fn check(listpack: &Listpack, model: &[Vec<u8>]) {
    assert_eq!(texts(listpack), model);
    let mut back: Vec<Vec<u8>> = listpack.iter().rev().map(Element::to_vec).collect();
    back.reverse();
    assert_eq!(back, model);
    assert_eq!((listpack.len(), listpack.is_empty()), (model.len(), model.is_empty()));
    let bytes = listpack.as_bytes().to_vec();
    assert_eq!(Listpack::from_bytes(bytes).expect("it is one").as_bytes(), listpack.as_bytes());
}

/// Does one change to both.
fn change(listpack: &mut Listpack, model: &mut Vec<Vec<u8>>, kind: u8, place: usize, text: &[u8]) {
    let at = place % (model.len() + 1);
    let position: Option<Position> = listpack.seek(at);
    assert_eq!(position.is_some(), at < model.len());
    match (kind % 6, position) {
        (0, _) => {
            listpack.push_back(text);
            model.push(text.to_vec());
        }
        (1, _) => {
            listpack.push_front(text);
            model.insert(0, text.to_vec());
        }
        (2, _) => {
            listpack.insert(position, &[Element::new(text), Element::new(b"second")]);
            model.splice(at..at, [text.to_vec(), b"second".to_vec()]);
        }
        (3, Some(position)) => {
            listpack.replace(position, text);
            model[at] = text.to_vec();
            assert_eq!(listpack.get(position).to_vec(), text);
        }
        (4, Some(position)) => {
            let count = text.len() + 1;
            let next = listpack.remove(position, count);
            model.drain(at..(at + count).min(model.len()));
            assert_eq!(next.map(|next| listpack.get(next).to_vec()).as_ref(), model.get(at));
        }
        _ => {
            let found = listpack.find(listpack.first(), text, 1);
            let expected = model.iter().position(|element| element == text);
            assert_eq!(found, expected.and_then(|index| listpack.seek(index)));
        }
    }
}

fuzz_target!(|data: &[u8]| {
    // As it is.
    if let Ok(listpack) = Listpack::from_bytes(data.to_vec()) {
        check(&listpack, &texts(&listpack));
    }
    let Some((&[len, counted], rest)) = data.split_first_chunk::<2>() else { return };
    let (elements, changes) = rest.split_at(usize::from(len).min(rest.len()));
    let mut bytes = (elements.len() as u32 + 7).to_le_bytes().to_vec();
    let counted = if counted == u8::MAX { u16::MAX } else { u16::from(counted) };
    bytes.extend(counted.to_le_bytes());
    bytes.extend(elements);
    bytes.push(0xff);
    let Ok(mut listpack) = Listpack::from_bytes(bytes) else { return };
    let mut model = texts(&listpack);
    check(&listpack, &model);
    for step in changes.chunks_exact(3).take(64) {
        let long;
        let text = match usize::from(step[2]) {
            which if which < TEXTS.len() => TEXTS[which],
            len => {
                long = vec![b'x'; if len > 240 { len * len / 8 } else { len }];
                &long
            }
        };
        change(&mut listpack, &mut model, step[0], usize::from(step[1]), text);
        assert_eq!(listpack.len(), model.len());
    }
    check(&listpack, &model);
});
