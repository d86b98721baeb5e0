//! Which names a service may have: those that are both a crate's and a Rust identifier.

/// Words that no crate may be called, and crates that every crate has already.
const TAKEN: [&str; 58] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc_macro",
    "pub",
    "ref",
    "return",
    "self",
    "service_framework",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "xtask",
    "yield",
];

/// Types that the new service uses beside its own.
const USED: [&str; 8] = ["Config", "Greeting", "Harness", "Ok", "Person", "Result", "Self", "String"];

/// The longest name. The names of files have it in them.
const LONGEST: usize = 64;

/// Says why a name cannot be a service's, if it cannot.
pub(super) fn check(name: &str) -> Result<(), String> {
    if !is_well_formed(name) {
        let legal = Some(legal(name)).filter(|legal| is_well_formed(legal));
        let hint = legal.map(|legal| format!(": write `{legal}`")).unwrap_or_default();
        return Err(format!("it is made of a-z, 0-9 and _, and begins with a letter{hint}"));
    }
    if name.len() > LONGEST {
        return Err(format!("it has {} letters, {LONGEST} are the most", name.len()));
    }
    if TAKEN.contains(&name) || name.starts_with("service_framework") {
        return Err("Rust or the framework has it already".into());
    }
    Ok(())
}

fn is_well_formed(name: &str) -> bool {
    let is_legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(is_legal)
}

/// The name with what is written otherwise elsewhere as it is written here: `HostBoard` and `host-board` give `host_board`.
fn legal(name: &str) -> String {
    let mut legal = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && legal.ends_with(|c: char| c.is_ascii_lowercase()) {
            legal.push('_');
        }
        legal.push(if matches!(c, '-' | ' ') { '_' } else { c.to_ascii_lowercase() });
    }
    legal
}

/// The name of the service's type: `host_board` gives `HostBoard`.
pub(super) fn of_type(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    };
    let name: String = name.split('_').map(word).collect();
    if USED.contains(&&*name) { name + "Service" } else { name }
}

/// A port that is the same for a name whenever it is asked for, below those that systems give out.
pub(super) fn port(name: &str) -> u16 {
    let hash = name.bytes().fold(0_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    20_000 + u16::try_from(hash % 10_000).expect("it is less than 10,000")
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "a literal reads best at the call")]
    #[track_caller]
    fn refused(name: &str, expected: Expect) {
        expected.assert_eq(&check(name).expect_err("no name for a service"));
    }

    #[test]
    fn a_name_that_is_none_is_refused_with_one_that_is() {
        refused("", expect!["it is made of a-z, 0-9 and _, and begins with a letter"]);
        refused(
            "HostBoard",
            expect!["it is made of a-z, 0-9 and _, and begins with a letter: write `host_board`"],
        );
        refused(
            "host-board",
            expect!["it is made of a-z, 0-9 and _, and begins with a letter: write `host_board`"],
        );
        refused("../up", expect!["it is made of a-z, 0-9 and _, and begins with a letter"]);
        refused("7th", expect!["it is made of a-z, 0-9 and _, and begins with a letter"]);
        refused("größe", expect!["it is made of a-z, 0-9 and _, and begins with a letter"]);
        refused("match", expect!["Rust or the framework has it already"]);
        refused("service_framework_core", expect!["Rust or the framework has it already"]);
        refused(&"x".repeat(65), expect!["it has 65 letters, 64 are the most"]);
    }

    #[test]
    fn the_type_is_called_as_the_service_unless_it_would_hide_another() {
        for (name, expected) in
            [("host_board", "HostBoard"), ("x", "X"), ("a__b_", "AB"), ("result", "ResultService")]
        {
            assert_eq!(of_type(name), expected);
        }
    }
}
