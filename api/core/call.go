package core

import (
	"bytes"
	"context"
	"encoding/json"
	"heddle/access"
	"heddle/audit"
	"heddle/definitions/workflows"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
)

// Call is one request on its way through a handler. It belongs to the goroutine that serves the
// request and does not outlive it: nothing else may keep it, but for what it hands to a follower,
// which copies what it needs. Its fields are not guarded by a lock.
type Call struct {
	server *Server
	// Writer is where the answer goes: a meteredWriter, which notes the status and sets the
	// deadlines. Handlers send through Reply, Send and their like, which also set Answered.
	Writer http.ResponseWriter
	// Request is the client's, with the budget for the database in its context. Its body may be a
	// pacedBody.
	Request *http.Request
	// PathParams holds the names of the path, each decoded once; read them by Param.
	PathParams echo.Context
	// Route is the line of the table that serves the request; an empty one where none does.
	Route *Route
	// Principal is the caller: the zero value until the key was checked, and on public routes.
	Principal access.Principal
	// Body is the request's body once it was read, without a byte order mark; nil where there is
	// none, and for lines, which are never in memory as a whole.
	Body []byte
	// IfMatch is what readIfMatch returned, on routes that are Conditional; nil on all others.
	IfMatch workflows.IfMatch
	// retryAfter is after how many seconds a refused request may be repeated; 0: 1 s. The limit
	// on rates sets it.
	retryAfter int
	// Answered is set when the head of the answer is sent. From then on an error can no longer
	// become an envelope; see Problem.
	Answered  bool
	streaming bool // the answer goes on for as long as the client stays
	// work is the context in which the request is served, see begin.
	work          context.Context //nolint:containedctx // a call lives as long as its request
	audit         *audit.Trail
	AuditedRun    string // the run that was changed, where the path does not name it
	releaseMemory func() // releases the memory of the definition; nil: none is reserved
	StorageHold   string // what room is held under; "": none
	NotAudited    bool   // the request changed nothing that belongs in the audit trail
}

// Ctx returns the context that a handler works under. That of a change does not end when the
// client disconnects, but after workTime at the latest; see beginWork. What waits only for the
// client's sake waits under ClientCtx.
func (c *Call) Ctx() context.Context {
	if c.work != nil {
		return c.work
	}
	return c.Request.Context()
}

// ClientCtx returns a context that ends when the client disconnects, for waits that change
// nothing.
func (c *Call) ClientCtx() context.Context { return c.Request.Context() }

// RequestID returns the caller's own id of the request, or the one that was made for it. It is in
// the answer's head, in error envelopes, in logs and in the audit trail.
func (c *Call) RequestID() string { return c.Writer.Header().Get(headerRequestID) }

// Param returns the path parameter of that name, decoded once: one that ids.Valid accepts, or any
// text at all where the route has it in Unchecked.
func (c *Call) Param(name string) string { return c.PathParams.Param(name) }

// TenantID returns the tenant that the caller belongs to; "" on public routes. Every read and
// write of a handler is restricted to it.
func (c *Call) TenantID() string { return c.Principal.TenantID }

// Reply sends a body as JSON. An error means that the body cannot be encoded; then nothing was
// sent.
func (c *Call) Reply(status int, body any) error {
	text, err := Encode(body)
	if err != nil {
		return err
	}
	return c.Send(status, "application/json", text)
}

// Send writes an answer whose body is ready; JSON is compressed from gzipFrom bytes on where the
// client accepts it. An ETag stays as it is in both forms: it names the revision, and If-Match
// takes it back. A client that disconnected is not an error.
func (c *Call) Send(status int, media string, body []byte) error {
	if !isJSON(media) {
		return sendAs(c, status, media, "", body)
	}
	c.Writer.Header()["Vary"] = c.vary()
	if len(body) < gzipFrom || !acceptsGzip(c.Request) {
		return sendAs(c, status, media, "", body)
	}
	short, err := packed(body)
	if err != nil {
		return err
	}
	return sendAs(c, status, media, "gzip", short)
}

// SendFixed sends an answer that never changes, with status 200. It costs no compression: both
// forms of the text are ready.
func (c *Call) SendFixed(f FixedText) error {
	c.Writer.Header()["Vary"] = varyEncoding
	if f.packed != nil && acceptsGzip(c.Request) {
		return sendAs(c, http.StatusOK, f.media, "gzip", f.packed)
	}
	return sendAs(c, http.StatusOK, f.media, "", f.text)
}

// varyEncoding is on every answer that may be compressed, whether it is or not, so that caches
// keep both forms apart. All answers share the list, and none changes it.
var varyEncoding = []string{"Accept-Encoding"}

// varyMedia is varyEncoding of routes whose media type follows Accept.
var varyMedia = []string{"Accept-Encoding, Accept"}

// vary returns on which headers of the request an answer of this route depends.
func (c *Call) vary() []string {
	if slices.ContainsFunc(c.Route.Answers, func(a Answer) bool { return a.AlsoText == yamlMedia || a.AlsoText == CSV }) {
		return varyMedia
	}
	return varyEncoding
}

// sendAs writes the head and the body. coding is the Content-Encoding, "" for none. The answer is
// no-store unless the handler has set a Cache-Control. To a HEAD it sends the head of the GET
// alone.
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
		// The status is sent, so that a failed write can only be the connection's end.
		_, _ = c.Writer.Write(body)
	}
	return nil
}

// ReplyStatus sends a status without a body, such as 204 or 304. It always returns nil, so that a
// handler can end with it.
func (c *Call) ReplyStatus(status int) error {
	c.Answered = true
	if status == http.StatusNotModified {
		c.Writer.Header()["Vary"] = c.vary()
	}
	c.Writer.WriteHeader(status)
	return nil
}

// Encode returns v as JSON with < > & unescaped and a line break at its end. Stored answers,
// answers and frames of streams are all encoded this way.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	if err := encodeTo(&b, v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// encodeTo appends v to b in the form of Encode.
func encodeTo(b *bytes.Buffer, v any) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// Log returns the server's logger. It is never nil.
func (c *Call) Log() *slog.Logger { return c.server.log }

// WriteTimeout returns how long one write of a long answer may stall before the connection is
// given up.
func (c *Call) WriteTimeout() time.Duration { return c.server.cfg.StreamWrite }

// ServerClosing returns a context that ends when the server begins to stop: what waits for as
// long as its caller stays ends with it, so that it does not hold up the shutdown.
func (c *Call) ServerClosing() context.Context { return c.server.streams.ctx }
