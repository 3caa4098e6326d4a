package steps

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
)

// maxCodings is how many content codings of one response are undone. Each stage may
// expand a thousandfold, so a longer list is left as it is.
const maxCodings = 4

// defaultAcceptEncoding is the Accept-Encoding of a request whose author sets none.
const defaultAcceptEncoding = "gzip"

// plainBody returns a reader of a response's body without its content codings and in
// UTF-8, and takes the names of the codings that it removes out of the header. gzip and
// deflate are removed whether or not the author asked for them. Bytes that remain coded,
// under another coding or as a part of a coded resource (206), stay as they are.
// Otherwise a text whose charset is known is decoded. A stage that yields more than
// maxBody bytes ends with errTooLarge.
func plainBody(res *http.Response) io.Reader {
	body := undoCodings(res)
	media, params, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	// Bytes that are no text, or are still coded, have no charset.
	if media != "" && !textual(media) || res.Header.Get("Content-Encoding") != "" && !identity(res.Header) {
		return body
	}
	return &bounded{r: &textReader{in: bufio.NewReader(body), media: media, declared: params["charset"]}, left: maxBody}
}

// undoCodings returns a reader of a response's body without the content codings that it
// can remove, the last applied first (RFC 9110, 8.4), and changes the header to match.
// It stops at a coding that it does not know. A partial response (206) is left alone:
// its bytes are a part of the coded whole.
func undoCodings(res *http.Response) io.Reader {
	var body io.Reader = &bounded{r: res.Body, left: maxBody}
	names := strings.Split(strings.ToLower(strings.Join(res.Header.Values("Content-Encoding"), ",")), ",")
	if res.StatusCode == http.StatusPartialContent || len(names) > maxCodings || res.Request.Method == http.MethodHead {
		return body
	}
	undone := false
	for len(names) > 0 {
		name := strings.TrimSpace(names[len(names)-1])
		var inner io.Reader
		in := bufio.NewReader(body)
		switch name {
		case "", "identity":
			inner = in
		case "gzip", "x-gzip":
			inner = &decoder{in: in, open: openGzip}
		case "deflate":
			inner = &decoder{in: in, open: openDeflate}
		}
		if inner == nil {
			break
		}
		undone = undone || inner != in
		body, names = &bounded{r: inner, left: maxBody}, names[:len(names)-1]
	}
	// The length was that of the coded body.
	if undone {
		res.Header.Del("Content-Length")
		res.Header.Del("Content-Encoding")
		if len(names) > 0 {
			res.Header.Set("Content-Encoding", strings.Join(names, ","))
		}
	}
	return body
}

// decoder removes one coding. A body that does not begin as the coding does passes
// unchanged: servers name codings that a proxy has removed already. The start is read at
// the first Read, not before.
type decoder struct {
	in   *bufio.Reader
	open func(*bufio.Reader) (io.Reader, error) // returns the decoded stream, or its argument
	out  io.Reader                              // nil until the first Read
}

// Read finds out at the first call whether the body begins as the coding does.
func (d *decoder) Read(b []byte) (int, error) {
	if d.out == nil {
		out, err := d.open(d.in)
		if err != nil {
			return 0, err
		}
		d.out = out
	}
	return d.out.Read(b)
}

// openGzip returns a reader of gzip (RFC 1952), or in itself where the data is not gzip.
func openGzip(in *bufio.Reader) (io.Reader, error) {
	if magic, err := in.Peek(3); !bytes.Equal(magic, []byte{0x1f, 0x8b, 8}) {
		return in, ignoreEOF(err)
	}
	return gzip.NewReader(in)
}

// openDeflate returns a reader of both forms of deflate: zlib (RFC 1950), which RFC 9110
// means by the name, and the bare deflate (RFC 1951) that some servers send. The check
// of zlib's header tells them apart.
func openDeflate(in *bufio.Reader) (io.Reader, error) {
	head, err := in.Peek(2)
	if len(head) < 2 {
		return in, ignoreEOF(err)
	}
	// RFC 1950, 2.2: method 8, and both bytes together a multiple of 31.
	if head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		return zlib.NewReader(in)
	}
	return flate.NewReader(in), nil
}

// ignoreEOF returns nil for io.EOF: a body shorter than a coding's header is not an
// error, only not coded.
func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// bounded reads at most left bytes from r. If r has more, it ends with errTooLarge
// rather than with a body that looks whole.
type bounded struct {
	r    io.Reader
	left int64 // bytes that may still come; negative once there were more
}

// Read asks for one byte more than may come, to learn whether there is one.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

// textual reports whether a media type is that of a text, for which a charset is
// meaningful. media is in lower case, without parameters.
func textual(media string) bool {
	switch media {
	case "application/json", "application/xml", "application/javascript", "application/ecmascript", "application/x-ndjson",
		"application/jsonl", "application/yaml", "application/x-yaml", "application/x-www-form-urlencoded", "application/csv", "application/graphql":
		return true
	}
	return strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "+xml") || strings.HasSuffix(media, "+yaml")
}
