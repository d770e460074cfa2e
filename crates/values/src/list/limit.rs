//! How much one node may hold, as `list-max-listpack-size` says.

/// Lengths for -1 to -5, in bytes.
const LEN_BYTES: [usize; 5] = [4096, 8192, 16384, 32768, 65536];
/// Where elements are counted a node still gets no longer than this, in bytes.
const COUNTED_MAX_LEN_BYTES: usize = 8192;
/// The setting that a quicklist cannot exceed: it has 16 bits for it.
const QUICKLIST_SETTING_MAX: i32 = i16::MAX as i32;

/// A bound of one listpack, in bytes or in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// At most so many bytes, header included.
    LenBytes(usize),
    /// At most so many elements.
    Elements(usize),
}

impl Limit {
    /// What the setting means for a list that is one listpack.
    pub fn new(setting: i32) -> Limit {
        match usize::try_from(setting) {
            // A node has at least one element.
            Ok(elements) => Limit::Elements(elements.max(1)),
            Err(_) => {
                let level = setting.unsigned_abs() as usize - 1;
                Limit::LenBytes(LEN_BYTES[level.min(LEN_BYTES.len() - 1)])
            }
        }
    }

    /// What it means for the nodes of a quicklist.
    pub fn of_nodes(setting: i32) -> Limit {
        Limit::new(setting.min(QUICKLIST_SETTING_MAX))
    }

    /// The setting that means this; 1 for 0, which means the same.
    pub fn setting(self) -> i32 {
        match self {
            Limit::Elements(max) => i32::try_from(max).unwrap_or(i32::MAX),
            Limit::LenBytes(max) => {
                let level = LEN_BYTES.iter().position(|len_bytes| *len_bytes == max);
                -1 - level.unwrap_or(LEN_BYTES.len() - 1) as i32
            }
        }
    }

    /// Whether a listpack of so many bytes and elements is too large.
    pub fn is_exceeded(self, len_bytes: usize, elements: usize) -> bool {
        match self {
            Limit::LenBytes(max) => len_bytes > max,
            Limit::Elements(max) => len_bytes > COUNTED_MAX_LEN_BYTES || elements > max,
        }
    }

    /// Whether a quicklist's only node, a listpack of so many bytes and elements, may be all of a list. If that has
    /// just become smaller, half the bound counts, so that it does not go to and fro.
    pub fn admits(self, len_bytes: usize, elements: usize, is_shrinking: bool) -> bool {
        let divisor = if is_shrinking { 2 } else { 1 };
        match self {
            Limit::LenBytes(max) => len_bytes <= max / divisor,
            Limit::Elements(max) => elements <= max / divisor,
        }
    }
}
