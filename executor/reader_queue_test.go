package executor_test

import "testing"

func TestAQueuedRunSaysHowItWaits(t *testing.T) {
	t.Parallel()
	g := newGate()
	s := newStack(t, g.run, slotsOf(1))
	wf, other := s.workflow(oneRequest), s.workflow(oneRequest)
	running := s.start(wf, `{"n":1}`)
	<-g.began
	s.start(other, `{"n":1}`)
	for i := range 3 {
		rec := s.start(wf, `{"n":1}`)
		view, err := s.svc.Get(t.Context(), tenant, rec.RunID)
		if err != nil || view.Queue == nil {
			t.Fatal(view.Queue, err)
		}
		if q := *view.Queue; q.Ahead != i || q.Limit != 1 || !q.Since.Equal(rec.CreatedAt) {
			t.Errorf("run %d: %+v", i, q)
		}
	}
	view, err := s.svc.Get(t.Context(), tenant, running.RunID)
	if err != nil || view.Queue != nil {
		t.Errorf("a running run waits: %+v, %v", view.Queue, err)
	}
}
