//! How names in Rust become names in messages.

use syn::{Error, LitStr, Result};

/// How words are put together.
#[derive(Clone, Copy)]
pub(super) enum Style {
    /// `buylimit`
    Lower,
    /// `BUYLIMIT`
    Upper,
    /// `buy_limit`
    Snake,
    /// `BUY_LIMIT`
    Screaming,
    /// `buy-limit`
    Kebab,
    /// `buyLimit`
    Camel,
    /// `BuyLimit`
    Pascal,
}

const STYLES: [(&str, Style); 7] = [
    ("lower", Style::Lower),
    ("upper", Style::Upper),
    ("snake", Style::Snake),
    ("screaming", Style::Screaming),
    ("kebab", Style::Kebab),
    ("camel", Style::Camel),
    ("pascal", Style::Pascal),
];

impl Style {
    /// The style of that name.
    pub(super) fn parse(text: &LitStr) -> Result<Self> {
        let value = text.value();
        let found = STYLES.iter().find(|(name, _)| *name == value);
        found.map(|(_, style)| *style).ok_or_else(|| {
            let known: Vec<&str> = STYLES.iter().map(|(name, _)| *name).collect();
            Error::new_spanned(
                text,
                format!("`{value}` is no style of names: write one of {}", known.join(", ")),
            )
        })
    }

    /// Writes a name of Rust in this style.
    pub(super) fn write(self, name: &str) -> String {
        let words = words(name);
        let (separator, first, other): (&str, Case, Case) = match self {
            Self::Lower => ("", lower, lower),
            Self::Upper => ("", upper, upper),
            Self::Snake => ("_", lower, lower),
            Self::Screaming => ("_", upper, upper),
            Self::Kebab => ("-", lower, lower),
            Self::Camel => ("", lower, capital),
            Self::Pascal => ("", capital, capital),
        };
        let cased = words.iter().enumerate().map(|(i, word)| if i == 0 { first(word) } else { other(word) });
        cased.collect::<Vec<_>>().join(separator)
    }
}

type Case = fn(&str) -> String;

fn lower(word: &str) -> String {
    word.to_lowercase()
}

fn upper(word: &str) -> String {
    word.to_uppercase()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect()
    })
}

/// The words of `BuyLimit`, `buy_limit` or `HTTPServer`.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = vec![String::new()];
    for (i, letter) in letters.iter().enumerate() {
        let after_small = i > 0 && !letters[i - 1].is_uppercase();
        let before_small = letters.get(i + 1).is_some_and(|next| next.is_lowercase());
        if *letter == '_' || letter.is_uppercase() && (after_small || before_small) {
            words.push(String::new());
        }
        if *letter != '_' {
            words.last_mut().expect("it starts with one").push(*letter);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_writes_names_of_both_kinds() {
        let written = |name: &str| STYLES.map(|(_, style)| style.write(name)).join(" ");
        let expected = "buylimit BUYLIMIT buy_limit BUY_LIMIT buy-limit buyLimit BuyLimit";
        assert_eq!(written("BuyLimit"), expected);
        assert_eq!(written("buy_limit"), expected);
        assert_eq!(Style::Snake.write("HTTPServer2"), "http_server2");
        assert_eq!(Style::Kebab.write("_private"), "private");
        assert_eq!(Style::Snake.write("A"), "a");
    }
}
