//! Who counts as one artist, so that nobody is trained and tested on at once.

/// Spellings with the same key are one artist: case, signs and what stands in brackets (an alias) do not count.
pub fn key(artist: &str) -> String {
    let mut depth = 0_usize;
    let outside: String = artist
        .chars()
        .filter(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => return depth == 0,
            }
            false
        })
        .collect();
    let plain = |text: &str| text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let key = plain(&outside);
    if key.is_empty() { plain(artist) } else { key }
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn an_alias_makes_no_other_artist() {
        assert_eq!(key("Eliot Corley (el-corleo)"), key("eliot  Corley"));
        assert_ne!(key("Exhale & Tim Unwin"), key("Exhale"));
    }

    #[test]
    fn who_has_nothing_but_brackets_keeps_them() {
        assert_ne!(key("(one)"), key("(two)"));
    }
}
