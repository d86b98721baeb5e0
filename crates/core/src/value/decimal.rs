//! Decimal numbers of any precision, as Python's `Decimal` writes them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// A decimal number of any precision, with its digits exactly as they were written.
///
/// `100.50` stays `100.50` when it is sent on, and equals `100.5`. The special values of Python's `Decimal` (and of
/// IEEE 754) are values here too: `NaN`, `sNaN`, `Infinity` and `-Infinity` arrive, compare and are sent unchanged; a handler that must not see them asks
/// [`Decimal::is_finite`]. For the order to be total (a decimal may be a key), a NaN equals every other NaN and sorts last.
///
/// For arithmetic, hand [`as_str`](Self::as_str) to the decimal library of your choice, or take [`to_f64`](Self::to_f64).
///
/// ```
/// use service_framework_core::value::Decimal;
/// let price: Decimal = "123.3210".parse()?;
/// assert_eq!(price, "1.23321E2".parse()?);
/// assert_eq!(price.to_string(), "123.3210");
/// assert!(price < Decimal::from(124));
/// # Ok::<(), service_framework_core::value::NotADecimal>(())
/// ```
#[derive(Clone, Debug)]
pub struct Decimal(Box<str>);

/// A text that is no decimal number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is not a decimal number", crate::fault::quoted(.0))]
pub struct NotADecimal(String);

/// A decimal taken apart: what equal numbers have in common.
struct Parts<'a> {
    negative: bool,
    kind: Kind<'a>,
}

enum Kind<'a> {
    /// `0.d1d2d3.. * 10^exponent`, without leading or trailing zeros; both parts may be empty, and are for zero.
    Finite {
        whole: &'a str,
        fraction: &'a str,
        exponent: i128,
    },
    Infinite,
    NotANumber,
}

impl Decimal {
    /// The number as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a number, rather than NaN or an infinity.
    pub fn is_finite(&self) -> bool {
        matches!(self.parts().kind, Kind::Finite { .. })
    }

    /// Whether it is not a number.
    pub fn is_nan(&self) -> bool {
        matches!(self.parts().kind, Kind::NotANumber)
    }

    /// The nearest float; the infinities and NaN become those of floats.
    pub fn to_f64(&self) -> f64 {
        let Parts { negative, kind } = self.parts();
        match kind {
            Kind::NotANumber => f64::NAN,
            Kind::Infinite if negative => f64::NEG_INFINITY,
            Kind::Infinite => f64::INFINITY,
            Kind::Finite { .. } => self.0.parse().unwrap_or(f64::NAN),
        }
    }

    /// The same number in one form: without signs, zeros and exponents that say nothing, so that equal numbers have the same text.
    ///
    /// ```
    /// use service_framework_core::value::Decimal;
    /// let shortest = |text: &str| text.parse::<Decimal>().map(|decimal| decimal.shortest().to_string());
    /// assert_eq!(shortest("+0100.50")?, "100.5");
    /// assert_eq!(shortest("1E2")?, "100");
    /// assert_eq!(shortest("0.12E-9")?, "1.2E-10");
    /// # Ok::<(), service_framework_core::value::NotADecimal>(())
    /// ```
    #[must_use]
    pub fn shortest(&self) -> Self {
        let Parts { negative, kind } = self.parts();
        let size = match kind {
            Kind::NotANumber => return Self("NaN".into()),
            Kind::Infinite => "Infinity".to_owned(),
            Kind::Finite { whole, fraction, exponent } => written(&format!("{whole}{fraction}"), exponent),
        };
        let text = if negative && size != "0" { format!("-{size}") } else { size };
        // Of an exponent at the end of what there is, there is no other form.
        text.parse().unwrap_or_else(|_| self.clone())
    }

    /// Whether it is a NaN that Python cannot hash.
    pub(crate) fn is_signalling(&self) -> bool {
        self.0.trim_start_matches(['+', '-']).starts_with(['s', 'S'])
    }

    /// Whether Python's `Decimal` has room for its exponent, on 64-bit machines.
    pub(crate) fn fits_python(&self) -> bool {
        const HIGHEST: i128 = 999_999_999_999_999_999;
        const LOWEST: i128 = -1_999_999_999_999_999_997;
        let Kind::Finite { whole, fraction, exponent } = self.parts().kind else { return true };
        let (digits, written) = self.0.split_once(['e', 'E']).unwrap_or((&self.0, "0"));
        let written: i128 = written.parse().expect("checked when it was made");
        let last_place = written - digits.split_once('.').map_or(0, |(_, fraction)| length(fraction));
        let is_zero = whole.is_empty() && fraction.is_empty();
        let first_place = if is_zero { last_place } else { exponent - 1 };
        first_place <= HIGHEST && last_place >= LOWEST
    }

    fn parts(&self) -> Parts<'_> {
        parse(&self.0).expect("checked when it was made")
    }
}

