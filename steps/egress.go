package steps

import (
	"context"
	"errors"
	"fmt"
	"heddle/fault"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// AllowSetting names the setting that opens addresses, for messages.
const AllowSetting = "HEDDLE_EGRESS_ALLOW"

// Guard decides which addresses steps may reach: public ones always, all others only
// where the operator listed them. It judges the address of each connection as it is
// dialled, so a name that resolves to another address the second time gains nothing. The
// zero Guard opens nothing. A Guard does not change after NewGuard and is safe for
// concurrent use.
type Guard struct {
	allow    []opening      // what the operator opened
	ranges   []netip.Prefix // off limits otherwise; nil: offLimits()
	resolver *net.Resolver  // nil: the system's
}

// opening is one entry of the setting: a prefix or a host name. One of the two is set.
// Port 0 opens all ports.
type opening struct {
	prefix netip.Prefix
	host   string // in canonical form (canonicalHost)
	port   uint16
}

// NewGuard reads HEDDLE_EGRESS_ALLOW: comma-separated CIDRs, addresses or host names,
// each of the latter two optionally with a port ("10.0.0.0/8", "intranet.example:8080",
// "127.0.0.1:41233", "[::1]:8080"). Empty entries are skipped. A bad entry is
// fault.Unacceptable egress_allow_invalid.
func NewGuard(allow string) (*Guard, error) {
	g := &Guard{ranges: offLimits()}
	for entry := range strings.SplitSeq(allow, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		o, err := parseOpening(entry)
		if err != nil {
			return nil, fault.Wrap(err, fault.Unacceptable, "egress_allow_invalid",
				"%s: %q is not a CIDR, address or host name (with an optional port).", AllowSetting, entry)
		}
		g.allow = append(g.allow, o)
	}
	return g, nil
}

// WithResolver returns a copy of the guard that resolves names with r.
func (g *Guard) WithResolver(r *net.Resolver) *Guard {
	c := *g
	c.resolver = r
	return &c
}

// parseOpening reads one entry of the setting. Its error says what is wrong; the caller
// quotes the entry.
func parseOpening(entry string) (opening, error) {
	if strings.Contains(entry, "/") {
		p, err := netip.ParsePrefix(entry)
		return opening{prefix: p.Masked()}, err
	}
	host, port := entry, uint16(0)
	if h, p, err := net.SplitHostPort(entry); err == nil {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return opening{}, fmt.Errorf("port %q", p)
		}
		host, port = h, uint16(n)
	}
	// A single address is a prefix of full length.
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		addr = addr.Unmap()
		return opening{prefix: netip.PrefixFrom(addr, addr.BitLen()), port: port}, nil
	}
	host = canonicalHost(host)
	if !plausibleHost(host) {
		return opening{}, errors.New("host name")
	}
	return opening{host: host, port: port}, nil
}

// canonicalHost returns a host name in lower case and without the final dot of an
// absolute name, so that equal hosts compare equal.
func canonicalHost(host string) string { return strings.TrimSuffix(strings.ToLower(host), ".") }

// plausibleHost reports whether an entry can be a host name (RFC 1123, and _ as internal
// names have it) and is not an address in a numeric notation. host is in lower case.
func plausibleHost(host string) bool {
	if host == "" || len(host) > 253 || numericHost(host) {
		return false
	}
	for _, r := range host {
		ok := r == '-' || r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z'
		if !ok {
			return false
		}
	}
	return true
}

// deniedText is the message of a refusal, with the host and AllowSetting.
const deniedText = "%s is off limits: it is a private, local or reserved address, or a name of one. An operator can open it with %s."

// deniedError is a refusal of the guard. It names the host as the author wrote it, not
// what it resolved to: internal addresses are not shown to tenants.
type deniedError struct{ host string }

// Error returns the message of the refusal.
func (e *deniedError) Error() string {
	return fmt.Sprintf(deniedText, e.host, AllowSetting)
}

// permits reports whether a connection to addr and port may be made for the name host.
// An address that is not off limits always is; another needs an entry for its prefix or
// for the name, and for the port. It takes O(number of entries).
func (g *Guard) permits(host string, addr netip.Addr, port uint16) bool {
	ranges := g.ranges
	if ranges == nil {
		ranges = offLimits()
	}
	if !forbidden(addr, ranges) {
		return true
	}
	addr, host = addr.WithZone("").Unmap(), canonicalHost(host)
	for _, o := range g.allow {
		if o.port != 0 && o.port != port {
			continue
		}
		if o.host != "" && o.host == host || o.prefix.IsValid() && o.prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// dialContext dials like net.Dialer. After the name is resolved and before anything is
// sent, it refuses every address that the guard does not permit. Its error then holds a
// deniedError. A dial takes at most 15 seconds.
func (g *Guard) dialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second, Resolver: g.resolver}
	// Called for each address that is tried, after resolution and before the connection.
	d.Control = func(_, dialled string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(dialled)
		if err != nil || !g.permits(host, ap.Addr(), ap.Port()) {
			return &deniedError{host: host}
		}
		return nil
	}
	return d.DialContext(ctx, network, address)
}

// checkURL refuses what can be refused before anything is dialled, as the permanent
// failures invalid_url (a scheme other than http and https, user information, no host, a
// bad port) and egress_denied (an address in unusual notation, a literal address or a
// loopback name that is off limits). DialContext has the last word.
func (g *Guard) checkURL(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" {
		return permanent("invalid_url", "The url must begin with http:// or https://.")
	}
	host := u.Hostname()
	switch {
	case host == "":
		return permanent("invalid_url", "The url names no host.")
	case u.User != nil:
		return permanent("invalid_url", "The url must not hold a user name or password; use auth instead.")
	case portOf(u) == 0:
		return permanent("invalid_url", "The url's port must be between 1 and 65535.")
	}
	addr, err := netip.ParseAddr(host)
	switch {
	// Refused before dialling, where it may resolve to nothing and the message would be
	// another.
	case loopbackName(host) && !g.permits(host, netip.AddrFrom4([4]byte{127, 0, 0, 1}), portOf(u)) &&
		!g.permits(host, netip.IPv6Loopback(), portOf(u)):
		return denied(&deniedError{host: host})
	case err == nil && !g.permits(host, addr, portOf(u)):
		return denied(&deniedError{host: host})
	// netip reads only the usual notation, so what it refuses may still be an address.
	case err != nil && numericHost(canonicalHost(host)):
		return permanent("egress_denied", "%s is off limits: write an IP address as four decimal numbers or in IPv6 form.", host)
	}
	return nil
}

// denied returns a refusal as a step's failure egress_denied. It is permanent: only an
// operator can change it.
func denied(e *deniedError) error {
	return permanent("egress_denied", deniedText, e.host, ownText(AllowSetting))
}

// loopbackName reports whether a name always means this machine (RFC 6761, 6.3).
func loopbackName(host string) bool {
	host = canonicalHost(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// portOf returns the port that a url leads to, 443 or 80 where it names none; 0 where
// its port is not a number up to 65535.
func portOf(u *url.URL) uint16 {
	switch {
	case u.Port() != "":
		p, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil {
			return 0
		}
		return uint16(p)
	case u.Scheme == "https":
		return 443
	default:
		return 80
	}
}

// numericHost reports whether a host is an IPv4 address in one of the notations of
// inet_aton (decimal, hexadecimal, octal, fewer parts) that some resolvers accept. It
// looks at the last label alone: one that is a number is never that of a public name.
// host is in lower case.
func numericHost(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if last == "" {
		return false
	}
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}
