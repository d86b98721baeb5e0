//! Compares output with what a page says of it, where `...` stands for anything.

/// Whether the output is what the page says. A line `...` stands for any number of lines, `...` within a line for any text; blanks at the end of a line,
/// and blank lines at both ends, say nothing.
pub(super) fn matches(expected: &str, actual: &str) -> bool {
    let expected: Vec<&str> = expected.trim().lines().map(str::trim_end).collect();
    let actual: Vec<&str> = actual.trim().lines().map(str::trim_end).collect();
    lines_match(&expected, &actual)
}

fn lines_match(expected: &[&str], actual: &[&str]) -> bool {
    match (expected, actual) {
        ([], actual) => actual.is_empty(),
        (["...", rest @ ..], actual) => {
            (0..=actual.len()).any(|skipped| lines_match(rest, &actual[skipped..]))
        }
        ([line, rest @ ..], [first, others @ ..]) => line_matches(line, first) && lines_match(rest, others),
        (_, []) => false,
    }
}

fn line_matches(expected: &str, actual: &str) -> bool {
    let Some((begin, rest)) = expected.split_once("...") else { return expected == actual };
    let Some(mut actual) = actual.strip_prefix(begin) else { return false };
    let (middle, end) = rest.rsplit_once("...").map_or(("", rest), |(middle, end)| (middle, end));
    let Some(inner) = actual.strip_suffix(end) else { return false };
    actual = inner;
    middle.split("...").all(|part| match actual.split_once(part) {
        Some((_, after)) => {
            actual = after;
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: &str, actual: &str, is_match: bool) {
        assert_eq!(matches(expected, actual), is_match, "{expected:?} and {actual:?}");
    }

    #[test]
    fn what_is_written_out_must_be_there() {
        check("a\nb", "a\nb\n", true);
        check("a\nb", "a \nb\n\n", true);
        check("a\nb", "a", false);
        check("a", "a\nb", false);
        check("", "", true);
        check("", "a", false);
    }

    #[test]
    fn a_line_of_dots_is_any_number_of_lines() {
        check("...\nb\n...", "b", true);
        check("...\nb\n...", "a\na\nb\nc", true);
        check("...\nb", "a\nb\nb", true);
        check("...\nb\n...", "a\nc", false);
    }

    #[test]
    fn dots_within_a_line_are_any_text() {
        check("pid ..., port ...!", "pid 7, port 80!", true);
        check("test a ... ok", "test a ... ok", true);
        check("test a ... ok", "test a ... FAILED", false);
        check("a...b...c", "aXc", false);
        check("...b", "ab", true);
        check("a...", "a", true);
        check("ab...ba", "aba", false);
    }
}
