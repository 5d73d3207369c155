//! Finds the few colours that a picture is made of.

use std::cmp::Reverse;

use super::{
    Collage, Picture,
    canvas::{Canvas, Place, length},
    colour::{self, byte},
};

/// The longest side of the picture that is looked at.
const SAMPLE: u32 = 120;
/// How often colours are moved to the middle of what is nearest to them.
const ROUNDS: usize = 8;
/// Colours nearer than this, in steps of 255, count as one.
const SAME: f32 = 24.0;
const WIDTH: u32 = 504;
const GAP: u32 = 8;
const CORNER: u32 = 8;
const MAX_HEIGHT: u32 = 366;
const SWATCH: u32 = 72;
const BAR: u32 = 16;

/// A colour of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Colour {
    pub(crate) rgb: [u8; 3],
    /// Which share of the picture it has, from 0 to 1.
    pub(crate) share: f32,
}

impl Colour {
    /// Writes it as in HTML, like `#1a2b3c`.
    pub(crate) fn hex(&self) -> String {
        let [r, g, b] = self.rgb;
        format!("#{r:02x}{g:02x}{b:02x}")
    }
}

/// Returns one to `at_most` colours, the one with the largest share first; the same picture has always the same.
pub(crate) fn palette(picture: &Picture, at_most: usize) -> Vec<Colour> {
    let image = &picture.image;
    let scale = (SAMPLE as f32 / image.width().max(image.height()) as f32).min(1.0);
    let side = |pixels: u32| length(pixels as f32 * scale);
    let sample = image::imageops::thumbnail(image, side(image.width()), side(image.height()));
    let pixels: Vec<_> = sample.pixels().map(|pixel| pixel.0.map(f32::from)).collect();
    let mut means: Vec<_> =
        cut(pixels.clone(), at_most).iter().map(|part| mean(part.iter())).collect();
    let mut groups = Vec::new();
    for _ in 0..ROUNDS {
        groups = nearest(&pixels, &means);
        means = groups.iter().map(|group| mean(group.iter())).collect();
    }
    let mut colours: Vec<_> = means
        .iter()
        .zip(&groups)
        .map(|(mean, group)| Colour {
            rgb: mean.map(byte),
            share: group.len() as f32 / pixels.len() as f32,
        })
        .collect();
    colours.sort_by_key(rank);
    let mut merged = merge(colours);
    // Colours that count as one may have more together than one before them.
    merged.sort_by_key(rank);
    merged
}

/// Returns what colours are sorted by: their share, and where that is the same, themselves.
fn rank(colour: &Colour) -> (Reverse<u32>, [u8; 3]) {
    (Reverse(length(colour.share * 4096.0)), colour.rgb)
}

/// Cuts a set of pixels again and again where it is widest, until there are so many parts.
fn cut(pixels: Vec<colour::Rgb>, parts: usize) -> Vec<Vec<colour::Rgb>> {
    let mut all = vec![pixels];
    while all.len() < parts {
        let weight = |part: &Vec<colour::Rgb>| widest(part).1 * part.len() as f32;
        let largest = (0..all.len()).max_by(|a, b| weight(&all[*a]).total_cmp(&weight(&all[*b])));
        let Some(index) = largest.filter(|index| widest(&all[*index]).1 > 0.0) else { break };
        let mut part = all.swap_remove(index);
        let (channel, _) = widest(&part);
        part.sort_by(|a, b| a[channel].total_cmp(&b[channel]));
        let rest = part.split_off(part.len() / 2);
        all.extend([part, rest]);
    }
    all
}

/// Returns the channel in which pixels differ most, and by how much.
fn widest(pixels: &[colour::Rgb]) -> (usize, f32) {
    let range = |channel: usize| {
        let values = || pixels.iter().map(|pixel| pixel[channel]);
        values().fold(f32::MIN, f32::max) - values().fold(f32::MAX, f32::min)
    };
    let ranges = [0, 1, 2].map(|channel| (channel, range(channel)));
    ranges.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0))
}

/// Puts each pixel to the nearest mean; means that get none vanish.
fn nearest(pixels: &[colour::Rgb], means: &[colour::Rgb]) -> Vec<Vec<colour::Rgb>> {
    let mut groups = vec![Vec::new(); means.len()];
    for pixel in pixels {
        let away = |index: &usize| distance(*pixel, means[*index]);
        let best = (0..means.len()).min_by(|a, b| away(a).total_cmp(&away(b)));
        if let Some(index) = best {
            groups[index].push(*pixel);
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}

fn mean<'a>(pixels: impl ExactSizeIterator<Item = &'a colour::Rgb>) -> colour::Rgb {
    let count = pixels.len() as f32;
    let sum = pixels.fold([0.0; 3], |sum, pixel| [0, 1, 2].map(|i| sum[i] + f64::from(pixel[i])));
    #[expect(clippy::cast_possible_truncation, reason = "a mean of bytes is small")]
    sum.map(|value| value as f32 / count)
}

fn distance(one: colour::Rgb, other: colour::Rgb) -> f32 {
    let [r, g, b] = [0, 1, 2].map(|i| (one[i] - other[i]).powi(2));
    (r + g + b).sqrt()
}

/// Adds colours that look the same to the more common one.
fn merge(colours: Vec<Colour>) -> Vec<Colour> {
    let mut merged: Vec<Colour> = Vec::new();
    for colour in colours {
        let rgb = colour.rgb.map(f32::from);
        match merged.iter_mut().find(|known| distance(known.rgb.map(f32::from), rgb) < SAME) {
            Some(known) => known.share += colour.share,
            None => merged.push(colour),
        }
    }
    merged
}

/// Draws a picture with its palette below: a swatch for each colour, and a bar of their shares.
pub(crate) fn palette_card(picture: &Picture, palette: &[Colour]) -> Collage {
    let inner = WIDTH - 2 * GAP;
    let (width, height) = (picture.image.width() as f32, picture.image.height() as f32);
    let scale = (inner as f32 / width).min(MAX_HEIGHT as f32 / height).min(1.5);
    let (width, height) = (length(width * scale), length(height * scale));
    let swatches = GAP + height + 2 * GAP;
    let bar = swatches + SWATCH + GAP;
    let mut canvas = Canvas::new(WIDTH, bar + BAR + GAP);
    let place = Place { x: (WIDTH - width) / 2, y: GAP, width, height };
    canvas.lay(&picture.image, place, CORNER);

    let count = u32::try_from(palette.len()).unwrap_or(u32::MAX).max(1);
    let swatch = (inner - GAP * (count - 1)) / count;
    let total: f32 = palette.iter().map(|colour| colour.share).sum();
    let whole = Place { x: GAP - 1, y: bar - 1, width: inner + 2, height: BAR + 2 };
    canvas.fill_edged(whole, [255; 3], 0);
    let mut before = 0.0;
    for (colour, index) in palette.iter().zip(0..) {
        let x = GAP + index * (swatch + GAP);
        let place = Place { x, y: swatches, width: swatch, height: SWATCH };
        canvas.fill_edged(place, colour.rgb, CORNER);
        let from = GAP + length(before / total * inner as f32 + 1.0) - 1;
        before += colour.share;
        let to = GAP + length(before / total * inner as f32);
        let width = to.saturating_sub(from).max(1);
        canvas.fill(Place { x: from, y: bar, width, height: BAR }, colour.rgb, 0);
    }
    canvas.with_reduced_preview(WIDTH / 2)
}
