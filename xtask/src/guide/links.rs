//! Checks that the links of the documentation lead somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Pages outside of the guide whose links are checked as well, where they are there.
const OTHERS: [&str; 5] =
    ["README.md", "ARCHITECTURE.md", "BENCHMARKS.md", "CONTRIBUTING.md", "CHANGELOG.md"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_owned()
}

/// The pages of the guide.
fn pages(root: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(root.join("guide/src")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

/// The lines of a page outside of its blocks of code.
fn prose(markdown: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    markdown.lines().filter(move |line| {
        let is_fence = line.starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// Where the links of a page lead: what stands between `](` and `)`.
fn targets(markdown: &str) -> Vec<String> {
    let parts = prose(markdown).flat_map(|line| line.split("](").skip(1));
    parts.filter_map(|part| Some(part.split_once(')')?.0.to_owned())).collect()
}

/// The anchors of a page: its headings in small letters, with dashes for blanks and without marks.
fn anchors(markdown: &str) -> BTreeSet<String> {
    let headings = prose(markdown).filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn links_lead_to_files_and_headings_that_are_there() {
    let root = root();
    let others = OTHERS.iter().map(|name| root.join(name)).filter(|path| path.exists());
    let texts: BTreeMap<PathBuf, String> = pages(&root)
        .into_iter()
        .chain(others)
        .map(|path| (path.clone(), fs::read_to_string(&path).unwrap()))
        .collect();
    let mut broken = Vec::new();
    for (page, text) in &texts {
        for target in targets(text).into_iter().filter(|target| !target.contains("://")) {
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = if file.is_empty() { page.clone() } else { page.with_file_name(file) };
            let markdown = fs::read_to_string(&path).unwrap_or_default();
            if !path.exists() || !anchor.is_empty() && !anchors(&markdown).contains(anchor) {
                broken.push(format!("{}: {target}", page.strip_prefix(&root).unwrap().display()));
            }
        }
    }
    assert!(broken.is_empty(), "these links lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn the_summary_names_every_page_once() {
    let root = root();
    let summary = root.join("guide/src/SUMMARY.md");
    let mut named = targets(&fs::read_to_string(&summary).unwrap());
    named.push("SUMMARY.md".to_owned());
    named.sort();
    let there: Vec<String> =
        pages(&root).iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    let mut there = there;
    there.sort();
    assert_eq!(named, there);
}
