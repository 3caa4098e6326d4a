package executor

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/executor/machine"
	"heddle/expressions"
	"heddle/fault"
	"time"
)

const (
	jsonType   = "application/json"
	sweepEvery = 10 * time.Minute
	sweepPage  = 100
)

// unreferencedBlob is one that is written, or being written, and that no commit has
// named yet.
type unreferencedBlob struct {
	runID string
	size  int64
}

// decide applies an input and supplies what the machine wants for it. The
// error is the machine's refusal, or errAbandoned when this node stopped.
func (e *engine) decide(l *activeRun, run *machine.Run, in machine.Input, now time.Time) (machine.Change, error) {
	if e.blobs == nil {
		return apply(e.log, run, in, now, nil)
	}
	var loads []machine.BlobRef
	b, work := machine.NewBlobs(), reservation{budget: e.workBudget}
	defer work.release()
	for {
		c, err := apply(e.log, run, in, now, b)
		var w *machine.BlobRequest
		if !errors.As(err, &w) {
			return c, err
		}
		loads = append(loads, w.Load...)
		if len(w.Load) > 0 {
			if err := e.loadBlobs(context.Background(), &work, b, loads); err != nil {
				return machine.Change{Run: run}, err
			}
		}
		for _, v := range w.Store {
			ref, id, failure := e.storeBlob(run.TenantID, run.RunID, v)
			if id != "" {
				l.blobs = append(l.blobs, id)
			}
			if ref == nil && failure == nil {
				return machine.Change{Run: run}, errAbandoned
			}
			b.AddReference(v, ref, failure)
		}
	}
}

// noBlobs knows of none yet; nil where nothing is stored apart.
func (e *engine) noBlobs() *machine.Blobs {
	if e.blobs == nil {
		return nil
	}
	return machine.NewBlobs()
}

// loadBlobs reads the contents of blobs, anew and all at once: who waits for room
// must have none.
func (e *engine) loadBlobs(ctx context.Context, work *reservation, b *machine.Blobs, refs []machine.BlobRef) error {
	b.DropContents()
	if err := work.resize(ctx, 2*totalOf(refs)); err != nil {
		return err
	}
	for _, ref := range refs {
		content, err := e.readContent(ctx, ref)
		switch {
		case err == nil:
			b.AddContent(ref.ID, content, nil)
		case fault.KindOf(err) == fault.NotFound:
			b.AddContent(ref.ID, nil, &expressions.Error{Code: "blob_lost", Message: "the value " + ref.ID + " is not stored any more"})
		default:
			return err
		}
	}
	return nil
}

func totalOf(refs []machine.BlobRef) (n int64) {
	for _, ref := range refs {
		n += ref.Size
	}
	return n
}

// readContent reads a blob whole. A store that is away is asked again until this
// node stops, or ctx ends.
func (e *engine) readContent(ctx context.Context, ref machine.BlobRef) (json.RawMessage, error) {
	for {
		content, err := readBlob(ctx, e.blobs, ref)
		switch {
		case err == nil, fault.KindOf(err) == fault.NotFound:
			return content, err
		case e.stopped.Load() || ctx.Err() != nil:
			return nil, errAbandoned
		}
		e.log.Warn("a large value could not be read and is tried again", "blob", ref.ID, "error", err)
		sleep(ctx, retryStoreAfter)
	}
}

func readBlob(ctx context.Context, store BlobStore, ref machine.BlobRef) (json.RawMessage, error) {
	content := make([]byte, 0, ref.Size)
	for int64(len(content)) < ref.Size {
		piece, err := store.BlobChunk(ctx, ref.ID, int64(len(content)))
		if err != nil {
			return nil, err
		}
		content = append(content, piece...)
	}
	return content, nil
}

// storeOutput stores an attempt's output apart where it has to be; blob is the id
// of what was stored.
func (e *engine) storeOutput(call Call, output json.RawMessage) (kept json.RawMessage, blob string, failure *machine.Failure) {
	if e.blobs == nil || !machine.NeedsBlob(output) {
		return output, "", nil
	}
	kept, blob, failure = e.storeBlob(call.TenantID, call.RunID, output)
	if kept == nil && failure == nil {
		failure = stopped()
	}
	return kept, blob, failure
}

