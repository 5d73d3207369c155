//! Where a listing goes on: the line, the entry in it, and its time, as one opaque text.

/// A place in a listing; empty parts mean the beginning.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) line: Vec<u8>,
    pub(super) entry: Vec<u8>,
    pub(super) time: Vec<u8>,
}

impl Cursor {
    pub(super) fn write(&self) -> String {
        [&self.line, &self.entry, &self.time].map(|part| hex(part)).join("-")
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('-').map(bytes);
        let mut next = || parts.next().flatten();
        Some(Self { line: next()?, entry: next()?, time: next()? })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let cursor = Cursor { line: b"events".to_vec(), entry: vec![0, 255, 45], time: Vec::new() };
        assert_eq!(Cursor::read(&cursor.write()), Some(cursor));
        assert_eq!(Cursor::read("no cursor"), None);
    }
}
