//! Lays pictures side by side.

use super::{
    Collage, Picture,
    canvas::{Canvas, Place, length},
};

/// The most pictures of a collage.
const MAX_PICTURES: usize = 8;
/// The most pictures of its preview.
const MAX_IN_PREVIEW: usize = 4;
const COLUMNS: usize = 2;

/// The sizes of a sheet, in pixels.
struct Sheet {
    cell: u32,
    gap: u32,
    corner: u32,
    badge: u32,
}

const FULL: Sheet = Sheet { cell: 240, gap: 8, corner: 8, badge: 24 };
const PREVIEW: Sheet = Sheet { cell: 120, gap: 4, corner: 4, badge: 18 };

/// Lays up to eight pictures in two columns, up to four of them in the preview.
///
/// A number from 1 to 3 is drawn as a badge in the corner, since LINE shows no caption beside a picture.
/// Without pictures it is a white sheet.
pub(crate) fn collage(pictures: &[Picture], number: Option<u8>) -> Collage {
    let some = |at_most: usize| &pictures[..pictures.len().min(at_most)];
    Collage {
        image: FULL.draw(some(MAX_PICTURES), number),
        preview: PREVIEW.draw(some(MAX_IN_PREVIEW), number),
    }
}

impl Sheet {
    fn draw(&self, pictures: &[Picture], number: Option<u8>) -> Vec<u8> {
        let mut canvas = match pictures {
            [one] => self.single(one),
            several => self.columns(several),
        };
        if let Some(number) = number {
            canvas.badge(number, self.gap + self.badge + self.gap, self.badge);
        }
        canvas.encode()
    }

    /// Shows one picture whole.
    fn single(&self, picture: &Picture) -> Canvas {
        let (width, height) = picture.image.dimensions();
        let cell = self.cell as f32;
        let scale = (cell / width.max(height) as f32).min(1.0);
        // A very flat picture still gets a sheet that can be looked at.
        let side = |pixels: u32| length(pixels as f32 * scale).max(self.cell / 2);
        let place = Place { x: self.gap, y: self.gap, width: side(width), height: side(height) };
        let mut canvas = Canvas::new(place.width + 2 * self.gap, place.height + 2 * self.gap);
        canvas.lay(&picture.image, place, self.corner);
        canvas
    }

    /// Fills row after row; a picture alone in the last row stands in the middle.
    fn columns(&self, pictures: &[Picture]) -> Canvas {
        let step = self.cell + self.gap;
        let width = 2 * step + self.gap;
        let rows = || pictures.chunks(COLUMNS).zip((self.gap..).step_by(step as usize));
        let height = rows().last().map_or(0, |(_, y)| y) + step;
        let mut canvas = Canvas::new(width, height);
        for (row, y) in rows() {
            let alone = row.len() < COLUMNS;
            let mut x = if alone { (width - self.cell) / 2 } else { self.gap };
            for picture in row {
                let place = Place { x, y, width: self.cell, height: self.cell };
                canvas.lay(&picture.image, place, self.corner);
                x += step;
            }
        }
        canvas
    }
}
