//! The one printer that decides about width.
//!
//! In: a [`Doc`], text with places where a line may end. Out: text whose lines keep to a width
//! where the words allow it. A group stands on one line when all of it fits there, and is broken
//! at each of its own places when it does not; groups inside it decide for themselves.
//!
//! INVARIANT: the flat width of a part is known when it is built, so that printing looks at every
//! part once, however many there are. Width is counted in bytes.

/// Text with places where a line may end
#[derive(Debug, Clone)]
pub(crate) struct Doc {
    node: Node,
    /// Bytes on one line
    width: usize,
    /// Whether it contains a forced line break
    forced: bool,
}

#[derive(Debug, Clone)]
enum Node {
    Text(String),
    /// A possible line end; the text is printed when the line does not end
    Break(&'static str),
    /// A blank, or the end of a line where the part behind it, of this many bytes, does not fit
    Wrap(usize),
    /// A comment on a line of its own; left out when all is on one line
    Note(String),
    Nest(usize, Box<Doc>),
    Group(Box<Doc>),
    Flat(Box<Doc>),
    All(Vec<Doc>),
}

impl Doc {
    /// Words that stay together
    pub(crate) fn text(text: impl Into<String>) -> Doc {
        let text = text.into();
        Doc { width: text.len(), forced: false, node: Node::Text(text) }
    }

    /// A blank, or the end of a line
    pub(crate) fn line() -> Doc {
        Doc { node: Node::Break(" "), width: 1, forced: false }
    }

    /// Nothing, or the end of a line
    pub(crate) fn soft() -> Doc {
        Doc { node: Node::Break(""), width: 0, forced: false }
    }

    /// A comment on a line of its own, followed by a line break
    pub(crate) fn note(text: impl Into<String>) -> Doc {
        Doc { node: Node::Note(text.into()), width: 0, forced: true }
    }

    /// The parts, one after the other
    pub(crate) fn all(parts: impl IntoIterator<Item = Doc>) -> Doc {
        let parts: Vec<Doc> = parts.into_iter().collect();
        let width = parts.iter().map(|part| part.width).sum();
        let forced = parts.iter().any(|part| part.forced);
        Doc { node: Node::All(parts), width, forced }
    }

    /// The parts with a comma and a possible line end between each two
    pub(crate) fn list(parts: impl IntoIterator<Item = Doc>) -> Doc {
        let mut all = Vec::new();
        for part in parts {
            if !all.is_empty() {
                all.extend([Doc::text(","), Doc::line()]);
            }
            all.push(part);
        }
        Doc::all(all)
    }

    /// The parts with a comma between each two; a line holds as many as fit
    pub(crate) fn filled(parts: impl IntoIterator<Item = Doc>) -> Doc {
        let mut all: Vec<Doc> = Vec::new();
        let mut parts = parts.into_iter().peekable();
        while let Some(part) = parts.next() {
            // A comma follows each part but the last.
            let comma = usize::from(parts.peek().is_some());
            if !all.is_empty() {
                let node = Node::Wrap(part.width + comma);
                all.extend([Doc::text(","), Doc { node, width: 1, forced: false }]);
            }
            all.push(part);
        }
        Doc::all(all)
    }

    /// Indents the lines that begin inside by `depth`
    pub(crate) fn nest(self, depth: usize) -> Doc {
        let (width, forced) = (self.width, self.forced);
        Doc { node: Node::Nest(depth, Box::new(self)), width, forced }
    }

    /// One line when it fits, else broken at all of its own places
    pub(crate) fn group(self) -> Doc {
        let (width, forced) = (self.width, self.forced);
        Doc { node: Node::Group(Box::new(self)), width, forced }
    }

    /// Broken, however short it is
    pub(crate) fn broken(self) -> Doc {
        Doc { forced: true, ..self }
    }

    /// One line, however long it is
    pub(crate) fn flat(self) -> Doc {
        let width = self.width;
        Doc { node: Node::Flat(Box::new(self)), width, forced: false }
    }

    /// The text, in lines of this width where words allow it
    pub(crate) fn print(&self, width: usize) -> String {
        let mut page = Page { out: String::with_capacity(self.width), start: 0, width };
        page.write(self, 0, self.forced || self.width > width);
        page.out
    }
}

/// The text so far, the byte offset of its last line, and the width of lines
struct Page {
    out: String,
    start: usize,
    width: usize,
}

impl Page {
    fn write(&mut self, doc: &Doc, indent: usize, broken: bool) {
        match &doc.node {
            Node::Text(text) => self.out.push_str(text),
            Node::Break(flat) if !broken => self.out.push_str(flat),
            Node::Break(_) => self.end_line(indent),
            Node::Wrap(next) => match broken && self.out.len() - self.start + 1 + next > self.width
            {
                true => self.end_line(indent),
                false => self.out.push(' '),
            },
            Node::Note(_) if !broken => {}
            Node::Note(text) => {
                self.out.push_str(text);
                self.end_line(indent);
            }
            Node::Nest(depth, inner) => self.write(inner, indent + depth, broken),
            Node::Group(inner) => {
                let fits = self.out.len() - self.start + doc.width <= self.width;
                self.write(inner, indent, broken && (doc.forced || !fits));
            }
            Node::Flat(inner) => self.write(inner, indent, false),
            Node::All(parts) => parts.iter().for_each(|part| self.write(part, indent, broken)),
        }
    }

    fn end_line(&mut self, indent: usize) {
        // A line with nothing but its indentation is an empty line.
        if self.out[self.start..].bytes().all(|byte| byte == b' ') {
            self.out.truncate(self.start);
        }
        self.out.push('\n');
        self.start = self.out.len();
        self.out.extend(std::iter::repeat_n(' ', indent));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 100;

    fn call(arguments: &[Doc]) -> Doc {
        let inner = Doc::all([Doc::soft(), Doc::list(arguments.to_vec())]).nest(4);
        Doc::all([Doc::text("f("), inner, Doc::soft(), Doc::text(")")]).group()
    }

    #[test]
    fn a_group_breaks_when_it_does_not_fit_and_its_inner_groups_decide_for_themselves() {
        let short = Doc::text("x".repeat(40));
        let two = call(&[short.clone(), short]);
        assert_eq!(two.print(WIDTH), format!("f({0}, {0})", "x".repeat(40)));
        let outer = call(&[two.clone(), two]);
        let inner = format!("    f({0}, {0})", "x".repeat(40));
        assert_eq!(outer.print(WIDTH), format!("f(\n{inner},\n{inner}\n)"));
        assert!(!outer.flat().print(WIDTH).contains('\n'));
    }

    #[test]
    fn a_filled_list_has_as_many_parts_in_a_line_as_fit() {
        let words = ["x".repeat(60), "y".repeat(39), "z".repeat(39)];
        let list = Doc::filled(words.iter().map(Doc::text)).broken();
        assert_eq!(list.print(WIDTH), format!("{},\n{}, {}", words[0], words[1], words[2]));
    }

    #[test]
    fn exactly_the_width_still_fits() {
        let of = |n: usize| call(&[Doc::text("x".repeat(n))]).print(WIDTH);
        assert_eq!(of(WIDTH - 3).lines().count(), 1);
        assert_eq!(of(WIDTH - 2).lines().count(), 3);
    }
}
