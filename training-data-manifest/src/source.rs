//! Addresses of the music.

/// What is wrong with the cell `source`: one address, or two (left and right) separated by a space.
pub fn complaint(cell: &str) -> Option<String> {
    if cell.is_empty() {
        return Some("there is no address".to_owned());
    }
    let addresses: Vec<&str> = cell.split(' ').collect();
    if addresses.len() > 2 {
        return Some("more than two addresses".to_owned());
    }
    if addresses.len() == 2 && addresses[0] == addresses[1] {
        return Some("left and right are the same address".to_owned());
    }
    addresses.iter().find_map(|address| one(address).map(|cause| format!("{address:?} {cause}")))
}

/// The characters of RFC 3986, section 2, whose percent signs are followed by two digits.
fn is_well_formed(text: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&c);
    let mut rest = text.split('%');
    rest.next();
    text.bytes().all(allowed)
        && rest.all(|part| part.len() >= 2 && part.bytes().take(2).all(|digit| digit.is_ascii_hexdigit()))
}

fn one(address: &str) -> Option<&'static str> {
    let Some(rest) = address.strip_prefix("https://") else {
        return Some("does not begin with https://");
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let labels = |label: &str| {
        !label.is_empty() && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-') && !label.starts_with('-')
    };
    if !host.contains('.') || !host.split('.').all(labels) {
        return Some("names no host");
    }
    if path.is_empty() || !is_well_formed(path) {
        return Some("has no path that is an address");
    }
    (host == "github.com" && !names_commit(path)).then_some("names no file at a commit, and branches move")
}

/// `owner/repository/blob/commit/file`.
fn names_commit(path: &str) -> bool {
    let parts: Vec<&str> = path.splitn(5, '/').collect();
    let [owner, repository, "blob", commit, file] = parts.as_slice() else {
        return false;
    };
    let is_commit = commit.len() == 40 && commit.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
    !owner.is_empty() && !repository.is_empty() && is_commit && !file.is_empty()
}

#[cfg(test)]
mod tests {
    use super::complaint;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn addresses_that_last_are_taken() {
        let left = format!("https://github.com/a/b/blob/{COMMIT}/music/one%20two.ogg");
        assert_eq!(complaint(&left), None);
        assert_eq!(complaint(&format!("{left} {}", left.replace("one", "two"))), None);
        assert_eq!(complaint("https://freemusicarchive.org/music/artist/record/title/"), None);
    }

    #[test]
    fn addresses_that_lead_nowhere_are_told() {
        for (cell, cause) in [
            ("", "no address"),
            ("http://example.org/a", "https://"),
            ("https://example/a", "host"),
            ("https://example..org/a", "host"),
            ("https://example.org", "path"),
            ("https://example.org/a%2", "path"),
            ("https://example.org/a|b", "path"),
            ("https://example.org/a  https://example.org/b", "two"),
            ("https://example.org/a https://example.org/a", "same"),
            ("https://github.com/a/b/blob/main/c.ogg", "commit"),
            (&format!("https://github.com/a/b/blob/{COMMIT}"), "commit"),
        ] {
            let found = complaint(cell).unwrap_or_default();
            assert!(found.contains(cause), "{cell}: {found}");
        }
    }
}
