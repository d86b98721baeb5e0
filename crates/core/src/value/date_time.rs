//! Points in time with their offset from UTC, as RFC 3339 writes them.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A point in time with its offset from UTC; text in the form of [RFC 3339] on the wire.
///
/// It is [`time::OffsetDateTime`] and derefs to it. Times from year 0 to 9999, to the nanosecond.
///
/// [RFC 3339]: https://www.rfc-editor.org/rfc/rfc3339
///
/// ```
/// use service_framework_core::value::DateTime;
/// let time: DateTime = "2026-11-21T06:15:00.5+01:00".parse()?;
/// assert_eq!(time.to_string(), "2026-11-21T06:15:00.5+01:00");
/// assert_eq!(time, "2026-11-21T05:15:00.5Z".parse()?);
/// # Ok::<(), time::error::Parse>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(OffsetDateTime);

impl DateTime {
    /// The time of this machine's clock, in UTC.
    pub fn now() -> Self {
        Self(OffsetDateTime::now_utc())
    }
}

impl From<OffsetDateTime> for DateTime {
    fn from(time: OffsetDateTime) -> Self {
        Self(time)
    }
}

impl Deref for DateTime {
    type Target = OffsetDateTime;

    fn deref(&self) -> &OffsetDateTime {
        &self.0
    }
}

impl FromStr for DateTime {
    type Err = time::error::Parse;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        OffsetDateTime::parse(text, &Rfc3339).map(Self)
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // RFC 3339 has no years beyond 9999 and no seconds in the offset; such a time shows as the library prints it.
        match self.0.format(&Rfc3339) {
            Ok(text) => f.pad(&text),
            Err(_) => self.0.fmt(f),
        }
    }
}
