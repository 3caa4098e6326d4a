package core

import (
	"bytes"
	"context"
	"encoding/json"
	"heddle/access"
	"heddle/audit"
	"heddle/fault"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
)

// Call is one request on its way through a handler. It belongs to the goroutine that
// serves the request and does not outlive it.
type Call struct {
	server     *Server
	Writer     http.ResponseWriter
	Request    *http.Request
	PathParams echo.Context
	Route      *Route
	Principal  access.Principal
	// Body is the request's body once it was read.
	Body []byte
	// retryAfter is after how many seconds a refused request may be repeated; 0: 1 s.
	retryAfter int
	Answered   bool
	streaming  bool // the answer goes on for as long as the client stays
	// work is the context in which the request is served, see begin.
	work          context.Context //nolint:containedctx // a call lives as long as its request
	audit         *audit.Trail
	AuditedRun    string // the run that was changed, where the path does not name it
	releaseMemory func() // releases the memory of the definition; nil: none is reserved
	StorageHold   string // what room is held under; "": none
	NotAudited    bool   // the request changed nothing that belongs in the audit trail
}

// Ctx returns the context that a handler works under. That of a change does not end
// when the client disconnects. What waits only for the client's sake waits under ClientCtx.
func (c *Call) Ctx() context.Context {
	if c.work != nil {
		return c.work
	}
	return c.Request.Context()
}

// ClientCtx returns a context that ends when the client disconnects.
func (c *Call) ClientCtx() context.Context { return c.Request.Context() }

// RequestID is the caller's own id of the request, or the one that was made for it.
func (c *Call) RequestID() string { return c.Writer.Header().Get(headerRequestID) }

// Param returns a path parameter. Ids, slugs, version numbers and labels are made
// of these characters; anything else names nothing and is answered with
// NotFound, so that no other byte reaches a store.
func (c *Call) Param(name string) (string, error) {
	v := c.PathParams.Param(name)
	if !ValidRef(v) {
		return "", NotFound(name, v)
	}
	return v, nil
}

// ValidRef reports whether v may be an id, a slug, or a version's number or label:
// 1 to 128 letters and digits of ASCII, and the characters _ - and dot.
func ValidRef(v string) bool {
	if v == "" || len(v) > 128 {
		return false
	}
	for i := range len(v) {
		ch := v[i]
		ok := ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z' || ch >= '0' && ch <= '9' ||
			ch == '_' || ch == '-' || ch == '.'
		if !ok {
			return false
		}
	}
	return true
}

// NotFound is the answer to a path parameter that can name nothing.
func NotFound(name, v string) error {
	noun := map[string]string{"id": "workflow", "run_id": "run", "version": "version", "key_id": "key", "agent_id": "agent", "step_id": "step", "blob_id": "blob"}[name]
	if noun == "" {
		noun = name
	}
	return fault.New(fault.NotFound, noun+"_not_found", "There is no %s %q.", noun, Truncate(v))
}

// TenantID is the tenant that the caller belongs to.
func (c *Call) TenantID() string { return c.Principal.TenantID }

// Reply sends a body as JSON.
func (c *Call) Reply(status int, body any) error {
	text, err := Encode(body)
	if err != nil {
		return err
	}
	return c.Send(status, "application/json", text)
}

// Send writes an answer whose body is ready, JSON compressed where the client
// takes it so. An ETag stays as it is: it names the revision, and If-Match takes
// it back. A client that disconnected is not an error.
func (c *Call) Send(status int, media string, body []byte) error {
	if !isJSON(media) {
		return sendAs(c, status, media, "", body)
	}
	c.Writer.Header()["Vary"] = varyEncoding
	if len(body) < gzipFrom || !acceptsGzip(c.Request) {
		return sendAs(c, status, media, "", body)
	}
	short, err := packed(body)
	if err != nil {
		return err
	}
	return sendAs(c, status, media, "gzip", short)
}

// SendFixed sends an answer that never changes.
func (c *Call) SendFixed(f FixedText) error {
	c.Writer.Header()["Vary"] = varyEncoding
	if f.packed != nil && acceptsGzip(c.Request) {
		return sendAs(c, http.StatusOK, f.media, "gzip", f.packed)
	}
	return sendAs(c, http.StatusOK, f.media, "", f.text)
}

// varyEncoding is on what may be compressed. No one changes the list.
var varyEncoding = []string{"Accept-Encoding"}

func sendAs(c *Call, status int, media, coding string, body []byte) error {
	head := c.Writer.Header()
	head["Content-Type"] = []string{media}
	head["Content-Length"] = []string{strconv.Itoa(len(body))}
	if coding != "" {
		head["Content-Encoding"] = []string{coding}
	}
	if head["Cache-Control"] == nil {
		head["Cache-Control"] = []string{"no-store"}
	}
	c.Answered = true
	c.Writer.WriteHeader(status)
	if c.Request.Method != http.MethodHead {
		_, _ = c.Writer.Write(body)
	}
	return nil
}

// ReplyStatus sends a status without a body.
func (c *Call) ReplyStatus(status int) error {
	c.Answered = true
	if status == http.StatusNotModified {
		c.Writer.Header()["Vary"] = varyEncoding
	}
	c.Writer.WriteHeader(status)
	return nil
}

// Encode returns v as JSON with < > & unescaped and a line break at its end.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	if err := encodeTo(&b, v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func encodeTo(b *bytes.Buffer, v any) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// Log is where the request's handler logs.
func (c *Call) Log() *slog.Logger { return c.server.log }

// WriteTimeout is how long one write of a long answer may stall.
func (c *Call) WriteTimeout() time.Duration { return c.server.cfg.StreamWrite }

// RawParam returns a path parameter as it was sent, decoded once. It may be any
// text: use Param unless the dialect checks it in its own words.
func (c *Call) RawParam(name string) string { return c.PathParams.Param(name) }

// ServerClosing returns a context that ends when the server stops: what waits
// for as long as its caller stays ends with it.
func (c *Call) ServerClosing() context.Context { return c.server.streams.ctx }
