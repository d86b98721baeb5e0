//! Checks that one file alone names a transport engine.

/// The crate of each engine, and the file that names it.
const ENGINES: [(&str, &str); 2] = [
    ("service_framework_zmtp", "crates/connections/src/engine/zmtp.rs"),
    ("zeromq", "crates/connections/src/engine/zeromq.rs"),
];

/// Where an engine may be named: by the tests and examples of our own, by other tests, by chores.
const LEFT_OUT: [&str; 3] = ["crates/zmtp/", "/tests/", "xtask/"];

/// Says which engine a source file names that it may not.
pub(super) fn faults_of(name: &str, text: &str) -> Vec<String> {
    if LEFT_OUT.iter().any(|place| name.contains(place)) {
        return Vec::new();
    }
    let named = ENGINES.iter().filter(|(engine, file)| name != *file && names(text, engine));
    named.map(|(engine, file)| format!("it names the engine {engine}, which {file} alone does")).collect()
}

/// Whether Rust code names a crate, be it in a path or as a whole.
fn names(text: &str, crate_name: &str) -> bool {
    // To a file that has a module of the name, the name is the module's.
    let is_module = text.contains(&format!("mod {crate_name};"));
    let code = text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    !is_module && code.into_iter().any(|line| line_names(line, crate_name))
}

fn line_names(line: &str, crate_name: &str) -> bool {
    let is_of_a_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(crate_name).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + crate_name.len()..]);
        // `::name` is the crate, `engine::name` something else.
        let outer = before.strip_suffix("::").unwrap_or(before);
        let begins = !outer.ends_with(is_of_a_word);
        let is_path = begins && after.starts_with("::");
        let is_whole = ["use ", "extern crate "].iter().any(|word| outer.ends_with(word));
        is_path || is_whole && !after.starts_with(is_of_a_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, text: &str, expected: &[&str]) {
        assert_eq!(faults_of(name, text), expected, "{text}");
    }

    #[test]
    fn an_engine_is_named_by_its_file_alone() {
        let zmtp = "it names the engine service_framework_zmtp, which crates/connections/src/engine/zmtp.rs alone does";
        let other = "it names the engine zeromq, which crates/connections/src/engine/zeromq.rs alone does";
        let both = "use service_framework_zmtp::{Error, SocketType};\nuse zeromq::{PubSocket};\n";
        check("crates/connections/src/replyer.rs", both, &[zmtp, other]);
        check("crates/connections/src/engine/zmtp.rs", both, &[other]);
        check("crates/connections/src/engine/zeromq.rs", both, &[zmtp]);
        check("crates/connections/tests/peers.rs", both, &[]);
        check("crates/zmtp/examples/peer.rs", both, &[]);
        for text in ["pub(crate) use zeromq as engine;", "extern crate zeromq;", "Box<dyn ::zeromq::Socket>"]
        {
            check("crates/runtime/src/sockets.rs", text, &[other]);
        }
    }

    #[test]
    fn what_is_only_called_alike_is_no_engine() {
        let texts = [
            "if engine == \"zeromq\" {",
            "//! The `zeromq` crate: zeromq::Socket.",
            "let socket = engine::zeromq::Zeromq;",
            "use crate::engine::zeromq;",
            "use my_zeromq::Socket;",
            "pub mod zeromq;\nRc::new(zeromq::Zeromq)",
        ];
        for text in texts {
            check("crates/connections/src/engine.rs", text, &[]);
        }
    }
}
