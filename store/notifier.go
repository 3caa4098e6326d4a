package store

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// notifier tells other nodes what group commits on PostgreSQL have changed, after
// the commit and in transactions of its own: one that notifies holds a lock of the
// whole database while it commits, so that commits which did so themselves would
// flush one after another. The first change is sent at once, what comes meanwhile
// with the next. A change whose notification is lost, as with the process, is found
// by looking. It is safe for concurrent use; the zero value needs its pool.
type notifier struct {
	pool *pgxpool.Pool

	mu      sync.Mutex     // guards the fields below
	runs    []string       // whose journals have grown
	work    bool           // there is something for the node that drives runs
	sending bool           // a goroutine sends, and will see what is added
	sender  sync.WaitGroup // that goroutine
}

const (
	// notifyEvery is how far apart two notifications are at least.
	notifyEvery = 20 * time.Millisecond
	// notifyTimeout bounds one: it belongs to no caller.
	notifyTimeout = 5 * time.Second
)

// add notes runs that have changed, and whether there is work for the node that
// drives runs, and returns at once.
func (n *notifier) add(runs []string, work bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.runs, n.work = append(n.runs, runs...), n.work || work
	if !n.sending && (len(n.runs) > 0 || n.work) {
		n.sending = true
		n.sender.Go(n.send)
	}
}

// wait returns when what was added has been sent. Nothing may be added meanwhile.
func (n *notifier) wait() { n.sender.Wait() }

// send sends until nothing is left. What cannot be sent is dropped.
func (n *notifier) send() {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		<-pause.C
		n.mu.Lock()
		runs, work := n.runs, n.work
		n.runs, n.work = nil, false
		n.sending = len(runs) > 0 || work
		more := n.sending
		n.mu.Unlock()
		if !more {
			return
		}
		n.notify(runs, work)
		pause.Reset(notifyEvery)
	}
}

// notify sends one notification of each kind.
func (n *notifier) notify(runs []string, work bool) {
	ctx, cancel := context.WithTimeout(context.Background(), notifyTimeout)
	defer cancel()
	batch := &pgx.Batch{}
	batch.Queue("BEGIN")
	// A notification is nothing that must survive a crash.
	batch.Queue("SET LOCAL synchronous_commit = off")
	if len(runs) > 0 {
		batch.Queue("SELECT pg_notify($1, $2)", eventsChannel, runIDsPayload(runs))
	}
	if work {
		batch.Queue("SELECT pg_notify($1, '')", workChannel)
	}
	batch.Queue("COMMIT")
	_ = n.pool.SendBatch(ctx, batch).Close() // the other nodes look by themselves
}
