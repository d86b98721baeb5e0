//! Writes lines to a file that begins anew each hour, and comes back after a full disk or a removed folder.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use super::clock::hour;
use super::level::Level;
use super::queue::Batch;
use super::{LogError, line, rotation};

/// The current file of a log, and those of past hours beside it.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    service: String,
    backup_count: usize,
    /// None after a fault, until the file can be opened again.
    current: Option<Current>,
    /// When the last line came.
    at: SystemTime,
    /// How many lost lines the file tells of.
    told: u64,
    /// Why lines were lost, as the system said it.
    fault: Option<String>,
    /// Why the file of a past hour is still the current one, and whether the file tells of it.
    unmoved: Option<(String, Told)>,
}

#[derive(Debug)]
struct Current {
    file: File,
    metadata: Metadata,
    /// The hour of its lines, counted from 1970.
    hour: i64,
    /// A crash or a full disk left half a line at its end.
    is_torn: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Told {
    Yes,
    No,
}

impl LogFile {
    /// Opens the log at `path`, or in the folder `path` as `<service>.log`.
    pub(super) fn open(
        path: &Path,
        service: &str,
        backup_count: usize,
        at: SystemTime,
    ) -> Result<Self, LogError> {
        let path = place(path, service);
        // A service may change its working folder; its log stays where it was asked for.
        let path = std::path::absolute(&path).map_err(|cause| LogError::Open { path, cause })?;
        let mut file = Self {
            path,
            service: service.to_owned(),
            backup_count,
            current: None,
            at,
            told: 0,
            fault: None,
            unmoved: None,
        };
        if let Some(folder) = file.path.parent() {
            fs::create_dir_all(folder)
                .map_err(|cause| LogError::Folder { folder: folder.to_owned(), cause })?;
        }
        if !is_for_lines(&file.path) {
            return Err(LogError::NotAFile { path: file.path });
        }
        if let Err(cause) = file.prepare(hour(at)) {
            return Err(LogError::Open { path: file.path, cause });
        }
        // Too many files of past hours are an untidy folder, not a reason not to start.
        let _ = rotation::prune(&file.path, backup_count);
        Ok(file)
    }

    /// Writes the lines of `batch`, or counts them as lost.
    pub(super) fn write(&mut self, batch: &Batch, lost: &AtomicU64) {
        self.at = batch.at;
        let told = lost.load(Ordering::Relaxed);
        if let Err(cause) = self.prepare(batch.hour).and_then(|()| self.tell(told)) {
            self.fail(&cause, batch.lines, lost);
            return;
        }
        if let Err((written, cause)) = self.append(&batch.text) {
            let whole = batch.text.as_bytes()[..written].iter().filter(|byte| **byte == b'\n').count();
            self.fail(&cause, batch.lines - whole as u64, lost);
        }
    }

    /// Says a last time what was lost, if the file can take it.
    pub(super) fn finish(&mut self, lost: &AtomicU64) {
        let told = lost.load(Ordering::Relaxed);
        if told > self.told {
            // What cannot be written at the end stays unsaid; it is counted.
            let _ = self.prepare(hour(self.at)).and_then(|()| self.tell(told));
        }
    }

    fn fail(&mut self, cause: &io::Error, lines: u64, lost: &AtomicU64) {
        lost.fetch_add(lines, Ordering::Relaxed);
        self.fault = Some(cause.to_string());
        // A file that failed may be on a disk that is gone; the next lines open it again, or another.
        self.current = None;
    }

    /// Makes the current file the one for `hour`, at its path.
    fn prepare(&mut self, hour: i64) -> io::Result<()> {
        if let Some(current) = &self.current
            && !current.stands_at(&self.path)
        {
            self.current = None;
        }
        let current = match self.current.take() {
            Some(current) => current,
            None => Current::open(&self.path, hour)?,
        };
        if current.hour >= hour || !current.metadata.is_file() {
            self.current = Some(current);
            return Ok(());
        }
        match rotation::put_aside(&self.path, current.hour) {
            Ok(()) => {
                self.unmoved = None;
                self.current = Some(Current::open(&self.path, hour)?);
                // As at the start: an untidy folder is no reason to lose a line.
                let _ = rotation::prune(&self.path, self.backup_count);
            }
            Err(cause) => {
                self.unmoved.get_or_insert((cause.to_string(), Told::No));
                self.current = Some(current);
            }
        }
        Ok(())
    }

    /// Writes what the file has to say of itself before its next lines.
    fn tell(&mut self, lost: u64) -> io::Result<()> {
        let mut text = String::new();
        if self.current.as_ref().is_some_and(|current| current.is_torn) {
            text.push('\n');
        }
        if lost > self.told {
            let why = self.fault.as_deref().unwrap_or("they came faster than they could be written");
            self.notice(&mut text, &format!("lost {} of this log's lines: {why}", lost - self.told));
        }
        if let Some((why, Told::No)) = &self.unmoved {
            self.notice(&mut text, &format!("this log still holds a past hour, it cannot be renamed: {why}"));
        }
        if text.is_empty() {
            return Ok(());
        }
        self.append(&text).map_err(|(_, cause)| cause)?;
        self.told = lost;
        self.fault = None;
        if let Some((_, told)) = &mut self.unmoved {
            *told = Told::Yes;
        }
        Ok(())
    }

