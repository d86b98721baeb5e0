//! What the author of a service reads when something is written in a wrong way.
//!
//! The texts stand beside the programs. `TRYBUILD=overwrite cargo test -p service-framework --test compile_errors` writes them anew, to be read
//! before they are kept. They are those of the compiler that the workspace names as its `rust-version`.

#[test]
fn each_mistake_is_named_where_it_stands() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_errors/*.rs");
    #[cfg(not(feature = "tokio"))]
    cases.compile_fail("tests/compile_errors/without_tokio/*.rs");
}
