//! Indices of elements. Negative ones count from the end.

/// The element with this index in a list of `len`; `None` if there is none.
pub(super) fn element(index: i64, len: usize) -> Option<usize> {
    let from_front = if index < 0 { (len as i64).checked_add(index)? } else { index };
    usize::try_from(from_front).ok().filter(|index| *index < len)
}

/// The first element from index `start` to index `stop`, both included, and how many they are.
pub(super) fn range(start: i64, stop: i64, len: usize) -> Option<(usize, usize)> {
    let len = len as i64;
    let from_front = |index: i64| if index < 0 { len + index } else { index };
    let (start, stop) = (from_front(start).max(0), from_front(stop).min(len - 1));
    (start <= stop).then(|| (start as usize, (stop - start + 1) as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_count_from_either_end() {
        assert_eq!(element(2, 3), Some(2));
        assert_eq!(element(3, 3), None);
        assert_eq!(element(-3, 3), Some(0));
        assert_eq!(element(-4, 3), None);
        assert_eq!(element(i64::MIN, 3), None);
        assert_eq!(range(0, -1, 3), Some((0, 3)));
        assert_eq!(range(-100, 100, 3), Some((0, 3)));
        assert_eq!(range(1, 1, 3), Some((1, 1)));
        assert_eq!(range(2, 1, 3), None);
        assert_eq!(range(3, 5, 3), None);
        assert_eq!(range(0, -4, 3), None);
        assert_eq!(range(i64::MIN, i64::MAX, 3), Some((0, 3)));
        assert_eq!(range(i64::MAX, i64::MIN, 3), None);
    }
}
