//! All words that a stretch of text may consist of, and the cheapest way through them.
//!
//! It decides as MeCab does, which lindera's own lattice does not: white space is passed over instead of being a word between words,
//! and words that the dictionary does not have are looked for at every character.

use std::{collections::BTreeSet, mem};

use lindera_dictionary::dictionary::{Dictionary, character_definition::CategoryId};

use super::is_space;

/// Words that the dictionary does not have are at most this much longer than one character, as MeCab has it.
const LONGEST_UNKNOWN: usize = 24;
/// How many characters at the end of a stretch may belong to a word that goes on behind it: more than any word has.
pub(super) const LOOKAHEAD: usize = 64;
/// Bytes of a word in the dictionary: its id, its cost, and its contexts to the left and to the right, little-endian.
const ENTRY: usize = 10;

/// A word of the dictionary, or a kind of words that it does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Known(u32),
    Unknown(u32),
}

/// A word that may stand at a place.
#[derive(Clone, Copy)]
struct Candidate {
    word: Word,
    end: u32,
    cost: i16,
    left: u16,
    right: u16,
}

/// A word at its place, with the cheapest way to it; small, since there are many.
#[derive(Clone, Copy)]
struct Node {
    word: Word,
    start: u32,
    end: u32,
    /// What the way costs, up to the end of the word.
    cost: i32,
    right: u16,
    /// The word before it.
    before: u32,
    /// Another word that ends at the same place.
    beside: u32,
}

/// Stands for no node.
const NONE: u32 = u32::MAX;

/// Makes an index small: a stretch has no more than thousands of characters and of nodes for each.
fn small(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(NONE)
}

/// The kinds of a character.
#[derive(Clone, Copy)]
struct Kinds {
    /// The one that says which unknown words may begin with it.
    first: CategoryId,
    /// All of them, as bits.
    all: u32,
}

impl Kinds {
    fn of(dictionary: &Dictionary, c: char) -> Self {
        // lindera loses the full-width space, the one word of the dictionary that is white.
        let like = if c == '\u{3000}' { ' ' } else { c };
        let all = dictionary.character_definition.lookup_categories(like);
        let first = all.first().copied().unwrap_or(CategoryId(0));
        // White space between words belongs to none of them.
        let bits = all.iter().filter(|_| !is_space(c)).fold(0, |bits, one| bits | 1 << one.0);
        Self { first, all: bits }
    }
}

/// A way to a place.
#[derive(Clone, Copy)]
struct Way {
    cost: i32,
    right: u16,
    /// Its last word.
    last: u32,
}

/// What is used again from stretch to stretch.
#[derive(Default)]
pub(super) struct Lattice {
    /// The context that the line's earlier stretches end with; at the start of a line it is 0.
    before: u16,
    chars: Vec<char>,
    /// Where each character begins, and the last one ends.
    bytes: Vec<usize>,
    kinds: Vec<Kinds>,
    nodes: Vec<Node>,
    /// The last found of the words that end at each place.
    ending: Vec<u32>,
    candidates: Vec<Candidate>,
    ways: Vec<Way>,
    path: Vec<u32>,
}

