package steps_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// packed returns a text compressed.
func packed(t *testing.T, with func(io.Writer) io.WriteCloser, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := with(&out)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func toGzip(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
func toZlib(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }
func toFlate(w io.Writer) io.WriteCloser {
	f, _ := flate.NewWriter(w, 9)
	return f
}

// body performs one GET against a server that answers with this body and
// header, and returns the output's body as JSON.
func bodyOf(t *testing.T, body, config string, header ...string) (out, headers string) {
	t.Helper()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header()[header[i]] = append(w.Header()[header[i]], header[i+1])
		}
		_, _ = io.WriteString(w, body)
	})
	res, f := attempt(t, open(t, "127.0.0.1"), "http_request", `{"url":`+quoted(s.URL)+config+`}`)
	if f != nil {
		t.Fatalf("failed: %+v", f)
	}
	headers, out, _ = strings.Cut(string(res.Output), `,"body":`)
	return strings.TrimSuffix(out, "}"), headers
}

func TestContentCodingsAreUndoneWhoeverAskedForThem(t *testing.T) {
	t.Parallel()
	const text = `{"a": "some text, some text, some text"}`
	const want = `{"a":"some text, some text, some text"}`
	for name, tt := range map[string]struct{ body, coding string }{
		"gzip":                  {packed(t, toGzip, text), "gzip"},
		"x-gzip":                {packed(t, toGzip, text), "X-GZIP"},
		"deflate as zlib":       {packed(t, toZlib, text), "deflate"},
		"deflate bare":          {packed(t, toFlate, text), "deflate"},
		"two":                   {packed(t, toGzip, packed(t, toZlib, text)), "deflate, gzip"},
		"identity":              {text, "identity"},
		"two members":           {packed(t, toGzip, text[:9]) + packed(t, toGzip, text[9:]), "gzip"},
		"undone already":        {text, "gzip"},
		"deflate undone before": {packed(t, toZlib, text), "deflate,"},
	} {
		for _, config := range []string{``, `,"headers":{"Accept-Encoding":"gzip, deflate"}`, `,"headers":{"Accept-Encoding":"identity"}`} {
			got, headers := bodyOf(t, tt.body, config, "Content-Type", "application/json", "Content-Encoding", tt.coding)
			if got != want {
				t.Errorf("%s %s: %s", name, config, got)
			}
			if strings.Contains(headers, "gzip") || strings.Contains(headers, "deflate") && tt.coding != "identity" {
				t.Errorf("%s: the header still says so: %s", name, headers)
			}
		}
	}
	if got, headers := bodyOf(t, "\x01\xff", ``, "Content-Encoding", "br"); got != `{"$base64":"Af8="}` || !strings.Contains(headers, `"br"`) {
		t.Errorf("unknown codings stay: %s %s", got, headers)
	}
	if got, headers := bodyOf(t, packed(t, toGzip, "\x01\xff"), ``, "Content-Encoding", "br, gzip"); got != `{"$base64":"Af8="}` || !strings.Contains(headers, `"br"`) {
		t.Errorf("those beneath an unknown one are undone: %s %s", got, headers)
	}
	if got, _ := bodyOf(t, "", ``, "Content-Encoding", "gzip"); got != `null` {
		t.Errorf("an empty body: %s", got)
	}
}

// The limit holds for what a body decodes to, at every stage.
func TestCompressedBodiesCountAsWhatTheyBecome(t *testing.T) {
	t.Parallel()
	zeros := packed(t, toGzip, strings.Repeat("\x00", 70<<20))
	empty := strings.Repeat(packed(t, toGzip, ""), 1<<20) // much that becomes nothing
	for name, tt := range map[string][2]string{
		"a bomb":               {"gzip", zeros},
		"a bomb in a bomb":     {"gzip, gzip", packed(t, toGzip, zeros)},
		"a bomb of empty ones": {"gzip, gzip", packed(t, toGzip, empty+empty+empty)},
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", tt[0])
			_, _ = io.WriteString(w, tt[1])
		})
		t.Logf("%s: %d bytes", name, len(tt[1]))
		fail(t, open(t, "127.0.0.1"), "http_request", `{"url":`+quoted(s.URL)+`}`, "output_too_large", true)
	}
	broken := packed(t, toGzip, strings.Repeat("some text", 1000))
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, broken[:len(broken)-8]+"12345678")
	})
	if f := fail(t, open(t, "127.0.0.1"), "http_request", `{"url":`+quoted(s.URL)+`}`, "connection_failed", false); !strings.Contains(f.Message, "Content-Encoding") {
		t.Errorf("message %s", f.Message)
	}
}

