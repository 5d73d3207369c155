//! Takes a stream of text apart: a line of text in, a line of JSON out.

use std::{
    io::{self, BufRead, ErrorKind, Write},
    mem,
};

use super::{Analyzer, Lattice, json::Json, stretch};

/// Writes the words of each line of `input` as a line of JSON: a list, empty for an empty line.
///
/// It keeps no more than a part of a line in memory, and holds no finished line back while it waits for input.
/// Bytes that are not UTF-8 count as U+FFFD, as Rust's `String::from_utf8_lossy` takes them.
/// If nobody reads the output any more, it ends without an error.
///
/// # Errors
///
/// If the input cannot be read or the output cannot be written.
pub(crate) fn analyze_lines(
    analyzer: &Analyzer,
    input: impl BufRead,
    output: impl Write,
) -> io::Result<()> {
    match write_lines(analyzer, input, io::BufWriter::with_capacity(64 * 1024, output)) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

fn write_lines(analyzer: &Analyzer, mut input: impl BufRead, output: impl Write) -> io::Result<()> {
    let mut decoded = Decoded::default();
    let mut line = Line {
        analyzer,
        lattice: Lattice::default(),
        json: Json::default(),
        output,
        is_begun: false,
    };
    loop {
        let read = match input.fill_buf() {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if read.is_empty() {
            break;
        }
        for part in read.split_inclusive(|byte| *byte == b'\n') {
            decoded.push(part);
            if part.ends_with(b"\n") {
                line.finish(&mut decoded.text)?;
            } else {
                line.go_on(&mut decoded.text)?;
            }
        }
        let length = read.len();
        input.consume(length);
        line.output.flush()?;
    }
    decoded.end();
    if line.is_begun || !decoded.text.is_empty() {
        line.finish(&mut decoded.text)?;
    }
    line.output.flush()
}

/// The input as text.
#[derive(Default)]
struct Decoded {
    text: String,
    /// The beginning of a character whose other bytes are still to come.
    begun: Vec<u8>,
}

impl Decoded {
    fn push(&mut self, bytes: &[u8]) {
        let mut all = mem::take(&mut self.begun);
        all.extend_from_slice(bytes);
        let mut chunks = all.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            self.text.push_str(chunk.valid());
            let is_last = chunks.peek().is_none();
            match str::from_utf8(chunk.invalid()) {
                Ok(_) => {}
                Err(error) if is_last && error.error_len().is_none() => {
                    chunk.invalid().clone_into(&mut self.begun);
                }
                Err(_) => self.text.push(char::REPLACEMENT_CHARACTER),
            }
        }
    }

    /// Takes note that nothing more comes.
    fn end(&mut self) {
        if !mem::take(&mut self.begun).is_empty() {
            self.text.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

/// The line that is being taken apart.
struct Line<'a, W> {
    analyzer: &'a Analyzer,
    lattice: Lattice,
    json: Json,
    output: W,
    /// Whether any word of it is written.
    is_begun: bool,
}

impl<W: Write> Line<'_, W> {
    /// Writes what can be cut off while the line goes on.
    fn go_on(&mut self, text: &mut String) -> io::Result<()> {
        let mut from = 0;
        while text.len() - from > stretch::MOST {
            let (stretch, goes_on) = stretch::first(&text[from..]);
            from += self.write(stretch, goes_on)?;
        }
        text.drain(..from);
        Ok(())
    }

    /// Writes the end of the line.
    fn finish(&mut self, text: &mut String) -> io::Result<()> {
        self.go_on(text)?;
        self.write(text, false)?;
        text.clear();
        let end: &[u8] = if mem::take(&mut self.is_begun) { b"]\n" } else { b"[]\n" };
        self.output.write_all(end)
    }

    /// Writes the words of a stretch, and returns how much of it they take.
    fn write(&mut self, stretch: &str, goes_on: bool) -> io::Result<usize> {
        let dictionary = &self.analyzer.dictionary;
        let (length, words) = self.lattice.words(dictionary, stretch, goes_on);
        for (surface, word) in words {
            self.output.write_all(if self.is_begun { b"," } else { b"[" })?;
            self.is_begun = true;
            self.json.write(self.analyzer, surface, word, &mut self.output)?;
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::analysis::tests::ANALYZER;

    fn analyzed(input: impl BufRead) -> String {
        let mut output = Vec::new();
        analyze_lines(&ANALYZER, input, &mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    /// Returns what stands in the lines of the output, word by word.
    fn surfaces(output: &str) -> Vec<Vec<String>> {
        let words = |line: &str| {
            let tokens: Vec<serde_json::Value> = serde_json::from_str(line).unwrap();
            tokens.iter().map(|token| token["surface"].as_str().unwrap().to_owned()).collect()
        };
        output.lines().map(words).collect()
    }

    #[test]
    fn a_line_of_text_becomes_a_line_of_json() {
        let output = analyzed("東京に\n\nA".as_bytes());
        let expected = concat!(
            r#"[{"surface":"東京","pos":["名詞","固有名詞","地域","一般"],"base":"東京","reading":"トウキョウ"},"#,
            r#"{"surface":"に","pos":["助詞","格助詞","一般"],"base":"に","reading":"ニ"}]"#,
            "\n[]\n",
            r#"[{"surface":"A","pos":["名詞","固有名詞","組織"],"base":"A","reading":null}]"#,
            "\n",
        );
        assert_eq!(output, expected);
    }

    #[test]
    fn no_input_is_no_line_and_an_end_of_line_needs_no_line_after_it() {
        assert_eq!(analyzed(&b""[..]), "");
        assert_eq!(analyzed(&b"\n"[..]), "[]\n");
        assert_eq!(analyzed("犬\r\n".as_bytes()), analyzed("犬".as_bytes()));
    }

    #[test]
    fn bytes_that_are_not_utf8_count_as_replacement_characters() {
        let dog = "犬".as_bytes();
        let input = [dog, &[0xff], dog, &dog[..2], b"\n", &dog[..1]].concat();
        let expected = analyzed("犬\u{fffd}犬\u{fffd}\n\u{fffd}".as_bytes());
        assert_eq!(analyzed(&input[..]), expected);
    }

    #[test]
    fn it_does_not_matter_in_which_pieces_the_input_comes() {
        let text = "すもももももももものうち。".repeat(300) + "\n😀 café\n" + &"x".repeat(9000);
        let whole = analyzed(text.as_bytes());
        for size in [1, 2, 7, 4096, 9000] {
            assert_eq!(analyzed(io::BufReader::with_capacity(size, text.as_bytes())), whole);
        }
        let joined: Vec<_> = surfaces(&whole).iter().map(|line| line.concat()).collect();
        assert_eq!(joined, text.replace(' ', "").lines().collect::<Vec<_>>());
    }

    #[test]
    fn a_line_without_end_is_written_while_it_comes() {
        /// Counts what is written, and ends the test when that is enough.
        struct Enough(usize);
        impl Write for Enough {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 += bytes.len();
                if self.0 < 1_000_000 { Ok(bytes.len()) } else { Err(ErrorKind::BrokenPipe.into()) }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let endless = io::BufReader::new(io::repeat(b'a').chain(io::empty()));
        analyze_lines(&ANALYZER, endless, Enough(0)).unwrap();
    }

    #[test]
    fn other_failures_of_the_output_are_told() {
        let mut full = [0_u8; 10];
        let error = analyze_lines(&ANALYZER, "犬".as_bytes(), &mut full[..]);
        assert_eq!(error.unwrap_err().kind(), ErrorKind::WriteZero);
    }
}
