package executor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/executor/machine"
	"heddle/expressions"
	"heddle/fault"
	"sync"
	"time"
)

const (
	jsonType   = "application/json" // the content type of every blob
	sweepEvery = 10 * time.Minute   // between two looks for blobs that no commit names
	sweepPage  = 100                // blobs that one transaction removes at most
)

// largeValues stores and reads the values that are too large for the journal, and bounds
// the memory that they take. A blob is written before the commit that names it, so that no
// journal names what is not there; until that commit it is unreferenced, and the sweep
// spares it only while this process remembers it. It is safe for concurrent use.
type largeValues struct {
	cfg     *Config
	term    *term
	blobs   BlobStore     // nil: large values stay in the journal
	work    *memoryBudget // see workBudgetSize
	sending *memoryBudget // see sendBudgetSize

	// mu guards unreferenced.
	mu           sync.Mutex
	unreferenced map[string]unreferencedBlob // by blob id
}

// newLargeValues makes them over cfg.Blobs, which may be nil, with budgets of their own.
func newLargeValues(cfg *Config, t *term) *largeValues {
	return &largeValues{
		cfg: cfg, term: t, blobs: cfg.Blobs, work: newMemoryBudget(workBudgetSize), sending: newMemoryBudget(sendBudgetSize),
		unreferenced: make(map[string]unreferencedBlob),
	}
}

// unreferencedBlob is a blob that is written, or being written, and that no commit has
// named yet. size is in bytes. It counts against its run's limit.
type unreferencedBlob struct {
	runID string
	size  int64
	input bool // see Blob
}

// supply returns an empty set of blobs for the machine; nil where large values stay
// in the journal.
func (v *largeValues) supply() *machine.Blobs {
	if v.blobs == nil {
		return nil
	}
	return machine.NewBlobs()
}