func TestDeclaredCharsetsAreDecoded(t *testing.T) {
	t.Parallel()
	in := func(e encoding.Encoding, text string) string {
		out, err := e.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	le := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	for contentType, tt := range map[string][2]string{
		"text/plain; charset=ISO-8859-1":           {in(charmap.ISO8859_1, "Grüße"), `"Grüße"`},
		"text/html;charset=\"windows-1252\"":       {in(charmap.Windows1252, "10 €"), `"10 €"`},
		"application/json; charset=iso-8859-15":    {in(charmap.ISO8859_15, `{"p": "10 €"}`), `{"p":"10 €"}`},
		"text/csv; charset=Shift_JIS":              {in(japanese.ShiftJIS, "日本語,ｱ"), `"日本語,ｱ"`},
		"text/plain; charset=EUC-JP":               {in(japanese.EUCJP, "日本語"), `"日本語"`},
		"text/plain; charset=euc-kr":               {in(korean.EUCKR, "한국어"), `"한국어"`},
		"application/xml; charset=GB18030":         {in(simplifiedchinese.GB18030, "<a>中文</a>"), `"<a>中文</a>"`},
		"text/plain; charset=koi8-r":               {in(charmap.KOI8R, "Привет"), `"Привет"`},
		"application/problem+json; charset=utf-16": {in(le, `{"a": "ü"}`), `{"a":"ü"}`},
		"text/plain; charset=utf-16le":             {in(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "ü"), `"ü"`},
		"text/plain; charset=utf-16be":             {in(unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), "ü"), `"ü"`},
		"text/plain; charset=us-ascii":             {"Grüße", `"Grüße"`},
		"text/plain; charset=UTF-8":                {"Grüße", `"Grüße"`},
		"text/plain; charset=none-such":            {"Grüße", `"Grüße"`},
		"image/png; charset=ISO-8859-1":            {"\xff\xfe", `{"$base64":"//4="}`},
		"text/plain; charset='iso-8859-1'":         {in(charmap.ISO8859_1, "Grüße"), `"Grüße"`},
		"text/plain; charset=IBM437":               {in(charmap.CodePage437, "é"), `"é"`},
		"text/plain; charset=ibm037":               {in(charmap.CodePage037, "hello"), `"hello"`},
		"text/plain; charset=x-user-defined":       {"\x80a", `{"$base64":"gGE="}`},
		"text/plain; x=1":                          {in(le, "Grüße"), `"Grüße"`},
		"application/json":                         {in(le, `{"a": "€"}`), `{"a":"€"}`},
		"application/ld+json":                      {in(unicode.UTF16(unicode.BigEndian, unicode.UseBOM), `{"a": "€"}`), `{"a":"€"}`},
		"text/csv":                                 {in(utf32.UTF32(utf32.LittleEndian, utf32.UseBOM), "a;ü"), `"a;ü"`},
		"application/octet-stream":                 {"\xff\xfea\x00", `{"$base64":"//5hAA=="}`},
		"application/xml":                          {in(charmap.ISO8859_1, `<?xml version="1.0" encoding="ISO-8859-1"?><a>ü</a>`), `"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>ü</a>"`},
		"image/svg+xml":                            {in(charmap.Windows1252, `<?xml version='1.0' encoding='windows-1252' ?><a>€</a>`), `"<?xml version='1.0' encoding='windows-1252' ?><a>€</a>"`},
		"text/xml":                                 {`<?xml version="1.0" encoding="utf-16"?><a>ü</a>`, `"<?xml version=\"1.0\" encoding=\"utf-16\"?><a>ü</a>"`},
		"text/html":                                {in(charmap.ISO8859_2, `<head><META http-equiv="Content-Type" content="text/html; charset=iso-8859-2">ł`), `"<head><META http-equiv=\"Content-Type\" content=\"text/html; charset=iso-8859-2\">ł"`},
		"text/html; x=1":                           {in(charmap.ISO8859_1, `<meta charset=latin1>ü`), `"<meta charset=latin1>ü"`},
		"text/html; charset=utf-8":                 {`<meta charset="latin1">ü`, `"<meta charset=\"latin1\">ü"`},
	} {
		if got, _ := bodyOf(t, tt[0], ``, "Content-Type", contentType); got != tt[1] {
			t.Errorf("%s: %s, want %s", contentType, got, tt[1])
		}
	}
	if got, _ := bodyOf(t, packed(t, toGzip, in(charmap.ISO8859_1, "Grüße")), ``, "Content-Type", "text/plain; charset=latin1", "Content-Encoding", "gzip"); got != `"Grüße"` {
		t.Errorf("both: %s", got)
	}
	wide := in(charmap.ISO8859_1, strings.Repeat("ü", 40<<20)) // 80 MiB of UTF-8
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=latin1")
		_, _ = io.WriteString(w, wide)
	})
	fail(t, open(t, "127.0.0.1"), "http_request", `{"url":`+quoted(s.URL)+`}`, "output_too_large", true)
}

