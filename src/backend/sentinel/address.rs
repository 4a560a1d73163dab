//! Address tests as Kusto predicates.
//!
//! In: a column and networks. Out: calls of the functions of each family. They give null for
//! what is no address of theirs (Microsoft, ipv4_is_in_any_range and ipv6_is_in_any_range).

use super::expr::{Kusto, quote};
use super::predicate::Context;
use crate::ir::NON_PUBLIC;

pub(super) fn networks_of(column: &str, networks: &[ipnet::IpNet], positive: bool) -> Kusto {
    let (v4, v6) = by_family(networks);
    let mut parts = Vec::new();
    for (function, ranges) in [("ipv4_is_in_any_range", v4), ("ipv6_is_in_any_range", v6)] {
        if ranges.is_empty() {
            continue;
        }
        let ranges: Vec<String> = ranges.iter().map(|range| quote(range)).collect();
        let call = format!("{function}({column}, {})", ranges.join(", "));
        // Null when the value is no address of the family, and the negation of null is null.
        parts.push(Kusto::Is(match positive {
            true => call,
            false => format!("coalesce({call}, false)"),
        }));
    }
    Kusto::any(parts)
}

/// The functions give null for what is no address of their family; null is not equal to false.
pub(super) fn public(context: &mut Context<'_, '_>, column: &str) -> Kusto {
    let (v4, v6) = by_family(&NON_PUBLIC);
    let mut list = |name: &str, ranges: &[String]| {
        let ranges: Vec<&str> = ranges.iter().map(String::as_str).collect();
        context.lets.list(name, &ranges)
    };
    let (v4, v6) = (list("non_public_v4", &v4), list("non_public_v6", &v6));
    Kusto::any(vec![
        Kusto::Is(format!("ipv4_is_in_any_range({column}, {v4}) == false")),
        Kusto::Is(format!("ipv6_is_in_any_range({column}, {v6}) == false")),
    ])
}

/// IPv4 networks also in their IPv6-mapped form: Defender records such addresses
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
