package workflows

import (
	"encoding/json"
	"heddle/access"
	"heddle/api/core"
	"heddle/fault"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// blobRoutes returns the route of large values, which are stored apart from their run. It is
// LongRunning: a value is read in pieces for as long as its client takes them.
func (h *handlers) blobRoutes() []core.Route {
	value := "The bytes: the value as JSON."
	return []core.Route{
		// The body is the value itself, whatever JSON it is.
		core.Route{
			Method: http.MethodGet, Path: core.WorkflowsBase + "/runs/{run_id}/blobs/{blob_id}", ID: "getBlob", LongRunning: true, Tag: "runs",
			Summary: "Get a value that is stored apart, whole or in part", Action: access.View, On: core.OnRun,
			Answers: []core.Answer{
				{Status: http.StatusOK, Body: json.RawMessage{}, Description: value, Headers: []string{"ETag", "Accept-Ranges"}},
				{Status: http.StatusPartialContent, Body: json.RawMessage{}, Description: "The bytes that Range asks for (one range).", Headers: []string{"ETag", "Content-Range"}},
			}, Codes: []string{"run_not_found", "blob_not_found", "precondition_failed", "range_not_satisfiable"},
		}.Handle(core.NoBody(h.getBlob)),
	}
}

// getBlob sends a value, or one range of it (RFC 9110, section 14), in pieces, so that its size
// costs no memory. What it holds never changes: its hash is its ETag. Errors: fault.NotFound
// run_not_found, blob_not_found; fault.Precondition precondition_failed; 416 range_not_satisfiable
// with the size in Content-Range.
func (h *handlers) getBlob(c *core.Call) error {
	b, content, err := h.Executor.Blob(c.Ctx(), c.TenantID(), c.Param("run_id"), c.Param("blob_id"))
	if err != nil {
		return err
	}
	tag := `"` + b.SHA256 + `"`
	if !c.Matches(tag) {
		return fault.New(fault.Precondition, "precondition_failed", "The value's ETag is %s; leave If-Match out, or send that.", tag)
	}
	// http.ServeContent would answer it in a shape of its own.
	c.Request.Header.Del("If-Match")
	head := c.Writer.Header()
	head.Set("ETag", tag)
	switch judgeRange(c.Request.Header, tag, b.Size) {
	case rangeBeyond:
		head.Set("Content-Range", "bytes */"+strconv.FormatInt(b.Size, 10))
		c.Problem(http.StatusRequestedRangeNotSatisfiable, fault.New(fault.Malformed, "range_not_satisfiable",
			"The value has %d bytes; ask for a range within them.", b.Size))
		return nil
	case rangeIgnored:
		// http.ServeContent would refuse it, or send several ranges as parts.
		c.Request.Header.Del("Range")
	case rangeFine:
	}
	head.Set("Content-Type", b.ContentType)
	// Caches of one user may keep it, but ask each time: the key may have lost the right.
	head.Set("Cache-Control", "private, no-cache")
	c.Answered = true
	pieces := &deadlineReader{ReadSeeker: content, control: http.NewResponseController(c.Writer), patience: c.WriteTimeout()}
	http.ServeContent(c.Writer, c.Request, "", time.Time{}, pieces)
	if pieces.err != nil && c.Ctx().Err() == nil {
		c.Log().Error("a large value could not be sent whole", "request_id", c.RequestID(), "blob", b.ID, "error", pieces.err)
	}
	return nil
}

// deadlineReader extends the write deadline with each piece that it reads, so that a value is
// sent for as long as its client takes it. err is the store's first error: by then the head is
// sent.
type deadlineReader struct {
	io.ReadSeeker
	control *http.ResponseController
	// patience is how long sending one piece may take.
	patience time.Duration
	err      error
}

// Read reads the next piece and extends the deadline for sending it.
func (u *deadlineReader) Read(p []byte) (int, error) {
	_ = u.control.SetWriteDeadline(time.Now().Add(u.patience)) // a recorder has none
	n, err := u.ReadSeeker.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // io.EOF is never wrapped by a Reader
		u.err = err
	}
	return n, err
}

// rangeVerdict is what a Range header means for a value.
type rangeVerdict uint8

const (
	rangeFine    rangeVerdict = iota // none, or one that the value has
	rangeIgnored                     // not understood, or several: the whole is sent, as RFC 9110 allows
	rangeBeyond
)

// judgeRange judges the Range of a request, whose If-Match holds, for a value of size bytes with
// that ETag. A precondition that decides the answer without the range comes first (RFC 9110,
// section 13.2.2): then the range is fine as it is, since http.ServeContent does not look at it.
func judgeRange(h http.Header, etag string, size int64) rangeVerdict {
	verdict := satisfiable(h.Get("Range"), size)
	if verdict != rangeBeyond {
		return verdict
	}
	if ifRange := h.Get("If-Range"); ifRange != "" && ifRange != etag || lists(h.Get("If-None-Match"), etag) {
		return rangeFine
	}
	return verdict
}

// lists reports whether a list of entity tags has etag, be it as a weak one, or is *.
func lists(header, etag string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}

// satisfiable judges a Range header for a value of size bytes. Of a value of 10 bytes:
//
//	bytes=0-4, bytes=5-, bytes=-5, bytes=8-99   rangeFine
//	bytes=10-, bytes=-0                         rangeBeyond
//	bytes=4-2, bytes=0-1,3-4, items=0-4         rangeIgnored
func satisfiable(header string, size int64) rangeVerdict {
	if header == "" {
		return rangeFine
	}
	spec, ok := strings.CutPrefix(header, "bytes=")
	// One range: first-last, first-, or -length of the end.
	first, last, dash := strings.Cut(strings.TrimSpace(spec), "-")
	if !ok || !dash || strings.Contains(spec, ",") {
		return rangeIgnored
	}
	// The last bytes: a length of 0 can never be satisfied.
	if first == "" {
		n, err := strconv.ParseInt(last, 10, 64)
		return verdict(err == nil && digits(last), n > 0)
	}
	from, err := strconv.ParseInt(first, 10, 64)
	if err != nil || !digits(first) {
		return rangeIgnored
	}
	if last == "" {
		return verdict(true, from < size)
	}
	to, err := strconv.ParseInt(last, 10, 64)
	return verdict(err == nil && digits(last) && to >= from, from < size)
}

// verdict returns rangeIgnored for what is not understood, as RFC 9110, section 14.2, allows, and
// rangeBeyond for what the value does not have.
func verdict(understood, there bool) rangeVerdict {
	switch {
	case !understood:
		return rangeIgnored
	case !there:
		return rangeBeyond
	}
	return rangeFine
}

// digits reports whether s consists of decimal digits, at least one.
func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
