//! Networks: public addresses, named networks, and how a network is read.

use std::net::IpAddr;
use std::sync::LazyLock;

use ipnet::{IpNet, Ipv6Net};

/// Networks of the addresses that are not public; every other address is public
///
/// Every block of IANA's special-purpose address registries (IPv4 and IPv6, RFC 6890 and
/// successors) that is not globally reachable, and multicast. An IPv4-mapped IPv6 address counts
/// as its IPv4 address, so the mapped block is not listed.
pub static NON_PUBLIC: LazyLock<Vec<IpNet>> =
    LazyLock::new(|| BLOCKS.iter().filter_map(|(block, _)| block.parse().ok()).collect());

const BLOCKS: &[(&str, &str)] = &[
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "shared"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "protocol assignments"),
    ("192.0.2.0/24", "documentation"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "benchmarking"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("64:ff9b:1::/48", "translation"),
    ("100::/64", "discard"),
    ("2001:db8::/32", "documentation"),
    ("3fff::/20", "documentation"),
    ("5f00::/16", "segment routing"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local, deprecated"),
    ("ff00::/8", "multicast"),
];

/// Networks of `private` and `loopback` under `remote:`; `None` for any other word
pub(super) fn named(word: &str) -> Option<Vec<IpNet>> {
    let blocks = || BLOCKS.iter().filter(|(_, says)| *says == word);
    matches!(word, "private" | "loopback")
        .then(|| blocks().filter_map(|(block, _)| block.parse().ok()).collect())
}

/// Reads a network or a single address
///
/// Host bits behind the prefix are cut off: `10.0.0.1/8` is `10.0.0.0/8`. A network of IPv4-mapped
/// addresses is the IPv4 network. A network that holds the mapped addresses and more, such as
/// `::/0`, is `None`: engines differ on whether it contains IPv4 addresses.
pub(super) fn parse(text: &str) -> Option<IpNet> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(IpNet::from(address.to_canonical()));
    }
    let network = text.parse::<IpNet>().ok()?.trunc();
    let IpNet::V6(wide) = network else { return Some(network) };
    let mapped: Ipv6Net = "::ffff:0:0/96".parse().ok()?;
    if mapped.contains(&wide) {
        let IpAddr::V4(base) = IpAddr::V6(wide.addr()).to_canonical() else { return None };
        return IpNet::new(IpAddr::V4(base), wide.prefix_len() - 96).ok();
    }
    (!wide.contains(&mapped)).then_some(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_is_a_network_in_its_shortest_form() {
        assert_eq!(NON_PUBLIC.len(), BLOCKS.len());
        assert!(NON_PUBLIC.iter().all(|network| *network == network.trunc()));
    }

    #[test]
    fn mapped_networks_are_ipv4_and_wider_ones_are_refused() {
        assert_eq!(parse("::ffff:10.0.0.0/104"), "10.0.0.0/8".parse().ok());
        assert_eq!(parse("::ffff:8.8.8.8"), "8.8.8.8/32".parse().ok());
        assert_eq!(parse("::/0"), None);
        assert_eq!(parse("fe80::1/10"), "fe80::/10".parse().ok());
    }
}
