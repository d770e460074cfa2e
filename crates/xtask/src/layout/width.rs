//! How wide lines are.

/// Columns that a line has at most. Of code `cargo fmt` makes fewer where it can; comments, strings and macros are not
/// its business.
const MAX_COLUMNS: usize = 120;

/// The lines of a file that are wider.
pub fn check(shown: &str, text: &str) -> Vec<String> {
    let is_markdown = shown.ends_with(".md");
    let wide = text.lines().zip(1..).filter_map(|(line, number)| {
        let columns = line.chars().count();
        (columns > MAX_COLUMNS && !must_be_one_line(line, is_markdown))
            .then(|| format!("{shown}:{number}: {columns} columns, and a line has at most {MAX_COLUMNS}"))
    });
    wide.collect()
}

/// Markdown has nothing else for it: it is a row of a table, or has no space where it could be parted.
fn must_be_one_line(line: &str, is_markdown: bool) -> bool {
    let line = line.trim_start();
    let comment = line.strip_prefix("//! ").or_else(|| line.strip_prefix("/// "));
    let markdown = comment.or_else(|| is_markdown.then_some(line));
    markdown.is_some_and(|text| text.starts_with('|') || !text.trim().contains(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_lines_are_told_unless_they_are_rows_of_tables_or_links() {
        let wide = "é ".repeat(60) + "é";
        let told = ["f:2: 121 columns, and a line has at most 120"];
        assert_eq!(check("f", &format!("{}\n{wide}\n", "é ".repeat(60))), told);
        assert_eq!(check("f.md", &wide).len(), 1);
        assert_eq!(check("f.md", &format!("| {wide}\n{}", "x".repeat(121))), [""; 0]);
        assert_eq!(check("f.rs", &format!("| {wide}")).len(), 1);
        assert_eq!(check("f.rs", &format!("    /// {wide}\n//! | {wide}\n")).len(), 1);
    }
}
