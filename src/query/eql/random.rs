//! Random trees, the same on every run.

use super::{
    Comparison, Condition, Eql, EventQuery, FieldName, Matching, Operation, Sequence, Step, Value,
};

/// Numbers from a fixed start, the same on every run
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }

    fn of<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())].clone()
    }

    fn many<T>(&mut self, least: usize, mut one: impl FnMut(&mut Dice) -> T) -> Vec<T> {
        (0..least + self.below(4)).map(|_| one(self)).collect()
    }

    fn text(&mut self) -> String {
        let parts = [
            "a",
            "*",
            "?",
            "\"",
            "\"\"\"",
            "\\",
            "\\d",
            "\n",
            "\t",
            "é",
            "\u{202e}",
            "\u{1}",
            "'",
            "//",
            "/*",
            "`",
            " long text ",
        ];
        self.many(0, |dice| dice.of(&parts)).concat()
    }

    fn field(&mut self) -> FieldName {
        let names = [
            "a",
            "process.name",
            "@timestamp",
            "a-b",
            "any",
            "x.in",
            "a.5",
            "a`b",
            "not",
            "é",
            "`",
            "",
        ];
        FieldName { name: self.of(&names).to_owned(), optional: self.below(3) == 0 }
    }

    fn constant(&mut self) -> Value {
        match self.below(7) {
            0 => Value::Truth(self.below(2) == 0),
            1 => Value::Null,
            2 => Value::Number((self.below(1000) as i64 - 500).into()),
            3 => Value::Number(self.of(&[i64::MIN, i64::MAX]).into()),
            4 => Value::Number(
                serde_json::Number::from_f64(self.of(&[1.5, -2.25, 1e300, -1e-9])).unwrap(),
            ),
            _ => Value::Text(self.text()),
        }
    }

    fn value(&mut self, depth: usize) -> Value {
        let operations = [
            Operation::Plus,
            Operation::Minus,
            Operation::Times,
            Operation::Over,
            Operation::Modulo,
        ];
        match self.below(if depth == 0 { 4 } else { 6 }) {
            0 => self.constant(),
            4 => Value::Call {
                function: self.of(&["length", "startsWith"]).to_owned(),
                fold: self.below(2) == 0,
                arguments: self.many(0, |dice| dice.value(depth - 1)),
            },
            5 => {
                let (left, right) = (self.value(depth - 1), self.value(depth - 1));
                Value::Arithmetic(Box::new(left), self.of(&operations), Box::new(right))
            }
            _ => Value::Field(self.field()),
        }
    }

    fn condition(&mut self, depth: usize) -> Condition {
        use Comparison::{Above, AtLeast, AtMost, Below, Equal, NotEqual};
        use Matching::{Colon, Like, LikeFolded, Regex, RegexFolded};
        match self.below(if depth == 0 { 5 } else { 9 }) {
            0 => Condition::Truth(self.value(2)),
            1 => {
                let sign = self.of(&[Above, AtLeast, AtMost, Below, Equal, NotEqual]);
                Condition::Compare(self.value(2), sign, self.value(2))
            }
            2 => Condition::In {
                value: self.value(1),
                items: self.many(1, Dice::constant),
                fold: self.below(2) == 0,
            },
            3 | 4 => {
                let matching = self.of(&[Colon, Like, LikeFolded, Regex, RegexFolded]);
                Condition::Matches(self.value(1), matching, self.many(1, Dice::text))
            }
            5 => Condition::Not(Box::new(self.condition(depth - 1))),
            6 | 7 => Condition::All(self.many(2, |dice| dice.condition(depth - 1))),
            _ => Condition::Any(self.many(2, |dice| dice.condition(depth - 1))),
        }
    }

    fn event(&mut self) -> EventQuery {
        let categories = [None, Some("process"), Some("any"), Some("a b\"\\")];
        let category = self.of(&categories).map(str::to_owned);
        EventQuery { category, condition: self.condition(4) }
    }

    fn step(&mut self) -> Step {
        Step {
            absent: self.below(4) == 0,
            query: self.event(),
            by: self.many(0, Dice::field),
            runs: self.of(&[1, 1, 2, 100]),
        }
    }

    /// A query without groups of fewer than two parts, which print as something simpler
    pub(super) fn query(&mut self) -> Eql {
        if self.below(4) > 0 {
            return Eql::Event(self.event());
        }
        let until = (self.below(3) == 0).then(|| Step { absent: false, runs: 1, ..self.step() });
        Eql::Sequence(Sequence {
            by: self.many(0, Dice::field),
            maxspan: self.of(&[None, Some(1), Some(60_000), Some(90_000), Some(86_400_000)]),
            steps: self.many(1, Dice::step),
            until,
        })
    }
}
