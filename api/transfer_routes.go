package api

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"heddle/access"
	"heddle/fault"
	"heddle/idempotency"
	"heddle/versions"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
)

// ndjson is the media type of lines of JSON.
const ndjson = "application/x-ndjson"

type importBody struct {
	Imported []versions.ImportedLine `json:"imported"`
	Skipped  []versions.ImportedLine `json:"skipped" doc:"With on_conflict=skip: the slug was taken."`
}

// withLines makes an endpoint of a handler that reads lines of JSON itself.
func withLines(f func(*call) error) endpoint { return endpoint{reflect.TypeFor[versions.Line](), f} }

func (h *Handler) exportWorkflows(c *call) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	withIDs, err := boolParam(q, "ids")
	if err != nil {
		return err
	}
	ask := versions.ExportRequest{TenantID: c.tenantID(), IDs: access.ViewableWorkflows(c.principal), WithIDs: withIDs}
	if q.Has("id") {
		if ask.IDs, err = h.named(c, q.Get("id")); err != nil {
			return err
		}
	}
	if c.r.Method == http.MethodHead {
		c.w.Header().Set("Content-Type", ndjson)
		return c.replyStatus(http.StatusOK)
	}
	return c.streamLines(func(out io.Writer, flush func() error) error {
		return h.cfg.Transfer.Export(c.ctx(), ask, out, flush)
	})
}

// named finds the workflows of a list of ids and slugs; each must be there and
// may be viewed.
func (h *Handler) named(c *call, list string) ([]string, error) {
	ids := []string{}
	for ref := range strings.SplitSeq(list, ",") {
		if !validRef(ref) {
			return nil, notFound("id", ref)
		}
		w, err := h.cfg.Definitions.Get(c.ctx(), c.tenantID(), ref)
		if err != nil {
			return nil, err
		}
		if err := allow(c.principal, access.View, w.ID, w.Slug); err != nil {
			return nil, err
		}
		ids = append(ids, w.ID)
	}
	return ids, nil
}

// streamLines sends what write writes, with a new deadline whenever it goes
// out. An error before the first line is answered as any other; later it
// breaks the connection, so that nobody takes a part for the whole.
func (c *call) streamLines(write func(out io.Writer, flush func() error) error) error {
	control := http.NewResponseController(c.w)
	out := bufio.NewWriterSize(&deadlineWriter{c: c, control: control}, 64<<10)
	err := write(out, func() error { return nil })
	if err != nil && !c.answered {
		return err
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		if c.ctx().Err() == nil {
			c.h.log.Error("an export broke off", "request_id", c.requestID(), "error", err)
		}
		panic(http.ErrAbortHandler)
	}
	if !c.answered { // nothing to export
		return c.send(http.StatusOK, ndjson, nil)
	}
	return nil
}

// deadlineWriter writes to the client with a new deadline each time. The head goes
// out with the first bytes.
type deadlineWriter struct {
	c       *call
	control *http.ResponseController
}

// Write sends bytes.
func (r *deadlineWriter) Write(p []byte) (int, error) {
	if !r.c.answered {
		r.c.answered = true
		head := r.c.w.Header()
		head.Set("Content-Type", ndjson)
		head.Set("Cache-Control", "no-store")
		r.c.w.WriteHeader(http.StatusOK)
	}
	_ = r.control.SetWriteDeadline(time.Now().Add(r.c.h.cfg.StreamWrite)) // a recorder has none
	return r.c.w.Write(p)
}

