//! Draws the pictures of the demonstration.

use std::{f32::consts::TAU, io::Cursor};

use image::{ImageFormat, RgbImage};

use crate::picture::colour::{Rgb, byte, mix};

/// How many times larger than its thumbnail a file says to be.
pub(super) const ORIGINAL_SCALE: u32 = 4;

/// What a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Motif {
    Blossom,
    Bubbles,
    Castle,
    City,
    Dots,
    Echo,
    Mountain,
    Rings,
    Savanna,
    Snow,
    Spots,
    Sun,
    Sushi,
    Temple,
    Train,
    Waves,
}

const WHITE: Rgb = [255.0, 255.0, 255.0];
const INK: Rgb = [38.0, 50.0, 64.0];

impl Motif {
    /// Returns the size of its thumbnail.
    pub(super) fn size(self) -> (u32, u32) {
        match self {
            Self::City | Self::Mountain | Self::Savanna | Self::Train | Self::Waves => (240, 160),
            Self::Blossom | Self::Castle | Self::Temple => (180, 240),
            _ => (240, 240),
        }
    }

    pub(super) fn extension(self) -> &'static str {
        if self.is_png() { "png" } else { "jpg" }
    }

    pub(super) fn mime(self) -> &'static str {
        if self.is_png() { "image/png" } else { "image/jpeg" }
    }

    fn is_png(self) -> bool {
        matches!(self, Self::Bubbles | Self::Dots | Self::Rings | Self::Sun)
    }

    /// Draws it as a file.
    pub(super) fn draw(self) -> Vec<u8> {
        let (width, height) = self.size();
        let image = RgbImage::from_fn(width, height, |x, y| {
            // The mean of four points keeps edges smooth.
            let mut sum = [0.0; 3];
            for (dx, dy) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
                let colour = self.colour(
                    (x as f32 + dx) / width as f32,
                    (y as f32 + dy) / height as f32,
                    width as f32 / height as f32,
                );
                sum = [0, 1, 2].map(|i| sum[i] + colour[i] / 4.0);
            }
            image::Rgb(sum.map(byte))
        });
        let format = if self.is_png() { ImageFormat::Png } else { ImageFormat::Jpeg };
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).expect("memory takes any picture");
        bytes.into_inner()
    }

    /// Returns the colour at a point; both sides of the picture count 1, and it is `aspect` times as wide as high.
    fn colour(self, x: f32, y: f32, aspect: f32) -> Rgb {
        let near = |cx: f32, cy: f32| ((x - cx) * aspect).hypot(y - cy);
        match self {
            Self::Mountain => mountain(x, y, near(0.75, 0.22) < 0.09),
            Self::Savanna => savanna(x, y, near(0.3, 0.45) < 0.16),
            Self::City => city(x, y),
            Self::Train => train(x, y),
            Self::Snow => snow(x, y),
            Self::Temple => temple(x, y, 3),
            Self::Castle => temple(x, y, 2),
            Self::Blossom => blossom(x, y, aspect),
            Self::Sushi => sushi(x, y),
            Self::Sun if near(0.5, 0.5) < 0.3 => [190.0, 30.0, 52.0],
            Self::Sun => [250.0, 248.0, 242.0],
            Self::Echo => bands(near(0.2, 0.8), 9.0, [24.0, 78.0, 110.0], [140.0, 205.0, 220.0]),
            Self::Rings => bands(near(0.5, 0.5), 7.0, [70.0, 110.0, 50.0], [178.0, 205.0, 130.0]),
            Self::Waves => {
                let crest = y + 0.03 * (x * 3.0 * TAU).sin();
                bands(crest, 6.0, [60.0, 140.0, 165.0], [200.0, 232.0, 236.0])
            }
            Self::Dots => dots(x, y, 6.0, 0.3, [255.0, 214.0, 92.0], [52.0, 120.0, 90.0]),
            Self::Bubbles => dots(x, y, 3.0, 0.4, [70.0, 190.0, 110.0], WHITE),
            Self::Spots => {
                dots(x + 0.02 * (y * 40.0).sin(), y, 9.0, 0.28, [226.0, 178.0, 98.0], INK)
            }
        }
    }
}

