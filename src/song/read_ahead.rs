//! Reads ahead in a second thread while the first processes the blocks.
//!
//! The order of the blocks and their processing do not change, so the result is the same bit for bit.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use analyzer::stream::{Frame, Source};

use crate::song::blocks::{BLOCK, each_block};

/// Number of frames handed over at a time: waking the other thread costs as much as processing some thousand frames.
const PIECE: usize = 16 * BLOCK;

/// Number of pieces that may queue up: enough that neither thread stalls while an equaliser fills one of its blocks of
/// 2¹⁶ frames.
const PIECES_AHEAD: usize = 3;

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
    with_ahead(source, |source| match source {
        Ahead::Read(mut pieces) => pieces.each(&mut sink),
        Ahead::Unread(source) => each_block(source, &mut sink),
    })
}

/// As [`each_block_ahead`], for a source that is made of another one: both are read ahead, each in a thread of its own.
///
/// # Errors
/// As [`each_block_ahead`].
pub fn each_block_ahead_of<'s, S, T>(
    first: &'s mut S,
    second: impl FnOnce(Ahead<'s, S>) -> T,
    sink: impl FnMut(&[Frame]) -> Result<(), S::Error>,
) -> Result<(), S::Error>
where
    S: Source + Send,
    S::Error: Send,
    T: Source<Error = S::Error> + Send,
{
    with_ahead(first, |first| each_block_ahead(&mut second(first), sink))
}

/// A source that is read ahead in another thread if one could be started.
pub enum Ahead<'a, S: Source> {
    /// It is read ahead.
    Read(Pieces<S::Error>),
    /// It is read here.
    Unread(&'a mut S),
}

/// Frames that another thread has read.
pub struct Pieces<E> {
    full: Receiver<Filled<E>>,
    empty: SyncSender<Vec<Frame>>,
    /// The piece that is being used, and the number of its frames that were.
    piece: (Vec<Frame>, usize),
}

impl<E> Pieces<E> {
    /// Passes all frames to `sink`, piece by piece.
    fn each(&mut self, sink: &mut impl FnMut(&[Frame]) -> Result<(), E>) -> Result<(), E> {
        while let Ok(filled) = self.full.recv() {
            let piece = filled?;
            sink(&piece)?;
            // If the queue is full, the piece is dropped, and the reader allocates a new one.
            let _ = self.empty.try_send(piece);
        }
        Ok(())
    }
}

impl<E> Source for Pieces<E> {
    type Error = E;

    fn read(&mut self, frames: &mut [Frame]) -> Result<usize, E> {
        if self.piece.1 == self.piece.0.len()
            && let Ok(filled) = self.full.recv()
        {
            let (used, _) = std::mem::replace(&mut self.piece, (filled?, 0));
            let _ = self.empty.try_send(used);
        }
        let (piece, used) = &mut self.piece;
        let count = frames.len().min(piece.len() - *used);
        frames[..count].copy_from_slice(&piece[*used..][..count]);
        *used += count;
        Ok(count)
    }
}

impl<S: Source> Source for Ahead<'_, S> {
    type Error = S::Error;

    fn read(&mut self, frames: &mut [Frame]) -> Result<usize, S::Error> {
        match self {
            Self::Read(pieces) => pieces.read(frames),
            Self::Unread(source) => source.read(frames),
        }
    }
}

/// Calls `work` with a source that is read ahead if the thread pool has more than one thread.
fn with_ahead<'s, S: Source<Error: Send> + Send, R>(source: &'s mut S, work: impl FnOnce(Ahead<'s, S>) -> R) -> R {
    if rayon::current_num_threads() < 2 {
        return work(Ahead::Unread(source));
    }
    let (full_in, full) = sync_channel(PIECES_AHEAD);
    let (empty, empty_out) = sync_channel(PIECES_AHEAD + 2);
    let waiting = Mutex::new(Some(source));
    let take = || waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
    std::thread::scope(|scope| {
        let ahead = move || {
            if let Some(source) = take() {
                read_ahead(source, &full_in, &empty_out);
            }
        };
        match std::thread::Builder::new().spawn_scoped(scope, ahead) {
            Ok(_) => work(Ahead::Read(Pieces { full, empty, piece: (Vec::new(), 0) })),
            // The thread could not be started.
            Err(_) => work(Ahead::Unread(take().expect("no other thread has taken it"))),
        }
    })
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

    /// A source that negates another one, a few frames at a time.
    struct Negated<S>(S);

    impl<S: Source> Source for Negated<S> {
        type Error = S::Error;

        fn read(&mut self, frames: &mut [Frame]) -> Result<usize, S::Error> {
            let most = frames.len().min(1000);
            let count = self.0.read(&mut frames[..most])?;
            frames[..count].iter_mut().for_each(|frame| *frame = frame.map(|x| -x));
            Ok(count)
        }
    }

    #[test]
    fn a_source_of_a_source_gives_the_same_with_any_number_of_threads() {
        let frames: Vec<Frame> = (0..200_001).map(|n| [n as f32, 1.0]).collect();
        for threads in [1, 2] {
            let mut seen = Vec::new();
            let done = with_threads(threads, || {
                each_block_ahead_of(&mut frames.as_slice(), Negated, |block| {
                    seen.extend(block.iter().map(|frame| frame.map(|x| -x)));
                    Ok(())
                })
            });
            assert!(done.is_ok() && seen == frames, "{threads}");
            let failed = with_threads(threads, || each_block_ahead_of(&mut Failing(5), Negated, |_| Ok(())));
            assert_eq!(failed, Err("read"), "{threads}");
            let stopped = with_threads(threads, || each_block_ahead_of(&mut Failing(1000), Negated, |_| Err("write")));
            assert_eq!(stopped, Err("write"), "{threads}");
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
