package bench

import (
	"context"
	"errors"
	"time"
)

// idleStreamsCase measures what streams cost on which nothing happens: the server's CPU time
// over two heartbeats, each of which writes to every stream and looks whether its run and
// its reader's right to see it are still there.
//
//	streams-idle  …% of a core for 5000 streams of 500 runs, over 30s: … a heartbeat
func idleStreamsCase(ctx context.Context, b *session) (err error) {
	const n, readers, span = 5000, 10, 30 * time.Second
	s, err := b.server(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	runs, err := s.startRuns(ctx, n/readers)
	if err != nil {
		return err
	}
	a := &audience{client: s.client, arrived: make(map[string]*arrival)}
	reading, stop := context.WithCancel(ctx)
	defer func() { stop(); a.wg.Wait() }()
	for i := range n {
		a.open(reading, runs[i%len(runs)])
		// In groups, since what opening them costs is not part of the figure.
		if (i+1)%100 == 0 {
			if err := a.ready(ctx, i+1); err != nil {
				return err
			}
		}
	}
	before, err := s.usage(ctx)
	if err != nil {
		return err
	}
	over := time.NewTimer(span)
	defer over.Stop()
	select {
	case <-over.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	after, err := s.usage(ctx)
	if err != nil {
		return err
	}
	spent := after.cpu - before.cpu
	b.printf("%-10s %.1f%% of a core for %d streams of %d runs, over %s: %s a heartbeat",
		"streams-idle", 100*spent.Seconds()/span.Seconds(), n, len(runs), span, spent/(2*n))
	return a.err()
}
