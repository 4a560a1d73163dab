//! Networks over addresses that an index keeps as text.
//!
//! In: a network. Out: patterns that fit the texts of its addresses, as RFC 5952 writes them, and of
//! no other address. An IPv4 address may stand in its IPv6 form (`::ffff:10.0.0.1`).

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::pattern::{Pattern, Token};

/// The patterns of a network; `None` for one whose addresses begin with groups that may be left out
pub(super) fn patterns(network: &IpNet) -> Option<Vec<Pattern>> {
    let starts = match network {
        IpNet::V4(network) => {
            let plain = v4(network.addr(), network.prefix_len())?;
            let mapped: Vec<Vec<Token>> =
                plain.iter().map(|tokens| with_prefix("::ffff:", tokens)).collect();
            plain.into_iter().chain(mapped).collect()
        }
        IpNet::V6(network) => v6(network.addr(), network.prefix_len())?,
    };
    Some(starts.into_iter().map(Pattern::of).collect())
}

fn with_prefix(prefix: &str, tokens: &[Token]) -> Vec<Token> {
    std::iter::once(Token::Literal(prefix.to_owned())).chain(tokens.iter().cloned()).collect()
}

/// A text for each value of the octet that the network divides
fn v4(address: Ipv4Addr, prefix: u8) -> Option<Vec<Vec<Token>>> {
    let (whole, rest) = (usize::from(prefix / 8), prefix % 8);
    let octets = address.octets();
    let mut start = String::new();
    octets[..whole].iter().for_each(|octet| start.push_str(&format!("{octet}.")));
    let open = |text: String| vec![Token::Literal(text), Token::Any];
    match (whole, rest) {
        (0, 0) => None,
        (4, _) => Some(vec![vec![Token::Literal(address.to_string())]]),
        (_, 0) => Some(vec![open(start)]),
        _ => {
            let first = octets[whole];
            let last = first | (0xff >> rest);
            let text = |octet: u8| match whole {
                3 => vec![Token::Literal(format!("{start}{octet}"))],
                _ => open(format!("{start}{octet}.")),
            };
            Some((first..=last).map(text).collect())
        }
    }
}

/// A text for each value of the hexadecimal digit that the network divides
fn v6(address: Ipv6Addr, prefix: u8) -> Option<Vec<Vec<Token>>> {
    if prefix == 128 {
        return Some(vec![vec![Token::Literal(address.to_string())]]);
    }
    let groups = address.segments();
    let (whole, rest) = (usize::from(prefix / 16), prefix % 16);
    if groups[..whole].contains(&0) || (whole == 0 && rest == 0) {
        return None;
    }
    let mut start = String::new();
    groups[..whole].iter().for_each(|group| start.push_str(&format!("{group:x}:")));
    if rest == 0 {
        return Some(vec![vec![Token::Literal(start), Token::Any]]);
    }
    let group = groups[whole];
    // A group that may begin with a zero has texts of several lengths.
    let (digits, bits) = (usize::from(rest / 4), rest % 4);
    let least = format!("{group:04x}");
    if least.starts_with('0') {
        return None;
    }
    let begin = &least[..digits];
    let text = |digit: Option<u16>| {
        let digit = digit.map(|digit| format!("{digit:x}")).unwrap_or_default();
        let said = format!("{start}{begin}{digit}");
        let open = 4 - digits - digit.len();
        let end = [Token::Literal(":".to_owned()), Token::Any];
        let end = end.into_iter().filter(|_| whole < 7);
        let ones = std::iter::repeat_n(Token::One, open);
        std::iter::once(Token::Literal(said)).chain(ones).chain(end).collect()
    };
    if bits == 0 {
        return Some(vec![text(None)]);
    }
    let first = (group >> (12 - 4 * digits)) & 0xf;
    Some((first..=first | (0xf >> bits)).map(|digit| text(Some(digit))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(network: &str) -> Vec<String> {
        let wildcards = patterns(&network.parse().unwrap()).unwrap_or_default();
        wildcards.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_network_is_the_beginnings_of_its_addresses() {
        assert_eq!(written("10.0.0.0/8"), ["10.*", "::ffff:10.*"]);
        assert_eq!(written("127.0.0.1/32"), ["127.0.0.1", "::ffff:127.0.0.1"]);
        assert_eq!(written("10.4.0.0/15")[..2], ["10.4.*", "10.5.*"]);
        assert_eq!(written("10.0.0.2/31")[..2], ["10.0.0.2", "10.0.0.3"]);
        assert_eq!(written("::1/128"), ["::1"]);
        assert_eq!(written("fc00::/7"), ["fc??:*", "fd??:*"]);
        assert_eq!(written("fe80::/10"), ["fe8?:*", "fe9?:*", "fea?:*", "feb?:*"]);
        assert_eq!(written("2001:db8::/32"), ["2001:db8:*"]);
        assert_eq!(written("ff00::/8"), ["ff??:*"]);
    }

    #[test]
    fn a_network_that_begins_with_zeros_has_no_patterns() {
        for network in ["0.0.0.0/0", "::/1", "64:ff9b:1::/48", "2001:0:4::/48", "100::/6"] {
            assert_eq!(written(network).is_empty(), network != "64:ff9b:1::/48", "{network}");
        }
    }
}
