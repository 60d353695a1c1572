//! Which licences training music may have. Identifiers are those of the SPDX licence list.

use std::fmt;

use clap::ValueEnum;

/// What a licence asks of whoever builds on the music.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Class {
    /// Nothing, or that the artist is named.
    Permissive,
    /// That adaptations are shared under the same licence.
    ShareAlike,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Permissive => "permissive",
            Self::ShareAlike => "share-alike",
        })
    }
}

/// A licence that training music may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Licence {
    /// SPDX identifier.
    pub id: &'static str,
    /// What it asks.
    pub class: Class,
    /// Where its text is.
    pub url: &'static str,
}

const fn permissive(id: &'static str, url: &'static str) -> Licence {
    Licence { id, class: Class::Permissive, url }
}

const fn share_alike(id: &'static str, url: &'static str) -> Licence {
    Licence { id, class: Class::ShareAlike, url }
}

/// All of them; a licence that is not here is refused.
pub const LICENCES: [Licence; 20] = [
    permissive("BSD-2-Clause", "https://spdx.org/licenses/BSD-2-Clause.html"),
    permissive("CC-BY-1.0", "https://creativecommons.org/licenses/by/1.0/"),
    permissive("CC-BY-2.0", "https://creativecommons.org/licenses/by/2.0/"),
    permissive("CC-BY-2.5", "https://creativecommons.org/licenses/by/2.5/"),
    permissive("CC-BY-3.0", "https://creativecommons.org/licenses/by/3.0/"),
    permissive("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/"),
    share_alike("CC-BY-SA-1.0", "https://creativecommons.org/licenses/by-sa/1.0/"),
    share_alike("CC-BY-SA-2.0", "https://creativecommons.org/licenses/by-sa/2.0/"),
    share_alike("CC-BY-SA-2.5", "https://creativecommons.org/licenses/by-sa/2.5/"),
    share_alike("CC-BY-SA-3.0", "https://creativecommons.org/licenses/by-sa/3.0/"),
    share_alike("CC-BY-SA-4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
    permissive("CC-PDDC", "https://creativecommons.org/licenses/publicdomain/"),
    permissive("CC-PDM-1.0", "https://creativecommons.org/publicdomain/mark/1.0/"),
    permissive("CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    share_alike("GPL-2.0-only", "https://spdx.org/licenses/GPL-2.0-only.html"),
    share_alike("GPL-2.0-or-later", "https://spdx.org/licenses/GPL-2.0-or-later.html"),
    share_alike("GPL-3.0-only", "https://spdx.org/licenses/GPL-3.0-only.html"),
    share_alike("GPL-3.0-or-later", "https://spdx.org/licenses/GPL-3.0-or-later.html"),
    share_alike("LAL-1.3", "https://artlibre.org/licence/lal/en/"),
    permissive("MIT", "https://spdx.org/licenses/MIT.html"),
];

/// The licence with this identifier.
///
/// # Errors
/// Training must not use it: says why.
pub fn find(id: &str) -> Result<Licence, String> {
    if let Some(licence) = LICENCES.iter().find(|licence| licence.id == id) {
        return Ok(*licence);
    }
    let part = |wanted: &str| id.split(['-', ' ']).any(|part| part.eq_ignore_ascii_case(wanted));
    Err(match id {
        "" => "no licence is given".to_owned(),
        _ if part("NC") => format!("{id} forbids commercial use"),
        _ if part("ND") => format!("{id} forbids adaptations"),
        _ => match LICENCES.iter().find(|licence| licence.id.eq_ignore_ascii_case(id)) {
            Some(licence) => format!("{id} is written {}", licence.id),
            None => format!("{id} is not among the licences that are known to allow training"),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::{Class, LICENCES, find};

    #[test]
    fn share_alike_and_gpl_are_never_permissive() {
        for licence in LICENCES {
            let shares = ["-SA-", "GPL", "LAL"].iter().any(|part| licence.id.contains(part));
            assert_eq!(licence.class == Class::ShareAlike, shares, "{}", licence.id);
        }
    }

    #[test]
    fn what_forbids_or_is_unknown_is_refused_with_its_reason() {
        for (id, reason) in [
            ("CC-BY-NC-4.0", "forbids commercial use"),
            ("CC-BY-NC-ND-4.0", "forbids commercial use"),
            ("CC-BY-ND-4.0", "forbids adaptations"),
            ("CC BY-NC 3.0", "forbids commercial use"),
            ("cc0-1.0", "is written CC0-1.0"),
            ("Sampling-Plus-1.0", "not among"),
            ("", "no licence"),
        ] {
            let refused = find(id).unwrap_err();
            assert!(refused.contains(reason), "{id}: {refused}");
        }
    }
}
