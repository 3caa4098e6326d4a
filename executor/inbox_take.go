package executor

import (
	"context"
	"errors"
	"heddle/fault"
	"sync"
	"time"
)

const (
	inboxPage  = 256
	inboxKeep  = 10 * time.Minute // how long outcomes can be asked for
	inboxPurge = 60               // polls between two purges
)

// inbox is what the node that drives runs knows of posted inputs: which it is
// handing to their runs, and that there may be more.
type inbox struct {
	wakes chan struct{}

	mu       sync.Mutex
	inFlight map[string]bool // false: done, but a read that is under way may show it
}

func newInbox() *inbox {
	return &inbox{wakes: make(chan struct{}, 1), inFlight: make(map[string]bool)}
}

// forgetDone forgets the inputs that were done before a read begins.
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

// begin notes that an input is being handed to its run; false: it is already.
func (b *inbox) begin(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.inFlight[id]; known {
		return false
	}
	b.inFlight[id] = true
	return true
}

func (b *inbox) done(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inFlight[id] = false
}

// inboxLoop takes posted inputs while this process drives runs.
func (e *engine) inboxLoop(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		if err := e.takeInbox(ctx); err != nil && ctx.Err() == nil {
			e.log.Warn("the inbox could not be read", "error", err)
		}
		if n%inboxPurge == 0 {
			if err := e.store.PurgeTaken(ctx, e.now().Add(-inboxKeep)); err != nil && ctx.Err() == nil {
				e.log.Warn("old outcomes were not removed", "error", err)
			}
		}
		select {
		case <-tick.C:
		case <-e.inbox.wakes:
		case <-ctx.Done():
			return
		}
	}
}

// takeInbox hands every input that is not under way to its run, each run's in
// the order of their ids.
func (e *engine) takeInbox(ctx context.Context) error {
	e.inbox.forgetDone()
	for after := ""; ctx.Err() == nil; {
		list, err := e.store.Untaken(ctx, after, inboxPage)
		if err != nil {
			return err
		}
		for _, p := range list {
			after = p.ID
			if e.inbox.begin(p.ID) {
				e.dispatchInput(ctx, p)
			}
		}
		if len(list) < inboxPage {
			return nil
		}
	}
	return nil
}

func (e *engine) dispatchInput(ctx context.Context, p Posted) {
	if p.Kind == kindBegin {
		go e.beginPosted(p)
		return
	}
	in, lines, err := e.svc.decodePosted(ctx, p)
	if err != nil {
		e.conclude(p, e.svc.epoch.Load(), outcome{err: err})
		return
	}
	with, err := decodeSuccessor(p)
	if err != nil {
		e.conclude(p, e.svc.epoch.Load(), outcome{err: err})
		return
	}
	e.crash("inbox_read")
	epoch, answer := e.svc.epoch.Load(), make(chan outcome, 1)
	e.deliver(p.RunID, message{input: in, posted: p.ID, successor: with, answer: answer, audit: lines}, false)
	go func() { e.conclude(p, epoch, <-answer) }()
}

// conclude settles an input that no commit took. What another try may change
// stays in the inbox for the next look, here or on the node that drives then.
func (e *engine) conclude(p Posted, epoch int64, out outcome) {
	defer e.inbox.done(p.ID)
	if out.taken || out.err != nil && transient(out.err) {
		return
	}
	t := Taken{ID: p.ID, RunID: p.RunID, At: e.now(), State: out.row.State, Effect: out.effect, Refusal: asRefusal(out.err)}
	ctx, cancel := context.WithTimeout(context.Background(), confirmTimeout)
	defer cancel()
	if err := e.store.Settle(ctx, epoch, []Taken{t}); err != nil && !errors.Is(err, ErrFenced) {
		e.log.Warn("an input's outcome was not stored", "run_id", p.RunID, "error", err)
	}
}

// transient tells errors that say nothing about the input.
func transient(err error) bool {
	return errors.Is(err, ErrFenced) || fault.KindOf(err) == fault.Unavailable
}

func asRefusal(err error) *fault.Error {
	var f *fault.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f
	}
	return fault.New(fault.Internal, "internal", "The run could not take this; the log of the node that drives runs has the details.")
}

// taken lists what becomes of the posted inputs of a batch with the commit that
// gives the run that row, and marks them.
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