/// Takes a text apart by the grammar of Python's `decimal`, without its underscores and surrounding blanks.
fn parse(text: &str) -> Option<Parts<'_>> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = |word: &str| rest.eq_ignore_ascii_case(word);
    if lower("inf") || lower("infinity") {
        return Some(Parts { negative, kind: Kind::Infinite });
    }
    let is_nan = |head: &str| {
        rest.get(..head.len()).is_some_and(|start| start.eq_ignore_ascii_case(head))
            && rest[head.len()..].bytes().all(|b| b.is_ascii_digit())
    };
    if is_nan("nan") || is_nan("snan") {
        return Some(Parts { negative, kind: Kind::NotANumber });
    }
    let (digits, exponent) = match rest.find(['e', 'E']) {
        Some(e) => (&rest[..e], Some(&rest[e + 1..])),
        None => (rest, None),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let only_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !only_digits(whole) || !only_digits(fraction) {
        return None;
    }
    // Python's own bound is 10^18; more than an i64 is nobody's number.
    let exponent: i64 = exponent.map_or(Some(0), |text| text.parse().ok())?;
    Some(Parts { negative, kind: normal(whole, fraction, exponent.into()) })
}

/// Cuts zeros at both ends, so that equal numbers have equal digits and an equal exponent.
fn normal<'a>(whole: &'a str, fraction: &'a str, exponent: i128) -> Kind<'a> {
    let cut_whole = whole.trim_start_matches('0');
    let (whole, fraction, leading) = if cut_whole.is_empty() {
        let cut = fraction.trim_start_matches('0');
        ("", cut, -length(fraction) + length(cut))
    } else {
        (cut_whole, fraction, length(cut_whole))
    };
    let fraction = fraction.trim_end_matches('0');
    let whole = if fraction.is_empty() { whole.trim_end_matches('0') } else { whole };
    let exponent = if whole.is_empty() && fraction.is_empty() { 0 } else { leading + exponent };
    Kind::Finite { whole, fraction, exponent }
}

/// The number `0.d1d2d3.. * 10^exponent`, with an exponent of its own if it would begin or end with many zeros.
fn written(digits: &str, exponent: i128) -> String {
    const MOST_ZEROS: i128 = 30;
    let length = length(digits);
    if digits.is_empty() {
        return "0".to_owned();
    }
    if exponent > length + MOST_ZEROS || exponent < -5 {
        let (first, more) = digits.split_at(1);
        let point = if more.is_empty() { "" } else { "." };
        return format!("{first}{point}{more}E{:+}", exponent - 1);
    }
    let zeros = |count: i128| "0".repeat(usize::try_from(count).unwrap_or(0));
    if exponent >= length {
        format!("{digits}{}", zeros(exponent - length))
    } else if exponent > 0 {
        let (whole, fraction) = digits.split_at(usize::try_from(exponent).unwrap_or(0));
        format!("{whole}.{fraction}")
    } else {
        format!("0.{}{digits}", zeros(-exponent))
    }
}

fn length(digits: &str) -> i128 {
    digits.len() as i128
}

impl FromStr for Decimal {
    type Err = NotADecimal;

    fn from_str(text: &str) -> Result<Self, NotADecimal> {
        match parse(text) {
            Some(_) => Ok(Self(text.into())),
            None => Err(NotADecimal(text.to_owned())),
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        // NaN last, then by sign, then by size; the size of an infinity is the largest.
        let (a, b) = (self.parts(), other.parts());
        let rank = |parts: &Parts<'_>| match &parts.kind {
            Kind::NotANumber => 3,
            Kind::Finite { whole, fraction, .. } if whole.is_empty() && fraction.is_empty() => 1,
            _ if parts.negative => 0,
            _ => 2,
        };
        rank(&a).cmp(&rank(&b)).then_with(|| match (&a.kind, &b.kind) {
            (Kind::NotANumber, _) => Ordering::Equal,
            (a_kind, b_kind) => {
                let size = compare_size(a_kind, b_kind);
                if a.negative { size.reverse() } else { size }
            }
        })
    }
}

