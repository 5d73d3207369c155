//! What the stand-in of MediaWiki serves: made once, so that serving costs little.

use bytes::Bytes;
use image::{ExtendedColorType, ImageEncoder as _, codecs::jpeg::JpegEncoder};
use serde_json::{Value, json};

/// How many pictures there are: as many as a collage has.
const PICTURES: u32 = 8;
const QUALITY: u8 = 80;
/// How many pages the long text is divided among.
const PAGES: usize = 9;
/// What sentences of the long text are made of: common words, so that no name in it stands out.
const WHEN: [&str; 6] =
    ["朝早くから", "夕方になると", "雨の後に", "夏の間は", "昔から", "ときどき"];
const WHERE: [&str; 6] =
    ["深い谷の底で", "川の近くで", "古い橋の上で", "町の外れで", "広い畑の中で", "海の見える坂で"];
const WHAT: [&str; 7] = [
    "小さな鳥の声が",
    "遠くの鐘の音が",
    "子供たちの歌が",
    "夜の雨の音が",
    "働く人の話が",
    "石を運ぶ車の音が",
    "波の音が",
];
const DOES: [&str; 6] = [
    "何度も返ってくる。",
    "ゆっくりと広がっていく。",
    "誰にも聞こえなくなった。",
    "静かに続いている。",
    "少し遅れて聞こえる。",
    "急に大きくなることがある。",
];

/// Pictures and text.
#[derive(Debug)]
pub(super) struct Stock {
    pub(super) pictures: Vec<Bytes>,
    /// All pages but the first of what a search finds, each as JSON with a comma before it.
    pub(super) pages: String,
}

impl Stock {
    /// Makes pictures of this size, and so many bytes of text.
    pub(super) fn new((width, height): (u32, u32), text: usize) -> anyhow::Result<Self> {
        let pictures = (0..PICTURES).map(|number| picture(number, width, height));
        let mut random = fastrand::Rng::with_seed(1);
        let pages = (0..PAGES).map(|index| page(index, &long_text(&mut random, text / PAGES)));
        Ok(Self {
            pictures: pictures.collect::<anyhow::Result<_>>()?,
            pages: pages.map(|page| format!(",{page}")).collect(),
        })
    }
}

fn page(index: usize, extract: &str) -> Value {
    json!({
        "ns": 0, "title": format!("頁 {index}"), "index": index + 2,
        "canonicalurl": "http://127.0.0.1/wiki/page", "extract": extract,
    })
}

fn long_text(random: &mut fastrand::Rng, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes);
    while text.len() < bytes {
        for parts in [&WHEN[..], &WHERE, &WHAT, &DOES] {
            text.push_str(parts[random.usize(..parts.len())]);
        }
    }
    text
}

/// Makes a JPEG with soft shades and grain, like a photograph.
fn picture(number: u32, width: u32, height: u32) -> anyhow::Result<Bytes> {
    let mut random = fastrand::Rng::with_seed(number.into());
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let grain = random.u32(..16);
            let shade = |of: u32| (of * (number + 3) / 16 + grain) % 512;
            // There and back, so that no shade ends in an edge.
            let byte = |of| u8::try_from(shade(of).min(511 - shade(of))).unwrap_or(u8::MAX);
            pixels.extend([byte(x + y), byte(2 * y + x / 2), byte(x + height - y)]);
        }
    }
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).write_image(
        &pixels,
        width,
        height,
        ExtendedColorType::Rgb8,
    )?;
    Ok(jpeg.into())
}