// storeBlob writes a value and gives its reference; what the run has stored
// already is not stored again. No reference and no failure: this node stopped.
func (e *engine) storeBlob(tenantID, runID string, value json.RawMessage) (ref json.RawMessage, id string, failure *machine.Failure) {
	if len(value) > MaxBlob {
		return nil, "", tooLarge("The output is larger than %d MiB.", MaxBlob>>20)
	}
	sum := sha256.Sum256(value)
	b := Blob{
		TenantID: tenantID, RunID: runID, Size: int64(len(value)), SHA256: hex.EncodeToString(sum[:]), ContentType: jsonType,
	}
	for !e.stopped.Load() {
		same, err := e.reserve(&b)
		switch {
		case errors.Is(err, errRunFull):
			return nil, "", tooLarge("With this output the run would have more than %d MiB stored apart.", e.svc.cfg.RunBlobs>>20)
		case err == nil && same:
			return machine.FormatReference(b.ID, b.Size, b.SHA256, b.ContentType), "", nil
		case err == nil:
			if err = e.blobs.PutBlob(context.Background(), b, value); err == nil {
				e.crash("blob_written")
				e.svc.cfg.Stored.Add(tenantID, b.Size)
				return machine.FormatReference(b.ID, b.Size, b.SHA256, b.ContentType), b.ID, nil
			}
			e.forgetBlobs([]string{b.ID})
		}
		e.log.Warn("a large value could not be stored and is tried again", "run_id", runID, "error", err)
		sleep(context.Background(), retryStoreAfter)
	}
	return nil, "", nil
}

var errRunFull = errors.New("the run has as much stored apart as it may")

// reserve gives the blob an id and counts it against the run's limit; true:
// the run has a blob with this content, whose id it is.
func (e *engine) reserve(b *Blob) (same bool, err error) {
	kept, err := e.blobs.RunBlobs(context.Background(), b.RunID)
	if err != nil {
		return false, err
	}
	total := b.Size
	known := make(map[string]bool, len(kept))
	for _, k := range kept {
		if k.SHA256 == b.SHA256 && k.Size == b.Size {
			b.ID = k.ID
			return true, nil
		}
		known[k.ID] = true
		total += k.Size
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, l := range e.unreferenced {
		if l.runID == b.RunID && !known[id] {
			total += l.size
		}
	}
	if total > e.svc.cfg.RunBlobs {
		return false, errRunFull
	}
	b.ID, b.CreatedAt = e.svc.cfg.NewID("blob_"), e.now()
	e.unreferenced[b.ID] = unreferencedBlob{b.RunID, b.Size}
	return false, nil
}

// forgetBlobs forgets blobs that a commit has named, or that none will: the
// latter are swept.
func (e *engine) forgetBlobs(ids []string) {
	if len(ids) == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, id := range ids {
		delete(e.unreferenced, id)
	}
}

// takeUnreferenced lists the loose blobs that a batch of inputs and the deciding about
// them brought, and clears the run's part of it.
func (l *activeRun) takeUnreferenced(envs []message) []string {
	ids := l.blobs
	l.blobs = nil
	for _, env := range envs {
		if env.blob != "" {
			ids = append(ids, env.blob)
		}
	}
	return ids
}

// named are those of the ids that the change's events name.
func named(ids []string, change machine.Change) []string {
	var list []string
	for _, id := range ids {
		for i := range change.Events {
			if bytes.Contains(change.Events[i].Data, []byte(id)) {
				list = append(list, id)
				break
			}
		}
	}
	return list
}

func tooLarge(format string, args ...any) *machine.Failure {
	return &machine.Failure{Permanent: true, Error: machine.Error{Code: "output_too_large", Message: fmt.Sprintf(format, args...)}}
}

// sweepLoop removes what was written for commits that never came: of processes
// that died at once, of attempts whose end nobody waited for later on.
func (e *engine) sweepLoop(ctx context.Context) {
	for e.blobs != nil && ctx.Err() == nil {
		for n := sweepPage; n == sweepPage && ctx.Err() == nil; {
			e.mu.Lock()
			before := e.now()
			spare := make([]string, 0, len(e.unreferenced))
			for id := range e.unreferenced {
				spare = append(spare, id)
			}
			e.mu.Unlock()
			var err error
			if n, err = e.blobs.SweepBlobs(ctx, before, spare, sweepPage); err != nil && ctx.Err() == nil {
				e.log.Warn("large values that nobody names could not be removed", "error", err)
			}
		}
		sleep(ctx, sweepEvery)
	}
}
