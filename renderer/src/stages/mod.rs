//! One file per stage, in signal order.

pub mod balance;
pub mod clipper;
pub mod condition;
pub mod dither;
pub mod dynamic_eq;
pub mod glue;
pub mod limiter;
pub mod match_eq;
pub mod multiband;
pub mod saturator;
pub mod width;
