package queue_test

import (
	"fmt"
	"heddle/executor/queue"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// model is what a queue is held against: the runs as they are stored, and how many turns
// others have had since each workflow began to wait or had its own.
type model struct {
	q      *queue.Queue
	stored map[queue.Workflow][]queue.Run // by start time
	clock  int64
	turns  map[queue.Workflow]map[queue.Workflow]int // of others of its tenant
	rounds map[string]map[string]int                 // of other tenants
}

const pageOfModel = 3

func (m *model) waits(tenant string) bool {
	for w, runs := range m.stored {
		if w.TenantID == tenant && len(runs) > 0 {
			return true
		}
	}
	return false
}

func (m *model) start(t *rapid.T) {
	w := queue.Workflow{
		TenantID: rapid.SampledFrom([]string{"t1", "t2", "t3"}).Draw(t, "tenant"),
		ID:       rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "workflow"),
	}
	if !m.waits(w.TenantID) {
		m.rounds[w.TenantID] = map[string]int{}
	}
	if len(m.stored[w]) == 0 {
		m.turns[w] = map[queue.Workflow]int{}
	}
	m.clock++
	r := queue.Run{ID: fmt.Sprintf("run_%04d", m.clock), Workflow: w, Class: queue.Queued, CreatedAt: time.UnixMilli(m.clock / 2)}
	m.stored[w] = append(m.stored[w], r)
	switch rapid.IntRange(0, 5).Draw(t, "how") {
	case 0: // another node stored it, and this one looked
		m.q.MarkStale(w)
	default:
		m.q.Offer(r)
	}
}

func (m *model) cancel(t *rapid.T) {
	for _, runs := range m.stored {
		if len(runs) > 1 {
			i := rapid.IntRange(0, len(runs)-1).Draw(t, "i")
			w := runs[i].Workflow
			m.q.Remove(runs[i].ID)
			m.stored[w] = slices.Delete(runs, i, i+1)
			return
		}
	}
}

// next begins a run, reading where it has to, and checks what the package promises.
func (m *model) next(t *rapid.T) {
	step := m.q.Next()
	for ; step.Read != nil; step = m.q.Next() {
		runs := m.stored[step.Read.Workflow]
		n := min(pageOfModel, len(runs))
		m.q.Fill(*step.Read, runs[:n], n == pageOfModel)
	}
	if step.Begin == nil {
		for w, runs := range m.stored {
			if len(runs) > 0 {
				t.Fatalf("nothing begins, and %s of %v waits", runs[0].ID, w)
			}
		}
		return
	}
	w := step.Begin.Workflow
	if first := m.stored[w][0]; first.ID != step.Begin.ID {
		t.Fatalf("%s begins before %s of the same workflow", step.Begin.ID, first.ID)
	}
	m.stored[w] = m.stored[w][1:]
	m.turns[w], m.rounds[w.TenantID] = map[queue.Workflow]int{}, map[string]int{}
	for other, runs := range m.stored {
		if other != w && other.TenantID == w.TenantID && len(runs) > 0 {
			if m.turns[other][w]++; m.turns[other][w] > 1 {
				t.Fatalf("%v had two turns while %v waited", w, other)
			}
		}
	}
	for tenant, others := range m.rounds {
		if tenant != w.TenantID && m.waits(tenant) {
			if others[w.TenantID]++; others[w.TenantID] > 1 {
				t.Fatalf("tenant %s had two turns while %s waited", w.TenantID, tenant)
			}
		}
	}
}

// TestNobodyWaitsForMoreThanOneRound: whatever comes, is cancelled or is left in the store,
// each workflow waits for one turn of each of the others at most, a workflow's runs begin in
// the order of their starts, and none is lost.
func TestNobodyWaitsForMoreThanOneRound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{
			q: queue.New(queue.Limits{
				PerWorkflow: rapid.IntRange(1, 6).Draw(t, "per workflow"),
				InAll:       rapid.IntRange(1, 12).Draw(t, "in all"),
			}),
			stored: map[queue.Workflow][]queue.Run{},
			turns:  map[queue.Workflow]map[queue.Workflow]int{},
			rounds: map[string]map[string]int{},
		}
		t.Repeat(map[string]func(*rapid.T){"start": m.start, "start2": m.start, "cancel": m.cancel, "next": m.next})
		for range m.clock + 1 {
			m.next(t)
		}
		if !m.q.Idle() || m.q.Len(queue.Queued) != 0 {
			t.Fatal("the queue is not idle at the end")
		}
	})
}