func TestAnEmptyBodyIsNull(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 201, 204, 205, 304} {
		for _, config := range []string{`"response":"json"`, `"response":"auto"`, `"response":"json","method":"HEAD"`} {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
			})
			if out := succeed(t, open(t, "127.0.0.1"), "http_request", `{"url":`+quoted(s.URL)+`,`+config+`}`); out["body"] != nil {
				t.Errorf("%d %s: %v", status, config, out["body"])
			}
		}
	}
}

func TestABlankBodyOfJSONIsNull(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"\n", " \r\n\t", "\ufeff", "\ufeff\r\n"} {
		for _, config := range []string{``, `,"response":"json"`} {
			if got, _ := bodyOf(t, body, config, "Content-Type", "application/json"); got != `null` {
				t.Errorf("%q %s: %s", body, config, got)
			}
		}
	}
	if got, _ := bodyOf(t, "\n", ``, "Content-Type", "text/plain"); got != `"\n"` {
		t.Errorf("a text stays: %s", got)
	}
}

func TestABodyThatIsNotJSONIsQuoted(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ coding, body, says, quotes string }{
		"html":   {"", "<h1>Sign in</h1>", "not JSON", "Sign in"},
		"coding": {"br", "\x0b\x03", "encoded with br", ""},
		"zstd":   {"zstd", "\x28\xb5", "Accept-Encoding", ""},
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if tt.coding != "" {
				w.Header().Set("Content-Encoding", tt.coding)
			}
			_, _ = io.WriteString(w, tt.body)
		})
		f := fail(t, open(t, "127.0.0.1"), "http_request", `{"url":`+quoted(s.URL)+`,"response":"json"}`, "response_not_json", true)
		body, _ := f.Details["body"].(string)
		if !strings.Contains(f.Message, tt.says) || !strings.Contains(body, tt.quotes) || f.Details["status_code"] != 200 {
			t.Errorf("%s: %s %v", name, f.Message, f.Details)
		}
	}
}

func TestAByteOrderMarkBeforeABodyIsNoObstacle(t *testing.T) {
	t.Parallel()
	for _, config := range []string{``, `,"response":"json"`} {
		if got, _ := bodyOf(t, "\ufeff {\"a\": 1}", config, "Content-Type", "application/json"); got != `{"a":1}` {
			t.Errorf("%s: %s", config, got)
		}
	}
}

func TestHeadersAreKeptAsTheyCame(t *testing.T) {
	t.Parallel()
	_, headers := bodyOf(t, "", ``, "Set-Cookie", "a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT", "Set-Cookie", "b=2",
		"X-Name", "Gr\xfc\xdfe", "X-Utf", "Grüße", "Vary", "A", "Vary", "B")
	for _, want := range []string{`"set-cookie":["a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT","b=2"]`, `"x-name":"Grüße"`, `"x-utf":"Grüße"`, `"vary":"A, B"`} {
		if !strings.Contains(headers, want) {
			t.Errorf("no %s in %s", want, headers)
		}
	}
	if _, headers = bodyOf(t, "", ``, "Set-Cookie", "a=1"); !strings.Contains(headers, `"set-cookie":"a=1"`) {
		t.Errorf("one is a text: %s", headers)
	}
}
