//! Colours as numbers to calculate with.

/// Red, green and blue from 0 to 255.
pub(crate) type Rgb = [f32; 3];

/// Returns the colour between two.
pub(crate) fn mix(one: Rgb, other: Rgb, share: f32) -> Rgb {
    let share = share.clamp(0.0, 1.0);
    [0, 1, 2].map(|i| one[i] + (other[i] - one[i]) * share)
}

/// Returns the nearest byte.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number is brought into the range of a byte first"
)]
pub(crate) fn byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// Returns the colour of a hue (in turns), with saturation and lightness from 0 to 1.
pub(crate) fn hsl(hue: f32, saturation: f32, lightness: f32) -> Rgb {
    let amount = saturation * lightness.min(1.0 - lightness);
    [0.0, 8.0, 4.0].map(|offset: f32| {
        let k = (offset + hue.rem_euclid(1.0) * 12.0) % 12.0;
        255.0 * (lightness - amount * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0))
    })
}
