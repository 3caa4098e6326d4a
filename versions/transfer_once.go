package versions

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"heddle/definitions"
	"heddle/fault"
	"heddle/idempotency"
	"strconv"
)

// importOnce is importLine, at most once per key.
func (t *Transfer) importOnce(ctx context.Context, req ImportRequest, n int, text []byte, done *Arrivals) error {
	if req.Key == nil {
		return t.importLine(ctx, req, n, text, done)
	}
	if told, err := t.arrived(ctx, keeper{req, n, text}, done); told || err != nil {
		return err
	}
	err := t.importLine(ctx, req, n, text, done)
	if fault.CodeOf(err) != "idempotency_key_taken" {
		return err
	}
	// Another node stored the line meanwhile.
	if told, again := t.arrived(ctx, keeper{req, n, text}, done); told || again != nil {
		return again
	}
	return err
}

// arrived tells a line that was stored before.
func (t *Transfer) arrived(ctx context.Context, line keeper, done *Arrivals) (bool, error) {
	kept, err := t.cfg.Store.Answer(ctx, line.req.TenantID, line.scope(), line.req.Key.Key)
	if err != nil || kept == nil {
		return false, err
	}
	if kept.BodyHash != line.hash() {
		return true, fault.New(fault.Conflict, "idempotency_key_reused",
			"Line %d: This Idempotency-Key was used with another line; use a new key for a new import.", line.n)
	}
	var a Arrival
	if err := json.Unmarshal(kept.Response, &a); err != nil {
		return true, fmt.Errorf("read what is kept of line %d: %w", line.n, err)
	}
	done.Imported = append(done.Imported, a)
	return true, nil
}

// keeper makes what is kept of a line.
type keeper struct {
	req  ImportRequest
	n    int
	text []byte
}

func (k keeper) scope() string { return k.req.Key.Scope + "#" + strconv.Itoa(k.n) }

func (k keeper) hash() string {
	sum := sha256.Sum256(k.text)
	return hex.EncodeToString(sum[:])
}

// answer is what is kept with the line's workflow; nil for an import without a
// key.
func (k keeper) answer(w definitions.Workflow) *idempotency.Answer {
	if k.req.Key == nil {
		return nil
	}
	text, err := json.Marshal(Arrival{Line: k.n, ID: w.ID, Slug: w.Slug})
	if err != nil {
		return nil // two texts and a number always encode
	}
	return &idempotency.Answer{
		TenantID: k.req.TenantID, Scope: k.scope(), Key: k.req.Key.Key, BodyHash: k.hash(),
		Response: text, CreatedAt: k.req.Key.At,
	}
}
