//! The text of INFO while it is written.

use std::fmt::{Display, Write as _};

/// Headings and `name:value` lines.
#[derive(Default)]
pub struct Page {
    text: String,
}

impl Page {
    /// Begins a section, behind an empty line if it is not the first.
    pub fn begin(&mut self, title: &str) {
        if !self.text.is_empty() {
            self.text.push_str("\r\n");
        }
        let _ = write!(self.text, "# {title}\r\n");
    }

    /// A line.
    pub fn line(&mut self, name: &str, value: impl Display) {
        let _ = write!(self.text, "{name}:{value}\r\n");
    }

    /// A line for each, all of the same value: what there is none of.
    pub fn lines(&mut self, names: &[&str], value: impl Display) {
        names.iter().for_each(|name| self.line(name, &value));
    }

    /// Two lines: a number of bytes, and the same for people.
    pub fn bytes(&mut self, name: &str, bytes: u64) {
        self.line(name, bytes);
        let _ = write!(self.text, "{name}_human:{}\r\n", human(bytes));
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.text.into_bytes()
    }
}

/// `512B`, `1.50K`, `899.44M`.
pub fn human(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let mut value = bytes as f64 / 1024.0;
    for (unit, limit_exponent) in [('K', 20), ('M', 30), ('G', 40), ('T', 50), ('P', 60)] {
        if bytes < 1 << limit_exponent {
            return format!("{value:.2}{unit}");
        }
        value /= 1024.0;
    }
    format!("{bytes}B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_for_people() {
        // The middle two recorded from Valkey 7.2.7.
        for (bytes, text) in [
            (0, "0B"),
            (1023, "1023B"),
            (921_024, "899.44K"),
            (25_274_793_984, "23.54G"),
            (1 << 20, "1.00M"),
            (1 << 59, "512.00P"),
            (1 << 60, "1152921504606846976B"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }
}
