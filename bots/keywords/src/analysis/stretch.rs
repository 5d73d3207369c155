//! Cuts a text into stretches that are taken apart one by one, so that no text needs much memory.

/// The most bytes of a stretch: many long sentences, and about a megabyte while it is taken apart.
pub(super) const MOST: usize = 8 * 1024;

/// Returns the first stretch of a text, and whether its line goes on behind it.
///
/// It ends with the line; of a longer line, it is as much as [`MOST`] takes. No word need end there: where the line goes
/// on, the lattice says how far its words are certain, and the next stretch begins behind them.
pub(super) fn first(text: &str) -> (&str, bool) {
    let within = text.floor_char_boundary(MOST);
    match text[..within].find('\n') {
        Some(end) => (&text[..=end], false),
        None => (&text[..within], within < text.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_ends_with_its_line() {
        assert_eq!(first("一行目\n二行目"), ("一行目\n", false));
        assert_eq!(first("終わり"), ("終わり", false));
        assert_eq!(first(""), ("", false));
        let line = "a".repeat(MOST);
        assert_eq!(first(&line), (&*line, false));
        assert_eq!(first(&format!("{line}\n")), (&*line, true), "the end itself is behind it");
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let long = "あ".repeat(MOST);
        let (stretch, goes_on) = first(&long);
        assert!(goes_on && stretch.len() <= MOST && stretch.len() > MOST - 3);
    }
}
