//! The corpus holds to the laws of its targets, also where there is no fuzzer.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use service_framework_fuzz::TARGETS;

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

#[test]
fn each_target_has_its_corpus_and_none_is_left_over() {
    let folders = entries(&corpus());
    let folders: BTreeSet<_> = folders.iter().filter_map(|folder| folder.file_name()?.to_str()).collect();
    assert_eq!(folders, TARGETS.iter().map(|(name, _)| *name).collect());
}

#[test]
fn the_corpus_passes() {
    for (name, run) in TARGETS {
        let files = entries(&corpus().join(name));
        assert!(files.len() >= 5, "the corpus of {name} has lost some");
        for file in files {
            // A law that does not hold panics, and this line says for which input.
            eprintln!("{name}: {}", file.display());
            run(&fs::read(&file).unwrap());
        }
    }
}
