//! What is read of an MP4 beside its demuxer (ISO/IEC 14496-12): edits, uncompressed sound, and whether its claims
//! can be true.

mod boxes;
mod claims;
mod edit;
mod pcm;

pub(super) use self::boxes::{Span, child, children, has_sound, movie};
pub(super) use self::claims::are_possible;
pub(super) use self::edit::{Edit, edit};
pub(super) use self::pcm::read as read_pcm;
