//! Keeps decoded data for later passes: in memory up to a limit, beyond it in an unlinked temporary file.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use analyzer::stream::{Frame, Source};

use super::error::Error;
use super::guard;

/// Number of items moved at a time.
const BLOCK: usize = 1 << 16;

/// Plain data of a fixed size that a [`Spool`] can hold.
pub trait Record: Copy + Default + Send + Sync + 'static {
    /// Number of bytes of an item.
    const BYTES: usize;

    /// Writes the item into [`BYTES`](Self::BYTES) bytes.
    fn encode(self, bytes: &mut [u8]);

    /// Reads an item that [`encode`](Self::encode) wrote, bit for bit.
    fn decode(bytes: &[u8]) -> Self;
}

impl Record for [f32; 2] {
    const BYTES: usize = 8;

    fn encode(self, bytes: &mut [u8]) {
        bytes[..4].copy_from_slice(&self[0].to_le_bytes());
        bytes[4..8].copy_from_slice(&self[1].to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> Self {
        let sample = |i: usize| f32::from_le_bytes([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]]);
        [sample(0), sample(4)]
    }
}

/// A sequence of items that is written once, from the start, and read any number of times.
///
/// Its memory is limited to `memory_bytes` and a block of fixed size, whatever its length. The temporary file has no
/// name, so it disappears with the spool even if the program is killed.
#[derive(Debug)]
pub struct Spool<T> {
    memory_items: usize,
    /// Full blocks, as long as all of them fit in memory.
    blocks: Vec<Vec<T>>,
    /// The first items, after they were moved out of memory: full blocks, or all items of a stored spool.
    file: Option<Temporary>,
    /// The block that is being filled.
    last: Vec<T>,
    len: u64,
}

/// Items in a file, from `start_byte` on.
#[derive(Debug)]
struct Temporary {
    file: Arc<guard::SharedFile>,
    start_byte: u64,
    items: u64,
    /// True if the file belongs to a [`Store`], so that nothing can be appended to the items.
    is_stored: bool,
}

/// One temporary file that holds any number of complete spools.
#[derive(Debug)]
pub struct Store {
    file: Arc<guard::SharedFile>,
    end_byte: Mutex<u64>,
}

impl Store {
    /// Creates an empty store.
    ///
    /// # Errors
    /// The temporary file cannot be created.
    pub fn new() -> Result<Self, Error> {
        let file = tempfile::tempfile().map_err(|e| Error::spooling(&e))?;
        Ok(Self { file: Arc::new(guard::SharedFile::new(file)), end_byte: Mutex::new(0) })
    }

    /// Reserves `bytes` bytes for one spool. Returns the offset of the first.
    fn reserve(&self, bytes: u64) -> u64 {
        let mut end_byte = self.end_byte.lock().unwrap_or_else(PoisonError::into_inner);
        let start_byte = *end_byte;
        *end_byte += bytes;
        start_byte
    }
}

impl<T: Record> Spool<T> {
    /// Creates an empty spool that uses up to this much memory.
    pub fn new(memory_bytes: usize) -> Self {
        let memory_items = memory_bytes / T::BYTES;
        Self { memory_items, blocks: Vec::new(), file: None, last: Vec::new(), len: 0 }
    }

    /// Appends `items`.
    ///
    /// # Errors
    /// Temporary data cannot be written.
    ///
    /// # Panics
    /// The spool was [stored](Self::store).
    pub fn push(&mut self, mut items: &[T]) -> Result<(), Error> {
        assert!(self.file.as_ref().is_none_or(|file| !file.is_stored), "a stored spool is complete");
        while !items.is_empty() {
            if self.last.capacity() == 0 {
                self.last.reserve_exact(BLOCK);
            }
            let (now, later) = items.split_at(items.len().min(BLOCK - self.last.len()));
            self.last.extend_from_slice(now);
            self.len += now.len() as u64;
            items = later;
            if self.last.len() == BLOCK {
                self.keep_block().map_err(|e| Error::spooling(&e))?;
            }
        }
        Ok(())
    }

    /// Moves all items into `store`. Afterwards the spool needs neither memory nor a file of its own.
    ///
    /// # Errors
    /// Temporary data cannot be moved.
    pub fn store(&mut self, store: &Store) -> Result<(), Error> {
        let start_byte = store.reserve(self.len * T::BYTES as u64);
        let mut stored = Temporary { file: Arc::clone(&store.file), start_byte, items: 0, is_stored: true };
        let mut reader = self.reader();
        let mut block = vec![T::default(); BLOCK.min(self.len as usize)];
        loop {
            match reader.read(&mut block)? {
                0 => break,
                count => stored.append(&block[..count]).map_err(|e| Error::spooling(&e))?,
            }
        }
        (self.blocks, self.last, self.file) = (Vec::new(), Vec::new(), Some(stored));
        Ok(())
    }