fn compare_size(a: &Kind<'_>, b: &Kind<'_>) -> Ordering {
    match (a, b) {
        (
            Kind::Finite { whole, fraction, exponent },
            Kind::Finite { whole: other_whole, fraction: other_fraction, exponent: other },
        ) => exponent.cmp(other).then_with(|| {
            let digits = whole.bytes().chain(fraction.bytes());
            digits.cmp(other_whole.bytes().chain(other_fraction.bytes()))
        }),
        (Kind::Finite { .. }, _) => Ordering::Less,
        (_, Kind::Finite { .. }) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl Hash for Decimal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Parts { negative, kind } = self.parts();
        match kind {
            Kind::NotANumber => state.write_u8(0),
            Kind::Infinite => state.write_u8(1 + u8::from(negative)),
            Kind::Finite { whole, fraction, exponent } => {
                let is_zero = whole.is_empty() && fraction.is_empty();
                (negative && !is_zero, exponent).hash(state);
                whole.bytes().chain(fraction.bytes()).for_each(|digit| state.write_u8(digit));
            }
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

macro_rules! from_integer {
    ($($int:ty)*) => {$(
        impl From<$int> for Decimal {
            fn from(int: $int) -> Self {
                Self(int.to_string().into())
            }
        }
    )*};
}

from_integer!(i8 i16 i32 i64 i128 u8 u16 u32 u64 u128);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn digits_are_kept_and_equality_is_numeric() {
        for (a, b) in [("1.50", "1.5"), ("0.00", "-0"), ("1E+3", "1000"), ("0.001", "1e-3"), ("+7", "7")] {
            assert_eq!(decimal(a), decimal(b), "{a} {b}");
            assert_eq!(decimal(a).as_str(), a);
        }
        assert_ne!(decimal("10"), decimal("1"));
        assert_ne!(decimal("101"), decimal("1.1"));
    }

    #[test]
    fn equal_numbers_have_one_shortest_form() {
        for (shortest, others) in [
            ("0", &["-0", "0.00", "+0E+7", "000"][..]),
            ("1", &["1.0", "1.00", "+01", "10E-1", "0.1e1"]),
            ("-1.5", &["-1.50", "-15E-1"]),
            ("100", &["1E2", "100.0", "1.00E+2"]),
            ("0.000001", &["1E-6", "0.0000010"]),
            ("1E-7", &["0.0000001", "10E-8"]),
            ("1.2E+40", &["12E39"]),
            ("1E+9223372036854775807", &["1E9223372036854775807"]),
            ("Infinity", &["inf", "+Infinity"]),
            ("-Infinity", &["-INF"]),
            ("NaN", &["nan", "-NaN", "sNaN12"]),
        ] {
            for other in others.iter().chain([&shortest]) {
                assert_eq!(decimal(other).shortest().as_str(), shortest, "{other}");
                assert_eq!(decimal(other), decimal(shortest));
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn the_shortest_form_of_a_number_is_that_number(text in "[+-]?[0-9]{1,12}(\\.[0-9]{0,12})?(E[+-]?[0-9]{1,3})?") {
            let (number, shortest) = (decimal(&text), decimal(&text).shortest());
            proptest::prop_assert_eq!(&shortest, &number);
            let again = shortest.shortest();
            proptest::prop_assert_eq!(again.as_str(), shortest.as_str());
        }

        #[test]
        fn numbers_are_equal_if_their_shortest_forms_are(one in "-?0?[01]\\.?0{0,2}(E[01])?", other in "-?0?[01]\\.?0{0,2}(E[01])?") {
            let (one, other) = (decimal(&one), decimal(&other));
            let (shortest, others) = (one.shortest(), other.shortest());
            proptest::prop_assert_eq!(one == other, shortest.as_str() == others.as_str());
        }
    }

    #[test]
    fn the_order_is_that_of_numbers_with_nan_last() {
        let sorted =
            ["-Infinity", "-1E9", "-2", "-1.5", "-1E-9", "0", "1E-9", "0.5", "1.49", "1.5", "1E999999999999"];
        let sorted: Vec<Decimal> = sorted.iter().chain(&["Infinity", "NaN"]).map(|t| decimal(t)).collect();
        assert!(sorted.windows(2).all(|pair| pair[0] < pair[1]), "{sorted:?}");
    }

    #[test]
    fn python_has_room_for_some_exponents() {
        // Each tried with Python 3.11.
        let held = [
            "1E+999999999999999999",
            "0.001E+1000000000000000001",
            "0.00E+1000000000000000000",
            "1E-1999999999999999997",
            "1.5E-1999999999999999996",
            "sNaN123",
            "-Infinity",
            "12.5",
        ];
        let refused = [
            "1E+1000000000000000000",
            "12E+999999999999999999",
            "0E+1000000000000000000",
            "1E-1999999999999999998",
            "100E-1999999999999999998",
            "1.5E-1999999999999999997",
            "0E-9223372036854775807",
        ];
        assert!(held.iter().all(|text| decimal(text).fits_python()));
        assert!(!refused.iter().any(|text| decimal(text).fits_python()));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in
            ["", ".", "-", "1.2.3", "1e", "e5", "0x10", "1_000", " 1", "nano", "1E99999999999999999999", "१"]
        {
            assert!(text.parse::<Decimal>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_special_values_are_values() {
        assert!(decimal("sNaN123").is_nan() && !decimal("-inf").is_finite());
        assert_eq!(decimal("-Infinity").to_f64(), f64::NEG_INFINITY);
        assert_eq!(decimal("NaN"), decimal("-nan"));
    }
}
