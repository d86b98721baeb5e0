//! Finds unknown arguments that were probably meant as flags.

use std::fmt;

use service_framework_core::model::Shape;
use service_framework_core::near::distance;
use service_framework_core::shown::named;

use crate::words::Flag;

/// An unknown argument that looks like a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slip {
    /// The key as it was written, with its dashes.
    pub(crate) key: String,
    /// The flag that it looks like.
    pub(crate) flag: String,
}

/// What a config makes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It has a field for it.
    Field,
    /// It takes any key.
    Anywhere,
    /// It has no place for it.
    Nowhere,
}

/// The fewest letters that, as the beginning of a flag, stand for it: the original took them for the flag.
const BEGINNING: usize = 3;

/// The slips among keys: those one edit away from a flag, and beginnings of one.
pub(crate) fn slips(keys: &[String], flags: &[Flag]) -> Vec<Slip> {
    keys.iter().filter_map(|key| slip(key, flags)).collect()
}

fn slip(key: &str, flags: &[Flag]) -> Option<Slip> {
    let word = key.trim_start_matches('-');
    // Every letter is one edit away from every other.
    word.chars().nth(1)?;
    let names = flags.iter().flat_map(|flag| &flag.names);
    let mut names = names.map(|name| (name, name.trim_start_matches('-'))).filter(|(_, name)| name.len() > 1);
    let flag = names.clone().find(|(_, name)| distance(word, name) <= 1).or_else(|| {
        names.find(|(_, name)| word.len() >= BEGINNING && name.starts_with(word) && name.len() > word.len())
    });
    flag.map(|(name, _)| Slip { key: key.to_owned(), flag: name.clone() })
}

impl fmt::Display for Slip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} looks like the flag `{}`.", named(&self.key), self.flag)
    }
}

impl Slip {
    /// What the config of this model makes of the key.
    pub(crate) fn place_in(&self, config: &Shape) -> Place {
        let key = self.key.trim_start_matches('-');
        let first = key.split_once('.').map_or(key, |(first, _)| first);
        match config {
            Shape::Record(record) => {
                let is_it = |name: &str| {
                    [key, first].into_iter().any(|key| key == name || key.replace('-', "_") == name)
                };
                match record.fields.iter().any(|field| is_it(&field.name)) {
                    true => Place::Field,
                    false if record.open => Place::Anywhere,
                    false => Place::Nowhere,
                }
            }
            _ => Place::Anywhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use service_framework_core::model::{Field, Record};

    use super::*;
    use crate::flags::flags_of;

    #[test]
    fn what_is_one_edit_from_a_flag_or_its_beginning_is_a_slip() {
        let known = flags_of(None);
        let slip_of = |key: &str| slip(key, &known).map(|slip| slip.flag);
        for (key, flag) in [
            ("--confg_path", "--config_path"),
            ("--config-pth", "--config_path"),
            ("--Main_Mode", "--main_mode"),
            ("-service_path", "--service_path"),
            ("--service", "--service_path"),
            ("--log", "--log_path"),
            ("-tw", "-wt"),
            ("--redy", "--ready"),
            ("-c1", "-cl"),
        ] {
            assert_eq!(slip_of(key).as_deref(), Some(flag), "{key}");
        }
        for key in ["-x", "--a", "--exchange", "--most", "--path", "--greeting", "--id"] {
            assert_eq!(slip_of(key), None, "{key}");
        }
    }

    #[test]
    fn a_slip_that_the_config_has_a_field_for_is_none() {
        let field =
            |name: &str| Field { name: name.into(), doc: String::new(), required: true, shape: Shape::Text };
        let record = |open| {
            let fields = vec![field("config_paths"), field("log")];
            Shape::Record(Record { name: String::new(), doc: String::new(), open, fields }.into())
        };
        let slip = |key: &str| Slip { key: key.to_owned(), flag: String::new() };
        for key in ["--config_paths", "--config-paths", "-log", "--log.inner"] {
            assert_eq!(slip(key).place_in(&record(false)), Place::Field, "{key}");
        }
        assert_eq!(slip("--config_pat").place_in(&record(false)), Place::Nowhere);
        assert_eq!(slip("--config_pat").place_in(&record(true)), Place::Anywhere);
        assert_eq!(slip("--config_pat").place_in(&Shape::Any), Place::Anywhere);
    }
}