    /// Returns all items as bytes.
    ///
    /// # Errors
    /// Temporary data cannot be read.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; self.len as usize * T::BYTES];
        let mut reader = self.reader();
        let mut block = vec![T::default(); BLOCK.min(self.len as usize)];
        for chunk in bytes.chunks_mut((BLOCK * T::BYTES).max(1)) {
            let count = reader.read(&mut block[..chunk.len() / T::BYTES])?;
            block[..count].iter().zip(chunk.chunks_exact_mut(T::BYTES)).for_each(|(item, bytes)| item.encode(bytes));
        }
        Ok(bytes)
    }

    /// Creates a spool from the bytes of all its items. Up to `memory_bytes` are kept in memory.
    ///
    /// # Errors
    /// Temporary data cannot be written.
    pub fn from_bytes(bytes: &[u8], memory_bytes: usize) -> Result<Self, Error> {
        let mut spool = Self::new(memory_bytes);
        for chunk in bytes.chunks(BLOCK * T::BYTES) {
            spool.push(&chunk.chunks_exact(T::BYTES).map(T::decode).collect::<Vec<T>>())?;
        }
        Ok(spool)
    }

    /// Returns the number of items.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// True if there are no items.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns a reader that starts at the first item.
    pub fn reader(&self) -> SpoolReader<'_, T> {
        self.reader_at(0)
    }

    /// Returns a reader that starts at this item; it is empty past the end.
    pub fn reader_at(&self, item: u64) -> SpoolReader<'_, T> {
        SpoolReader { spool: self, at: item, bytes: Vec::new() }
    }

    /// Moves the last block, which is full, to memory or to the file.
    fn keep_block(&mut self) -> io::Result<()> {
        let is_over = (self.blocks.len() + 1) * BLOCK > self.memory_items;
        if self.file.is_none() && !is_over {
            self.blocks.push(std::mem::take(&mut self.last));
            return Ok(());
        }
        if self.file.is_none() {
            let file = Arc::new(guard::SharedFile::new(tempfile::tempfile()?));
            self.file = Some(Temporary { file, start_byte: 0, items: 0, is_stored: false });
        }
        let file = self.file.as_mut().expect("made above");
        for block in self.blocks.drain(..) {
            file.append(&block)?;
        }
        file.append(&self.last)?;
        self.last.clear();
        Ok(())
    }

    /// Copies items from `at` on, at most one block.
    fn copy(&self, at: u64, items: &mut [T], bytes: &mut Vec<u8>) -> io::Result<usize> {
        let filed = self.file.as_ref().map_or(0, |file| file.items);
        if let Some(file) = self.file.as_ref().filter(|_| at < filed) {
            return file.copy(at, items, bytes);
        }
        let offset = (at % BLOCK as u64) as usize;
        let block = usize::try_from((at - filed) / BLOCK as u64).unwrap_or(usize::MAX);
        let from = match block.checked_sub(self.blocks.len()) {
            None => &self.blocks[block],
            Some(0) => &self.last,
            Some(_) => return Ok(0),
        };
        let count = items.len().min(from.len().saturating_sub(offset));
        items[..count].copy_from_slice(&from[from.len().min(offset)..][..count]);
        Ok(count)
    }
}

impl Temporary {
    fn append<T: Record>(&mut self, block: &[T]) -> io::Result<()> {
        let mut bytes = vec![0; block.len() * T::BYTES];
        for (item, bytes) in block.iter().zip(bytes.chunks_exact_mut(T::BYTES)) {
            item.encode(bytes);
        }
        self.file.write_all_at(&bytes, self.start_byte + self.items * T::BYTES as u64)?;
        self.items += block.len() as u64;
        Ok(())
    }

    fn copy<T: Record>(&self, at: u64, items: &mut [T], bytes: &mut Vec<u8>) -> io::Result<usize> {
        let left = usize::try_from(self.items - at).unwrap_or(usize::MAX);
        let count = items.len().min(BLOCK).min(left);
        bytes.resize(count * T::BYTES, 0);
        self.file.read_exact_at(bytes, self.start_byte + at * T::BYTES as u64)?;
        for (item, bytes) in items.iter_mut().zip(bytes.chunks_exact(T::BYTES)) {
            *item = T::decode(bytes);
        }
        Ok(count)
    }
}

/// Reads a [`Spool`]. Any number of readers can work at the same time, in any threads.
#[derive(Clone, Debug)]
pub struct SpoolReader<'a, T> {
    spool: &'a Spool<T>,
    at: u64,
    bytes: Vec<u8>,
}

impl<T: Record> SpoolReader<'_, T> {
    /// Fills the start of `items` and returns the number of items read; 0 only at the end.
    ///
    /// # Errors
    /// Temporary data cannot be read.
    pub fn read(&mut self, items: &mut [T]) -> Result<usize, Error> {
        let mut count = 0;
        while count < items.len() {
            let copied = self.spool.copy(self.at, &mut items[count..], &mut self.bytes);
            let copied = copied.map_err(|e| Error::spooling(&e))?;
            if copied == 0 {
                break;
            }
            count += copied;
            self.at += copied as u64;
        }
        Ok(count)
    }
}