impl Lattice {
    /// Returns the words of a stretch, each as it is written, and how many bytes of the stretch are done with.
    ///
    /// Where the line goes on behind it, these are the words that no text behind can change, so that it makes no difference
    /// where a line is cut. Only if they are less than half of the stretch, it is taken apart as if its line ended there.
    pub(super) fn words<'a>(
        &mut self,
        dictionary: &Dictionary,
        stretch: &'a str,
        goes_on: bool,
    ) -> (usize, impl Iterator<Item = (&'a str, Word)>) {
        let text = stretch.trim_start_matches(is_space);
        let skipped = stretch.len() - text.len();
        let text = text.trim_end_matches(is_space);
        // A word that white space follows does not go on.
        let is_open = goes_on && skipped + text.len() == stretch.len();
        self.read(dictionary, text);
        let end = self.certain(is_open);
        for place in 0..end {
            if self.gather_ways(place) {
                let start = self.find_candidates(dictionary, place);
                self.add_nodes(dictionary, start);
            }
        }
        let last = if goes_on { self.last_certain(end) } else { self.last_of_line(dictionary) };
        let done = self.follow(last);
        let length = match (goes_on, last) {
            (false, _) => stretch.len(),
            // Nothing but white space, or so much of it that too little text is left.
            (true, NONE) => {
                if text.is_empty() {
                    stretch.len()
                } else {
                    skipped
                }
            }
            (true, _) => skipped + done,
        };
        let Self { path, nodes, bytes, .. } = &*self;
        let words = path.iter().rev().map(move |&node| {
            let Node { start, end, word, .. } = nodes[node as usize];
            (&text[bytes[start as usize]..bytes[end as usize]], word)
        });
        (length, words)
    }

    /// Returns the place before which all words begin that are surely found whole.
    fn certain(&self, is_open: bool) -> usize {
        let length = self.chars.len();
        if !is_open {
            return length;
        }
        let mut end = length.saturating_sub(LOOKAHEAD);
        // A word behind white space begins where that ends.
        while end > 0 && is_space(self.chars[end - 1]) {
            end -= 1;
        }
        end
    }

    /// Returns the last word of the cheapest way through a whole line.
    fn last_of_line(&mut self, dictionary: &Dictionary) -> u32 {
        self.before = 0;
        if !self.gather_ways(self.chars.len()) {
            return NONE;
        }
        cheapest(&self.ways, dictionary.connection_cost_matrix.row(0)).1
    }

    /// Returns the last word that the cheapest ways to all places from `end` on have in common.
    fn last_certain(&mut self, end: usize) -> u32 {
        let mut last = BTreeSet::new();
        for place in end.max(1)..=self.chars.len() {
            self.gather_ways(place);
            last.extend(self.ways.iter().map(|way| way.last));
        }
        let Some(&cheapest) = last.iter().min_by_key(|&&node| self.nodes[node as usize].cost)
        else {
            return NONE;
        };
        // A word comes after the one before it.
        while last.len() > 1
            && let Some(newest) = last.pop_last()
        {
            let before = self.nodes[newest as usize].before;
            if before == NONE {
                last.clear();
            } else {
                last.insert(before);
            }
        }
        let is_enough =
            |&node: &u32| self.nodes[node as usize].end as usize >= self.chars.len() / 2;
        let last = last.pop_last().filter(is_enough).unwrap_or(cheapest);
        self.before = self.nodes[last as usize].right;
        last
    }

    /// Makes the way to a word the path, and returns where the word ends, in bytes.
    fn follow(&mut self, last: u32) -> usize {
        self.path.clear();
        let mut node = last;
        while let Some(&Node { before, .. }) = self.nodes.get(node as usize) {
            self.path.push(node);
            node = before;
        }
        self.nodes.get(last as usize).map_or(0, |node| self.bytes[node.end as usize])
    }

    /// Notes what the stretch consists of.
    fn read(&mut self, dictionary: &Dictionary, stretch: &str) {
        let Self { chars, bytes, kinds, nodes, ending, .. } = self;
        chars.clear();
        bytes.clear();
        kinds.clear();
        nodes.clear();
        ending.clear();
        chars.extend(stretch.chars().map(as_in_dictionary));
        bytes.extend(stretch.char_indices().map(|(at, _)| at).chain([stretch.len()]));
        kinds.extend(chars.iter().map(|c| Kinds::of(dictionary, *c)));
        ending.resize(chars.len() + 1, NONE);
    }

    /// Gathers the ways that end at a place; returns whether there are any.
    fn gather_ways(&mut self, place: usize) -> bool {
        self.ways.clear();
        if place == 0 {
            self.ways.push(Way { cost: 0, right: self.before, last: NONE });
        }
        let mut last = self.ending[place];
        while let Some(&Node { cost, right, beside, .. }) = self.nodes.get(last as usize) {
            self.ways.push(Way { cost, right, last });
            last = beside;
        }
        !self.ways.is_empty()
    }

    /// Finds the words that may stand at a place, or after the white space there.
    fn find_candidates(&mut self, dictionary: &Dictionary, place: usize) -> usize {
        let Self { chars, kinds, candidates, .. } = self;
        candidates.clear();
        let space = chars[place..].iter().take_while(|c| is_space(**c)).count();
        let start = place + space;
        let words = &dictionary.prefix_dictionary;
        for (entries, length) in words.common_prefix_search(&chars[start..]) {
            let (entries, _) = entries.as_chunks::<ENTRY>();
            candidates
                .extend(entries.iter().map(|entry| Candidate::known(entry, small(start + length))));
        }
        let Kinds { first, .. } = kinds[start];
        let unknown = dictionary.character_definition.lookup_definition(first);
        if !candidates.is_empty() && !unknown.invoke {
            return start;
        }
        let alike = alike(&kinds[start..]);
        let group = (unknown.group && alike <= LONGEST_UNKNOWN + 1).then_some(alike);
        let longest = usize::try_from(unknown.length).unwrap_or(usize::MAX).min(alike);
        let shorter = (1..=longest).filter(|length| !(unknown.group && *length == alike));
        let fallback = candidates.is_empty() && group.is_none() && longest == 0;
        let lengths = group.into_iter().chain(shorter).chain(fallback.then_some(1));
        for length in lengths {
            let ids = dictionary.unknown_dictionary.lookup_word_ids(first);
            let unknown = |id: &u32| Candidate::unknown(dictionary, *id, small(start + length));
            candidates.extend(ids.iter().map(unknown));
        }
        start
    }

    /// Adds the words that were found, each with the cheapest way to it.
    fn add_nodes(&mut self, dictionary: &Dictionary, start: usize) {
        let Self { nodes, ending, candidates, ways, .. } = self;
        // Of ways that cost the same, MeCab takes the one that was found last.
        for &Candidate { word, end, cost, left, right } in candidates.iter().rev() {
            let row = dictionary.connection_cost_matrix.row(left.into());
            let (way, before) = cheapest(ways, row);
            let cost = way + i32::from(cost);
            let beside = mem::replace(&mut ending[end as usize], small(nodes.len()));
            nodes.push(Node { word, start: small(start), end, cost, right, before, beside });
        }
    }
}

