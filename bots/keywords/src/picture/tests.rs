//! Tests pictures of all kinds, good and bad.

use std::io::Cursor;

use image::{
    DynamicImage, GenericImageView, GrayImage, ImageEncoder, ImageFormat, Rgb, RgbImage, Rgba,
    RgbaImage, codecs::jpeg::JpegEncoder,
};
use proptest::prelude::*;

use super::{colour::hsl, *};

fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
    encoded(image, ImageFormat::Png)
}

fn jpeg(image: impl Into<DynamicImage>) -> Vec<u8> {
    encoded(image, ImageFormat::Jpeg)
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn read(bytes: &[u8]) -> Result<Picture, PictureError> {
    decode(bytes, &Limits::default())
}

/// A picture whose left half is red and whose right half is blue.
fn halves(width: u32, height: u32) -> RgbImage {
    let red = |x: u32| x < width / 2;
    RgbImage::from_fn(width, height, |x, _| Rgb(if red(x) { [255, 0, 0] } else { [0, 0, 255] }))
}

fn picture(image: RgbImage) -> Picture {
    read(&png(image)).unwrap()
}

fn size(bytes: &[u8]) -> (u32, u32) {
    image::load_from_memory(bytes).unwrap().dimensions()
}

#[test]
fn all_kinds_of_colour_are_read() {
    let grey = GrayImage::from_pixel(9, 7, image::Luma([90]));
    let deep = image::ImageBuffer::from_pixel(9, 7, Rgb([90_u16 * 257; 3]));
    for bytes in [png(grey.clone()), jpeg(grey), png(deep), jpeg(halves(9, 7)), png(halves(9, 7))] {
        let picture = read(&bytes).unwrap();
        assert_eq!(picture.image.dimensions(), (9, 7));
    }
    let clear = png(RgbaImage::from_pixel(4, 4, Rgba([0, 0, 0, 0])));
    assert_eq!(read(&clear).unwrap().image.get_pixel(0, 0).0, [255; 3]);
    let half = png(RgbaImage::from_pixel(4, 4, Rgba([0, 0, 0, 128])));
    assert_eq!(read(&half).unwrap().image.get_pixel(0, 0).0, [127; 3]);
}

#[test]
fn a_picture_with_an_orientation_is_turned_upright() {
    // An Exif block that says only: the row 0 is the right side, the column 0 the top.
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new(&mut bytes);
    encoder.set_exif_metadata(exif).unwrap();
    encoder.encode_image(&halves(64, 32)).unwrap();
    let picture = read(&bytes).unwrap();
    assert_eq!(picture.image.dimensions(), (32, 64));
    let [top, bottom] = [8, 56].map(|y| picture.image.get_pixel(16, y).0);
    assert!(top[0] > 200 && top[2] < 60, "{top:?}");
    assert!(bottom[2] > 200 && bottom[0] < 60, "{bottom:?}");
}

#[test]
fn what_is_read_has_at_most_480_pixels_a_side() {
    assert_eq!(picture(halves(960, 480)).image.dimensions(), (480, 240));
    assert_eq!(picture(halves(480, 480)).image.dimensions(), (480, 480));
    assert_eq!(picture(halves(2000, 1)).image.dimensions(), (480, 1));
}

#[test]
fn the_content_decides_what_a_file_is() {
    for bytes in [&b""[..], b"hello", b"GIF89a\x01\0\x01\0\0\0\0;", b"RIFF\0\0\0\0WEBPVP8 "] {
        assert_eq!(read(bytes).unwrap_err(), PictureError::NotAPicture, "{bytes:?}");
    }
    let whole = png(halves(50, 50));
    assert_eq!(read(&whole[..40]).unwrap_err(), PictureError::Broken);
    assert_eq!(read(&whole[..whole.len() - 30]).unwrap_err(), PictureError::Broken);
}

#[test]
fn too_many_bytes_are_refused_before_anything_is_read() {
    let limits = Limits { file_bytes: 10, ..Limits::default() };
    let error = decode(b"not a picture", &limits).unwrap_err();
    assert_eq!(error, PictureError::TooManyBytes { bytes: 13, at_most: 10 });
}

/// The checksum of a header that says 30,000 × 30,000 pixels in three colours.
const CHECKSUM: [u8; 4] = [0xe9, 0x45, 0x6f, 0xed];

/// Writes over the size in a PNG's header, with the checksum that belongs to it.
fn with_size(png: &mut [u8], width: u32, height: u32, checksum: [u8; 4]) {
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    png[29..33].copy_from_slice(&checksum);
}

#[test]
fn a_bomb_is_refused_by_its_size_and_the_error_says_the_limit() {
    let mut bomb = png(halves(10, 10));
    with_size(&mut bomb, 30_000, 30_000, CHECKSUM);
    let error = read(&bomb).unwrap_err();
    let at_most = (80 * 1024 * 1024 - bomb.len() as u64) / 3;
    assert_eq!(error, PictureError::TooManyPixels { width: 30_000, height: 30_000, at_most });
    let text = format!("too large: 30000×30000 pixels, at most {at_most} in all");
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_progressive_jpeg_may_have_fewer_pixels() {
    let mut progressive = jpeg(halves(20, 15));
    let memory = progressive.len() as u64 + 9 * 100;
    let limits = Limits { memory, ..Limits::default() };
    assert!(decode(&progressive, &limits).is_ok());
    let frame = progressive.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
    progressive[frame + 1] = 0xc2;
    let error = decode(&progressive, &limits).unwrap_err();
    assert_eq!(error, PictureError::TooManyPixels { width: 20, height: 15, at_most: 100 });
}

#[test]
fn a_collage_has_two_columns_of_up_to_eight_and_a_preview_of_up_to_four() {
    let pictures = vec![picture(halves(300, 200)); 9];
    let sizes = |count: usize| {
        let collage = collage(&pictures[..count], Some(2));
        (size(&collage.image), size(&collage.preview))
    };
    assert_eq!(sizes(1), ((256, 176), (128, 88)));
    assert_eq!(sizes(2), ((504, 256), (252, 128)));
    assert_eq!(sizes(3), ((504, 504), (252, 252)));
    assert_eq!(sizes(4), ((504, 504), (252, 252)));
    assert_eq!(sizes(8), ((504, 1000), (252, 252)));
    assert_eq!(sizes(9), sizes(8));
    assert_eq!(sizes(0), ((504, 248), (252, 124)));
}

#[test]
fn a_number_from_1_to_3_is_drawn_in_the_corner() {
    let pictures = [picture(halves(300, 200)), picture(halves(300, 200))];
    let drawn = [None, Some(1), Some(2), Some(3)].map(|number| collage(&pictures, number));
    for (one, other) in [(0, 1), (1, 2), (2, 3), (1, 3)] {
        assert_ne!(drawn[one].image, drawn[other].image);
        assert_ne!(drawn[one].preview, drawn[other].preview);
    }
    assert_eq!(collage(&pictures, Some(4)), drawn[0]);
}

#[test]
fn the_worst_pictures_stay_far_below_the_limits_of_line() {
    let noise = RgbImage::from_fn(240, 240, |x, y| {
        let mix = |salt: u32| x.wrapping_mul(7919).wrapping_add(y.wrapping_mul(104_729)) ^ salt;
        Rgb([1, 2, 3].map(|salt| mix(salt).wrapping_mul(2_654_435_761).to_be_bytes()[1]))
    });
    let collage = collage(&vec![picture(noise); 8], Some(3));
    assert!(collage.image.len() < 1_000_000, "{}", collage.image.len());
    assert!(collage.preview.len() < 200_000, "{}", collage.preview.len());
}

#[test]
fn a_palette_has_the_colours_and_shares_of_a_picture() {
    let image = RgbImage::from_fn(100, 100, |x, y| match (x, y) {
        (0..75, _) => Rgb([250, 10, 10]),
        (_, 0..50) => Rgb([10, 10, 250]),
        _ => Rgb([10, 250, 10]),
    });
    let colours = palette(&picture(image), 5);
    let said: Vec<_> =
        colours.iter().map(|colour| (colour.hex(), (colour.share * 100.0).round())).collect();
    assert_eq!(said[0], ("#fa0a0a".to_owned(), 75.0));
    assert_eq!(said.len(), 3, "{said:?}");
    let both = ["#0afa0a", "#0a0afa"].map(|hex| (hex.to_owned(), 13.0));
    assert!(both.iter().all(|colour| said.contains(colour)), "{said:?}");
    assert_eq!(palette(&picture(halves(1, 1)), 5).len(), 1);
}

#[test]
fn colours_that_count_as_one_come_first_if_they_have_most_together() {
    let image = RgbImage::from_fn(100, 100, |x, y| match (x, y % 20 < 10) {
        (0..40, _) => Rgb([200, 20, 20]),
        (_, true) => Rgb([10, 10, 200]),
        (_, false) => Rgb([10, 10, 218]),
    });
    let colours = palette(&picture(image), 5);
    let shares: Vec<_> = colours.iter().map(|colour| (colour.share * 100.0).round()).collect();
    assert_eq!(shares, [60.0, 40.0], "{colours:?}");
}

#[test]
fn a_palette_card_shows_the_picture_and_its_colours() {
    let image = picture(halves(300, 200));
    let colours = palette(&image, 5);
    let card = palette_card(&image, &colours);
    let drawn = image::load_from_memory(&card.image).unwrap().to_rgb8();
    let (width, height) = drawn.dimensions();
    assert_eq!(width, 504);
    assert_eq!(size(&card.preview).0, 252);
    let [left, right] = [60, 440].map(|x| drawn.get_pixel(x, height - 60).0);
    assert!(left[0] > 200 || left[2] > 200, "{left:?}");
    assert_ne!(left[0] > 128, right[0] > 128, "{left:?} {right:?}");
    assert_eq!(palette_card(&image, &[]).image.get(..2), Some(&[0xff, 0xd8][..]));
}

#[test]
fn a_white_colour_is_seen_on_a_palette_card() {
    let image = picture(RgbImage::from_pixel(100, 100, Rgb([255; 3])));
    let card = palette_card(&image, &palette(&image, 5));
    let drawn = image::load_from_memory(&card.image).unwrap().to_luma8();
    let (width, height) = drawn.dimensions();
    let is_dark = |y: &u32| drawn.get_pixel(width / 2, *y).0[0] < 235;
    // The upper and the lower edge of the swatch and of the bar.
    let edges: Vec<_> = (height - 8 - 16 - 8 - 72 - 4..height).filter(is_dark).collect();
    assert_eq!(edges.len(), 4, "{edges:?}");
}

#[test]
fn nothing_found_looks_the_same_for_the_same_seed_and_different_for_others() {
    let drawn = nothing_found("山びこ");
    assert_eq!(drawn, nothing_found("山びこ"));
    assert_ne!(drawn.image, nothing_found("こだま").image);
    assert_eq!(size(&drawn.image), (480, 480));
    assert_eq!(size(&drawn.preview), (240, 240));
}

#[test]
fn hues_go_round_the_circle() {
    assert_eq!(hsl(0.0, 1.0, 0.5), [255.0, 0.0, 0.0]);
    assert_eq!(hsl(1.0 / 3.0, 1.0, 0.5).map(f32::round), [0.0, 255.0, 0.0]);
    assert_eq!(hsl(-1.0 / 3.0, 1.0, 0.5).map(f32::round), [0.0, 0.0, 255.0]);
    assert_eq!(hsl(0.7, 0.0, 1.0), [255.0; 3]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(read(&bytes).is_err());
    }

    #[test]
    fn damaged_pictures_never_panic(
        kind in 0_usize..2,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        keep in any::<prop::sample::Index>(),
    ) {
        let mut bytes = if kind == 0 { png(halves(20, 15)) } else { jpeg(halves(20, 15)) };
        for (index, value) in damage {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(keep.index(bytes.len()) + 1);
        if let Ok(picture) = decode(&bytes, &Limits { memory: 1024 * 1024, ..Limits::default() }) {
            collage(&[picture], None);
        }
    }

    #[test]
    fn pictures_of_any_size_can_be_laid_and_cut(width in 1_u32..600, height in 1_u32..600) {
        let picture = picture(halves(width, height));
        let card = palette_card(&picture, &palette(&picture, 5));
        prop_assert!(size(&card.image).1 <= 600);
        let collage = collage(&[picture.clone(), picture], Some(1));
        prop_assert_eq!(size(&collage.image), (504, 256));
    }
}