impl Source for SpoolReader<'_, Frame> {
    type Error = Error;

    fn read(&mut self, frames: &mut [Frame]) -> Result<usize, Error> {
        SpoolReader::read(self, frames)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(count: usize) -> Vec<Frame> {
        (0..count).map(|i| [f32::from_bits(i as u32), f32::from_bits(!(i as u32))]).collect()
    }

    fn bits(frames: &[Frame]) -> Vec<[u32; 2]> {
        frames.iter().map(|f| f.map(f32::to_bits)).collect()
    }

    fn read_all(mut reader: SpoolReader<'_, Frame>, block: usize) -> Vec<Frame> {
        let mut all = Vec::new();
        let mut buffer = vec![[0.0; 2]; block];
        loop {
            match reader.read(&mut buffer).expect("readable") {
                0 => return all,
                count => all.extend_from_slice(&buffer[..count]),
            }
        }
    }

    fn spool(frames: &[Frame], memory_bytes: usize, push: usize) -> Spool<Frame> {
        let mut spool = Spool::new(memory_bytes);
        frames.chunks(push).for_each(|block| spool.push(block).expect("space"));
        spool
    }

    #[test]
    fn bits_are_kept_in_memory_and_past_it() {
        let frames = frames(3 * BLOCK + 17);
        for memory_bytes in [0, BLOCK * 8, 2 * BLOCK * 8, usize::MAX] {
            let spool = spool(&frames, memory_bytes, 10_007);
            assert_eq!(spool.len(), frames.len() as u64);
            assert_eq!(spool.file.is_some(), memory_bytes < 3 * BLOCK * 8);
            // Bits are compared, not values, because signalling NaNs are included.
            assert!(bits(&read_all(spool.reader(), 7_919)) == bits(&frames));
        }
    }

    #[test]
    fn bits_are_kept_as_bytes() {
        for len in [0, 1, BLOCK, 2 * BLOCK + 17] {
            let bytes = spool(&frames(len), 0, 10_007).to_bytes().expect("readable");
            assert_eq!(bytes.len(), len * <Frame as Record>::BYTES);
            let again = Spool::<Frame>::from_bytes(&bytes, usize::MAX).expect("memory");
            assert!(again.len() == len as u64 && bits(&read_all(again.reader(), 7_919)) == bits(&frames(len)), "{len}");
        }
    }

    #[test]
    fn reading_starts_anywhere_and_ends_at_the_end() {
        let frames = frames(2 * BLOCK + 5);
        for memory_bytes in [0, usize::MAX] {
            let spool = spool(&frames, memory_bytes, frames.len());
            for at in [1, BLOCK - 1, BLOCK, 2 * BLOCK, 2 * BLOCK + 4, 2 * BLOCK + 5, 9 * BLOCK] {
                let rest = read_all(spool.reader_at(at as u64), 1_000);
                assert!(bits(&rest) == bits(frames.get(at..).unwrap_or_default()), "at {at}");
            }
            assert!(read_all(spool.reader_at(u64::MAX), 10).is_empty());
        }
    }

    #[test]
    fn many_stored_spools_share_one_file_and_keep_their_bits() {
        let store = Store::new().expect("space");
        let lengths = [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 17];
        let mut spools: Vec<_> = lengths.iter().map(|&len| spool(&frames(len), 0, 10_007)).collect();
        spools.iter_mut().for_each(|spool| spool.store(&store).expect("space"));
        assert_eq!(Arc::strong_count(&store.file), 1 + spools.len());
        for (spool, len) in spools.iter().zip(lengths) {
            assert!(spool.last.capacity() == 0 && spool.blocks.is_empty() && spool.len() == len as u64);
            assert!(bits(&read_all(spool.reader(), 7_919)) == bits(&frames(len)), "{len}");
            for at in [len / 2, len.saturating_sub(1), len, len + 1] {
                let rest = read_all(spool.reader_at(at as u64), 1_000);
                assert!(bits(&rest) == bits(frames(len).get(at..).unwrap_or_default()), "{len} from {at}");
            }
        }
    }

    #[test]
    fn many_threads_read_at_once() {
        let frames = frames(3 * BLOCK);
        let spool = spool(&frames, 0, BLOCK);
        std::thread::scope(|scope| {
            for block in [1_000, 4_099, 65_536, 100_000] {
                let (spool, frames) = (&spool, &frames);
                scope.spawn(move || assert!(bits(&read_all(spool.reader(), block)) == bits(frames)));
            }
        });
    }

    #[test]
    fn an_empty_spool_ends_at_once() {
        let spool = Spool::<Frame>::new(0);
        assert!(spool.is_empty() && read_all(spool.reader(), 10).is_empty());
    }
}
