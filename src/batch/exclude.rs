//! Files and folders that a search skips: those matched by `--exclude`, or by a `.goldmasterignore` in a folder.

use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

/// Name of the file whose lines are exclusion patterns for the folder that contains it.
const IGNORE_FILE: &str = ".goldmasterignore";

/// Patterns with the semantics of a `.gitignore`: a pattern without a slash matches a name in any folder, any other
/// matches the path relative to its folder, and a trailing slash restricts it to folders. The last matching pattern
/// decides; one that starts with `!` includes the path again.
#[derive(Clone, Debug, Default)]
pub struct Exclusions {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: Pattern,
    /// The folder that the pattern is relative to, in the tree that is searched.
    base: PathBuf,
    is_name: bool,
    is_folder: bool,
    is_negated: bool,
}

impl Exclusions {
    /// Parses the patterns of `--exclude`.
    ///
    /// # Errors
    /// A pattern is malformed: the message names it and the reason.
    pub fn new(patterns: &[String]) -> Result<Self, String> {
        let mut exclusions = Self::default();
        patterns.iter().try_for_each(|pattern| exclusions.add(pattern, Path::new("")))?;
        Ok(exclusions)
    }

    /// Adds the patterns of the folder `path`, which lies at `base` in the tree. Returns the argument for
    /// [`leave`](Self::leave).
    ///
    /// # Errors
    /// The ignore file exists but cannot be read, or a pattern is malformed: the message names it and the reason.
    pub fn enter(&mut self, path: &Path, base: &Path) -> Result<usize, String> {
        let outside = self.rules.len();
        let file = path.join(IGNORE_FILE);
        if !file.is_file() {
            return Ok(outside);
        }
        let text = crate::io::text::read(&file).map_err(|e| e.to_string())?;
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim_end);
        let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.try_for_each(|line| self.add(line, base)).map_err(|cause| format!("{}: {cause}", file.display()))?;
        Ok(outside)
    }

    /// Drops the patterns that [`enter`](Self::enter) added for a folder.
    pub fn leave(&mut self, outside: usize) {
        self.rules.truncate(outside);
    }

    fn add(&mut self, line: &str, base: &Path) -> Result<(), String> {
        let (is_negated, text) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let (is_folder, text) = text.strip_suffix('/').map_or((false, text), |rest| (true, rest));
        let is_name = !text.contains('/');
        let pattern = Pattern::new(text.trim_start_matches('/')).map_err(|e| format!("{line}: {}", e.msg))?;
        self.rules.push(Rule { pattern, base: base.to_owned(), is_name, is_folder, is_negated });
        Ok(())
    }

    /// True if a file at `relative` is excluded, by itself or because it lies in an excluded folder.
    pub fn excludes_file(&self, relative: &Path) -> bool {
        self.excludes(relative, false) || relative.ancestors().skip(1).any(|folder| self.excludes(folder, true))
    }

    /// True if the file or folder at `relative` in the tree is itself excluded. Folders above it are not checked: a
    /// search does not enter excluded folders.
    pub fn excludes(&self, relative: &Path, is_folder: bool) -> bool {
        let options = MatchOptions { case_sensitive: true, require_literal_separator: true, ..MatchOptions::new() };
        let fits = |rule: &&Rule| {
            let Ok(inside) = relative.strip_prefix(&rule.base) else { return false };
            let about = if rule.is_name { Path::new(inside.file_name().unwrap_or_default()) } else { inside };
            (is_folder || !rule.is_folder) && rule.pattern.matches_path_with(about, options)
        };
        self.rules.iter().rev().find(fits).is_some_and(|rule| !rule.is_negated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_a_gitignore() {
        let excludes = |patterns: &[&str], path: &str, is_folder: bool| {
            let patterns: Vec<String> = patterns.iter().map(|p| (*p).to_owned()).collect();
            Exclusions::new(&patterns).expect("well-formed").excludes(Path::new(path), is_folder)
        };
        for (patterns, path, is_folder, expected) in [
            (&["*.mp3"][..], "a/b/c.mp3", false, true),
            (&["*.mp3"], "a/b/c.wav", false, false),
            (&["demo*"], "a/demos", true, true),
            (&["demos/"], "demos", false, false),
            (&["demos/"], "a/demos", true, true),
            (&["a/*.wav"], "a/b.wav", false, true),
            (&["a/*.wav"], "a/b/c.wav", false, false),
            (&["a/**/*.wav"], "a/b/c.wav", false, true),
            (&["/b.wav"], "a/b.wav", false, false),
            (&["/b.wav"], "b.wav", false, true),
            (&["*.wav", "!keep.wav"], "a/keep.wav", false, false),
            (&["!keep.wav", "*.wav"], "a/keep.wav", false, true),
            (&["mix?[12].wav"], "mix_2.wav", false, true),
        ] {
            assert_eq!(excludes(patterns, path, is_folder), expected, "{patterns:?} {path}");
        }
        assert!(Exclusions::new(&["a[".to_owned()]).is_err());
    }

    #[test]
    fn the_patterns_of_a_folder_hold_below_it() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(IGNORE_FILE), "# not yet\n\nrough.wav\nold/*.wav\n").expect("space");
        let mut exclusions = Exclusions::default();
        exclusions.enter(folder.path(), Path::new("cd1")).expect("readable");
        let is_excluded = |path: &str| exclusions.excludes(Path::new(path), false);
        assert_eq!(["cd1/rough.wav", "cd1/a/rough.wav", "cd1/old/a.wav"].map(is_excluded), [true; 3]);
        assert_eq!(["cd2/rough.wav", "rough.wav", "cd1/a/old/a.wav", "cd1/a.wav"].map(is_excluded), [false; 4]);
    }
}
