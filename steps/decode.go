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

// maxCodings is how many content codings of one response are undone.
const maxCodings = 4

// defaultAcceptEncoding is what a request says where its author says nothing.
const defaultAcceptEncoding = "gzip"

// plainBody returns a response's body without its content codings and in UTF-8.
// gzip and deflate are undone whoever asked for them, and the header then no
// longer names them; of others, and of what is a part of a resource, the bytes
// stay as they are. A text whose declared charset is known is decoded. No stage
// yields more than maxBody bytes before errTooLarge.
func plainBody(res *http.Response) io.Reader {
	body := undoCodings(res)
	media, params, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if media != "" && !textual(media) || res.Header.Get("Content-Encoding") != "" && !identity(res.Header) {
		return body
	}
	return &bounded{r: &textReader{in: bufio.NewReader(body), media: media, declared: params["charset"]}, left: maxBody}
}

// undoCodings returns a response's body without the content codings that it can
// remove, the last applied first (RFC 9110, 8.4), and takes their names out of the
// header. It stops at a coding that it does not know. A partial response (206) is
// left alone: its bytes are a part of the coded whole.
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
	if undone {
		res.Header.Del("Content-Length")
		res.Header.Del("Content-Encoding")
		if len(names) > 0 {
			res.Header.Set("Content-Encoding", strings.Join(names, ","))
		}
	}
	return body
}

// decoder undoes one coding. What does not begin as the coding does passes as it
// is: servers name codings that a proxy has undone already.
type decoder struct {
	in   *bufio.Reader
	open func(*bufio.Reader) (io.Reader, error)
	out  io.Reader
}

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

// openGzip returns a reader of gzip, or in itself where the data is not gzip.
func openGzip(in *bufio.Reader) (io.Reader, error) {
	if magic, err := in.Peek(3); !bytes.Equal(magic, []byte{0x1f, 0x8b, 8}) {
		return in, ignoreEOF(err)
	}
	return gzip.NewReader(in)
}

// openDeflate reads both what the name means, zlib (RFC 9110), and the bare
// deflate that some servers send.
func openDeflate(in *bufio.Reader) (io.Reader, error) {
	head, err := in.Peek(2)
	if len(head) < 2 {
		return in, ignoreEOF(err)
	}
	if head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		return zlib.NewReader(in)
	}
	return flate.NewReader(in), nil
}

// ignoreEOF returns nil for io.EOF: a body shorter than a coding's header is not an
// error, but is not coded either.
func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// bounded is a reader of at most left bytes; more is errTooLarge.
type bounded struct {
	r    io.Reader
	left int64
}

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

// textual reports whether bytes of a media type are a text, of which servers
// say the charset with reason.
func textual(media string) bool {
	switch media {
	case "application/json", "application/xml", "application/javascript", "application/ecmascript", "application/x-ndjson",
		"application/jsonl", "application/yaml", "application/x-yaml", "application/x-www-form-urlencoded", "application/csv", "application/graphql":
		return true
	}
	return strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "+xml") || strings.HasSuffix(media, "+yaml")
}