    fn notice(&self, text: &mut String, message: &str) {
        line::columns(text, self.at, &self.service, module_path!(), None);
        line::message(text, Level::Warn, message);
    }

    /// Appends `text`; a failure says how many bytes of it were written.
    fn append(&mut self, text: &str) -> Result<(), (usize, io::Error)> {
        let Some(current) = &mut self.current else {
            return Err((0, io::Error::from(io::ErrorKind::NotFound)));
        };
        let mut written = 0;
        while written < text.len() {
            match current.file.write(&text.as_bytes()[written..]) {
                Ok(0) => return Err((written, io::Error::from(io::ErrorKind::WriteZero))),
                Ok(more) => written += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err((written, error)),
            }
        }
        current.is_torn = false;
        Ok(())
    }
}

impl Current {
    /// Opens or makes the file at `path`; lines that it holds are of the hour in which it was last written.
    fn open(path: &Path, hour_now: i64) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        if !is_for_lines(path) {
            return Err(io::Error::other("neither a file nor a device"));
        }
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let metadata = file.metadata()?;
        let holds_lines = metadata.is_file() && metadata.len() > 0;
        let hour = if holds_lines { hour(metadata.modified()?) } else { hour_now };
        // A file that may be written but not read is taken to end as it should.
        let is_torn = holds_lines && last_byte(path).is_ok_and(|byte| byte != b'\n');
        Ok(Self { file, metadata, hour, is_torn })
    }

    /// Whether the file at `path` is still this one: neither removed nor replaced.
    fn stands_at(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|found| is_same(&found, &self.metadata))
    }
}

#[cfg(unix)]
fn is_same(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// Where files have no number that can be read, one of the same age is the same.
#[cfg(not(unix))]
fn is_same(a: &Metadata, b: &Metadata) -> bool {
    a.created().ok() == b.created().ok()
}

fn last_byte(path: &Path) -> io::Result<u8> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::End(-1))?;
    let mut byte = [0];
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// The file that `path` means for `service`.
fn place(path: &Path, service: &str) -> PathBuf {
    let ends_as_folder = path
        .as_os_str()
        .as_encoded_bytes()
        .last()
        .is_some_and(|byte| std::path::is_separator(char::from(*byte)));
    if !ends_as_folder && !path.is_dir() {
        return path.to_owned();
    }
    // A service's name is the author's; it must not lead out of the folder that the operator gave.
    let name = service.replace(|c: char| std::path::is_separator(c) || c.is_control(), "_");
    path.join(format!("{name}.log"))
}

/// Whether `path` is free, a file, or a device that takes lines; opening a pipe would wait for its reader.
fn is_for_lines(path: &Path) -> bool {
    let Ok(found) = fs::metadata(path) else { return true };
    found.is_file() || is_device(&found)
}

#[cfg(unix)]
fn is_device(found: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;

    found.file_type().is_char_device()
}

#[cfg(not(unix))]
fn is_device(_: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn lines_that_came_too_fast_are_told_of_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.log");
        let mut file = LogFile::open(&path, "board", 1, UNIX_EPOCH).expect("opens");
        let lost = AtomicU64::new(3);
        for text in ["one\n", "two\n"] {
            file.write(&Batch { at: UNIX_EPOCH, hour: 0, text: text.to_owned(), lines: 1 }, &lost);
        }
        file.finish(&lost);
        let notice = concat!(
            "1970-01-01 00:00:00,000 - board:service_framework_runtime::log::file - - - WARNING - ",
            "lost 3 of this log's lines: they came faster than they could be written\n"
        );
        assert_eq!(fs::read_to_string(path).expect("written"), format!("{notice}one\ntwo\n"));
        assert_eq!(lost.into_inner(), 3);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_cannot_be_renamed_goes_on_and_says_so_once() {
        // A name of 255 bytes is legal, and leaves no room for the hour behind it.
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a".repeat(255));
        let mut file = LogFile::open(&path, "board", 1, UNIX_EPOCH).expect("opens");
        let lost = AtomicU64::new(0);
        for (hour, text) in ["one\n", "two\n", "three\n"].into_iter().enumerate() {
            let hour = i64::try_from(hour).expect("small");
            // The file is of 1970 while it is not opened again.
            file.write(&Batch { at: UNIX_EPOCH, hour, text: text.to_owned(), lines: 1 }, &lost);
        }
        let written = fs::read_to_string(path).expect("written");
        assert_eq!(written.matches("it cannot be renamed").count(), 1, "{written}");
        assert!(written.starts_with("one\n") && written.ends_with("\ntwo\nthree\n"), "{written}");
        assert_eq!(lost.into_inner(), 0);
    }
}
