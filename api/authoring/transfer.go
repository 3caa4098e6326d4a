package authoring

import (
	"errors"
	"heddle/access"
	"heddle/api/core"
	"heddle/fault"
	"heddle/ids"
	"heddle/versions"
	"io"
	"net/http"
	"slices"
	"strings"
)

// importBody says what became of each line of an import, in the order of the lines.
type importBody struct {
	// Imported names the workflows that were stored, by the number of their line.
	Imported []versions.ImportedLine `json:"imported"`
	Skipped  []versions.ImportedLine `json:"skipped" doc:"With on_conflict=skip: the slug was taken."`
}

// exportWorkflows streams the workflows that the caller may view, one per line with all its
// versions, so that an export of any size costs little memory. What the query names wrongly is
// refused before the first line. It is not a snapshot: a workflow that is created meanwhile may
// be missing.
func (h *handlers) exportWorkflows(c *core.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	withIDs, err := core.BoolParam(q, "ids")
	if err != nil {
		return err
	}
	// nil IDs are all of the tenant's, an empty list is none.
	ask := versions.ExportRequest{TenantID: c.TenantID(), IDs: access.ViewableWorkflows(c.Principal), WithIDs: withIDs}
	// Naming workflows narrows what the key may view, and never widens it.
	if q.Has("id") {
		if ask.IDs, err = h.named(c, q.Get("id")); err != nil {
			return err
		}
	}
	// The length of an export is not known before it is written.
	if c.Request.Method == http.MethodHead {
		c.Writer.Header().Set("Content-Type", core.NDJSON)
		return c.ReplyStatus(http.StatusOK)
	}
	return c.StreamLines(func(out io.Writer, flush func() error) error {
		return h.Transfer.Export(c.Ctx(), ask, out, flush)
	})
}

// named returns the ids of the workflows of a list of ids and slugs; each must exist and the
// caller must be allowed to view it. Errors: fault.NotFound workflow_not_found, fault.Denied
// acl_denied. It reads one row for each.
func (h *handlers) named(c *core.Call, list string) ([]string, error) {
	found := []string{}
	for ref := range strings.SplitSeq(list, ",") {
		if !ids.Valid(ref) {
			return nil, core.NotFound("workflow", ref)
		}
		w, err := h.Definitions.Get(c.Ctx(), c.TenantID(), ref)
		if err != nil {
			return nil, err
		}
		if err := core.Allow(c.Principal, access.View, w.ID, w.Slug); err != nil {
			return nil, err
		}
		found = append(found, w.ID)
	}
	return found, nil
}

// importWorkflows stores workflows line by line: each whole or not at all, up to the first line
// that is refused. The answer, also of a refusal, says which were stored. A repeated request with
// the same Idempotency-Key does not store a line again, so that an import which was cut off is
// simply sent again.
func (h *handlers) importWorkflows(c *core.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	on := versions.ConflictPolicy(q.Get("on_conflict"))
	if !slices.Contains([]versions.ConflictPolicy{versions.Refuse, versions.Skip, versions.Rename}, on) {
		return core.Malformed("on_conflict must be skip or rename, not %q.", core.Truncate(string(on)))
	}
	if err := c.CheckLinesMedia(); err != nil {
		return err
	}
	// An import may be of any length, as long as its lines keep coming.
	c.AcceptLongBody()
	body := core.NewHashingReader(c.Request.Body)
	lines := &budgetedReader{r: body, memory: h.Lines, ctx: c.ClientCtx()}
	defer lines.release()
	return c.IdempotentLines(body, func(k *core.Key) ([]byte, error) {
		done, err := h.Transfer.Import(c.Ctx(), versions.ImportRequest{TenantID: c.TenantID(), Lines: lines, OnConflict: on, Key: h.importKey(k), Admit: c.ReserveMemory, Quota: h.lineQuota(c)})
		if err != nil {
			return nil, importError(lines.refusal(err), body, done)
		}
		return core.Encode(importBody(done))
	})
}

// importKey returns the key under which each line of an import is created at most once; nil
// without one.
func (h *handlers) importKey(k *core.Key) *versions.ImportKey {
	if k == nil {
		return nil
	}
	return &versions.ImportKey{Scope: k.Scope, Key: k.Key, At: h.Now()}
}

// importError returns the error with what was stored before the line that was refused: imported
// and skipped. Where the body itself broke off, that is the error, and not what the decoder made
// of half a line.
func importError(err error, body *core.HashingReader, done versions.ImportResult) error {
	// The decoder only saw a line that ended too early.
	if body.Err != nil {
		err = core.BodyError(body.Err)
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	return f.With("imported", done.Imported).With("skipped", done.Skipped)
}

// lineQuota returns the checks that apply the tenant's quota to each line of an import.
func (h *handlers) lineQuota(c *core.Call) versions.LineQuota {
	return versions.LineQuota{Check: c.ReserveStorage, Stored: c.AddStored}
}