fn mountain(x: f32, y: f32, sun: bool) -> Rgb {
    let side = (x - 0.45).abs();
    let top = 0.25 + 1.5 * side - 0.5 * side * side;
    let snow = top < 0.52 + 0.03 * (x * 60.0).sin() && y < 0.45 + 0.04 * (x * 70.0).sin();
    if y > 0.85 {
        [64.0, 112.0, 84.0]
    } else if y > top.max(0.25) {
        if snow { WHITE } else { [74.0, 98.0, 140.0] }
    } else if sun {
        [255.0, 236.0, 170.0]
    } else {
        mix([130.0, 186.0, 226.0], [252.0, 226.0, 206.0], y)
    }
}

fn savanna(x: f32, y: f32, sun: bool) -> Rgb {
    let crown = ((x - 0.72) / 0.2).powi(2) + ((y - 0.42) / 0.09).powi(2) < 1.0;
    let trunk = (x - 0.72).abs() < 0.012 + 0.02 * (y - 0.42).abs() && (0.42..0.75).contains(&y);
    if crown || trunk {
        [70.0, 52.0, 40.0]
    } else if y > 0.72 + 0.015 * (x * 9.0).sin() {
        mix([196.0, 142.0, 60.0], [140.0, 92.0, 40.0], (y - 0.72) * 3.0)
    } else if sun {
        [255.0, 226.0, 130.0]
    } else {
        mix([232.0, 110.0, 62.0], [252.0, 196.0, 110.0], y / 0.72)
    }
}

fn city(x: f32, y: f32) -> Rgb {
    let column = (x * 9.0).floor();
    let roof = 0.35 + 0.4 * noise(column);
    if y < roof {
        return mix([28.0, 36.0, 84.0], [236.0, 130.0, 120.0], y);
    }
    let (u, v) = ((x * 36.0).fract(), (y * 22.0).fract());
    let window = (0.3..0.75).contains(&u) && (0.25..0.7).contains(&v);
    let lit = noise((x * 36.0).floor() * 31.0 + (y * 22.0).floor()) > 0.45;
    let wall = mix([30.0, 34.0, 60.0], [56.0, 58.0, 92.0], noise(column + 40.0));
    if window && lit { [255.0, 222.0, 140.0] } else { wall }
}

fn train(x: f32, y: f32) -> Rgb {
    let nose = ((x - 0.3).min(0.0) / 0.24).powi(2) + ((y - 0.62) / 0.2).powi(2) < 1.0;
    if nose && y < 0.76 {
        let window = (0.5..0.57).contains(&y) && x > 0.22 && (x * 14.0).fract() < 0.7;
        let stripe = (0.62..0.665).contains(&y);
        return if window || stripe { [30.0, 70.0, 150.0] } else { [246.0, 248.0, 250.0] };
    }
    if y > 0.76 {
        if y < 0.8 { [110.0, 116.0, 122.0] } else { [146.0, 170.0, 110.0] }
    } else {
        mix([120.0, 190.0, 236.0], [226.0, 242.0, 250.0], y)
    }
}

fn snow(x: f32, y: f32) -> Rgb {
    let (column, row) = ((x * 14.0).floor(), (y * 14.0).floor());
    let (dx, dy) = (noise(column * 7.0 + row), noise(column + row * 13.0));
    let flake = ((x * 14.0).fract() - 0.2 - 0.6 * dx).hypot((y * 14.0).fract() - 0.2 - 0.6 * dy);
    let hill = 0.72 + 0.06 * (x * 5.0).sin();
    if y > hill || flake < 0.13 {
        mix(WHITE, [206.0, 222.0, 240.0], ((y - hill) * 2.0).clamp(0.0, 1.0))
    } else {
        mix([46.0, 74.0, 120.0], [150.0, 182.0, 214.0], y)
    }
}

