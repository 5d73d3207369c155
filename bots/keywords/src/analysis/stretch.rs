//! Cuts a text into stretches that can be taken apart one by one, so that no text needs much memory.

/// The most bytes of a stretch: many long sentences, and about a megabyte while it is taken apart.
pub(super) const MOST: usize = 8 * 1024;

/// Returns how long the first stretch of a text is.
///
/// It ends with the line, or, where a line is longer than [`MOST`], after its last sentence, its last white space or its last comma within that.
/// A line without any of these is cut where `MOST` is full; only there may a word be cut.
pub(super) fn length(text: &str) -> usize {
    let within = text.floor_char_boundary(MOST);
    let head = &text[..within];
    if let Some(end) = head.find('\n') {
        return end + 1;
    }
    if within == text.len() {
        return within;
    }
    let after_last = |is_end: fn(char) -> bool| {
        head.char_indices().rev().find(|(_, c)| is_end(*c)).map(|(at, c)| at + c.len_utf8())
    };
    after_last(|c| matches!(c, '。' | '．' | '！' | '？' | '!' | '?'))
        .or_else(|| after_last(char::is_whitespace))
        .or_else(|| after_last(|c| matches!(c, '、' | '，' | ',' | '」' | '』' | ')' | '）')))
        .unwrap_or(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_ends_with_its_line() {
        assert_eq!(length("一行目\n二行目"), "一行目\n".len());
        assert_eq!(length("終わり"), "終わり".len());
        assert_eq!(length(""), 0);
    }

    #[test]
    fn a_long_line_is_cut_after_its_last_sentence_word_or_comma() {
        let long = "あ".repeat(MOST);
        for (head, end) in [("文。単語 と、", "文。"), ("単語 と、", "単語 "), ("単語、", "単語、")]
        {
            assert_eq!(length(&format!("{head}{long}")), end.len());
        }
    }

    #[test]
    fn a_line_without_an_end_is_cut_between_characters() {
        let cut = length(&"あ".repeat(MOST));
        assert!(cut <= MOST && cut > MOST - 3);
        assert_eq!(length(&"a".repeat(MOST)), MOST);
        assert_eq!(length(&"a".repeat(MOST + 1)), MOST);
    }
}
