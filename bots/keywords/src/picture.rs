//! Makes pictures of pictures: collages, palettes, and one for nothing found; pure functions on bytes.
//!
//! Memory: decoding takes at most [`Limits::memory`] (96 MiB unless set otherwise) for the time of the call.
//! A [`Picture`] that came of it takes less than 0.7 MiB, and no drawing takes more than 8 MiB beside its pictures.

mod canvas;
mod collage;
pub(crate) mod colour;
mod decode;
mod echo;
mod palette;
#[cfg(test)]
mod tests;

pub(crate) use self::{
    collage::collage,
    decode::{Limits, Picture, PictureError, decode},
    echo::nothing_found,
    palette::{Colour, palette, palette_card},
};

/// What all drawings are encoded as.
pub(crate) const CONTENT_TYPE: &str = "image/jpeg";

/// A drawing and its preview, both JPEG; far below LINE's limits of 10 MB and 1 MB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Collage {
    pub(crate) image: Vec<u8>,
    pub(crate) preview: Vec<u8>,
}
