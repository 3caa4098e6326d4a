package api

import (
	"encoding/json"
	"heddle/access"
	"heddle/fault"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func (h *Handler) blobsTable() []route {
	value := "The bytes: the value as JSON."
	return []route{
		route{
			method: http.MethodGet, path: workflowsBase + "/runs/{run_id}/blobs/{blob_id}", id: "getBlob", tag: "runs",
			summary: "Get a value that is stored apart, whole or in part", action: access.View, on: onRun,
			answers: []answer{
				{status: http.StatusOK, body: json.RawMessage{}, description: value, headers: []string{"ETag", "Accept-Ranges"}},
				{status: http.StatusPartialContent, body: json.RawMessage{}, description: "The bytes that Range asks for (one range).", headers: []string{"ETag", "Content-Range"}},
			}, codes: []string{"run_not_found", "blob_not_found", "range_not_satisfiable"},
		}.handle(noBody(h.getBlob)),
	}
}

// getBlob sends a value in pieces, so that its size costs no memory. What it
// holds never changes: its hash is its ETag.
func (h *Handler) getBlob(c *call) error {
	runID, err := c.param("run_id")
	if err != nil {
		return err
	}
	blobID, err := c.param("blob_id")
	if err != nil {
		return err
	}
	b, content, err := h.cfg.Executor.Blob(c.ctx(), c.tenantID(), runID, blobID)
	if err != nil {
		return err
	}
	head := c.w.Header()
	head.Set("ETag", `"`+b.SHA256+`"`)
	switch satisfiable(c.r.Header.Get("Range"), b.Size) {
	case rangeBeyond:
		head.Set("Content-Range", "bytes */"+strconv.FormatInt(b.Size, 10))
		c.problem(http.StatusRequestedRangeNotSatisfiable, fault.New(fault.Malformed, "range_not_satisfiable",
			"The value has %d bytes; ask for a range within them.", b.Size))
		return nil
	case rangeIgnored:
		c.r.Header.Del("Range")
	case rangeFine:
	}
	head.Set("Content-Type", b.ContentType)
	head.Set("Cache-Control", "private, no-cache")
	c.answered = true
	pieces := &deadlineReader{ReadSeeker: content, control: http.NewResponseController(c.w), patience: h.cfg.StreamWrite}
	http.ServeContent(c.w, c.r, "", time.Time{}, pieces)
	if pieces.err != nil && c.ctx().Err() == nil {
		h.log.Error("a large value could not be sent whole", "request_id", c.requestID(), "blob", b.ID, "error", pieces.err)
	}
	return nil
}

// deadlineReader reads pieces, and gives each its own time to be sent.
type deadlineReader struct {
	io.ReadSeeker
	control  *http.ResponseController
	patience time.Duration
	err      error
}

func (u *deadlineReader) Read(p []byte) (int, error) {
	_ = u.control.SetWriteDeadline(time.Now().Add(u.patience)) // a recorder has none
	n, err := u.ReadSeeker.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // io.EOF is never wrapped by a Reader
		u.err = err
	}
	return n, err
}

type rangeVerdict uint8

const (
	rangeFine    rangeVerdict = iota // none, or one that the value has
	rangeIgnored                     // not understood, or several: the whole is sent, as RFC 9110 allows
	rangeBeyond
)

// satisfiable judges a Range header for a value of so many bytes.
func satisfiable(header string, size int64) rangeVerdict {
	if header == "" {
		return rangeFine
	}
	spec, ok := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(strings.TrimSpace(spec), "-")
	if !ok || !dash || strings.Contains(spec, ",") {
		return rangeIgnored
	}
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

func verdict(understood, there bool) rangeVerdict {
	switch {
	case !understood:
		return rangeIgnored
	case !there:
		return rangeBeyond
	}
	return rangeFine
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
