//! Reads a pattern.
//!
//! In: the text, and the flags at its start. Out: a [`Node`] for the whole of it, or the first
//! [`Refusal`]. Comments, white space under `x`, `\Q` and `\E` are gone.

use std::collections::HashSet;

use super::Refusal;
use super::class;
use super::cursor::Cursor;
use super::escape::{self, At, Escape};
use super::flags::Flags;
use super::group::{self, Opening};
use super::set::{self, Named, outside};
use super::tree::{Node, Place, Times};

/// Groups may be nested this deep, as in PCRE
const DEEPEST: usize = 250;
/// The largest number of repetitions
const MOST: u32 = 65_535;

struct Parser<'p> {
    cursor: Cursor<'p>,
    /// Between `\Q` and `\E`
    quoted: bool,
    groups: usize,
    names: HashSet<&'p str>,
    depth: usize,
}

/// Reads a whole pattern
pub(super) fn parse(text: &str, flags: Flags) -> Result<Node, Refusal> {
    let cursor = Cursor { text, at: 0 };
    let mut parser = Parser { cursor, quoted: false, groups: 0, names: HashSet::new(), depth: 0 };
    let tree = parser.choice(flags)?;
    let start = parser.cursor.at;
    match parser.cursor.next() {
        None => Ok(tree),
        Some(_) => Err(parser.cursor.wrong(start, "a parenthesis that nothing opens")),
    }
}