func (h *Handler) importWorkflows(c *call) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	on := versions.ConflictPolicy(q.Get("on_conflict"))
	if !slices.Contains([]versions.ConflictPolicy{versions.Refuse, versions.Skip, versions.Rename}, on) {
		return malformed("on_conflict must be skip or rename, not %q.", truncate(string(on)))
	}
	if err := c.checkLinesMedia(); err != nil {
		return err
	}
	if paced, ok := c.r.Body.(*pacedBody); ok {
		paced.whole = 0
	}
	body := &hashingReader{r: c.r.Body, sum: sha256.New()}
	lines := &budgetedReader{r: body, memory: h.lines, ctx: c.clientCtx()}
	defer lines.release()
	return c.onceOfLines(body, func(k *versions.ImportKey) ([]byte, error) {
		done, err := h.cfg.Transfer.Import(c.ctx(), versions.ImportRequest{TenantID: c.tenantID(), Lines: lines, OnConflict: on, Key: k, Admit: c.reserveMemory, Quota: c.lineQuota()})
		if err != nil {
			return nil, importError(lines.refusal(err), body, done)
		}
		return encode(importBody(done))
	})
}

// onceOfLines is once for a body that is never held whole: its objects are
// created one by one, at most once per key and line, and when all are there the
// answer is kept with the sum of what was read.
func (c *call) onceOfLines(body *hashingReader, create func(*versions.ImportKey) ([]byte, error)) error {
	k, err := c.keyed()
	if err != nil {
		return err
	}
	if k == nil {
		answer, err := create(nil)
		if err != nil {
			return err
		}
		return c.send(http.StatusOK, "application/json", answer)
	}
	leave, err := c.h.keyLocks.lock(c.ctx(), k.tenantID+"\x00"+k.scope+"\x00"+k.key)
	if err != nil {
		return err
	}
	defer leave()
	kept, err := c.h.cfg.Answers.Answer(c.ctx(), k.tenantID, k.scope, k.key)
	switch {
	case err != nil:
		return err
	case kept != nil:
		return c.replayLines(body, k, kept)
	}
	answer, err := create(&versions.ImportKey{Scope: k.scope, Key: k.key, At: c.h.cfg.Now()})
	if err != nil {
		return err
	}
	a := idempotency.Answer{
		TenantID: k.tenantID, Scope: k.scope, Key: k.key, BodyHash: body.hash(),
		Status: http.StatusOK, Response: answer, CreatedAt: c.h.cfg.Now(),
	}
	if err := c.h.cfg.Answers.KeepAnswer(c.ctx(), a); err != nil {
		return err
	}
	return c.sendAnswer(&a)
}

// replayLines answers with what was kept, if the body is the same.
func (c *call) replayLines(body *hashingReader, k *keyed, kept *idempotency.Answer) error {
	if _, err := io.Copy(io.Discard, body); err != nil {
		return bodyError(err)
	}
	k.bodyHash = body.hash()
	return c.answerKept(k, kept, c.sendAnswer)
}

// importError adds what was stored before the line that was refused.
func importError(err error, body *hashingReader, done versions.ImportResult) error {
	if body.err != nil {
		err = bodyError(body.err)
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	return f.With("imported", done.Imported).With("skipped", done.Skipped)
}

// hashingReader reads a body that may be of any length, as long as it keeps coming.
type hashingReader struct {
	r   io.Reader
	sum hash.Hash // over what was read
	err error
}

func (s *hashingReader) hash() string { return hex.EncodeToString(s.sum.Sum(nil)) }

// Read reads what comes next.
func (s *hashingReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.sum.Write(p[:n])
	if err != nil && err != io.EOF { //nolint:errorlint // a reader gives it bare
		s.err = err
	}
	return n, err
}

// checkLinesMedia accepts lines of JSON under the names that they go by, and
// JSON, which is one line.
func (c *call) checkLinesMedia() error {
	header := c.r.Header.Get("Content-Type")
	if header == "" {
		return nil
	}
	media, params, err := mime.ParseMediaType(header)
	utf8 := params["charset"] == "" || strings.EqualFold(params["charset"], "utf-8")
	if err == nil && utf8 && slices.Contains([]string{ndjson, "application/ndjson", "application/jsonl", "application/json"}, media) {
		return nil
	}
	return fault.New(fault.UnsupportedMedia, "unsupported_media_type", "Send the body as %s, not %s.", ndjson, truncate(header))
}