/// Roofs one above the other.
fn temple(x: f32, y: f32, roofs: u8) -> Rgb {
    let step = 0.6 / f32::from(roofs);
    for roof in 0..roofs {
        let top = 0.2 + step * f32::from(roof);
        let half = 0.16 + 0.07 * f32::from(roof);
        let (down, side) = ((y - top) / step, (x - 0.5).abs());
        let curve = half * (0.45 + 0.75 * down.clamp(0.0, 1.0).powi(2));
        if (0.0..0.45).contains(&down) && side < curve + 0.06 {
            return INK;
        }
        if (0.45..1.0).contains(&down) && side < half * 0.72 {
            let beam = (side * 22.0).fract() < 0.25;
            let red = roofs > 2;
            return match (red, beam) {
                (true, true) => [120.0, 40.0, 34.0],
                (true, false) => [206.0, 84.0, 60.0],
                (false, true) => [214.0, 206.0, 190.0],
                (false, false) => [246.0, 242.0, 232.0],
            };
        }
    }
    if y > 0.8 {
        [118.0, 140.0, 96.0]
    } else {
        mix([250.0, 226.0, 190.0], [252.0, 244.0, 230.0], y)
    }
}

fn blossom(x: f32, y: f32, aspect: f32) -> Rgb {
    for (cx, cy, size) in
        [(0.3, 0.25, 0.16), (0.72, 0.42, 0.2), (0.32, 0.7, 0.18), (0.8, 0.85, 0.12)]
    {
        let (dx, dy): (f32, f32) = ((x - cx) * aspect, y - cy);
        let petal = size * (0.62 + 0.38 * (dy.atan2(dx) * 2.5).cos().abs());
        let away = dx.hypot(dy);
        if away < size * 0.18 {
            return [236.0, 190.0, 80.0];
        }
        if away < petal {
            return mix([244.0, 150.0, 178.0], [255.0, 226.0, 234.0], away / petal);
        }
    }
    mix([176.0, 214.0, 236.0], [232.0, 242.0, 246.0], y)
}

fn sushi(x: f32, y: f32) -> Rgb {
    for (cx, topping) in [(0.28, [238.0, 120.0, 84.0]), (0.72, [206.0, 52.0, 66.0])] {
        let inside = |cy: f32, rx: f32, ry: f32| {
            ((x - cx) / rx).abs().powi(3) + ((y - cy) / ry).abs().powi(3) < 1.0
        };
        if inside(0.46, 0.19, 0.1) {
            let stripe = ((x + y * 0.6) * 16.0).fract() < 0.18;
            return if stripe { mix(topping, WHITE, 0.5) } else { topping };
        }
        if inside(0.57, 0.17, 0.12) {
            return [250.0, 248.0, 240.0];
        }
    }
    if (0.36..0.78).contains(&y) { [166.0, 112.0, 66.0] } else { [92.0, 62.0, 44.0] }
}

/// Stripes from one colour to the other and back.
fn bands(at: f32, count: f32, one: Rgb, other: Rgb) -> Rgb {
    mix(one, other, 0.5 + 0.5 * (at * count * TAU).sin())
}

/// Discs in rows, every second row shifted.
fn dots(x: f32, y: f32, count: f32, radius: f32, ground: Rgb, dot: Rgb) -> Rgb {
    let row = (y * count).floor();
    let shift = if row % 2.0 == 0.0 { 0.0 } else { 0.5 };
    let away = ((x * count + shift).fract() - 0.5).hypot((y * count).fract() - 0.5);
    if away < radius { dot } else { ground }
}

/// Returns the same number between 0 and 1 for the same seed.
fn noise(seed: f32) -> f32 {
    ((seed * 12.9898 + 4.1).sin() * 43_758.547).abs().fract()
}
