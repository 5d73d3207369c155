//! Draws a picture for where there is none: mountains, and an echo that finds nobody.

use std::f32::consts::TAU;

use image::{Rgb, RgbImage};
use sha2::{Digest, Sha256};

use super::{
    Collage,
    canvas::{encode, resized},
    colour::{self, byte, hsl, mix},
};

const SIDE: u32 = 480;
const PREVIEW_SIDE: u32 = 240;
const RANGES: usize = 4;

/// Draws mountains with rings of an echo; the same seed has always the same picture.
pub(crate) fn nothing_found(seed: &str) -> Collage {
    let scene = Scene::of(seed);
    let image = RgbImage::from_fn(SIDE, SIDE, |x, y| {
        // The mean of four points keeps edges smooth.
        let points = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)];
        let mut sum = [0.0; 3];
        for (dx, dy) in points {
            let side = SIDE as f32;
            let colour = scene.colour((x as f32 + dx) / side, (y as f32 + dy) / side);
            sum = [0, 1, 2].map(|i| sum[i] + colour[i] / 4.0);
        }
        Rgb(sum.map(byte))
    });
    let preview = resized(&image, PREVIEW_SIDE, PREVIEW_SIDE);
    Collage { image: encode(&image), preview: encode(&preview) }
}

struct Scene {
    hue: f32,
    /// Where the moon stands.
    moon: (f32, f32),
    /// Where the voice comes from.
    voice: f32,
    /// The phases of the waves that make each range's line.
    phases: [[f32; 3]; RANGES],
}

impl Scene {
    fn of(seed: &str) -> Self {
        let hash = Sha256::digest(seed.as_bytes());
        let part = |index: usize| f32::from(hash[index % hash.len()]) / 255.0;
        Self {
            hue: part(0),
            moon: (0.62 + 0.24 * part(1), 0.14 + 0.12 * part(2)),
            voice: 0.2 + 0.25 * part(3),
            phases: std::array::from_fn(|range| {
                std::array::from_fn(|wave| part(4 + range * 3 + wave))
            }),
        }
    }

    /// Returns how high the line of a range is at `x`, measured from above.
    fn line(&self, range: usize, x: f32) -> f32 {
        let depth = range as f32 / (RANGES - 1) as f32;
        let [first, second, third] = self.phases[range];
        let slopes = ridge(x * (1.3 + 0.5 * depth) + first) * 0.22
            + ridge(x * 3.1 + second) * 0.07
            + ridge(x * 7.3 + third) * 0.022;
        0.66 + 0.2 * depth - slopes * (1.0 - 0.45 * depth)
    }

    fn colour(&self, x: f32, y: f32) -> colour::Rgb {
        let front = (0..RANGES).rev().find(|range| y > self.line(*range, x));
        let Some(range) = front else { return self.sky(x, y) };
        let depth = range as f32 / (RANGES - 1) as f32;
        let near = hsl(self.hue + 0.04, 0.38, 0.15);
        let far = hsl(self.hue - 0.02, 0.34, 0.56);
        let slope = mix(far, near, depth);
        // Haze lies in the valleys.
        mix(slope, self.haze(), 0.55 * (1.0 - depth) * ((y - self.line(range, x)) * 5.0).min(1.0))
    }

    fn haze(&self) -> colour::Rgb {
        hsl(self.hue + 0.06, 0.5, 0.8)
    }

    fn sky(&self, x: f32, y: f32) -> colour::Rgb {
        let sky = mix(hsl(self.hue, 0.45, 0.36), self.haze(), y * 1.5);
        let away = (x - self.moon.0).hypot(y - self.moon.1);
        let glow = mix(sky, [255.0, 250.0, 235.0], 0.3 * (1.0 - away / 0.3).max(0.0).powi(2));
        let lit = if away < 0.06 { [255.0, 250.0, 235.0] } else { glow };
        let from = (x - self.voice).hypot(y - self.line(0, self.voice));
        let ring = (from * 13.0 * TAU).sin() > 0.72;
        let faint = (0.5 - from * 0.85).max(0.0);
        if ring && from > 0.04 { mix(lit, [255.0; 3], faint) } else { lit }
    }
}

/// A wave with sharp tops, from 0 to 1.
fn ridge(x: f32) -> f32 {
    1.0 - (2.0 * x.rem_euclid(1.0) - 1.0).abs()
}
