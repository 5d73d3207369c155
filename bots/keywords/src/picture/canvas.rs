//! A white sheet to lay pictures on.

use image::{
    ImageEncoder, Rgb, RgbImage,
    codecs::jpeg::JpegEncoder,
    imageops::{self, FilterType},
};

use super::{
    Collage,
    colour::{self, byte, mix},
};

const QUALITY: u8 = 88;
const WHITE: Rgb<u8> = Rgb([255; 3]);
/// What shows where a picture does not fill its place.
const GROUND: Rgb<u8> = Rgb([240, 242, 245]);
/// The edge of what may be as white as the sheet.
const EDGE: Rgb<u8> = Rgb([200, 206, 213]);
const INK: colour::Rgb = [34.0, 46.0, 60.0];
/// How far a picture is enlarged at most.
const MAX_ENLARGED: f32 = 1.5;
/// How many times as long as wide a picture may be that is cut to fill its place.
const MAX_CUT: f32 = 2.0;

/// A place on a canvas.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

pub(super) struct Canvas(RgbImage);

impl Canvas {
    pub(super) fn new(width: u32, height: u32) -> Self {
        Self(RgbImage::from_pixel(width, height, WHITE))
    }

    /// Lays a picture on a place with round corners: cut to fill it, or whole where too little would be left.
    pub(super) fn lay(&mut self, picture: &RgbImage, place: Place, radius: u32) {
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        let (wide, high) = (place.width as f32 / width, place.height as f32 / height);
        let filling = wide.max(high);
        let cut = filling / wide.min(high);
        let whole = cut > MAX_CUT || filling > MAX_ENLARGED;
        let scale = if whole { wide.min(high).min(MAX_ENLARGED) } else { filling };
        let picture = resized(picture, length(width * scale), length(height * scale));
        // Of a high picture the upper part says more.
        let left = offset(place.width, picture.width(), 0.5);
        let top = offset(place.height, picture.height(), if whole { 0.5 } else { 0.35 });
        for y in 0..place.height {
            for x in 0..place.width {
                let (from_x, from_y) = (i64::from(x) - left, i64::from(y) - top);
                let at = u32::try_from(from_x).ok().zip(u32::try_from(from_y).ok());
                let pixel = at.and_then(|(x, y)| picture.get_pixel_checked(x, y));
                self.cover(place, x, y, pixel.unwrap_or(&GROUND).0, radius);
            }
        }
    }

    /// Fills a place with one colour.
    pub(super) fn fill(&mut self, place: Place, colour: [u8; 3], radius: u32) {
        for y in 0..place.height {
            for x in 0..place.width {
                self.cover(place, x, y, colour, radius);
            }
        }
    }

    /// Fills a place with one colour inside an edge, which is seen where the colour is that of the sheet.
    pub(super) fn fill_edged(&mut self, place: Place, colour: [u8; 3], radius: u32) {
        self.fill(place, EDGE.0, radius);
        let Place { x, y, width, height } = place;
        let inside = Place { x: x + 1, y: y + 1, width: width - 2, height: height - 2 };
        self.fill(inside, colour, radius.saturating_sub(1));
    }

    /// Draws a digit from 1 to 3 on a disc; other numbers leave the canvas as it is.
    pub(super) fn badge(&mut self, number: u8, centre: u32, radius: u32) {
        let Some(rows) = digit(number) else { return };
        let (centre_at, radius_at) = (centre as f32, radius as f32);
        let dot = radius / 6;
        let (left, top) = (centre - dot * 5 / 2, centre - dot * 7 / 2);
        for y in centre - radius - 4..=centre + radius + 4 {
            for x in centre - radius - 4..=centre + radius + 4 {
                let Some(pixel) = self.0.get_pixel_mut_checked(x, y) else { continue };
                let away = (x as f32 + 0.5 - centre_at).hypot(y as f32 + 0.5 - centre_at);
                let under = pixel.0.map(f32::from);
                let ring = mix(under, [255.0; 3], radius_at + 3.0 - away);
                let disc = mix(ring, INK, radius_at - away);
                let (column, row) = (x.wrapping_sub(left) / dot, y.wrapping_sub(top) / dot);
                let lit = rows
                    .get(row as usize)
                    .is_some_and(|bits| column < 5 && bits >> (4 - column) & 1 == 1);
                pixel.0 = if lit { [255; 3] } else { disc.map(byte) };
            }
        }
    }

    /// Encodes it, with the same canvas at this width as its preview.
    pub(super) fn with_reduced_preview(&self, width: u32) -> Collage {
        let height = length(self.0.height() as f32 * width as f32 / self.0.width() as f32);
        Collage { image: self.encode(), preview: encode(&resized(&self.0, width, height)) }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        encode(&self.0)
    }

    /// Sets a point of a place, less so where a round corner ends.
    fn cover(&mut self, place: Place, x: u32, y: u32, colour: [u8; 3], radius: u32) {
        let inward = |at: u32, side: u32| {
            let edge = at.min(side - 1 - at) as f32 + 0.5;
            (radius as f32 - edge).max(0.0)
        };
        let away = inward(x, place.width).hypot(inward(y, place.height));
        let share = if away == 0.0 { 1.0 } else { radius as f32 + 0.5 - away };
        if let Some(pixel) = self.0.get_pixel_mut_checked(place.x + x, place.y + y) {
            pixel.0 = mix(pixel.0.map(f32::from), colour.map(f32::from), share).map(byte);
        }
    }
}

/// Encodes a picture as JPEG.
pub(super) fn encode(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .write_image(picture, picture.width(), picture.height(), image::ExtendedColorType::Rgb8)
        .expect("memory takes any picture of these sizes");
    bytes
}

pub(super) fn resized(picture: &RgbImage, width: u32, height: u32) -> RgbImage {
    if (picture.width(), picture.height()) == (width, height) {
        return picture.clone();
    }
    imageops::resize(picture, width, height, FilterType::CatmullRom)
}

/// Returns a length in whole pixels, at least one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sides of canvases are small and positive"
)]
pub(super) fn length(pixels: f32) -> u32 {
    pixels.round().clamp(1.0, 4096.0) as u32
}

/// Returns where a picture begins in a place, with this share of the rest before it.
#[expect(clippy::cast_possible_truncation, reason = "sides of canvases are small")]
fn offset(place: u32, picture: u32, share: f32) -> i64 {
    ((place as f32 - picture as f32) * share).round() as i64
}

/// Returns a digit as seven rows of five bits.
fn digit(number: u8) -> Option<[u8; 7]> {
    match number {
        1 => Some([0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110]),
        2 => Some([0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111]),
        3 => Some([0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110]),
        _ => None,
    }
}
