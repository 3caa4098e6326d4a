package versions

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"heddle/definitions/workflows"
	"heddle/fault"
	"heddle/idempotency"
	"strconv"
)

// importIdempotent imports a line at most once per Idempotency-Key: the answer
// is stored in the transaction of the workflow, so a repeated request finds
// both or neither. Without a key it just imports. A skipped line has no answer,
// and is tried again.
func (t *Transfer) importIdempotent(ctx context.Context, req ImportRequest, n int, text []byte, done *ImportResult) error {
	if req.Key == nil {
		return t.importWorkflow(ctx, req, n, text, done)
	}
	if told, err := t.replay(ctx, importLine{req, n, text}, done); told || err != nil {
		return err
	}
	err := t.importWorkflow(ctx, req, n, text, done)
	if fault.CodeOf(err) != "idempotency_key_taken" {
		return err
	}
	// Another request with the key stored the line in between.
	if told, again := t.replay(ctx, importLine{req, n, text}, done); told || again != nil {
		return again
	}
	return err
}

// replay adds a line that was stored before to the result and reports whether
// it was. A different line under the same key is fault.Conflict
// idempotency_key_reused: the client has changed what it sends.
func (t *Transfer) replay(ctx context.Context, line importLine, done *ImportResult) (bool, error) {
	kept, err := t.cfg.Store.Answer(ctx, line.req.TenantID, line.scope(), line.req.Key.Key)
	if err != nil || kept == nil {
		return false, err
	}
	if kept.BodyHash != line.hash() {
		return true, fault.New(fault.Conflict, "idempotency_key_reused",
			"Line %d: This Idempotency-Key was used with another line; use a new key for a new import.", line.n)
	}
	var a ImportedLine
	if err := json.Unmarshal(kept.Response, &a); err != nil {
		return true, fmt.Errorf("read what is kept of line %d: %w", line.n, err)
	}
	done.Imported = append(done.Imported, a)
	return true, nil
}

// importLine is one line of an import, n counted from 1, for which an answer
// can be stored. text is the scanner's, and valid only until the next line is
// read.
type importLine struct {
	req  ImportRequest
	n    int
	text []byte
}

// scope is the key's scope for this line: each line of an import has an answer of
// its own.
func (k importLine) scope() string { return k.req.Key.Scope + "#" + strconv.Itoa(k.n) }

// hash identifies the line's content, so that another line under the same key is
// noticed.
func (k importLine) hash() string {
	sum := sha256.Sum256(k.text)
	return hex.EncodeToString(sum[:])
}

// answer returns the answer to store with the line's workflow; nil for an import
// without a key.
func (k importLine) answer(w workflows.Workflow) *idempotency.Answer {
	if k.req.Key == nil {
		return nil
	}
	text, err := json.Marshal(ImportedLine{Line: k.n, ID: w.ID, Slug: w.Slug})
	if err != nil {
		return nil // two texts and a number always encode
	}
	return &idempotency.Answer{
		TenantID: k.req.TenantID, Scope: k.scope(), Key: k.req.Key.Key, BodyHash: k.hash(),
		Response: text, CreatedAt: k.req.Key.At,
	}
}
