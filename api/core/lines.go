package core

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"heddle/fault"
	"heddle/idempotency"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
)

// NDJSON is the media type of lines of JSON: one value per line, each ended by a line feed.
const NDJSON = "application/x-ndjson"

// WithLines makes an Endpoint of a handler that reads lines of JSON itself, each of which is an
// L. The type serves the document alone.
func WithLines[L any](f func(*Call) error) Endpoint { return Endpoint{reflect.TypeFor[L](), f} }

// StreamLines is StreamText of NDJSON.
func (c *Call) StreamLines(write func(out io.Writer, flush func() error) error) error {
	return c.StreamText(NDJSON, write)
}

// StreamText sends what write writes, in pieces of about 64 KiB with a deadline each. The flush
// that write is handed does nothing: pieces go out when they are full. An error before the first
// piece is answered as any other; later it breaks the connection, so that the client does not
// mistake a part for the whole.
func (c *Call) StreamText(media string, write func(out io.Writer, flush func() error) error) error {
	control := http.NewResponseController(c.Writer)
	out := bufio.NewWriterSize(&deadlineWriter{c: c, control: control, media: media}, 64<<10)
	err := write(out, func() error { return nil })
	if err != nil && !c.Answered {
		return err
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		if c.Ctx().Err() == nil {
			c.Log().Error("a download broke off", "request_id", c.RequestID(), "error", err)
		}
		// net/http closes the connection without the end of the chunked body.
		panic(http.ErrAbortHandler)
	}
	if !c.Answered { // nothing was written
		return c.Send(http.StatusOK, media, nil)
	}
	return nil
}

// deadlineWriter writes to the client with a new deadline each time. The head goes out with the
// first bytes, so that an error before them can still be an envelope.
type deadlineWriter struct {
	c       *Call
	control *http.ResponseController
	media   string
}

// Write sends bytes, within Call.WriteTimeout.
func (r *deadlineWriter) Write(p []byte) (int, error) {
	if !r.c.Answered {
		r.c.Answered = true
		head := r.c.Writer.Header()
		head.Set("Content-Type", r.media)
		head.Set("Cache-Control", "no-store")
		r.c.Writer.WriteHeader(http.StatusOK)
	}
	_ = r.control.SetWriteDeadline(time.Now().Add(r.c.WriteTimeout())) // a recorder has none
	return r.c.Writer.Write(p)
}

// IdempotentLines is Idempotent for a body that is never in memory as a whole. Its objects are
// created one by one, at most once per key and line, and when all are stored, the answer is
// stored with the SHA-256 of what was read. A request that is repeated after a crash therefore
// goes on where the first one stopped. create receives nil for a request without a key and
// returns the body of the answer.
func (c *Call) IdempotentLines(body *HashingReader, create func(*Key) ([]byte, error)) error {
	k, err := keyOf(c)
	if err != nil {
		return err
	}
	if k == nil {
		answer, err := create(nil)
		if err != nil {
			return err
		}
		return c.Send(http.StatusOK, "application/json", answer)
	}
	leave, err := c.server.keyLocks.lock(c.Ctx(), k.tenantID+"\x00"+k.Scope+"\x00"+k.Key)
	if err != nil {
		return err
	}
	defer leave()
	kept, err := c.server.cfg.Answers.Answer(c.Ctx(), k.tenantID, k.Scope, k.Key)
	switch {
	case err != nil:
		return err
	case kept != nil:
		return replayLines(c, body, k, kept)
	}
	answer, err := create(k)
	if err != nil {
		return err
	}
	a := idempotency.Answer{
		TenantID: k.tenantID, Scope: k.Scope, Key: k.Key, BodyHash: body.hash(),
		Status: http.StatusOK, Response: answer, CreatedAt: c.server.cfg.Now(),
	}
	// Behind the last line: until then a repetition goes through the lines again.
	if err := c.server.cfg.Answers.KeepAnswer(c.Ctx(), a); err != nil {
		return err
	}
	return c.sendAnswer(&a)
}

// replayLines answers with what was kept, if the body is the same. It has to read the whole body
// to know.
func replayLines(c *Call, body *HashingReader, k *Key, kept *idempotency.Answer) error {
	if _, err := io.Copy(io.Discard, body); err != nil {
		return BodyError(err)
	}
	k.bodyHash = body.hash()
	return sendKept(c, k, kept, c.sendAnswer)
}

// HashingReader reads a body of any length and sums what it reads. One goroutine uses it.
type HashingReader struct {
	r   io.Reader
	sum hash.Hash // over what was read
	// Err is why the body could not be read to its end; nil after io.EOF. Decoders of the lines
	// may hide the cause in an error of their own.
	Err error
}

// NewHashingReader returns a reader of r that sums what it reads with SHA-256.
func NewHashingReader(r io.Reader) *HashingReader { return &HashingReader{r: r, sum: sha256.New()} }

// hash returns the sum in hex of what was read so far.
func (s *HashingReader) hash() string { return hex.EncodeToString(s.sum.Sum(nil)) }

// Read reads the next bytes, adds them to the sum and keeps an error in Err.
func (s *HashingReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.sum.Write(p[:n])
	if err != nil && err != io.EOF { //nolint:errorlint // a reader returns it unwrapped
		s.Err = err
	}
	return n, err
}

// CheckLinesMedia accepts lines of JSON under the names that they go by, and JSON, which is one
// line; also no media type at all. The error is fault.UnsupportedMedia unsupported_media_type.
func (c *Call) CheckLinesMedia() error {
	header := c.Request.Header.Get("Content-Type")
	if header == "" {
		return nil
	}
	media, params, err := mime.ParseMediaType(header)
	utf8 := params["charset"] == "" || strings.EqualFold(params["charset"], "utf-8")
	if err == nil && utf8 && slices.Contains([]string{NDJSON, "application/ndjson", "application/jsonl", "application/json"}, media) {
		return nil
	}
	return fault.New(fault.UnsupportedMedia, "unsupported_media_type", "Send the body as %s, not %s.", NDJSON, Truncate(header))
}
