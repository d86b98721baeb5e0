//! The first 64 bytes of either side.

use super::shown;
use crate::Error;

/// Bytes of a greeting.
pub(super) const LENGTH: usize = 64;

/// The version that is spoken to peers of this one or a later one.
const VERSION: (u8, u8) = (3, 1);
const MECHANISM: std::ops::Range<usize> = 12..32;
const AS_SERVER: usize = 32;

/// What this side says first.
pub(super) fn write(mechanism: &str, is_server: bool) -> [u8; LENGTH] {
    let mut greeting = [0; LENGTH];
    (greeting[0], greeting[9]) = (0xff, 0x7f);
    (greeting[10], greeting[11]) = VERSION;
    greeting[MECHANISM][..mechanism.len()].copy_from_slice(mechanism.as_bytes());
    greeting[AS_SERVER] = is_server.into();
    greeting
}

/// What the peer said first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Greeting {
    /// The second number of the version that both speak.
    pub(super) minor: u8,
    pub(super) is_server: bool,
}

/// Tells a stranger as soon as its bytes do not fit, which may be long before there are enough of them.
pub(super) fn check(bytes: &[u8]) -> Result<(), Error> {
    let signs = [(0, 0xff), (9, 0x7f)];
    // Peers of an old version send these ten bytes, too; what is between was the length of something once.
    match signs.iter().all(|(at, sign)| bytes.get(*at).is_none_or(|byte| byte == sign)) {
        false => Err(Error::NotZmtp),
        true => match bytes.get(10) {
            Some(major @ 0..3) => Err(Error::Version { major: *major }),
            _ => Ok(()),
        },
    }
}

/// Reads a greeting, which was checked before.
pub(super) fn read(bytes: &[u8; LENGTH], ours: &'static str) -> Result<Greeting, Error> {
    check(bytes)?;
    let (name, padding) = bytes[MECHANISM]
        .split_at(bytes[MECHANISM].iter().position(|byte| *byte == 0).unwrap_or(MECHANISM.len()));
    if name != ours.as_bytes() || padding.iter().any(|byte| *byte != 0) {
        return Err(Error::Mechanism { theirs: shown(name), ours });
    }
    let (major, minor) = (bytes[10], bytes[11]);
    let minor = if major > VERSION.0 { VERSION.1 } else { minor.min(VERSION.1) };
    match bytes[AS_SERVER] {
        is_server @ (0 | 1) => Ok(Greeting { minor, is_server: is_server == 1 }),
        _ => Err(Error::Malformed("a greeting with a flag that is neither 0 nor 1")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let greeting = write("NULL", false);
        assert_eq!(read(&greeting, "NULL"), Ok(Greeting { minor: 1, is_server: false }));
        let greeting = write("PLAIN", true);
        assert_eq!(read(&greeting, "PLAIN"), Ok(Greeting { minor: 1, is_server: true }));
    }

    #[test]
    fn versions() {
        let of = |major, minor| {
            let mut greeting = write("NULL", false);
            (greeting[10], greeting[11]) = (major, minor);
            read(&greeting, "NULL").map(|greeting| greeting.minor)
        };
        assert_eq!(of(3, 0), Ok(0));
        assert_eq!(of(3, 7), Ok(1));
        assert_eq!(of(4, 0), Ok(1));
        assert_eq!(of(1, 0), Err(Error::Version { major: 1 }));
    }

    #[test]
    fn strangers_are_told_by_their_first_byte() {
        assert_eq!(check(b"GET / HTTP/1.1\r\n"), Err(Error::NotZmtp));
        assert_eq!(check(b""), Ok(()));
        assert_eq!(check(&[0xff, 0, 0, 0, 0, 0, 0, 0, 1]), Ok(()));
        assert_eq!(check(&[0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0]), Err(Error::NotZmtp));
        assert_eq!(check(&[0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 2]), Err(Error::Version { major: 2 }));
    }

    #[test]
    fn other_mechanisms_are_named() {
        let greeting = write("CURVE", true);
        let wanted = Error::Mechanism { theirs: "CURVE".into(), ours: "NULL" };
        assert_eq!(read(&greeting, "NULL"), Err(wanted));
    }
}