impl Parser<'_> {
    /// Alternatives up to the end or a closing parenthesis, which is left
    ///
    /// Flags set in one alternative hold in those after it.
    fn choice(&mut self, mut flags: Flags) -> Result<Node, Refusal> {
        let mut choices = vec![self.sequence(&mut flags)?];
        while self.cursor.eat("|") {
            choices.push(self.sequence(&mut flags)?);
        }
        Ok(match choices.len() {
            1 => choices.remove(0),
            _ => Node::Choice(choices),
        })
    }

    fn sequence(&mut self, flags: &mut Flags) -> Result<Node, Refusal> {
        let mut nodes = Vec::new();
        loop {
            self.skip(*flags)?;
            let ends = self.cursor.rest().is_empty() || self.cursor.rest().starts_with(['|', ')']);
            if self.cursor.rest().is_empty() || (ends && !self.quoted) {
                return Ok(Node::Sequence(nodes));
            }
            let (node, repeats) = self.item(flags)?;
            let node = self.repeated(node, repeats, *flags)?;
            nodes.push(node);
        }
    }

    /// Skips what means nothing by itself
    fn skip(&mut self, flags: Flags) -> Result<(), Refusal> {
        loop {
            let start = self.cursor.at;
            if self.cursor.eat("\\E") {
                self.quoted = false;
            } else if self.quoted {
                return Ok(());
            } else if self.cursor.eat("\\Q") {
                self.quoted = true;
            } else if self.cursor.eat("(?#") {
                self.cursor.take(usize::MAX, |c| c != ')');
                if !self.cursor.eat(")") {
                    return Err(self.cursor.wrong(start, "a comment that is not closed"));
                }
            } else if flags.extended && self.cursor.eat("#") {
                self.cursor.take(usize::MAX, |c| c != '\n');
            } else if !flags.extended || self.cursor.take(usize::MAX, is_white).is_empty() {
                return Ok(());
            }
        }
    }

    /// One item, and whether it may be repeated
    fn item(&mut self, flags: &mut Flags) -> Result<(Node, bool), Refusal> {
        let start = self.cursor.at;
        if !self.quoted && self.times()?.is_some() {
            return Err(self.cursor.wrong(start, "a repetition of nothing"));
        }
        let Some(c) = self.cursor.next() else { return Ok((Node::Sequence(Vec::new()), false)) };
        if self.quoted {
            return Ok((self.character(start, c, *flags), true));
        }
        match c {
            '\\' => self.escaped(start, *flags),
            '[' => {
                let at = self.at(*flags);
                let (set, text) = class::read(&mut self.cursor, at)?;
                Ok((Node::One { text, newline: set::holds(&set, '\n') }, true))
            }
            '(' => self.group(start, flags),
            '.' => Ok((Node::One { text: ".".to_owned(), newline: flags.dot_all }, true)),
            '^' if flags.multi_line => Ok(self.place(start, "^", Place::LineStart)),
            '^' => Ok(self.place(start, "^", Place::Other)),
            '$' if flags.multi_line => Ok(self.place(start, "$", Place::LineEnd)),
            '$' => Ok(self.place(start, r"\n?$", Place::NearEnd)),
            c => Ok((self.character(start, c, *flags), true)),
        }
    }

    fn at(&self, flags: Flags) -> At {
        At { class: false, groups: self.groups, flags }
    }

    fn place(&self, start: usize, text: &str, place: Place) -> (Node, bool) {
        let range = start..self.cursor.at;
        (Node::Place { text: text.to_owned(), place, range }, false)
    }

    /// One character as itself
    fn character(&self, start: usize, c: char, flags: Flags) -> Node {
        let (written, own) = (self.cursor.since(start), outside(c));
        let plain = c.is_alphanumeric() || written == own;
        let text = match plain && written.len() == c.len_utf8() {
            true => written.to_owned(),
            false => set::choose(&[written, &own], &set::range(c, c, flags), flags),
        };
        Node::One { text, newline: c == '\n' }
    }

    fn escaped(&mut self, start: usize, flags: Flags) -> Result<(Node, bool), Refusal> {
        let at = self.at(flags);
        let letter = match escape::read(&mut self.cursor, start, at)? {
            Escape::Char(c) => return Ok((self.character(start, c, flags), true)),
            Escape::Set(named) => return Ok((self.named(start, &named, flags), true)),
            Escape::Letter(letter) => letter,
        };
        match letter {
            'A' => Ok(self.place(start, r"\A", Place::Other)),
            'z' => Ok(self.place(start, r"\z", Place::Other)),
            'Z' => Ok(self.place(start, r"\n?\z", Place::NearEnd)),
            'b' => Ok(self.place(start, r"(?-u:\b)", Place::Other)),
            'B' => Ok(self.place(start, r"(?-u:\B)", Place::Other)),
            'K' => Ok((Node::Nothing(String::new()), false)),
            'N' => {
                if self.cursor.rest().starts_with('{') && self.times_ahead()?.is_none() {
                    return Err(self.cursor.wrong(start, "a character by its name"));
                }
                let text = if flags.dot_all { r"[^\n]" } else { "." }.to_owned();
                Ok((Node::One { text, newline: false }, true))
            }
            'R' => Ok((Node::Break(start..self.cursor.at), true)),
            'G' => Err(self.cursor.beyond(start, "the place where a search begins")),
            _ => Err(self.cursor.beyond(start, "a character with all its marks")),
        }
    }

    fn named(&self, start: usize, named: &Named, flags: Flags) -> Node {
        let members = named.set();
        let text = set::choose(&[self.cursor.since(start), &named.alone()], &members, flags);
        Node::One { text, newline: set::holds(&members, '\n') }
    }

    fn group(&mut self, start: usize, flags: &mut Flags) -> Result<(Node, bool), Refusal> {
        let opening = group::read(&mut self.cursor, start, *flags, &mut self.names)?;
        let (open, inside, captures, atomic) = match opening {
            Opening::Flags { text, flags: after } => {
                *flags = after;
                return Ok((Node::Nothing(text), false));
            }
            Opening::Group { open, flags, captures, atomic } => (open, flags, captures, atomic),
        };
        let opened = self.cursor.at;
        if self.depth == DEEPEST {
            return Err(self.cursor.wrong(start, "groups inside each other, too many"));
        }
        self.groups += usize::from(captures);
        self.depth += 1;
        let body = Box::new(self.choice(inside)?);
        self.depth -= 1;
        if !self.cursor.eat(")") {
            self.cursor.at = opened;
            return Err(self.cursor.wrong(start, "a group that is not closed"));
        }
        let atomic = atomic.then_some(start..opened);
        Ok((Node::Group { open, body, atomic }, true))
    }

    /// The item with what repeats it
    fn repeated(&mut self, node: Node, repeats: bool, flags: Flags) -> Result<Node, Refusal> {
        self.skip(flags)?;
        let start = self.cursor.at;
        if self.quoted {
            return Ok(node);
        }
        let Some(mut times) = self.times()? else { return Ok(node) };
        if !repeats {
            return Err(self.cursor.wrong(start, "a repetition of nothing"));
        }
        self.skip(flags)?;
        let mut possessive = None;
        if !self.quoted && self.cursor.eat("?") {
            times.text.push('?');
        } else if !self.quoted && self.cursor.eat("+") {
            possessive = Some(start..self.cursor.at);
        }
        Ok(Node::Repeat { body: Box::new(node), times, possessive })
    }

    /// Whether [`Parser::times`] would read something
    fn times_ahead(&mut self) -> Result<Option<Times>, Refusal> {
        let at = self.cursor.at;
        let times = self.times();
        self.cursor.at = at;
        times
    }

    /// Reads how often the item before is repeated; a brace that does not say it is a character
    fn times(&mut self) -> Result<Option<Times>, Refusal> {
        let start = self.cursor.at;
        for (text, least, most) in [("*", 0, None), ("+", 1, None), ("?", 0, Some(1))] {
            if self.cursor.eat(text) {
                return Ok(Some(Times { text: text.to_owned(), least, most }));
            }
        }
        let mut ahead = self.cursor.clone();
        let inside = |c: char| c.is_ascii_digit() || matches!(c, ',' | ' ' | '\t');
        let numbers = if ahead.eat("{") { ahead.take(usize::MAX, inside) } else { "" };
        let (least, most) = numbers.split_once(',').unwrap_or((numbers, numbers));
        let blank = |c: char| matches!(c, ' ' | '\t');
        let (low, high) = (least.trim_matches(blank), most.trim_matches(blank));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let any = !low.is_empty() || !high.is_empty();
        if !any || !digits(low) || !digits(high) || !ahead.eat("}") {
            return Ok(None);
        }
        self.cursor = ahead;
        if low.is_empty() || numbers.contains([' ', '\t']) {
            let reason = "a repetition that older versions of PCRE take for text";
            return Err(self.cursor.beyond(start, reason));
        }
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number <= MOST);
        let most = if high.is_empty() { Some(None) } else { number(high).map(Some) };
        match (number(low), most) {
            (Some(least), Some(most)) if most.is_none_or(|most| least <= most) => {
                let text = self.cursor.since(start).to_owned();
                Ok(Some(Times { text, least, most }))
            }
            _ => Err(self.cursor.wrong(start, "a repetition whose numbers cannot be")),
        }
    }
}

/// White space that `x` skips
fn is_white(c: char) -> bool {
    let other = ['\u{85}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}'];
    matches!(c, ' ' | '\t'..='\r') || other.contains(&c)
}