// load reads the contents of blobs into b, all of them anew: a goroutine that waits for
// memory must hold none, or two could wait for each other. work holds the memory for them,
// twice their size, until the caller releases it. The content of a blob that is not stored
// any more is the error blob_lost. Errors: errAbandoned, or that of ctx.
func (v *largeValues) load(ctx context.Context, work *reservation, b *machine.Blobs, refs []machine.BlobRef) error {
	// They are read again below; the old ones may be collected meanwhile.
	b.DropContents()
	if err := work.resize(ctx, 2*totalOf(refs)); err != nil {
		return err
	}
	for _, ref := range refs {
		content, err := v.read(ctx, ref)
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

// totalOf returns the size of blobs in bytes.
func totalOf(refs []machine.BlobRef) (n int64) {
	for _, ref := range refs {
		n += ref.Size
	}
	return n
}

// read reads a blob whole. The call is repeated while the store is unavailable, until this
// node may no longer journal or ctx ends, which is errAbandoned. fault.NotFound: the blob is gone.
func (v *largeValues) read(ctx context.Context, ref machine.BlobRef) (json.RawMessage, error) {
	for {
		content, err := readBlob(ctx, v.blobs, ref)
		switch {
		case err == nil, fault.KindOf(err) == fault.NotFound:
			return content, err
		case !v.term.state().journals() || ctx.Err() != nil:
			return nil, errAbandoned
		}
		v.cfg.Log.Warn("a large value could not be read and is tried again", "blob", ref.ID, "error", err)
		sleep(ctx, storeRetryDelay)
	}
}

// readBlob reads a blob piece by piece into one slice of its size. Errors: those of
// BlobStore.BlobChunk.
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

// storeOutput stores an attempt's output as a blob where it is too large for the journal.
// kept is what the journal is to hold, blob the id of what was stored ("": nothing was). A
// failure takes the place of the output; "stopped" where this node stopped meanwhile.
func (v *largeValues) storeOutput(call Call, output json.RawMessage) (kept json.RawMessage, blob string, failure *machine.Failure) {
	if v.blobs == nil || !machine.NeedsBlob(output) {
		return output, "", nil
	}
	kept, blob, failure = v.store(call.TenantID, call.RunID, output)
	if kept == nil && failure == nil {
		failure = stopped()
	}
	return kept, blob, failure
}

// store writes a value as a blob and returns its reference; a value that the run has stored
// already is not stored again. id is that of the new blob, which the caller has to name in
// a commit or to forget. The call is repeated while the store is unavailable; no reference
// and no failure mean that this node stopped first. The failure is output_too_large, for
// the value alone or for all that the run has stored. It costs a hash of the value.
func (v *largeValues) store(tenantID, runID string, value json.RawMessage) (ref json.RawMessage, id string, failure *machine.Failure) {
	if len(value) > MaxBlob {
		return nil, "", tooLarge("The output is larger than %d MiB.", MaxBlob>>20)
	}
	// Before the loop, which may go round often while the store is unavailable.
	sum := sha256.Sum256(value)
	b := Blob{
		TenantID: tenantID, RunID: runID, Size: int64(len(value)), SHA256: hex.EncodeToString(sum[:]), ContentType: jsonType,
	}
	for v.term.state().journals() {
		same, err := v.reserve(&b)
		switch {
		case errors.Is(err, errRunFull):
			return nil, "", tooLarge("With this output the run would have more than %d MiB stored apart.", v.cfg.RunBlobs>>20)
		case err == nil && same:
			return machine.FormatReference(b.ID, b.Size, b.SHA256, b.ContentType), "", nil
		case err == nil:
			if err = v.blobs.PutBlob(context.Background(), b, value); err == nil {
				v.cfg.Crash("blob_written")
				v.cfg.Stored.Add(tenantID, b.Size)
				return machine.FormatReference(b.ID, b.Size, b.SHA256, b.ContentType), b.ID, nil
			}
			v.forget([]string{b.ID})
		}
		v.cfg.Log.Warn("a large value could not be stored and is tried again", "run_id", runID, "error", err)
		sleep(context.Background(), storeRetryDelay)
	}
	return nil, "", nil
}

// inputShare is the part of what a run may have stored apart that its rendered inputs may
// have beside it: a quarter.
const inputShare = 4

// errRunFull is the error of reserve where the run's limit is reached; it is not stored.
var errRunFull = errors.New("the run has as much stored apart as it may")

// reserve gives the blob an id and counts it against the run's limit, together with those
// that no commit has named yet, so that attempts which store at the same time cannot pass
// the limit together. It returns true if the run has a blob with this content, and b has
// its id. errRunFull: the limit is reached. Rendered inputs are counted apart, so that keeping
// them never fails a step. The lock is taken after the store was read; a
// blob that is named in between may be missed, so the limit is exact only while the run
// stores one value at a time.
func (v *largeValues) reserve(b *Blob) (same bool, err error) {
	kept, err := v.blobs.RunBlobs(context.Background(), b.RunID)
	if err != nil {
		return false, err
	}
	total, limit := b.Size, v.cfg.RunBlobs
	if b.Input {
		limit /= inputShare
	}
	known := make(map[string]bool, len(kept))
	for _, k := range kept {
		if k.Input != b.Input {
			continue
		}
		if k.SHA256 == b.SHA256 && k.Size == b.Size {
			b.ID = k.ID
			return true, nil
		}
		known[k.ID] = true
		total += k.Size
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for id, l := range v.unreferenced {
		if l.runID == b.RunID && l.input == b.Input && !known[id] {
			total += l.size
		}
	}
	if total > limit {
		return false, errRunFull
	}
	b.ID, b.CreatedAt = v.cfg.NewID("blob_"), v.cfg.now()
	v.unreferenced[b.ID] = unreferencedBlob{b.RunID, b.Size, b.Input}
	return false, nil
}

// forget drops blobs from the unreferenced ones: a commit has named them, or none will and
// they are to be swept. Unknown ids have no effect.
func (v *largeValues) forget(ids []string) {
	if len(ids) == 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, id := range ids {
		delete(v.unreferenced, id)
	}
}

// tooLarge returns the permanent failure output_too_large with that message.
func tooLarge(format string, args ...any) *machine.Failure {
	return &machine.Failure{Permanent: true, Error: machine.Error{Code: "output_too_large", Message: fmt.Sprintf(format, args...)}}
}

// sweepLoop removes blobs whose commits never came, until ctx ends: of processes that died
// at once, of attempts that were cut off. Those that this process is about to name are
// spared. The time up to which blobs count as old is taken under the lock that adds them,
// so a blob is either spared or younger than that. Without a BlobStore it returns at once.
func (v *largeValues) sweepLoop(ctx context.Context) {
	for v.blobs != nil && ctx.Err() == nil {
		for n := sweepPage; n == sweepPage && ctx.Err() == nil; {
			v.mu.Lock()
			before := v.cfg.now()
			spare := make([]string, 0, len(v.unreferenced))
			for id := range v.unreferenced {
				spare = append(spare, id)
			}
			v.mu.Unlock()
			var err error
			if n, err = v.blobs.SweepBlobs(ctx, before, spare, sweepPage); err != nil && ctx.Err() == nil {
				v.cfg.Log.Warn("unreferenced large values could not be removed", "error", err)
			}
		}
		sleep(ctx, sweepEvery)
	}
}
