//! Japanese sentences that nobody here wrote: those of Debian's manual pages (package `manpages-ja`).

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use flate2::read::GzDecoder;

/// Where Debian has the pages.
const FOLDER: &str = "/usr/share/man/ja";

/// Returns all sentences of all pages, each once, in the order of the pages' names.
///
/// A sentence ends with a full stop and has hiragana; headings, tables and programs have no such thing.
pub(crate) fn sentences() -> io::Result<Vec<String>> {
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for page in pages(Path::new(FOLDER))? {
        let mut text = String::new();
        GzDecoder::new(File::open(page)?).read_to_string(&mut text)?;
        all.extend(sentences_of(&text).into_iter().filter(|one| seen.insert(one.clone())));
    }
    Ok(all)
}

fn pages(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // A link is a page with another name.
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            all.extend(pages(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "gz") {
            all.push(path);
        }
    }
    all.sort();
    Ok(all)
}

/// Returns the sentences of a page, without the marks of roff.
fn sentences_of(page: &str) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for line in page.lines() {
        let text =
            if line.starts_with(['.', '\'']) { of_request(line) } else { Some(line.to_owned()) };
        match text.map(|text| without_escapes(&text)).filter(|text| !text.trim().is_empty()) {
            Some(text) => {
                let paragraph = paragraphs.last_mut().expect("there is always one");
                // A line's end is a space in Latin script, and nothing in Japanese.
                if paragraph.ends_with(|c: char| c.is_ascii())
                    && text.starts_with(|c: char| c.is_ascii())
                {
                    paragraph.push(' ');
                }
                paragraph.push_str(text.trim());
            }
            None => paragraphs.push(String::new()),
        }
    }
    let sentences = paragraphs.iter().flat_map(|text| text.split_inclusive('。')).map(str::trim);
    let is_sentence =
        |text: &&str| text.ends_with('。') && text.contains(|c| matches!(c, 'ぁ'..='ん'));
    sentences.filter(is_sentence).map(str::to_owned).collect()
}

/// Returns the text of a request that only chooses a font; all others end a paragraph, or are none of the text.
fn of_request(line: &str) -> Option<String> {
    let (name, text) = line[1..].trim_start().split_once(' ')?;
    let between = match name {
        "B" | "I" | "SM" => " ",
        "BR" | "BI" | "RB" | "RI" | "IR" | "IB" => "",
        _ => return None,
    };
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (part, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        parts.push(part);
        rest = after.trim_start();
    }
    Some(parts.join(between))
}

/// Takes roff's escapes out of a line, or writes what they stand for.
fn without_escapes(line: &str) -> String {
    let mut text = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            // A comment.
            Some('"') | None => break,
            Some('-') => text.push('-'),
            Some('e') => text.push('\\'),
            Some(' ' | '~') => text.push(' '),
            // A font, a size or a string: one character, two after a parenthesis, or what is in brackets.
            Some('f' | 's' | '*') => match chars.next() {
                Some('(') => drop(chars.by_ref().nth(1)),
                Some('[') => drop(chars.find(|c| *c == ']')),
                Some('+' | '-') => drop(chars.next()),
                _ => {}
            },
            // A character by its name.
            Some('(') => {
                let name: String = chars.by_ref().take(2).collect();
                text.push_str(named(&name));
            }
            Some('[') => {
                let name: String = chars.by_ref().take_while(|c| *c != ']').collect();
                text.push_str(named(&name));
            }
            // All others take up no place.
            Some(_) => {}
        }
    }
    text
}

fn named(name: &str) -> &'static str {
    match name {
        "aq" => "'",
        "dq" => "\"",
        "lq" => "“",
        "rq" => "”",
        "oq" => "‘",
        "cq" => "’",
        "co" => "©",
        "em" => "—",
        "en" => "–",
        "bu" => "•",
        "ti" => "~",
        "ha" => "^",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marks_of_roff_are_no_part_of_a_sentence() {
        let page = r#".\" A comment.
.TH CAT 1
.SH 名前
cat \- 繋げる
.PP
\fBcat\fR は
.I ファイル
を\f[B]標準\fP出力に
.BR \-n " と"
書く。
これは \(aqa\(aq である。終わり
.PP
見出語。
"#;
        let sentences =
            ["cat はファイルを標準出力に-n と書く。", "これは 'a' である。"].map(str::to_owned);
        assert_eq!(sentences_of(page), sentences);
    }
}
