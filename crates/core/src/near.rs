//! Finds the word that somebody probably meant.

/// The candidate nearest to `word`, if it is near enough to be a slip of the keyboard.
///
/// Near is an edit distance (insert, delete, replace, swap of neighbours) of at most one for words of up to
/// four letters, two for longer ones. Case and the difference between `-` and `_` do not count.
///
/// ```
/// use service_framework_core::near::nearest;
/// assert_eq!(nearest("adress", ["address", "topic"]), Some("address"));
/// assert_eq!(nearest("volume", ["address", "topic"]), None);
/// ```
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = if word.chars().count() <= 4 { 1 } else { 2 };
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The number of single edits between two words: the optimal string alignment distance.
pub fn distance(left: &str, right: &str) -> usize {
    // Longer words are not names that anybody typed; the table below is quadratic.
    const LONGEST: usize = 64;
    let fold = |word: &str| -> Vec<char> {
        word.chars().take(LONGEST).map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect()
    };
    let (left, right) = (fold(left), fold(right));
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, r) in right.iter().enumerate() {
            let mut best = (above[j] + usize::from(l != r)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *l == right[j - 1] && left[i - 1] == *r {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[right.len()]
}
