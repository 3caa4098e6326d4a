package steps_test

import (
	"context"
	"encoding/binary"
	"errors"
	"heddle/fault"
	"heddle/steps"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// names returns a resolver that knows the given names and no others.
func names(t *testing.T, known map[string]string) *net.Resolver {
	t.Helper()
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go answerNames(server, known)
		return client, nil
	}}
}

// answerNames serves DNS over a stream: two bytes of length before a message.
func answerNames(conn net.Conn, known map[string]string) {
	defer conn.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		packet := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, packet); err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(packet) != nil || len(m.Questions) != 1 {
			return
		}
		answerName(&m, known)
		reply, err := m.Pack()
		if err != nil {
			return
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return
		}
	}
}

func answerName(m *dnsmessage.Message, known map[string]string) {
	m.Response, m.Additionals = true, nil
	q := m.Questions[0]
	text, ok := known[strings.TrimSuffix(strings.ToLower(q.Name.String()), ".")]
	if !ok {
		m.RCode = dnsmessage.RCodeNameError
		return
	}
	head := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
	switch addr := netip.MustParseAddr(text); {
	case q.Type == dnsmessage.TypeA && addr.Is4():
		m.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AResource{A: addr.As4()}}}
	case q.Type == dnsmessage.TypeAAAA && addr.Is6():
		m.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}}}
	}
}

// internal names of a network that lead to where nobody may go.
var internal = map[string]string{
	"intranet.example":  "10.1.2.3",
	"loop.example":      "127.0.0.1",
	"six.example":       "::1",
	"metadata.example":  "169.254.169.254",
	"mapped.example":    "::ffff:192.168.0.1",
	"nat64.example":     "64:ff9b::a00:1",
	"unique.example":    "fd00::1",
	"2130706433":        "127.0.0.1",
	"0x7f000001":        "127.0.0.1",
	"127.0.0.1.example": "127.0.0.1",
}

func TestForbiddenAddresses(t *testing.T) {
	hosts := []string{
		// IPv4 ranges, first and last addresses among them
		"127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255",
		"100.64.0.1", "100.127.255.255", "169.254.169.254", "172.16.0.1", "172.31.255.255",
		"192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
		"198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255",
		"240.0.0.1", "255.255.255.255", "168.63.129.16",
		// other notations of IPv4
		"2130706433", "0x7f000001", "0x7f.0.0.1", "017700000001", "0177.0.0.1", "127.1", "127.0.1",
		"0x7F.1", "127.0.0.1.", "00000127.0.0.1", "10.0.0.010", "1.2.3.0x4",
		// IPv6
		"[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
		"[::ffff:10.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]",
		"[2002:7f00:1::]", "[2002:a00:1::1]", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]", "[2001:db8::1]",
		"[3fff::1]", "[fc00::1]", "[fd00:ec2::254]", "[fe80::1]", "[fe80::1%25eth0]", "[::1%25lo]",
		"[fec0::1]", "[ff02::1]", "[100::1]", "[5f00::1]", "[4000::1]",
		// names
		"localhost", "LOCALHOST", "localhost.", "intranet.example", "INTRANET.example.",
		"loop.example", "six.example", "metadata.example", "mapped.example", "nat64.example",
		"unique.example", "127.0.0.1.example",
	}
	guard, err := steps.NewGuard("")
	if err != nil {
		t.Fatal(err)
	}
	r := open(t, "", func(d *steps.Deps) { d.Egress = guard.WithResolver(names(t, internal)) })
	for _, host := range hosts {
		for _, url := range []string{"http://" + host + "/", "https://" + host + ":8443/x"} {
			f := fail(t, r, "http_request", `{"url":`+quoted(url)+`}`, "egress_denied", true)
			if !strings.Contains(f.Message, "off limits") {
				t.Errorf("%s: message %q", url, f.Message)
			}
		}
		fail(t, r, "webhook", `{"url":`+quoted("http://"+host+"/")+`,"event":"e"}`, "egress_denied", true)
	}
	if f := fail(t, r, "http_request", `{"url":"http://intranet.example"}`, "egress_denied", true); !strings.Contains(f.Message, "HEDDLE_EGRESS_ALLOW") || strings.Contains(f.Message, "10.1") {
		t.Errorf("message must name the setting and not the address: %s", f.Message)
	}
}

func TestURLsThatAreNone(t *testing.T) {
	r := open(t, "")
	for _, url := range []string{
		"ftp://example.com/", "file:///etc/passwd", "gopher://127.0.0.1:70/", "http:///x", "//example.com/",
		"example.com", "http://", "http://user:pw@example.com/", "http://example.com@127.0.0.1/",
		"http://127.0.0.1:80@example.com/", "unix:///run/docker.sock", "http://exa mple.com/", "http://[::1/",
		"http://example.com:99999999/",
	} {
		_, f := attempt(t, r, "http_request", `{"url":`+quoted(url)+`}`)
		if f == nil || !f.Permanent || f.Code != "invalid_url" && f.Code != "egress_denied" {
			t.Errorf("%s: %+v", url, f)
		}
	}
}

