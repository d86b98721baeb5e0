//! The sample of the guide that is a test itself, and that the guide shows it as it is.

#[path = "guide/testing.rs"]
mod testing;

#[test]
fn the_page_on_testing_shows_its_sample() {
    let page = include_str!("../../../guide/src/testing.md");
    let sample = include_str!("guide/testing.rs");
    assert!(
        page.contains(&format!("```rust,ignore\n{sample}```\n")),
        "copy tests/guide/testing.rs into guide/src/testing.md"
    );
}
