package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// lossLogInterval is the shortest time between two log lines about lost spans.
const lossLogInterval = 30 * time.Second

// queue holds finished spans until its one goroutine (serve) has sent them. It is
// bounded by max spans; add drops what is beyond. maker and exporter belong to that
// goroutine, until it has ended and close shuts the exporter down.
type queue struct {
	max, batch int
	delay      time.Duration
	timeout    time.Duration
	log        *slog.Logger
	maker      *spanMaker
	exporter   sdktrace.SpanExporter

	mu      sync.Mutex // guards waiting, closed and count
	waiting []span
	closed  bool
	count   Stats

	batchReady  chan struct{}   // a batch is there; holds one signal
	closing     chan struct{}   // closed by close: serve sends the rest and ends
	sendContext context.Context //nolint:containedctx // ends when Close may wait no longer; no call's context
	cancelSends context.CancelCauseFunc
	done        chan struct{} // closed when serve has ended
}

// newQueue starts the goroutine that sends; close ends it.
func newQueue(cfg Config, exporter sdktrace.SpanExporter, res *resource.Resource) *queue {
	q := &queue{
		max: orDefault(cfg.Queue, 8192), batch: orDefault(cfg.Batch, 512),
		delay: orDefault(cfg.Delay, 5*time.Second), timeout: orDefault(cfg.Timeout, 30*time.Second),
		log: cfg.Log, maker: newMaker(res), exporter: exporter,
		batchReady: make(chan struct{}, 1), closing: make(chan struct{}), done: make(chan struct{}),
	}
	q.sendContext, q.cancelSends = context.WithCancelCause(context.Background())
	go q.serve()
	return q
}

// add queues spans, as many as there is room for, and counts the others as
// dropped. It never waits for a send.
func (q *queue) add(spans []span) {
	q.mu.Lock()
	defer q.mu.Unlock()
	room := q.max - len(q.waiting)
	if q.closed {
		room = 0
	}
	taken := min(room, len(spans))
	q.waiting = append(q.waiting, spans[:taken]...)
	q.count.Dropped += uint64(len(spans) - taken)
	if len(q.waiting) >= q.batch {
		select {
		case q.batchReady <- struct{}{}:
		default:
		}
	}
}

// stats returns what has become of the spans since the start.
func (q *queue) stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count
}

// take removes and returns at most one batch, the oldest first; the caller owns it.
func (q *queue) take() []span {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(q.batch, len(q.waiting))
	// The capacity is cut, so that what is added later does not overwrite the batch.
	batch := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	// Otherwise the array behind a queue that was full once would be kept.
	if len(q.waiting) == 0 {
		q.waiting = nil
	}
	return batch
}

// serve sends when a batch is there or the delay is over, until the queue is
// closed.
func (q *queue) serve() {
	defer close(q.done)
	tick := time.NewTicker(q.delay)
	defer tick.Stop()
	var told lost
	for {
		whole := false
		select {
		case <-q.batchReady:
			whole = true
		case <-tick.C:
		case <-q.closing:
			q.sendAll(false)
			return
		}
		q.sendAll(whole)
		told = q.logLosses(told)
	}
}

// sendAll sends what waits; with whole set, in whole batches only. It returns early
// when Close may wait no longer.
func (q *queue) sendAll(whole bool) {
	for q.sendContext.Err() == nil {
		q.mu.Lock()
		n := len(q.waiting)
		q.mu.Unlock()
		if n == 0 || whole && n < q.batch {
			return
		}
		q.send(q.take())
	}
}

// send exports a batch, retries included, and counts what became of it. A batch
// that failed is not sent again: the exporter has retried already.
func (q *queue) send(batch []span) {
	ctx, cancel := context.WithTimeout(q.sendContext, q.timeout)
	defer cancel()
	// Without the lock: a slow collector must not make add wait.
	err := q.exporter.ExportSpans(ctx, q.maker.make(batch))
	q.mu.Lock()
	defer q.mu.Unlock()
	if err == nil {
		q.count.Sent += uint64(len(batch))
		return
	}
	q.count.Failed += uint64(len(batch))
	q.log.Debug("spans were not sent", "spans", len(batch), "error", err)
}

// lost is what the log knows of, and since when.
type lost struct {
	dropped, failed uint64
	at              time.Time
}

// logLosses logs what was lost since it last did, at most once per lossLogInterval,
// and returns what the log knows from then on.
func (q *queue) logLosses(told lost) lost {
	s, now := q.stats(), time.Now()
	if s.Dropped == told.dropped && s.Failed == told.failed || now.Sub(told.at) < lossLogInterval {
		return told
	}
	q.log.Warn("spans were lost", "dropped", s.Dropped-told.dropped, "failed", s.Failed-told.failed)
	return lost{s.Dropped, s.Failed, now}
}

// close ends serve, which sends what waits until ctx ends, and shuts the exporter
// down. What is left is dropped and counted, and is an error. A second call waits
// for the first.
func (q *queue) close(ctx context.Context) error {
	q.mu.Lock()
	first := !q.closed
	q.closed = true
	q.mu.Unlock()
	if first {
		close(q.closing)
	}
	// A send that is under way ends with ctx, too.
	defer context.AfterFunc(ctx, func() { q.cancelSends(context.Cause(ctx)) })()
	<-q.done
	q.cancelSends(nil)
	q.mu.Lock()
	left := len(q.waiting)
	q.count.Dropped += uint64(left)
	q.waiting = nil
	q.mu.Unlock()
	// The exporter holds connections; it is shut down however the sends ended.
	err := q.exporter.Shutdown(context.WithoutCancel(ctx))
	if left > 0 {
		return fmt.Errorf("%d spans were not sent before the end", left)
	}
	return err
}
