//! The types of values, and the result types of operators.
//!
//! In: the types of operands. Out: the type of the result, or nothing when the operator is not
//! defined for them. Nothing is known of values.
//!
//! Facts from Microsoft's reference of the Kusto query language, checked against its own binder.
//! Stricter than the binder in one thing: `==` and its kin between texts and numbers, or other
//! unlike types, are refused, as the engine does ("Cannot compare values of types ..", SEM0064).

use std::fmt;

/// A scalar type of Kusto
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `bool`
    Bool,
    /// `datetime`, an instant
    DateTime,
    /// `decimal`, 128 bits
    Decimal,
    /// `dynamic`: any of the others, a list or a bag of them
    Dynamic,
    /// `guid`
    Guid,
    /// `int`, 32 bits
    Int,
    /// `long`, 64 bits
    Long,
    /// `real`, a double
    Real,
    /// `string`
    String,
    /// `timespan`, a number of ticks
    TimeSpan,
}

impl Type {
    /// Every type
    pub const ALL: &[Type] = &[
        Type::Bool,
        Type::DateTime,
        Type::Decimal,
        Type::Dynamic,
        Type::Guid,
        Type::Int,
        Type::Long,
        Type::Real,
        Type::String,
        Type::TimeSpan,
    ];

    /// The name of the type in Kusto
    pub fn as_str(self) -> &'static str {
        match self {
            Type::Bool => "bool",
            Type::DateTime => "datetime",
            Type::Decimal => "decimal",
            Type::Dynamic => "dynamic",
            Type::Guid => "guid",
            Type::Int => "int",
            Type::Long => "long",
            Type::Real => "real",
            Type::String => "string",
            Type::TimeSpan => "timespan",
        }
    }

    /// The type with this name
    pub(crate) fn named(name: &str) -> Option<Type> {
        Type::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    pub(super) fn is_integer(self) -> bool {
        matches!(self, Type::Int | Type::Long)
    }

    pub(super) fn is_number(self) -> bool {
        self.is_integer() || matches!(self, Type::Real | Type::Decimal)
    }

    /// Whether operators on texts take it
    pub(super) fn is_text(self) -> bool {
        matches!(self, Type::String | Type::Dynamic)
    }

    /// Whether `min`, `max` and `sort` take it
    pub(super) fn is_orderable(self) -> bool {
        !matches!(self, Type::Dynamic | Type::Guid)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The wider of two numbers
fn wider(left: Type, right: Type) -> Type {
    let either = |kind| left == kind || right == kind;
    match (either(Type::Decimal), either(Type::Real), either(Type::Long)) {
        (true, _, _) => Type::Decimal,
        (false, true, _) => Type::Real,
        (false, false, true) => Type::Long,
        (false, false, false) => Type::Int,
    }
}

/// The common type of two branches of `iff`, `case` or `coalesce`
pub(super) fn common(left: Type, right: Type) -> Option<Type> {
    match (left, right) {
        _ if left == right => Some(left),
        _ if left.is_number() && right.is_number() => Some(wider(left, right)),
        _ => None,
    }
}

/// Whether `==`, `in` and their kin compare the two
pub(super) fn comparable(left: Type, right: Type) -> bool {
    left == Type::Dynamic || right == Type::Dynamic || common(left, right).is_some()
}

/// Whether `<` and its kin compare the two
pub(super) fn ordered(left: Type, right: Type) -> bool {
    let loose = |kind: Type| kind.is_number() || kind == Type::Dynamic;
    match (left, right) {
        (Type::DateTime, Type::DateTime) | (Type::TimeSpan, Type::TimeSpan) => true,
        _ => loose(left) && loose(right),
    }
}

/// Whether `between` takes these bounds; the third form is an instant and a length from there
pub(super) fn within(value: Type, low: Type, high: Type) -> bool {
    let third = value == Type::DateTime && low == value && high == Type::TimeSpan;
    third || ordered(value, low) && ordered(value, high)
}

/// The result of `+`, `-`, `*` or `/`
pub(crate) fn arithmetic(operator: &str, left: Type, right: Type) -> Option<Type> {
    use Type::{DateTime, Dynamic, Long, TimeSpan};
    let number = |kind: Type| kind.is_number() || kind == Dynamic;
    match (left, operator, right) {
        (DateTime, "-", DateTime) => Some(TimeSpan),
        (DateTime, "+" | "-", TimeSpan) | (TimeSpan, "+", DateTime) => Some(DateTime),
        (TimeSpan, "+" | "-", TimeSpan) => Some(TimeSpan),
        (TimeSpan, "/", TimeSpan) => Some(Type::Real),
        (TimeSpan, "*" | "/", _) if right.is_number() => Some(TimeSpan),
        (_, "*", TimeSpan) if left.is_number() => Some(TimeSpan),
        (Dynamic, _, Dynamic) => Some(Dynamic),
        _ if number(left) && number(right) => {
            let plain = |kind| if kind == Dynamic { Long } else { kind };
            Some(wider(wider(plain(left), plain(right)), Long))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_and_lengths_of_time_make_each_other() {
        use Type::{DateTime, Int, Long, Real, String, TimeSpan};
        assert_eq!(arithmetic("-", DateTime, DateTime), Some(TimeSpan));
        assert_eq!(arithmetic("-", DateTime, TimeSpan), Some(DateTime));
        assert_eq!(arithmetic("+", DateTime, DateTime), None);
        assert_eq!(arithmetic("/", TimeSpan, TimeSpan), Some(Real));
        assert_eq!(arithmetic("-", Int, Int), Some(Long));
        assert_eq!(arithmetic("+", String, String), None);
    }

    #[test]
    fn unlike_types_are_not_compared() {
        assert!(comparable(Type::Int, Type::Real) && comparable(Type::Dynamic, Type::Guid));
        assert!(!comparable(Type::String, Type::Long) && !comparable(Type::DateTime, Type::String));
        assert!(within(Type::DateTime, Type::DateTime, Type::TimeSpan));
        assert!(!within(Type::String, Type::String, Type::String));
        assert!(!ordered(Type::String, Type::String));
    }

    #[test]
    fn branches_widen_to_a_common_type() {
        assert_eq!(common(Type::Int, Type::Long), Some(Type::Long));
        assert_eq!(common(Type::Int, Type::Int), Some(Type::Int));
        assert_eq!(common(Type::Long, Type::String), None);
    }
}
