//! Two threads for one song: one reads ahead, the other takes the blocks in turn.
//!
//! The order of the blocks and what is done to each stay the same, so the bits do as well.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use analyzer::stream::{Frame, Source};

use crate::song::blocks::{BLOCK, each_block};

/// Frames handed over at a time: waking the other side costs as much as some thousand frames do.
const PIECE: usize = 4 * BLOCK;

/// Pieces that may wait: enough that neither side stands still while an equaliser fills one of its blocks, 2¹⁶ frames.
const PIECES_AHEAD: usize = 6;

/// Hands the frames of a source to `sink`, piece by piece, reading ahead in a thread of its own where the pool has more than one.
///
/// # Errors
/// The first of source or sink.
pub fn each_block_ahead<S>(
    source: &mut S,
    mut sink: impl FnMut(&[Frame]) -> Result<(), S::Error>,
) -> Result<(), S::Error>
where
    S: Source + Send,
    S::Error: Send,
{
    if rayon::current_num_threads() < 2 {
        return each_block(source, sink);
    }
    let (full_in, full_out) = sync_channel(PIECES_AHEAD);
    let (empty_in, empty_out) = sync_channel(PIECES_AHEAD + 2);
    let waiting = Mutex::new(Some(source));
    let taken = std::thread::scope(|scope| {
        let waiting = &waiting;
        let ahead = move || {
            let source = waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(source) = source {
                read_ahead(source, &full_in, &empty_out);
            }
        };
        let is_started = std::thread::Builder::new().spawn_scoped(scope, ahead).is_ok();
        is_started.then(|| take(full_out, &empty_in, &mut sink))
    });
    match (taken, waiting.into_inner().unwrap_or_else(PoisonError::into_inner)) {
        (Some(taken), _) => taken,
        // No thread can be started: one does both.
        (None, Some(source)) => each_block(source, sink),
        (None, None) => Ok(()),
    }
}

/// A source whose frames are looked at as they are read: work for the thread that reads ahead.
pub struct ObservedSource<'a, S, F> {
    /// Where they come from.
    pub source: &'a mut S,
    /// Gets all frames in turn.
    pub watch: F,
}

impl<S: Source, F: FnMut(&[Frame])> Source for ObservedSource<'_, S, F> {
    type Error = S::Error;

    fn read(&mut self, frames: &mut [Frame]) -> Result<usize, S::Error> {
        let count = self.source.read(frames)?;
        (self.watch)(&frames[..count]);
        Ok(count)
    }
}

/// Does `work` in one thread that makes no others: what many songs side by side ask for.
pub fn single_threaded<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build() {
        Ok(pool) => pool.install(work),
        // This thread belongs to a pool already.
        Err(_) => work(),
    }
}

/// Does `work` with as many threads as there are cores, or in this one where no others can be started.
pub fn multi_threaded<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match rayon::ThreadPoolBuilder::new().build() {
        Ok(pool) => pool.install(work),
        Err(_) => single_threaded(work),
    }
}

/// Does `work` in so many threads, or in as many as can be started, this one at least.
pub fn side_by_side(threads: usize, work: impl Fn() + Sync) {
    std::thread::scope(|scope| {
        let work = || single_threaded(&work);
        let start = || std::thread::Builder::new().spawn_scoped(scope, work).is_ok();
        if (0..threads).filter(|_| start()).count() == 0 {
            work();
        }
    });
}

/// A piece that was read, or why there is none.
type Filled<E> = Result<Vec<Frame>, E>;

fn read_ahead<S: Source>(source: &mut S, full: &SyncSender<Filled<S::Error>>, empty: &Receiver<Vec<Frame>>) {
    loop {
        let mut piece = empty.try_recv().unwrap_or_default();
        piece.resize(PIECE, [0.0; 2]);
        let filled = fill(source, &mut piece).map(|count| {
            piece.truncate(count);
            piece
        });
        let is_last = filled.as_ref().map_or(true, |piece| piece.len() < PIECE);
        // The other side is gone once it has failed: nobody wants more.
        if full.send(filled).is_err() || is_last {
            return;
        }
    }
}

/// Reads until `piece` is full or the source ends.
fn fill<S: Source>(source: &mut S, piece: &mut [Frame]) -> Result<usize, S::Error> {
    let mut filled = 0;
    while filled < piece.len() {
        let end = piece.len().min(filled + BLOCK);
        match source.read(&mut piece[filled..end])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

fn take<E>(
    full: Receiver<Filled<E>>,
    empty: &SyncSender<Vec<Frame>>,
    mut sink: impl FnMut(&[Frame]) -> Result<(), E>,
) -> Result<(), E> {
    for filled in full {
        let piece = filled?;
        sink(&piece)?;
        // A piece that finds no place is dropped, and another made.
        let _ = empty.try_send(piece);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Failing(usize);

    impl Source for Failing {
        type Error = &'static str;

        fn read(&mut self, frames: &mut [Frame]) -> Result<usize, &'static str> {
            self.0 -= 1;
            if self.0 == 0 { Err("read") } else { Ok(frames.len()) }
        }
    }

    fn with_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool").install(run)
    }

    #[test]
    fn blocks_come_whole_and_in_order_with_one_thread_and_with_two() {
        let frames: Vec<Frame> = (0..100_001).map(|n| [n as f32, -(n as f32)]).collect();
        for threads in [1, 2] {
            let mut seen = Vec::new();
            with_threads(threads, || {
                each_block_ahead(&mut frames.as_slice(), |block| {
                    seen.extend_from_slice(block);
                    Ok(())
                })
            })
            .expect("memory does not fail");
            assert!(seen == frames, "{threads}");
        }
    }

    #[test]
    fn the_first_failure_of_either_side_ends_it() {
        for threads in [1, 2] {
            let read = with_threads(threads, || each_block_ahead(&mut Failing(5), |_| Ok(())));
            assert_eq!(read, Err("read"));
            let mut blocks = 0;
            let taken = with_threads(threads, || {
                each_block_ahead(&mut Failing(1000), |_| {
                    blocks += 1;
                    if blocks == 3 { Err("write") } else { Ok(()) }
                })
            });
            assert_eq!((taken, blocks), (Err("write"), 3));
        }
    }
}