impl Candidate {
    fn known(entry: &[u8; ENTRY], end: u32) -> Self {
        let [a, b, c, d, cost @ .., e, f, g, h] = *entry;
        Self {
            word: Word::Known(u32::from_le_bytes([a, b, c, d])),
            end,
            cost: i16::from_le_bytes(cost),
            left: u16::from_le_bytes([e, f]),
            right: u16::from_le_bytes([g, h]),
        }
    }

    fn unknown(dictionary: &Dictionary, id: u32, end: u32) -> Self {
        let entry = dictionary.unknown_dictionary.word_entry(id);
        Self {
            word: Word::Unknown(id),
            end,
            cost: entry.word_cost(),
            left: narrow(entry.left_id()),
            right: narrow(entry.right_id()),
        }
    }
}

/// Returns a character as the dictionary has it.
fn as_in_dictionary(c: char) -> char {
    match c {
        // The dictionary's encoding has these once, and Unicode twice.
        '\u{301c}' => '\u{ff5e}',
        '\u{2212}' => '\u{ff0d}',
        '\u{2016}' => '\u{2225}',
        '\u{2014}' => '\u{2015}',
        // The dictionary's search takes it for the end of a word.
        '\0' => char::REPLACEMENT_CHARACTER,
        _ => c,
    }
}

/// Returns a context's number, which lindera keeps in 16 bits and returns in 32.
fn narrow(context: u32) -> u16 {
    u16::try_from(context).unwrap_or_default()
}

/// Returns how many characters from the first on are of its kind, each of the kind of the one before it.
fn alike(kinds: &[Kinds]) -> usize {
    1 + kinds.windows(2).take_while(|pair| pair[0].all & pair[1].all != 0).count()
}

/// Returns what the cheapest way costs with its step into a context, and where it ends.
fn cheapest(ways: &[Way], row: &[i16]) -> (i32, u32) {
    let mut best = (i32::MAX, NONE);
    for way in ways {
        let cost = way.cost + i32::from(row[usize::from(way.right)]);
        if cost < best.0 {
            best = (cost, way.last);
        }
    }
    best
}
