//! Reads pictures of strangers, within limits.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage};
use thiserror::Error;

use super::colour::byte;

/// The longest side of a picture that was read; larger ones are reduced.
pub(super) const SIDE: u32 = 480;

/// How much reading one picture may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The largest file in bytes.
    pub(crate) file_bytes: usize,
    /// The most memory in bytes.
    pub(crate) memory: u64,
}

impl Default for Limits {
    /// Takes files up to 20 MiB and 96 MiB of memory: a JPEG of 30 million pixels, or 10 million if it is progressive.
    fn default() -> Self {
        Self { file_bytes: 20 * 1024 * 1024, memory: 96 * 1024 * 1024 }
    }
}

/// A picture that was read: upright, opaque on white, at most 480 pixels a side.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    pub(super) image: RgbImage,
}

/// Why a picture was not read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub(crate) enum PictureError {
    /// The bytes are no JPEG and no PNG.
    #[error("neither JPEG nor PNG")]
    NotAPicture,
    /// The file has too many bytes.
    #[error("too large: {bytes} bytes, at most {at_most}")]
    TooManyBytes {
        /// How many it has.
        bytes: usize,
        /// How many it may have.
        at_most: usize,
    },
    /// The picture has too many pixels.
    #[error("too large: {width}×{height} pixels, at most {at_most} in all")]
    TooManyPixels {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// How many pixels a picture of its kind may have.
        at_most: u64,
    },
    /// It begins like a picture but cannot be read.
    #[error("a broken picture")]
    Broken,
}

/// Reads a JPEG or PNG; its content decides which, and an animation's first frame counts.
///
/// # Errors
/// As [`PictureError`] says; sizes are checked before any pixel is read.
pub(crate) fn decode(bytes: &[u8], limits: &Limits) -> Result<Picture, PictureError> {
    if bytes.len() > limits.file_bytes {
        return Err(PictureError::TooManyBytes { bytes: bytes.len(), at_most: limits.file_bytes });
    }
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|_never| PictureError::NotAPicture)?;
    let format =
        reader.format().filter(|format| matches!(format, ImageFormat::Jpeg | ImageFormat::Png));
    let format = format.ok_or(PictureError::NotAPicture)?;
    let mut allowed = image::Limits::no_limits();
    allowed.max_alloc = Some(limits.memory);
    reader.limits(allowed);
    let mut decoder = reader.into_decoder().map_err(|error| broken(&error))?;

    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let mut pixel_bytes = u64::from(decoder.color_type().bytes_per_pixel());
    if format == ImageFormat::Jpeg && is_progressive(bytes) {
        // All coefficients are kept until the last scan: two bytes for each of three channels.
        pixel_bytes += 6;
    }
    let at_most = limits.memory / pixel_bytes;
    if pixels > at_most {
        return Err(PictureError::TooManyPixels { width, height, at_most });
    }
    let orientation = decoder.orientation().map_err(|error| broken(&error))?;
    let whole = DynamicImage::from_decoder(decoder).map_err(|error| broken(&error))?;
    let mut reduced = if width.max(height) > SIDE { whole.thumbnail(SIDE, SIDE) } else { whole };
    reduced.apply_orientation(orientation);
    Ok(Picture { image: on_white(&reduced) })
}

fn broken(error: &ImageError) -> PictureError {
    match error {
        ImageError::Unsupported(_) => PictureError::NotAPicture,
        _ => PictureError::Broken,
    }
}

/// Lays a picture on white.
fn on_white(picture: &DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let picture = picture.to_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [r, g, b, a] = picture.get_pixel(x, y).0.map(f32::from);
        image::Rgb([r, g, b].map(|value| byte(255.0 + (value - 255.0) * a / 255.0)))
    })
}

/// Tells whether a JPEG says to be progressive, by its segments before the first scan.
fn is_progressive(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[marker, kind, high, low]) = bytes.get(at..at + 4) {
        match (marker, kind) {
            (0xff, 0xff) => at += 1,
            (0xff, 0xc2 | 0xc6 | 0xca | 0xce) => return true,
            (0xff, 0xda) => return false,
            (0xff, _) => at += 2 + usize::from(u16::from_be_bytes([high, low])),
            // Not where a segment should begin: take the dearer kind.
            _ => return true,
        }
    }
    false
}
