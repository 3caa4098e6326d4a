package steps

import (
	"encoding/binary"
	"net/netip"
)

// offLimits returns the ranges that no step may reach unless the operator opens them.
// The predicates of netip leave several of these out, so each range is named: those of
// the IANA special-purpose registries, and addresses on which clouds serve metadata. In
// IPv6 all but global unicast (2000::/3) is off limits anyway.
func offLimits() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),         // this network
		netip.MustParsePrefix("10.0.0.0/8"),        // private
		netip.MustParsePrefix("100.64.0.0/10"),     // shared address space
		netip.MustParsePrefix("127.0.0.0/8"),       // loopback
		netip.MustParsePrefix("168.63.129.16/32"),  // a cloud's host agent
		netip.MustParsePrefix("169.254.0.0/16"),    // link local, metadata
		netip.MustParsePrefix("172.16.0.0/12"),     // private
		netip.MustParsePrefix("192.0.0.0/24"),      // protocol assignments
		netip.MustParsePrefix("192.0.2.0/24"),      // documentation
		netip.MustParsePrefix("192.31.196.0/24"),   // AS112
		netip.MustParsePrefix("192.52.193.0/24"),   // AMT
		netip.MustParsePrefix("192.88.99.0/24"),    // 6to4 relays
		netip.MustParsePrefix("192.168.0.0/16"),    // private
		netip.MustParsePrefix("192.175.48.0/24"),   // AS112
		netip.MustParsePrefix("198.18.0.0/15"),     // benchmarks
		netip.MustParsePrefix("198.51.100.0/24"),   // documentation
		netip.MustParsePrefix("203.0.113.0/24"),    // documentation
		netip.MustParsePrefix("224.0.0.0/4"),       // multicast
		netip.MustParsePrefix("240.0.0.0/4"),       // reserved, broadcast
		netip.MustParsePrefix("2001::/23"),         // protocol assignments, Teredo, ORCHID
		netip.MustParsePrefix("2001:db8::/32"),     // documentation
		netip.MustParsePrefix("2620:4f:8000::/48"), // AS112
		netip.MustParsePrefix("3ffe::/16"),         // former test network
		netip.MustParsePrefix("3fff::/20"),         // documentation
	}
}

// embedded returns the IPv4 address that a NAT64 (64:ff9b::/96, RFC 6052) or 6to4
// (2002::/16, RFC 3056) address leads to; false for any other address.
func embedded(addr netip.Addr) (netip.Addr, bool) {
	if !addr.Is6() {
		return netip.Addr{}, false
	}
	// The prefixes are compared as numbers: this runs for every connection.
	b := addr.As16()
	switch {
	case binary.BigEndian.Uint64(b[:8]) == 0x0064ff9b_00000000 && binary.BigEndian.Uint32(b[8:12]) == 0:
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case b[0] == 0x20 && b[1] == 0x02:
		return netip.AddrFrom4([4]byte(b[2:6])), true
	default:
		return netip.Addr{}, false
	}
}

// forbidden reports whether an address is off limits unless it was opened. An address
// with a zone is: it is on a local link.
func forbidden(addr netip.Addr, ranges []netip.Prefix) bool {
	if addr.Zone() != "" || !addr.IsValid() {
		return true
	}
	addr = addr.Unmap()
	// Through a translator the connection ends at the address within.
	if inner, ok := embedded(addr); ok {
		return forbidden(inner, ranges)
	}
	if addr.Is6() && !globalUnicast6(addr) {
		return true
	}
	for _, p := range ranges {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// globalUnicast6 reports whether an IPv6 address is in 2000::/3 (RFC 4291, 2.4).
func globalUnicast6(addr netip.Addr) bool { return addr.As16()[0]>>5 == 1 }
