package executor

import (
	"context"
	"errors"
	"heddle/fault"
	"sync"
	"time"
)

const (
	inboxPage  = 256              // inputs read at once
	inboxKeep  = 10 * time.Minute // how long outcomes are kept
	inboxPurge = 60               // polls between two purges
)

// inbox takes the inputs that other nodes posted, while this node leads, and hands them to
// their runs. It remembers which are under way, so that none is handed over twice. That is
// a saving, not a guarantee: the guarantee is that the store takes each input once.
type inbox struct {
	cfg        *Config
	term       *term
	plans      *planCache
	registry   *registry
	dispatcher *dispatcher

	wakes chan struct{} // of capacity 1: there may be inputs to read

	mu       sync.Mutex      // guards inFlight
	inFlight map[string]bool // by input id; false: done, but a read that is under way may show it
}

// newInbox makes the inbox of a node; nothing is read before loop runs.
func newInbox(cfg *Config, t *term, plans *planCache, r *registry, dp *dispatcher) *inbox {
	return &inbox{cfg: cfg, term: t, plans: plans, registry: r, dispatcher: dp, wakes: make(chan struct{}, 1), inFlight: make(map[string]bool)}
}

// forgetDone forgets the inputs that were done before a read begins: the read does not show
// them, or they are to be tried again. Only the loop calls it.
func (b *inbox) forgetDone() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, flies := range b.inFlight {
		if !flies {
			delete(b.inFlight, id)
		}
	}
}

// wake makes the loop read the inbox soon. It never blocks.
func (b *inbox) wake() {
	select {
	case b.wakes <- struct{}{}:
	default:
	}
}

// begin notes that an input is being handed to its run, and reports false where it is
// already, or was done after the present read began.
func (b *inbox) begin(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.inFlight[id]; known {
		return false
	}
	b.inFlight[id] = true
	return true
}

// done notes that an input is no longer under way; a read that began before may still show
// it.
func (b *inbox) done(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inFlight[id] = false
}

// loop takes posted inputs until ctx ends: when it is woken, and every pollEvery. Now and
// then it removes outcomes that are older than inboxKeep. An error is logged and the next
// round tries again.
func (b *inbox) loop(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		if err := b.takeAll(ctx); err != nil && ctx.Err() == nil {
			b.cfg.Log.Warn("the inbox could not be read", "error", err)
		}
		if n%inboxPurge == 0 {
			if err := b.cfg.Store.PurgeTaken(ctx, b.cfg.now().Add(-inboxKeep)); err != nil && ctx.Err() == nil {
				b.cfg.Log.Warn("old outcomes were not removed", "error", err)
			}
		}
		select {
		case <-tick.C:
		case <-b.wakes:
		case <-ctx.Done():
			return
		}
	}
}

// takeAll hands every input that is not under way to its run, each run's in the order of
// their ids. It does not wait for what becomes of them. Errors: those of the store.
func (b *inbox) takeAll(ctx context.Context) error {
	b.forgetDone()
	for after := ""; ctx.Err() == nil; {
		list, err := b.cfg.Store.Untaken(ctx, after, inboxPage)
		if err != nil {
			return err
		}
		for _, p := range list {
			after = p.ID
			if b.begin(p.ID) {
				b.dispatchInput(ctx, p)
			}
		}
		if len(list) < inboxPage {
			return nil
		}
	}
	return nil
}

// dispatchInput hands one input to its run, and settles it once the run has answered. One
// that cannot be read is refused. It does not wait, but for reading the version that a
// Resume names.
func (b *inbox) dispatchInput(ctx context.Context, p Posted) {
	if p.Kind == kindBegin {
		go b.beginPosted(p) //nolint:gosec // it has its own bound on time: the outcome is recorded even when the term ends
		return
	}
	in, lines, err := b.decodePosted(ctx, p)
	if err != nil {
		b.conclude(p, b.term.epoch.Load(), outcome{err: err})
		return
	}
	with, err := decodeSuccessor(p)
	if err != nil {
		b.conclude(p, b.term.epoch.Load(), outcome{err: err})
		return
	}
	b.cfg.Crash("inbox_read")
	// The epoch is read before the input is delivered: if the lease changes meanwhile the
	// outcome is refused by the store, and the next leader takes the input.
	epoch, answer := b.term.epoch.Load(), make(chan outcome, 1)
	b.registry.deliver(p.RunID, message{input: in, posted: p.ID, successor: with, answer: answer, audit: lines}, false)
	go func() { b.conclude(p, epoch, <-answer) }()
}

// conclude settles an input that no commit took: it had no effect, or it was refused. One
// that another attempt may decide otherwise stays in the inbox for the next read, here or
// on the node that leads then. If the outcome cannot be stored the input is read again,
// which does no harm, because it had no effect.
func (b *inbox) conclude(p Posted, epoch int64, out outcome) {
	// Last, so that the same input is not begun again while its outcome is being stored.
	defer b.done(p.ID)
	if out.taken || out.err != nil && transient(out.err) {
		return
	}
	t := Taken{ID: p.ID, RunID: p.RunID, At: b.cfg.now(), State: out.row.State, Effect: out.effect, Refusal: asRefusal(out.err)}
	ctx, cancel := context.WithTimeout(context.Background(), confirmTimeout)
	defer cancel()
	if err := b.cfg.Store.Settle(ctx, epoch, []Taken{t}); err != nil && !errors.Is(err, ErrFenced) {
		b.cfg.Log.Warn("an input's outcome was not stored", "run_id", p.RunID, "error", err)
	}
}

// transient reports whether an error says nothing about the input: the lease was lost or
// the store is unavailable, and another attempt may succeed.
func transient(err error) bool {
	return errors.Is(err, ErrFenced) || fault.KindOf(err) == fault.Unavailable
}

// asRefusal returns err as it is stored for the caller on another node; nil for nil.
// What is not a fault.Error becomes fault.Internal internal.
func asRefusal(err error) *fault.Error {
	var f *fault.Error
	switch {
	case err == nil:
		return nil
	// The caller on the other node gets the same error as here.
	case errors.As(err, &f):
		return f
	}
	return fault.New(fault.Internal, "internal", "The run could not take this; the log of the node that drives runs has the details.")
}

// taken returns what becomes of the posted inputs of a batch with the commit that leaves
// the run at row, and marks their answers as taken, so that conclude leaves them alone. It
// is called before the commit; if that fails the answers are dropped.
func taken(answers []answer, row Record) []Taken {
	var list []Taken
	for i := range answers {
		a := &answers[i]
		if a.posted == "" {
			continue
		}
		a.out.taken = true
		list = append(list, Taken{
			ID: a.posted, RunID: row.RunID, At: row.UpdatedAt, State: row.State, Effect: a.out.effect, Refusal: asRefusal(a.out.err),
		})
	}
	return list
}

// beginPosted begins a queued run for another node, waiting outcomeWait for a slot at most,
// and records whether it began.
func (b *inbox) beginPosted(p Posted) {
	epoch := b.term.epoch.Load()
	ctx, cancel := context.WithTimeout(context.Background(), outcomeWait)
	defer cancel()
	begun := b.dispatcher.beginNow(ctx, p.RunID)
	row, err := b.cfg.Store.Run(context.WithoutCancel(ctx), p.TenantID, p.RunID)
	b.conclude(p, epoch, outcome{row: row, effect: begun, err: err})
}
