package steps

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/transform"

	regexp "heddle/internal/lazyregexp"
)

// identity reports whether a response's Content-Encoding is identity, which changes
// nothing.
func identity(h http.Header) bool {
	return strings.EqualFold(strings.TrimSpace(h.Get("Content-Encoding")), "identity")
}

// textReader reads a text as UTF-8. Its charset is the one that its byte order mark
// says, else the one that Content-Type declares, else the one that the document itself
// declares (XML and HTML). With an unknown charset the bytes stay as they are.
type textReader struct {
	in              *bufio.Reader
	media, declared string    // of Content-Type: the media type and its charset; "": none
	out             io.Reader // nil until the first Read
}

// Read decides on the charset at the first call, from the beginning of the text.
func (t *textReader) Read(b []byte) (int, error) {
	if t.out == nil {
		t.out = t.in
		start, err := t.in.Peek(prologue)
		// An error after some bytes is returned when they are read.
		if len(start) == 0 && ignoreEOF(err) != nil {
			return 0, err
		}
		if decode := decoderOf(start, t.media, t.declared); decode != nil {
			t.out = transform.NewReader(t.in, decode)
		}
	}
	return t.out.Read(b)
}

// prologue is how far into a document its declaration of a charset is looked for, in
// bytes. The Encoding Standard has the same bound.
const prologue = 1024

// xmlDeclaration and htmlDeclaration find the charset that a document declares.
var (
	xmlDeclaration  = regexp.MustCompile(`^\s*<\?xml[^>]*\sencoding\s*=\s*["']([^"'\s]+)["']`)
	htmlDeclaration = regexp.MustCompile(`(?i)<meta\s[^>]*charset\s*=\s*["']?([^"'\s;/>]+)`)
)

// decoderOf returns what decodes a text with this beginning to UTF-8; nil: it is UTF-8,
// or nothing is known. UTF-32 is looked for before UTF-16, whose byte order mark begins
// that of UTF-32.
func decoderOf(start []byte, media, declared string) transform.Transformer {
	switch {
	case bytes.HasPrefix(start, []byte("\xff\xfe\x00\x00")):
		return utf32.UTF32(utf32.LittleEndian, utf32.ExpectBOM).NewDecoder()
	case bytes.HasPrefix(start, []byte("\x00\x00\xfe\xff")):
		return utf32.UTF32(utf32.BigEndian, utf32.ExpectBOM).NewDecoder()
	case len(start) > 2 && (start[0] == 0xff && start[1] == 0xfe || start[0] == 0xfe && start[1] == 0xff):
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()
	}
	// The header goes before the document, as in HTML.
	if declared == "" {
		declared = declaredInside(start, media)
	}
	if charset := charsetNamed(declared); charset != nil {
		return unicode.BOMOverride(charset.NewDecoder())
	}
	return nil
}

// declaredInside returns the charset that an XML or HTML document declares; "": none.
func declaredInside(start []byte, media string) string {
	var found []string
	switch {
	case strings.HasSuffix(media, "/xml"), strings.HasSuffix(media, "+xml"):
		found = xmlDeclaration.FindStringSubmatch(string(start))
	case media == "text/html":
		found = htmlDeclaration.FindStringSubmatch(string(start))
	}
	if found == nil || strings.HasPrefix(strings.ToLower(found[1]), "utf-16") { // its letters could not have been read in that
		return ""
	}
	return found[1]
}

// charsetNamed returns the encoding of a name as servers write it; nil: UTF-8, or an
// unknown one. The names of the Encoding Standard come before IANA's.
func charsetNamed(name string) encoding.Encoding {
	name = strings.Trim(name, "'\" ")
	charset, err := htmlindex.Get(name)
	if err != nil {
		if charset, err = ianaindex.MIME.Encoding(name); err != nil {
			return nil
		}
	}
	// The replacement encoding stands for charsets that are unsafe to decode.
	switch standard, _ := htmlindex.Name(charset); {
	case standard == "utf-8", standard == "x-user-defined", charset == encoding.Replacement:
		return nil
	case strings.EqualFold(name, "us-ascii"), strings.EqualFold(name, "ascii"):
		return nil // what goes beyond it is UTF-8 more often than what the standard reads it as
	}
	return charset
}
