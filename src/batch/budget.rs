//! Decides how many songs are mastered at once, and how much memory each may use.

use std::num::NonZeroUsize;

/// Memory of the program without its songs, bytes.
const PROGRAM_BYTES: u64 = 48 << 20;
/// Memory of a song without its frames, bytes: network, decoder, meters, encoder, and the statistics of an hour of
/// sound.
const SONG_BYTES: u64 = 56 << 20;
/// Number of full spools that a song needs: its frames, its rendered frames, and a trace of a quarter of that size.
const SPOOLS: f64 = 2.25;
/// Most memory that a spool uses, bytes: see [`SPOOL_BYTES`](crate::song::SPOOL_BYTES).
const MAX_SPOOL_BYTES: u64 = crate::song::SPOOL_BYTES as u64;
/// Least memory for a spool, bytes: with less, every song would go to disk.
const MIN_SPOOL_BYTES: u64 = 8 << 20;
/// Memory that a page needs for every frame that it plays, bytes.
const PAGE_BYTES_PER_FRAME: u64 = 80;
/// Share of the free memory that is used by default.
const DEFAULT_SHARE: f64 = 0.5;

/// Number of songs mastered at once, and the memory for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Number of songs that are mastered at the same time, each in its own thread.
    pub jobs: usize,
    /// Memory for each spool of a song, bytes; the rest of the spool goes to disk.
    pub spool_bytes: usize,
    /// Memory for the sound on a song's page, bytes.
    pub page_bytes: u64,
}

impl Budget {
    /// Divides `memory_bytes` (by default half of the free memory) among `jobs` (by default as many as cores and
    /// memory allow).
    ///
    /// # Errors
    /// The memory does not suffice: the message says how much is needed.
    pub fn new(jobs: Option<NonZeroUsize>, memory_bytes: Option<u64>) -> Result<Self, String> {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let free = || free_bytes().map_or(u64::MAX, |bytes| (bytes as f64 * DEFAULT_SHARE) as u64);
        let per_song = SONG_BYTES + spools(MIN_SPOOL_BYTES);
        let memory_bytes = memory_bytes.unwrap_or_else(|| free().max(PROGRAM_BYTES + per_song));
        let most = memory_bytes.saturating_sub(PROGRAM_BYTES) / per_song;
        let jobs = match jobs {
            Some(jobs) => jobs.get() as u64,
            None => (cores as u64).min(most).max(1),
        };
        if jobs > most {
            let mib = |bytes: u64| bytes.div_ceil(1 << 20);
            let needed = mib(PROGRAM_BYTES.saturating_add(jobs.saturating_mul(per_song)));
            let songs = if jobs == 1 { "one song needs".to_owned() } else { format!("{jobs} songs at once need") };
            return Err(format!(
                "{songs} {needed} MiB of memory, and {} may be used: allow more with --memory {needed}M, or lower --jobs",
                mib(memory_bytes)
            ));
        }
        let share = (memory_bytes - PROGRAM_BYTES) / jobs - SONG_BYTES;
        let spool_bytes = ((share as f64 / SPOOLS) as u64).min(MAX_SPOOL_BYTES) as usize;
        Ok(Self { jobs: jobs as usize, spool_bytes, page_bytes: share - spools(spool_bytes as u64) })
    }

    /// Returns the same budget for pages that play whole songs: the spools shrink to leave memory for the pages.
    pub fn for_whole_songs(self) -> Self {
        let spool_bytes = self.spool_bytes.min(MIN_SPOOL_BYTES as usize);
        let freed = spools(self.spool_bytes as u64) - spools(spool_bytes as u64);
        Self { spool_bytes, page_bytes: self.page_bytes + freed, ..self }
    }

    /// True if a page may play the whole of a song with this many frames. Mix, master and reference are held as
    /// frames, as FLAC and as text.
    pub fn allows_whole_song(page_bytes: u64, frames: u64) -> bool {
        frames.saturating_mul(PAGE_BYTES_PER_FRAME) <= page_bytes
    }
}

fn spools(bytes: u64) -> u64 {
    (bytes as f64 * SPOOLS) as u64
}

/// Returns the memory that can still be used, if the system reports it: the smaller of what is available on the
/// machine and the limit of the container.
fn free_bytes() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let machine = read("/proc/meminfo").and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? << 10)
    });
    let container = read("/sys/fs/cgroup/memory.max").and_then(|text| text.trim().parse().ok());
    machine.into_iter().chain(container).min()
}

/// Parses a size in bytes, or in units of K, M, G or T based on 1024.
///
/// # Errors
/// The text is not a size, is negative, or is a number of bytes that is too small to be meant.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_lowercase().trim_end_matches('b').trim_end_matches('i') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return Err("must be a size, as in 800M or 4G".to_owned()),
    };
    let count: f64 = digits.parse().map_err(|_| "must be a size, as in 800M or 4G")?;
    if shift == 0 && count > 0.0 && count < (1 << 20) as f64 {
        return Err(format!("{digits} is a number of bytes; did you mean {digits}G?"));
    }
    if count >= 0.0 { Ok((count * (1_u64 << shift) as f64) as u64) } else { Err("must not be negative".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_songs_may_use_is_never_more_than_the_budget() {
        for jobs in [1, 2, 7, 64] {
            for memory in [200, 300, 1_000, 20_000].map(|mib: u64| mib << 20) {
                match Budget::new(NonZeroUsize::new(jobs), Some(memory)) {
                    Ok(budget) => {
                        let song = SONG_BYTES + spools(budget.spool_bytes as u64);
                        assert!(PROGRAM_BYTES + budget.jobs as u64 * song <= memory, "{budget:?} of {memory}");
                        assert!(budget.spool_bytes as u64 >= MIN_SPOOL_BYTES && budget.jobs == jobs);
                        let whole = budget.for_whole_songs();
                        let song = SONG_BYTES + spools(whole.spool_bytes as u64) + whole.page_bytes;
                        assert!(PROGRAM_BYTES + whole.jobs as u64 * song <= memory, "{whole:?} of {memory}");
                    }
                    Err(words) => assert!(
                        PROGRAM_BYTES + jobs as u64 * (SONG_BYTES + spools(MIN_SPOOL_BYTES)) > memory,
                        "{words}"
                    ),
                }
            }
        }
    }

    #[test]
    fn no_number_of_songs_is_too_large_to_be_refused() {
        for jobs in [1 << 20, usize::MAX / 2, usize::MAX] {
            let refused = Budget::new(NonZeroUsize::new(jobs), Some(1 << 30)).expect_err("too many");
            assert!(refused.contains("MiB"), "{refused}");
        }
    }

    #[test]
    fn little_memory_means_fewer_songs_at_once() {
        let budget = Budget::new(None, Some(130 << 20)).expect("enough for one");
        assert_eq!(budget.jobs, 1);
        assert_eq!(
            Budget::new(NonZeroUsize::new(1), Some(1 << 40)).expect("plenty").spool_bytes,
            crate::song::SPOOL_BYTES
        );
        assert!(Budget::new(None, Some(1 << 20)).is_err());
    }

    #[test]
    fn sizes_have_units() {
        let sizes = [
            ("4G", 4 << 30),
            ("800M", 800 << 20),
            ("1.5k", 1536),
            ("1048576", 1 << 20),
            ("2GiB", 2 << 30),
            ("1MB", 1 << 20),
        ];
        for (text, bytes) in sizes {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for wrong in ["", "4", "G", "4X", "-1G", "lots"] {
            assert!(parse_bytes(wrong).is_err(), "{wrong}");
        }
    }
}
