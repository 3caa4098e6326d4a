package core

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

func FuzzParseEventID(f *testing.F) {
	for _, s := range []string{"", "0", "41", "-1", "+1", "1e3", "9223372036854775807", "9223372036854775808", "0x10", " 1", "１"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := ParseEventID(s)
		if !ok {
			return
		}
		if n < 0 || strings.TrimLeft(s, "0") != strings.TrimLeft(strconv.FormatInt(n, 10), "0") {
			t.Errorf("%q gave %d", s, n)
		}
	})
}

func FuzzPaging(f *testing.F) {
	for _, s := range []string{"", "limit=1&offset=0", "limit=201", "cursor=abc", "limit=%31", "offset=-0", "limit=1;offset=2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		p, err := readPage(q, MaxLimit)
		if err == nil && (p.Limit < 1 || p.Limit > MaxLimit || p.Offset < 0 || p.Cursor != "" && p.Offset != 0) {
			t.Errorf("%q gave %+v", raw, p)
		}
	})
}

func FuzzIfMatch(f *testing.F) {
	for _, s := range []string{`"r1"`, `*`, `W/"r1"`, `"r1", "r2"`, `r1`, `"`, `"r-1"`, `"r01"`, `,`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		match, err := readIfMatch(http.Header{"If-Match": {header}})
		for _, revision := range match {
			if err != nil || !strings.Contains(header, ETag(revision)) {
				t.Errorf("%q allows %d, %v", header, revision, err)
			}
		}
	})
}

func TestTraceParent(t *testing.T) {
	const good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for s, want := range map[string]bool{
		good: true,
		"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-later-versions-add": true,
		good + "-more":        false,
		"ff" + good[2:]:       false,
		strings.ToUpper(good): false,
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01": false,
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01": false,
		good[:54]: false, "": false, strings.Replace(good, "-", "_", 1): false,
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Traceparent", s)
		r.Header.Set("Tracestate", "a=1")
		trace := TraceOf(r)
		if (trace.Parent == s && trace.State == "a=1") != want && s != "" || !want && trace.State != "" {
			t.Errorf("%q: %+v", s, trace)
		}
	}
}

func TestTraceState(t *testing.T) {
	t.Parallel()
	many := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = "k" + strconv.Itoa(i) + "=v"
		}
		return strings.Join(list, ",")
	}
	long := strings.Repeat("v", 256)
	for _, c := range []struct {
		sent []string
		want string
	}{
		{[]string{"a=1"}, "a=1"},
		{[]string{"a=1,b=2"}, "a=1,b=2"},
		{[]string{"a=1", "b=2"}, "a=1,b=2"},
		{[]string{"a=1 , b=2"}, "a=1 , b=2"},
		{[]string{"a=1\t,\tb=2"}, "a=1,b=2"},
		{[]string{"\ta=1,,\t , b=2"}, "a=1,b=2"},
		{[]string{"a=1,,b=2"}, "a=1,,b=2"},
		{[]string{"a= 1 2"}, "a= 1 2"},
		{[]string{"t1@sys=1,0t@s=2,a_-*/=3"}, "t1@sys=1,0t@s=2,a_-*/=3"},
		{[]string{many(32)}, many(32)},
		{[]string{many(16), strings.ReplaceAll(many(16), "k", "l")}, many(16) + "," + strings.ReplaceAll(many(16), "k", "l")},
		{[]string{many(33)}, ""},
		{[]string{many(32), "z=1"}, ""},
		{[]string{strings.Repeat("k", 256) + "=" + long}, strings.Repeat("k", 256) + "=" + long}, // more than 512 characters
		{[]string{strings.Repeat("k", 257) + "=1"}, ""},
		{[]string{strings.Repeat("t", 241) + "@" + strings.Repeat("s", 14) + "=1"}, strings.Repeat("t", 241) + "@" + strings.Repeat("s", 14) + "=1"},
		{[]string{strings.Repeat("t", 242) + "@s=1"}, ""},
		{[]string{"t@" + strings.Repeat("s", 15) + "=1"}, ""},
		{[]string{"a=" + long + "v"}, ""},
		{[]string{"a=1,a=2"}, ""},
		{[]string{"a=1", "a=1"}, ""},
		{[]string{"a=1,b"}, ""},
		{[]string{"a=1,=2"}, ""},
		{[]string{"a=1,b="}, ""},
		{[]string{"A=1"}, ""},
		{[]string{"a.b=1"}, ""},
		{[]string{"a =1"}, ""},
		{[]string{"a=1;b=2"}, ""},
		{[]string{"a=b=c"}, ""},
		{[]string{"a@=1"}, ""},
		{[]string{"@a=1"}, ""},
		{[]string{"a@b@c=1"}, ""},
		{[]string{"a=\x01"}, ""},
		{[]string{"a=ü"}, ""},
		{[]string{" , ,"}, ""},
		{[]string{""}, ""},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
		r.Header["Tracestate"] = c.sent
		if got := TraceOf(r); got.State != c.want || got.Parent == "" {
			t.Errorf("%q: %+v, want %q", c.sent, got, c.want)
		}
	}
}
