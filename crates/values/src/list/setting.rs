//! What a list must be told to change its form.

use crate::listpack;

/// Where nodes begin and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListSetting {
    /// See [`Thresholds::list_max_listpack_size`](crate::Thresholds::list_max_listpack_size).
    pub max_listpack_size: i32,
    /// See [`Thresholds::list_large_len_bytes`](crate::Thresholds::list_large_len_bytes).
    pub large_len_bytes: u32,
}

impl ListSetting {
    /// What is large if nobody has said otherwise, in bytes: what would not fit into a listpack.
    pub const LARGE_LEN_BYTES: u32 = listpack::MAX_LEN_BYTES as u32;

    /// Whether an element gets a node of its own, without a listpack, in a list of several nodes.
    #[inline]
    pub(super) fn is_large(self, element: &[u8]) -> bool {
        // Whatever is said, no listpack has room for more.
        element.len() >= listpack::MAX_LEN_BYTES.min(self.large_len_bytes as usize)
    }
}

impl From<i32> for ListSetting {
    fn from(max_listpack_size: i32) -> ListSetting {
        ListSetting { max_listpack_size, large_len_bytes: ListSetting::LARGE_LEN_BYTES }
    }
}
