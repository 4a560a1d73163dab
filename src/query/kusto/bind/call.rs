//! The type of a call.
//!
//! In: a function's name and its arguments. Out: the type of the result, or a finding: at the name
//! for an unknown function or a wrong number of arguments, at the argument for a wrong type.

use super::{Binder, Scope, Value};
use crate::query::kusto::functions::{Gives, Parameter, Signature, Stage, named};
use crate::query::kusto::tree::{Expression, Kind, Name};
use crate::query::kusto::types::common;
use crate::query::kusto::{Type, schema};

impl Binder<'_> {
    pub(super) fn call(
        &mut self,
        name: &Name,
        arguments: &[Expression],
        scope: Scope<'_>,
    ) -> Value {
        if name.text == "materialize" {
            return self.materialize(name, arguments);
        }
        if schema::is_parser(&name.text) {
            arguments.iter().for_each(|argument| self.parameter(name, argument, scope));
            return self.named(&name.text, &name.place);
        }
        let signatures = named(&name.text);
        let Some(first) = signatures.first() else {
            self.find(&name.place, format!("the function `{}` is not known here", name.text));
            return Value::Scalar(None);
        };
        if !self.may_stand(first, name, scope) {
            return Value::Scalar(None);
        }
        let inner = match first.stage {
            Stage::Aggregate => Scope { grouped: false, ..scope },
            Stage::Scalar | Stage::Window => scope,
        };
        let kinds: Vec<Option<Type>> =
            arguments.iter().map(|argument| self.scalar(argument, inner)).collect();
        self.forms(first, arguments, inner);
        Value::Scalar(self.result(name, &signatures, arguments, &kinds))
    }

    /// Reports an argument that the parser does not take, or of which it is not known here
    fn parameter(&mut self, parser: &Name, argument: &Expression, scope: Scope<'_>) {
        let Kind::Given(name, value) = &argument.kind else {
            let message = format!("`{}` takes arguments by their names here", parser.text);
            return self.find(&argument.place, message);
        };
        if schema::parameter(&parser.text, &name.text).is_none() {
            let message = format!("the parameter `{}` is not known here", name.text);
            self.find(&name.place, message);
        }
        self.expect(Type::Dynamic, value, Scope { table: None, ..scope });
    }

    /// Reports arguments of the wrong form: a pattern must be a literal or a name that `let` has
    /// set, and some columns must be plain names
    fn forms(&mut self, signature: &Signature, arguments: &[Expression], scope: Scope<'_>) {
        let parameters = signature.parameters(arguments.len()).unwrap_or_default();
        for (parameter, argument) in parameters.iter().zip(arguments) {
            let is_column = |name| scope.table.is_some_and(|table| table.column(name).is_some());
            let column = argument.as_name().is_some_and(is_column);
            let literal = matches!(argument.kind, Kind::Literal(_));
            let named = argument.as_name().is_some();
            let wanted = if *parameter == Parameter::Pattern && (column || !literal && !named) {
                "a pattern that is written out"
            } else if *parameter == Parameter::Column && !named {
                "a column itself"
            } else {
                continue;
            };
            self.find(&argument.place, format!("`{}` takes {wanted}", signature.name));
        }
    }

    fn materialize(&mut self, name: &Name, arguments: &[Expression]) -> Value {
        let [rows] = arguments else {
            self.count(name, "1 argument", arguments.len());
            return Value::Table(super::Table::unknown());
        };
        Value::Table(self.table(rows))
    }

    fn count(&mut self, name: &Name, takes: &str, given: usize) {
        let message = format!("`{}` takes {takes}, not {given}", name.text);
        self.find(&name.place, message);
    }

    fn may_stand(&mut self, signature: &Signature, name: &Name, scope: Scope<'_>) -> bool {
        let why = match signature.stage {
            Stage::Scalar => return true,
            // They give several columns; `summarize` handles them before it binds expressions.
            _ if matches!(signature.name, "arg_max" | "arg_min") => {
                "stands only by itself in `summarize`"
            }
            Stage::Aggregate if scope.grouped => return true,
            Stage::Aggregate => "is an aggregate function, and stands only in `summarize`",
            Stage::Window if scope.grouped => "cannot stand in `summarize`",
            Stage::Window if scope.table.is_some_and(|table| table.sorted || table.open) => {
                return true;
            }
            Stage::Window => "needs rows in order, and no `sort` stands before it",
        };
        self.find(&name.place, format!("`{}` {why}", name.text));
        false
    }

    fn result(
        &mut self,
        name: &Name,
        signatures: &[&Signature],
        arguments: &[Expression],
        kinds: &[Option<Type>],
    ) -> Option<Type> {
        let of_count = |one: &&Signature| Some((one.gives, one.parameters(kinds.len())?));
        let candidates: Vec<(Gives, Vec<Parameter>)> =
            signatures.iter().filter_map(of_count).collect();
        let fits = |parameter: &Parameter, kind: &Option<Type>| {
            kind.is_none_or(|kind| parameter.takes(kind))
        };
        let all_fit =
            |parameters: &[Parameter]| parameters.iter().zip(kinds).all(|(p, k)| fits(p, k));
        if let Some((gives, parameters)) = candidates.iter().find(|(_, all)| all_fit(all)) {
            return match gives {
                Gives::Type(kind) => Some(*kind),
                Gives::First => kinds.first().copied().flatten(),
                Gives::Common => self.in_common(name, parameters, kinds),
            };
        }
        match &candidates[..] {
            [] => {
                let counts = signatures.first().map(|one| one.counts()).unwrap_or_default();
                self.count(name, &counts, kinds.len());
            }
            [(_, parameters)] => {
                for ((parameter, kind), argument) in parameters.iter().zip(kinds).zip(arguments) {
                    if let Some(other) = kind.filter(|kind| !parameter.takes(*kind)) {
                        let message =
                            format!("`{}` takes {parameter} here, and this is {other}", name.text);
                        self.find(&argument.place, message);
                    }
                }
            }
            _ => {
                let words = kinds.iter().map(|kind| kind.map_or("unknown", Type::as_str));
                let words: Vec<&str> = words.collect();
                let message = format!("`{}` does not take {}", name.text, words.join(", "));
                self.find(&name.place, message);
            }
        }
        None
    }

    /// The common type of the values that a function chooses between
    fn in_common(
        &mut self,
        name: &Name,
        parameters: &[Parameter],
        kinds: &[Option<Type>],
    ) -> Option<Type> {
        let values = parameters.iter().zip(kinds).filter(|(p, _)| **p == Parameter::Value);
        let kinds: Option<Vec<Type>> = values.map(|(_, kind)| *kind).collect();
        let mut kinds = kinds?.into_iter();
        let mut all = kinds.next()?;
        for kind in kinds {
            let Some(both) = common(all, kind) else {
                let message = format!("`{}` gives {all} or {kind}, not one type", name.text);
                self.find(&name.place, message);
                return None;
            };
            all = both;
        }
        Some(all)
    }
}
