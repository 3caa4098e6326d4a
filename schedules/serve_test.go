package schedules_test

import (
	"context"
	"heddle/schedules"
	"sync"
	"testing"
	"time"
)

// serve runs a node's loop until the test ends.
func (n *node) serve() {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { n.svc.Serve(ctx) })
	n.t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}

// The loop fires by itself, also on a node that drives no runs: the one that
// drives them takes them from the queue.
func TestServeFires(t *testing.T) {
	for name, driving := range map[string]bool{"the node that drives": true, "another node": false} {
		t.Run(name, func(t *testing.T) {
			db, real := openSQLite(t), &clock{}
			leader := newNode(t, db, real, true)
			n := leader
			if !driving {
				n = newNode(t, db, real, false)
			}
			n.serve()
			w := n.workflow(quick)
			due := time.Now().Add(time.Second).Truncate(time.Second)
			s := n.create(w, schedules.Schedule{Expression: "@every 1h", StartsAt: due})
			eventually(t, "the run completes", func() bool {
				runs := n.runs(w)
				return len(runs) == 1 && runs[0].State.Terminal()
			})
			slot := n.slots(s.ID)[0]
			if late := slot.At.Sub(due); !slot.Due.Equal(due) || late < 0 {
				t.Errorf("%+v", slot)
			}
		})
	}
}
