//! Reads ahead in a second thread while the first processes the blocks.
//!
//! The order of the blocks and their processing do not change, so the result is the same bit for bit.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use analyzer::stream::{Frame, Source};

use crate::song::blocks::{BLOCK, each_block};

/// Number of frames handed over at a time: waking the other thread costs as much as processing some thousand frames.
const PIECE: usize = 4 * BLOCK;

/// Number of pieces that may queue up: enough that neither thread stalls while an equaliser fills one of its blocks of
/// 2¹⁶ frames.
const PIECES_AHEAD: usize = 6;

/// Passes the frames of a source to `sink`, piece by piece. If the thread pool has more than one thread, the source is
/// read ahead in a thread of its own.
///
/// # Errors
/// The first error of source or sink.
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
        // The thread could not be started: read and process in this one.
        (None, Some(source)) => each_block(source, sink),
        (None, None) => Ok(()),
    }
}

/// A source that shows its frames to a closure as they are read, on the thread that reads ahead.
pub struct ObservedSource<'a, S, F> {
    /// The source of the frames.
    pub source: &'a mut S,
    /// Receives all frames in order.
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

/// Runs `work` in a thread pool of one thread, the current one: for many songs mastered side by side.
pub fn single_threaded<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build() {
        Ok(pool) => pool.install(work),
        // The current thread already belongs to a pool.
        Err(_) => work(),
    }
}

/// Runs `work` with as many threads as there are cores, or only in this thread if no others can be started.
pub fn multi_threaded<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match rayon::ThreadPoolBuilder::new().build() {
        Ok(pool) => pool.install(work),
        Err(_) => single_threaded(work),
    }
}

/// Runs `work` in each of `threads` threads, or in as many as can be started, at least in this one.
pub fn side_by_side(threads: usize, work: impl Fn() + Sync) {
    std::thread::scope(|scope| {
        let work = || single_threaded(&work);
        let start = || std::thread::Builder::new().spawn_scoped(scope, work).is_ok();
        if (0..threads).filter(|_| start()).count() == 0 {
            work();
        }
    });
}

/// A piece of frames, or the error of reading it.
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
        // The other side is gone after an error: nothing more is needed.
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
        // If the queue is full, the piece is dropped, and the reader allocates a new one.
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
