//! `ipv4_is_in_any_range` and `ipv6_is_in_any_range`.
//!
//! In: an address and networks as text. Out: whether one of the networks has the address; null where
//! the text is no address of the version. For the second function an IPv4 address is one of
//! `::ffff:0:0/96`.
//!
//! Source: Microsoft's pages on both functions.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use serde_json::Value as Json;

use super::value::Value;
use super::{Fault, Outcome};

/// Networks that do not depend on a row
pub(super) fn networks(values: &[Value]) -> Result<Vec<IpNet>, Fault> {
    let mut texts = Vec::new();
    for value in values {
        match value.list() {
            Some(list) => texts.extend(list.iter().filter_map(Json::as_str).map(ToOwned::to_owned)),
            None => texts.push(value.to_text().to_string()),
        }
    }
    let wrong = |text: &str| Fault::new(format!("`{text}` is no network"));
    let network = |text: &String| {
        let alone = || text.parse::<IpAddr>().map(IpNet::from);
        text.parse::<IpNet>().or_else(|_| alone()).map_err(|_| wrong(text))
    };
    texts.iter().map(network).collect()
}

pub(super) fn is_in_any(text: &str, networks: &[IpNet], six: bool) -> Outcome {
    if text.contains('%') {
        // Microsoft does not say whether an address may name its zone.
        return Err(Fault::new("an address with a zone"));
    }
    let address = match (text.parse::<IpAddr>(), six) {
        (Ok(IpAddr::V4(four)), true) => IpAddr::V6(four.to_ipv6_mapped()),
        (Ok(address), _) if address.is_ipv6() == six => address,
        (Ok(_) | Err(_), _) => return Ok(Value::Null),
    };
    let mapped = |network: &IpNet| match (network, six) {
        (IpNet::V4(four), true) => {
            let base: Ipv6Addr = four.addr().to_ipv6_mapped();
            IpNet::new(base.into(), four.prefix_len() + 96).unwrap_or(*network)
        }
        (IpNet::V4(_) | IpNet::V6(_), _) => *network,
    };
    Ok(Value::Bool(networks.iter().any(|network| mapped(network).contains(&address))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(address: &str, ranges: &[&str], six: bool) -> Value {
        let ranges: Vec<Value> = ranges.iter().map(|range| Value::text(*range)).collect();
        is_in_any(address, &networks(&ranges).unwrap(), six).unwrap()
    }

    #[test]
    fn addresses_are_in_networks_of_their_version() {
        // Microsoft's examples.
        assert_eq!(
            test("192.168.1.6", &["192.168.1.1/24", "10.0.0.1/8"], false),
            Value::Bool(true)
        );
        assert_eq!(test("127.0.0.1", &["127.0.0.1"], false), Value::Bool(true));
        let networks = ["a5e:f127:8a9d:146d:e102:b5d3:c755:f6cd/112", "0:0:0:0:0:ffff:c0a8:ac/60"];
        let address = "a5e:f127:8a9d:146d:e102:b5d3:c755:abcd";
        assert_eq!(test(address, &networks, true), Value::Bool(true));
        assert_eq!(test("8.8.8.8", &["10.0.0.0/8"], false), Value::Bool(false));
        assert_eq!(test("10.0.0.9", &["::ffff:a00:0/104"], true), Value::Bool(true));
        assert_eq!(test("::1", &["10.0.0.0/8"], false), Value::Null);
        assert_eq!(test("", &["10.0.0.0/8"], false), Value::Null);
    }
}
