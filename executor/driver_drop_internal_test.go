package executor

import (
	"context"
	"encoding/json"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/fault"
	"testing"
	"time"
)

// The ends of attempts among messages that are dropped are kept for the run's
// next driver, and their blobs are left to the sweep, whether the run could not
// be driven on or not be loaded.
func TestDroppedMessagesLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	end := machine.StepEnded{Ref: machine.Ref{StepID: "a"}, Attempt: 1, Output: json.RawMessage(`1`)}
	batch := func() []message {
		return []message{{input: machine.Tick{}, successor: &Commit{}}, {input: end}, {input: end, blob: "blob_1"}}
	}
	for name, drop := range map[string]func(*Service, *activeRun, []message) bool{
		"the first batch fails": func(s *Service, a *activeRun, m []message) bool { return s.driver.runAll(a, m) },
		"the run is not loaded": func(s *Service, a *activeRun, m []message) bool { return s.driver.load(a, m) },
	} {
		s := New(Config{Store: noJournal{}, Hub: events.NewHub(), Now: time.Now})
		s.driver.values.unreferenced["blob_1"] = unreferencedBlob{runID: "run_1", size: 5}
		a := &activeRun{id: "run_1", epoch: 7}
		if drop(s, a, batch()) {
			t.Errorf("%s: the run goes on", name)
		}
		if kept := s.registry.results.ends["run_1"]; len(kept) != 1 || kept[0].Ref != end.Ref {
			t.Errorf("%s: kept %+v, want the end without a blob", name, kept)
		}
		if n := len(s.driver.values.unreferenced); n != 0 {
			t.Errorf("%s: %d blobs are spared by the sweep", name, n)
		}
		s.Close()
	}
}

// noJournal is a store that cannot read a journal.
type noJournal struct{ Store }

func (noJournal) Journal(context.Context, string) (Journal, error) {
	return Journal{}, fault.New(fault.Internal, "internal", "The journal is damaged.")
}

// unreadableBlobs cannot be read; it calls enough at the third look.
type unreadableBlobs struct {
	BlobStore
	looks  int
	enough func()
}

func (u *unreadableBlobs) BlobChunk(context.Context, string, int64) ([]byte, error) {
	if u.looks++; u.looks == 3 {
		u.enough()
	}
	return nil, fault.New(fault.Unavailable, "store_unavailable", "away")
}

// A node that stands by waits for no large value any more.
func TestALargeValueIsNotWaitedForAfterAStop(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	u := &unreadableBlobs{enough: cancel}
	s := New(Config{Hub: events.NewHub(), Now: time.Now, Values: Values{Blobs: u}})
	defer s.Close()
	if _, err := s.driver.values.read(ctx, machine.BlobRef{ID: "blob_1", Size: 1}); err == nil || u.looks != 1 {
		t.Errorf("%v after %d looks, want one", err, u.looks)
	}
}
