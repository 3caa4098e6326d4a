package executor

import (
	"context"
)

// listen passes on what other nodes notify, until ctx ends, whether this node leads or not.
// Where it cannot hear them it tries again every second; polling finds what was missed.
func (l *leadership) listen(ctx context.Context) {
	for ctx.Err() == nil {
		if err := l.cfg.Store.Listen(ctx, l.heard); err != nil && ctx.Err() == nil {
			l.cfg.Log.Warn("other nodes are not heard; looking every second instead", "error", err)
		}
		sleep(ctx, pollEvery)
	}
}

// heard acts on a notice: a node that leads looks for work, any other wakes those who
// follow the runs here. The node that leads wakes its followers with each commit of its
// own.
func (l *leadership) heard(n Notice) {
	if n.Work {
		l.dispatcher.queued()
		l.inbox.wake()
	}
	switch {
	case l.term.state().drives():
		// What this node commits itself it has told; this is of runs that others started.
		for _, id := range n.Runs {
			l.cfg.Hub.Announce(id)
		}
	case n.Runs == nil:
		l.cfg.Hub.WakeAll()
	default:
		for _, id := range n.Runs {
			l.cfg.Hub.Wake(id)
		}
	}
}
