//! Address tests as Kusto predicates.
//!
//! In: a column and networks. Out: one call per address family. Each function gives null for a
//! value that is no address of its family (Microsoft, ipv4_is_in_any_range and
//! ipv6_is_in_any_range).

use super::context::Context;
use crate::ir::NON_PUBLIC;
use crate::query::kusto::Expression;

pub(super) fn networks_of(
    context: &Context<'_, '_>,
    column: &Expression,
    networks: &[ipnet::IpNet],
) -> Expression {
    let (v4, v6) = by_family(networks);
    let mut parts = Vec::new();
    for (function, ranges) in [("ipv4_is_in_any_range", v4), ("ipv6_is_in_any_range", v6)] {
        if ranges.is_empty() {
            continue;
        }
        let ranges = ranges.iter().map(|range| Expression::text(range));
        let call = Expression::call(function, [column.clone()].into_iter().chain(ranges));
        // Null when the value is no address of the family.
        parts.push(context.guarded(call));
    }
    Expression::any(parts)
}

/// Whether an address is public: `== false` fails on null, so a value that is no address of the
/// family does not match
pub(super) fn public(context: &mut Context<'_, '_>, column: &Expression) -> Expression {
    let (v4, v6) = by_family(&NON_PUBLIC);
    let mut list = |name: &str, ranges: &[String]| {
        let ranges: Vec<&str> = ranges.iter().map(String::as_str).collect();
        context.lets.list(name, &ranges)
    };
    let (v4, v6) = (list("non_public_v4", &v4), list("non_public_v6", &v6));
    let outside = |function, list| {
        Expression::call(function, [column.clone(), list]).compare("==", Expression::truth(false))
    };
    Expression::any([outside("ipv4_is_in_any_range", v4), outside("ipv6_is_in_any_range", v6)])
}

/// The networks of each family; IPv4 networks also in IPv6-mapped form, which Defender records
fn by_family(networks: &[ipnet::IpNet]) -> (Vec<String>, Vec<String>) {
    let (mut v4, mut mapped, mut v6) = (Vec::new(), Vec::new(), Vec::new());
    for network in networks {
        match network {
            ipnet::IpNet::V4(net) => {
                let [a, b, c, d] = net.addr().octets().map(u16::from);
                let (high, low) = (a << 8 | b, c << 8 | d);
                v4.push(net.to_string());
                mapped.push(format!("::ffff:{high:x}:{low:x}/{}", 96 + net.prefix_len()));
            }
            ipnet::IpNet::V6(net) => v6.push(net.to_string()),
        }
    }
    v6.extend(mapped);
    (v4, v6)
}
