//! Reads from an MP4 (ISO/IEC 14496-12) what its demuxer does not handle: edits, uncompressed sound, and claims that
//! must be checked.

mod boxes;
mod claims;
mod edit;
mod pcm;

pub(super) use self::boxes::{Span, child, children, has_sound, movie};
pub(super) use self::claims::are_possible;
pub(super) use self::edit::{Edit, edit};
pub(super) use self::pcm::read as read_pcm;
