//! Masters the songs of a record together: a common move in tone, smaller differences in tone, unchanged differences in
//! loudness.
//!
//! [`Album`] is the way in: five steps, three for every song and two for all songs together.
//!
//! | step | for | takes | returns |
//! |---|---|---|---|
//! | [`measure`](Album::measure) | every song | the mix | [`MeasuredSong`] |
//! | [`decide`](Album::decide) | the album | all measured songs | [`DecidedAlbum`] |
//! | [`prepare`](Album::prepare) | every song | the mix, its measurements, the decided album | [`PreparedSong`] |
//! | [`balance`](Album::balance) | the album | all prepared songs | a [`BalancedSong`] each |
//! | [`master`](Album::master) | every song | the mix and its balanced song | the master |
//!
//! The results of all steps but the last are plain data, which may go to another process as bytes ([`Transfer`]). A batch
//! takes the same steps ([`DecidedAlbum`]), so that the masters have the same bytes whichever way an album is mastered.

pub(crate) mod decided;
pub(crate) mod level;
pub(crate) mod measured;
pub(crate) mod report;
mod stages;
pub(crate) mod tone;
mod transfer;

pub use self::decided::{BalancedSong, DecidedAlbum, PreparedSong};
pub use self::measured::MeasuredSong;
pub use self::stages::Album;
pub use self::transfer::Transfer;
