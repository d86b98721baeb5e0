//! Names the files of past hours beside a log, and deletes those that are too many.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::clock::hour_name;

/// Moves the file at `path` to the name of `hour`, `<path>.YYYY-MM-DD_HH` in UTC.
///
/// A file that has this name already, after a clock was set back, is kept: the new one gets `.2` and so on.
pub(super) fn put_aside(path: &Path, hour: i64) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(hour_name(hour));
    let mut target = PathBuf::from(&name);
    let mut number = 1_u32;
    while target.symlink_metadata().is_ok() {
        number += 1;
        let mut numbered = name.clone();
        numbered.push(format!(".{number}"));
        target = PathBuf::from(numbered);
    }
    fs::rename(path, target)
}

/// Deletes all but the newest `kept` files that [`put_aside`] named after `path`.
pub(super) fn prune(path: &Path, kept: usize) -> io::Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    let mut past = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(age) = age(name, &entry.file_name())
            && entry.file_type()?.is_file()
        {
            past.push((age, entry.path()));
        }
    }
    past.sort_unstable_by(|(a, _), (b, _)| b.cmp(a));
    past.iter().skip(kept).try_for_each(|(_, path)| fs::remove_file(path))
}

/// How `found` stands in time among the past files of `log`: its hour and number. None for other files.
fn age(log: &OsStr, found: &OsString) -> Option<(String, u32)> {
    let suffix = found.as_encoded_bytes().strip_prefix(log.as_encoded_bytes())?.strip_prefix(b".")?;
    let suffix = std::str::from_utf8(suffix).ok()?;
    let (hour, number) = match suffix.split_once('.') {
        Some((hour, number)) if !number.starts_with(['0', '+']) => (hour, number.parse().ok()?),
        Some(_) => return None,
        None => (suffix, 1),
    };
    let is_hour = hour.len() == "YYYY-MM-DD_HH".len()
        && hour.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            10 => byte == b'_',
            _ => byte.is_ascii_digit(),
        });
    is_hour.then(|| (hour.to_owned(), number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_our_making_are_ours() {
        let is_ours = |found: &str| age(OsStr::new("a.log"), &OsString::from(found)).is_some();
        assert!(is_ours("a.log.2026-07-24_10"));
        assert!(is_ours("a.log.2026-07-24_10.2"));
        for other in [
            "a.log",
            "a.log.",
            "a.log.1",
            "a.log.gz",
            "a.log.2026-07-24",
            "a.log.2026-07-24_10.gz",
            "a.log.2026-07-24_10.+2",
            "a.log.2026-07-24_10.02",
            "a.log.2026-07-24_1x",
            "a.log-2026-07-24_10",
            "b.log.2026-07-24_10",
            "ba.log.2026-07-24_10",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }

    #[test]
    fn a_taken_name_is_not_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.log");
        for text in ["first", "second", "third"] {
            fs::write(&path, text).expect("a file");
            put_aside(&path, 0).expect("moved");
        }
        let read =
            |suffix: &str| fs::read_to_string(folder.path().join(format!("a.log.1970-01-01_00{suffix}")));
        assert_eq!(read("").expect("kept"), "first");
        assert_eq!(read(".2").expect("kept"), "second");
        assert_eq!(read(".3").expect("kept"), "third");
        prune(&path, 1).expect("pruned");
        assert!(read("").is_err() && read(".2").is_err());
        assert_eq!(read(".3").expect("the newest"), "third");
    }
}
