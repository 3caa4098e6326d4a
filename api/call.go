package api

import (
	"bytes"
	"context"
	"encoding/json"
	"heddle/access"
	"heddle/audit"
	"heddle/fault"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"
)

// call is one request on its way through a handler.
type call struct {
	h         *Handler
	w         http.ResponseWriter
	r         *http.Request
	params    echo.Context
	route     *route
	principal access.Principal
	// body is the request's body once it was read.
	body []byte
	// retryAfter is for a refusal that may be asked again: after so many seconds;
	// 0 is 1.
	retryAfter int
	answered   bool
	streaming  bool // the answer goes on for as long as the client stays
	// work is the context in which the request is served, see begin.
	work          context.Context //nolint:containedctx // a call lives as long as its request
	audit         *audit.Trail
	steered       string // the run that was steered, where the path does not name it
	releaseMemory func() // gives back the memory of the definition; nil: there is none
	storageHold   string // what room is held under; "": none
	notAudited    bool   // what was asked did nothing that belongs into the audit trail
}

// ctx is what a handler does its work under: of a change it does not end with
// the client. What only waits for the client's sake waits under here().
func (c *call) ctx() context.Context {
	if c.work != nil {
		return c.work
	}
	return c.r.Context()
}

// clientCtx ends when the client goes away.
func (c *call) clientCtx() context.Context { return c.r.Context() }

func (c *call) requestID() string { return c.w.Header().Get(headerRequestID) }

// param gives a path parameter. Ids, slugs, version numbers and labels are made
// of these characters; anything else names nothing and is answered with
// notFound, so that no odd byte reaches a store.
func (c *call) param(name string) (string, error) {
	v := c.params.Param(name)
	if !validRef(v) {
		return "", notFound(name, v)
	}
	return v, nil
}

func validRef(v string) bool {
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

// notFound is the answer to a path parameter that can name nothing.
func notFound(name, v string) error {
	noun := map[string]string{"id": "workflow", "run_id": "run", "version": "version", "key_id": "key", "agent_id": "agent", "step_id": "step", "blob_id": "blob"}[name]
	if noun == "" {
		noun = name
	}
	return fault.New(fault.NotFound, noun+"_not_found", "There is no %s %q.", noun, truncate(v))
}

// tenantID is the tenant that the caller belongs to.
func (c *call) tenantID() string { return c.principal.TenantID }

// reply sends a body as JSON.
func (c *call) reply(status int, body any) error {
	text, err := encode(body)
	if err != nil {
		return err
	}
	return c.send(status, "application/json", text)
}

// send writes an answer whose body is ready, JSON compressed where the client
// takes it so. An ETag stays as it is: it names the revision, and If-Match takes
// it back. A client that went away is no error of ours.
func (c *call) send(status int, media string, body []byte) error {
	if !isJSON(media) {
		return c.sendAs(status, media, "", body)
	}
	c.w.Header()["Vary"] = varyEncoding
	if len(body) < gzipFrom || !acceptsGzip(c.r) {
		return c.sendAs(status, media, "", body)
	}
	short, err := packed(body)
	if err != nil {
		return err
	}
	return c.sendAs(status, media, "gzip", short)
}

// sendFixed writes an answer that never changes.
func (c *call) sendFixed(f fixedText) error {
	c.w.Header()["Vary"] = varyEncoding
	if f.packed != nil && acceptsGzip(c.r) {
		return c.sendAs(http.StatusOK, f.media, "gzip", f.packed)
	}
	return c.sendAs(http.StatusOK, f.media, "", f.text)
}

// varyEncoding is on what may be compressed. No one changes the list.
var varyEncoding = []string{"Accept-Encoding"}

func (c *call) sendAs(status int, media, coding string, body []byte) error {
	head := c.w.Header()
	head["Content-Type"] = []string{media}
	head["Content-Length"] = []string{strconv.Itoa(len(body))}
	if coding != "" {
		head["Content-Encoding"] = []string{coding}
	}
	if head["Cache-Control"] == nil {
		head["Cache-Control"] = []string{"no-store"}
	}
	c.answered = true
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(body)
	}
	return nil
}

// replyStatus sends a status without a body.
func (c *call) replyStatus(status int) error {
	c.answered = true
	if status == http.StatusNotModified {
		c.w.Header()["Vary"] = varyEncoding
	}
	c.w.WriteHeader(status)
	return nil
}

// encode gives v as JSON with < > & as they are and a line's end.
func encode(v any) ([]byte, error) {
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
