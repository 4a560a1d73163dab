//! Prints a tree in the syntax of the regex crate.
//!
//! In: a tree that [`follow`](super::follow) has passed. Out: the pattern.

use super::tree::Node;

pub(super) fn print(tree: &Node) -> String {
    let mut out = String::new();
    write(tree, &mut out);
    out
}

fn write(node: &Node, out: &mut String) {
    match node {
        Node::Nothing(text) | Node::One { text, .. } | Node::Place { text, .. } => {
            out.push_str(text);
        }
        Node::Break(_) => out.push_str(r"(?:\r\n|[\n-\r\x{85}\x{2028}\x{2029}])"),
        Node::Group { open, body, .. } => {
            out.push_str(open);
            write(body, out);
            out.push(')');
        }
        Node::Repeat { body, times, .. } => {
            write(body, out);
            out.push_str(&times.text);
        }
        Node::Sequence(nodes) => nodes.iter().for_each(|node| write(node, out)),
        Node::Choice(choices) => {
            for (at, choice) in choices.iter().enumerate() {
                if at > 0 {
                    out.push('|');
                }
                write(choice, out);
            }
        }
    }
}