func TestRedirectsAreJudgedAnew(t *testing.T) {
	inner := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "inner") })
	for _, target := range []string{inner.URL, "http://169.254.169.254/latest/meta-data/", "http://[::1]:1/", "http://2130706433/", "//10.0.0.1/", "http://u:p@127.0.0.1/"} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", target)
			w.WriteHeader(http.StatusTemporaryRedirect)
		})
		_, f := attempt(t, open(t, s.Listener.Addr().String()), "http_request", `{"url":`+quoted(s.URL)+`}`)
		if f == nil || !f.Permanent || f.Code != "egress_denied" && f.Code != "invalid_url" {
			t.Errorf("redirect to %s: %+v", target, f)
		}
	}
}

func TestRedirectsDropCredentialsElsewhere(t *testing.T) {
	var seen http.Header
	other := serve(t, func(_ http.ResponseWriter, r *http.Request) { seen = r.Header })
	first := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/same" {
			seen = r.Header
			return
		}
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
	})
	back := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, first.URL+"/same", http.StatusFound)
	})
	r := open(t, "127.0.0.1")
	request := func(to string) {
		seen = nil
		succeed(t, r, "http_request", `{"url":`+quoted(first.URL+"/?to="+to)+`,"headers":{"X-Api-Key":"k","Cookie":"c=1","Accept":"text/csv"},"auth":{"type":"bearer","token":"secret"}}`)
	}
	request("/same")
	if seen.Get("Authorization") != "Bearer secret" || seen.Get("X-Api-Key") != "k" {
		t.Errorf("the same host must get the credentials: %v", seen)
	}
	for _, to := range []string{other.URL, back.URL} {
		request(to)
		if seen == nil || seen.Get("Authorization")+seen.Get("X-Api-Key")+seen.Get("Cookie")+seen.Get("Idempotency-Key") != "" {
			t.Errorf("credentials went to another host: %v", seen)
		}
		if seen.Get("Accept") != "text/csv" {
			t.Errorf("Accept must go on: %v", seen)
		}
	}
}

func TestTooManyRedirects(t *testing.T) {
	hops := 0
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		hops++
		http.Redirect(w, r, "/", http.StatusFound)
	})
	fail(t, open(t, "127.0.0.1"), "http_request", `{"url":`+quoted(s.URL)+`}`, "too_many_redirects", true)
	if hops != 6 {
		t.Errorf("%d requests, want 6", hops)
	}
}

func TestEgressAllow(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, *http.Request) {})
	other := serve(t, func(http.ResponseWriter, *http.Request) {})
	address := s.Listener.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	known := names(t, map[string]string{"intranet.example": "127.0.0.1"})
	tests := []struct {
		allow, url string
		open       bool
	}{
		{"127.0.0.0/8", s.URL, true},
		{"10.0.0.0/8, 127.0.0.1", s.URL, true},
		{address, s.URL, true},
		{address, other.URL, false},
		{"127.0.0.2", s.URL, false},
		{"::1", s.URL, false},
		{"::ffff:127.0.0.1", s.URL, true},
		{"intranet.example", "http://intranet.example:" + port, true},
		{"Intranet.Example.:" + port, "http://intranet.EXAMPLE:" + port, true},
		{"intranet.example:1", "http://intranet.example:" + port, false},
		{"other.example", "http://intranet.example:" + port, false},
		{"intranet.example", s.URL, false},
	}
	for _, tt := range tests {
		guard, err := steps.NewGuard(tt.allow)
		if err != nil {
			t.Fatal(err)
		}
		r := open(t, "", func(d *steps.Deps) { d.Egress = guard.WithResolver(known) })
		if tt.open {
			succeed(t, r, "http_request", `{"url":`+quoted(tt.url)+`}`)
			continue
		}
		fail(t, r, "http_request", `{"url":`+quoted(tt.url)+`}`, "egress_denied", true)
	}
}

func TestEgressAllowRefusesNonsense(t *testing.T) {
	for _, allow := range []string{"10.0.0.0/33", "host:0", "host:port", "ex ample", "2130706433", "*.example", "http://a", "10.0.0.0/8,;"} {
		_, err := steps.NewGuard(allow)
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != "egress_allow_invalid" {
			t.Errorf("%q: %v", allow, err)
		}
	}
}

func TestConnectionErrorsAreTransient(t *testing.T) {
	closed := serve(t, nil)
	closed.Close()
	cut := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			conn.Close()
		}
	})
	guard, err := steps.NewGuard("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	r := open(t, "", func(d *steps.Deps) { d.Egress = guard.WithResolver(names(t, nil)) })
	for _, url := range []string{
		closed.URL + "/?token=hush", cut.URL + "/?token=hush", "http://nowhere.example/?token=hush",
		strings.Replace(cut.URL, "http:", "https:", 1) + "/?token=hush",
	} {
		f := fail(t, r, "http_request", `{"method":"POST","url":`+quoted(url)+`}`, "connection_failed", false)
		if strings.Contains(f.Message, "hush") {
			t.Errorf("the message shows the query: %s", f.Message)
		}
	}
}
