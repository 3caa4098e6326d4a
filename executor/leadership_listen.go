package executor

import (
	"context"
)

// listen passes on what other nodes notify, as long as this one serves. Where it
// cannot hear them it tries again every second; polling finds what was missed.
func (l *leadership) listen(ctx context.Context) {
	for ctx.Err() == nil {
		if err := l.cfg.Store.Listen(ctx, l.heard); err != nil && ctx.Err() == nil {
			l.cfg.Log.Warn("other nodes are not heard; looking every second instead", "error", err)
		}
		sleep(ctx, pollEvery)
	}
}

// heard acts on a notice: the node that leads wants to know of work, the others of
// grown journals.
func (l *leadership) heard(n Notice) {
	if n.Work {
		l.dispatcher.queued()
		l.inbox.wake()
	}
	switch {
	case l.term.state().drives():
	case n.Runs == nil:
		l.cfg.Hub.WakeAll()
	default:
		for _, id := range n.Runs {
			l.cfg.Hub.Wake(id)
		}
	}
}
