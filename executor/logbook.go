package executor

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// How the logbook writes.
const (
	logLinger  = 200 * time.Millisecond // from the first line to the batch that writes it
	logGroup   = 1000                   // lines of one call of the store
	maxUnsaved = 20_000                 // lines that wait while the store does not take them
	logTimeout = 10 * time.Second       // for one batch to be written
)

// logbook writes the log lines of steps into the store, in batches and apart from the
// journal: neither an attempt nor a commit ever waits for them. Between two batches the
// lines are in memory alone, and a kill loses them. It is safe for concurrent use; unsaved
// belongs to the goroutine of serve.
type logbook struct {
	store Store
	newID func(prefix string) string
	now   func() time.Time
	// secret returns what takes a tenant's present secrets out of a line.
	secret func(ctx context.Context, tenantID string) (*redaction, error)
	log    *slog.Logger

	// mu guards marked. A stepLog's lock may be held when it is taken, never the other way
	// round.
	mu sync.Mutex
	// marked are the logs that have lines to take.
	marked []*stepLog
	// wakes, of capacity 1, tells the writer of the first line; flushes carries
	// requests to write at once.
	wakes   chan struct{}
	flushes chan chan struct{}
	quit    chan struct{} // closed by close
	done    chan struct{} // closed when the writer has ended
	once    sync.Once

	unsaved []Log // lines that the store has not taken yet; of the writer alone
}

// newLogbook starts the writer, which close ends. secret returns what takes the secrets
// that a tenant has at the moment out of a line; nil: it has none.
func newLogbook(cfg *Config, secret func(context.Context, string) (*redaction, error)) *logbook {
	b := &logbook{
		store: cfg.Store, newID: cfg.NewID, now: cfg.now, secret: secret, log: cfg.Log,
		wakes: make(chan struct{}, 1), flushes: make(chan chan struct{}), quit: make(chan struct{}), done: make(chan struct{}),
	}
	go b.serve()
	return b
}

// open begins the log of an attempt. The caller closes it when the attempt has ended.
func (b *logbook) open(call Call) *stepLog {
	return &stepLog{book: b, tenantID: call.TenantID, proto: Log{
		RunID: call.RunID, StepID: call.StepID, Iteration: call.Iteration, Attempt: call.Attempt,
	}}
}

// mark notes that a log has something to take. It is called with the log's own
// lock held and never waits.
func (b *logbook) mark(l *stepLog) {
	b.mu.Lock()
	b.marked = append(b.marked, l)
	b.mu.Unlock()
	select {
	case b.wakes <- struct{}{}:
	default:
	}
}

// flush writes all lines so far and waits for that, unless ctx ends or the writer has
// ended. Lines that the store does not take are not waited for.
func (b *logbook) flush(ctx context.Context) {
	written := make(chan struct{})
	select {
	case b.flushes <- written:
		select {
		case <-written:
		case <-ctx.Done():
		}
	case <-b.done:
	case <-ctx.Done():
	}
}

// close writes what is left and ends the writer. It may be called more than once.
func (b *logbook) close() {
	b.once.Do(func() { close(b.quit) })
	<-b.done
}

// serve is the loop of the writer: it writes logLinger after the first line, at a flush,
// and at the end. Lines that were not saved are tried again after logLinger.
func (b *logbook) serve() {
	defer close(b.done)
	var due <-chan time.Time
	for {
		select {
		case <-b.wakes:
			if due == nil {
				due = time.After(logLinger)
			}
			continue
		case <-due:
			b.write()
		case written := <-b.flushes:
			b.write()
			close(written)
		case <-b.quit:
			b.write()
			return
		}
		due = nil
		if len(b.unsaved) > 0 {
			due = time.After(logLinger)
		}
	}
}

// write takes what the marked logs have and stores it. What the store does not take is
// tried again with the next batch, up to maxUnsaved lines. Lines whose secrets cannot be
// looked up stay in their log, or are lost where that has ended: no line is stored
// unredacted.
func (b *logbook) write() {
	ctx, cancel := context.WithTimeout(context.Background(), logTimeout)
	defer cancel()
	b.mu.Lock()
	marked := b.marked
	b.marked = nil
	b.mu.Unlock()
	// Outside mu, because the secrets are read from the store.
	for _, l := range marked {
		now, err := b.secret(ctx, l.tenantID)
		if err != nil { // what cannot be checked is not kept
			l.requeue()
			continue
		}
		for _, line := range l.drain(now) {
			line.ID = b.newID("log_")
			b.unsaved = append(b.unsaved, line)
		}
	}
	for len(b.unsaved) > 0 {
		n := min(len(b.unsaved), logGroup)
		if err := b.store.AppendLogs(ctx, b.unsaved[:n]); err != nil {
			b.dropExcess(err)
			return
		}
		b.unsaved = b.unsaved[n:]
	}
	b.unsaved = nil
}

// dropExcess drops all lines that could not be saved once more than maxUnsaved of them
// wait, and logs how many.
func (b *logbook) dropExcess(err error) {
	if len(b.unsaved) <= maxUnsaved {
		return
	}
	b.log.Warn("log lines of steps are lost, for the store does not take them", "lines", len(b.unsaved), "error", err)
	b.unsaved = nil
}
