//! Names of published pictures: when, 128 bits that nobody can guess, and the format.

use std::fmt;

use yamabiko_queue::Timestamp;

use crate::Result;

/// The length of a random part: 128 bits.
const RANDOM: usize = 16;

/// A format that LINE shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Png,
    Jpeg,
}

impl Format {
    pub(super) fn of(content_type: &str) -> Option<Self> {
        Self::all().into_iter().find(|format| format.content_type() == content_type)
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
        }
    }

    const fn all() -> [Self; 2] {
        [Self::Png, Self::Jpeg]
    }
}

/// The name of a published picture, like `6b49d200-0123456789abcdef0123456789abcdef.png`.
///
/// Its time stands in front, so that whoever serves or sweeps needs nothing but the name, and a bucket lists the oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    text: String,
    published: Timestamp,
    format: Format,
}

impl Name {
    /// Makes a name that nobody can guess.
    pub(super) fn new(now: Timestamp, format: Format) -> Result<Self> {
        let mut random = [0; RANDOM];
        getrandom::fill(&mut random)?;
        let seconds = u32::try_from(now.as_millis() / 1000)?;
        let extension = format.extension();
        let text = format!("{seconds:08x}-{:032x}.{extension}", u128::from_be_bytes(random));
        Ok(Self { text, published: at(seconds), format })
    }

    /// Reads a name of exactly this form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (stem, extension) = text.split_once('.')?;
        let (seconds, random) = stem.split_once('-')?;
        let is_hex = |part: &str, length| {
            part.len() == length
                && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        if !is_hex(seconds, 8) || !is_hex(random, 2 * RANDOM) {
            return None;
        }
        let published = at(u32::from_str_radix(seconds, 16).ok()?);
        let format = Format::all().into_iter().find(|format| format.extension() == extension)?;
        Some(Self { text: text.to_owned(), published, format })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) const fn published(&self) -> Timestamp {
        self.published
    }

    pub(super) const fn format(&self) -> Format {
        self.format
    }
}

fn at(seconds: u32) -> Timestamp {
    Timestamp::from_millis(i64::from(seconds) * 1000)
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_999);

    #[test]
    fn a_name_tells_when_and_in_which_format() {
        for format in Format::all() {
            let name = Name::new(NOW, format).unwrap();
            assert_eq!(Name::parse(name.as_str()), Some(name.clone()));
            assert_eq!(name.published(), Timestamp::from_millis(1_800_000_000_000));
            assert_eq!(name.format(), format);
        }
    }

    #[test]
    fn each_bit_of_the_random_part_is_set_about_half_of_the_time() {
        let random = |name: &Name| u128::from_str_radix(&name.as_str()[9..41], 16).unwrap();
        let names: HashSet<u128> =
            (0..1000).map(|_| random(&Name::new(NOW, Format::Png).unwrap())).collect();
        assert_eq!(names.len(), 1000);
        for bit in 0..128 {
            let set = names.iter().filter(|name| *name >> bit & 1 == 1).count();
            // Eight standard deviations: once in 10^15 runs by chance.
            assert!((374..=626).contains(&set), "bit {bit} is set {set} times");
        }
    }

    #[test]
    fn only_the_exact_form_is_a_name() {
        let random = "0123456789abcdef0123456789abcdef";
        assert!(Name::parse(&format!("6b49d200-{random}.png")).is_some());
        for wrong in [
            String::new(),
            "..".to_owned(),
            format!("6b49d200-{random}"),
            format!("6b49d200-{random}.gif"),
            format!("6b49d200-{random}.png#1"),
            format!("6b49d200-{random}.png.png"),
            format!("6b49d200-{random}.PNG"),
            format!("6B49D200-{random}.png"),
            format!("+b49d200-{random}.png"),
            format!("6b49d20-{random}.png"),
            format!("6b49d200-{random}0.png"),
            format!("6b49d200_{random}.png"),
            format!("../6b49d200-{random}.png"),
            format!("%36b49d200-{random}.png"),
        ] {
            assert_eq!(Name::parse(&wrong), None, "{wrong}");
        }
    }
}
