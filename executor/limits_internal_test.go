package executor

import (
	"context"
	"fmt"
	"heddle/definitions"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// model is what a concurrency group promises, in plain words: a run begins when
// fewer runs of its group have begun than its own limit, first come first
// served among those that could.
type model struct {
	begun, queue []string
	limit        map[string]int
}

func (m *model) arrive(id string, limit int) bool {
	m.limit[id] = limit
	if len(m.begun) < limit {
		m.begun = append(m.begun, id)
		return true
	}
	m.queue = append(m.queue, id)
	return false
}

func (m *model) leave(id string) (admitted []string) {
	is := func(other string) bool { return other == id }
	m.begun, m.queue = slices.DeleteFunc(m.begun, is), slices.DeleteFunc(m.queue, is)
	for i := 0; i < len(m.queue); {
		next := m.queue[i]
		if len(m.begun) >= m.limit[next] {
			i++
			continue
		}
		m.queue = slices.Delete(m.queue, i, i+1)
		m.begun = append(m.begun, next)
		admitted = append(admitted, next)
	}
	return admitted
}

// TestLimitsAreThoseOfEachRunsVersion holds the groups against the model, with
// runs of versions of different limits under one key.
func TestLimitsAreThoseOfEachRunsVersion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, g := newLimits(), group{"t", "wf", "=k"}
		m := &model{limit: map[string]int{}}
		n := 0
		t.Repeat(map[string]func(*rapid.T){
			"arrive": func(t *rapid.T) {
				n++
				id, limit := fmt.Sprintf("run_%04d", n), rapid.IntRange(1, 5).Draw(t, "limit")
				begins := l.admit(id, g, limit)
				if want := m.arrive(id, limit); begins != want {
					t.Fatalf("%s of limit %d begins: %v, want %v", id, limit, begins, want)
				}
				if !begins {
					if held, _ := l.enqueue(id, g, &definitions.Concurrency{Limit: limit}); !held {
						t.Fatalf("%s is not held", id)
					}
				}
			},
			"leave": func(t *rapid.T) {
				open := slices.Concat(m.begun, m.queue)
				if len(open) == 0 {
					t.Skip("the group has no member")
				}
				id := rapid.SampledFrom(open).Draw(t, "run")
				want := m.leave(id)
				l.remove(id)
				var got []string
				for next, _, ok := l.popAdmitted(); ok; next, _, ok = l.popAdmitted() {
					got = append(got, next)
				}
				if !slices.Equal(got, want) {
					t.Fatalf("after %s: %v were let in, want %v", id, got, want)
				}
			},
			"resumed on another version": func(t *rapid.T) {
				if len(m.queue) == 0 {
					t.Skip("no run waits")
				}
				// Only a limit that keeps it waiting: admit handles one that lets it in.
				id, limit := rapid.SampledFrom(m.queue).Draw(t, "run"), rapid.IntRange(1, 5).Draw(t, "limit")
				if limit > len(m.begun) {
					t.Skip("there is room for that")
				}
				m.limit[id] = limit
				if held, _ := l.enqueue(id, g, &definitions.Concurrency{Limit: limit}); !held {
					t.Fatalf("%s is not held", id)
				}
			},
			"": func(t *rapid.T) {
				if len(m.begun)+len(m.queue) == 0 && len(l.groups)+len(l.byRun) > 0 {
					t.Fatal("an empty group is remembered")
				}
				for _, id := range m.queue {
					if !l.isQueued(id) {
						t.Fatalf("%s does not wait", id)
					}
				}
			},
		})
	})
}

// What a start with reject sees of the store is what the node that drives runs
// would count.
func TestWhatIsStoredCountsAsItWillBegin(t *testing.T) {
	for _, c := range []struct {
		name string
		open []OpenCount
		want int
	}{
		{"none", nil, 0},
		{"begun runs count, whatever their limit", []OpenCount{{Version: 1, Begun: true, Count: 7}}, 7},
		{"queued ones as far as there is room", []OpenCount{{Version: 1, Count: 7}}, 1},
		{"and by their own limits", []OpenCount{{Version: 1, Begun: true, Count: 1}, {Version: 1, Count: 7}, {Version: 5, Count: 7}}, 5},
		{"not beyond what has begun", []OpenCount{{Version: 5, Begun: true, Count: 9}, {Version: 5, Count: 7}}, 9},
		{"without a limit all", []OpenCount{{Version: 0, Count: 7}}, 7},
	} {
		s := &Starter{cfg: &Config{Store: openRuns{open: c.open}}, plans: newPlanCache(nil, nil, 8)}
		for _, limit := range []int{0, 1, 5} {
			text := `{"name":"x","steps":[{"id":"a","type":"condition","config":{"expression":"true"}}]}`
			if limit > 0 {
				text = fmt.Sprintf(`{"name":"x","concurrency":{"limit":%d},"steps":[{"id":"a","type":"condition","config":{"expression":"true"}}]}`, limit)
			}
			p, err := compilePlan([]byte(text), nil)
			if err != nil {
				t.Fatal(err)
			}
			p.hash = fmt.Sprint(limit)
			s.plans.keep(p)
		}
		if got, err := s.countMembers(t.Context(), "wf", "=k"); got != c.want || err != nil {
			t.Errorf("%s: %d, want %d (%v)", c.name, got, c.want, err)
		}
	}
}

// openRuns is a store that knows the open runs of one group only. Versions
// stand for limits.
type openRuns struct {
	Store
	open []OpenCount
}

func (s openRuns) OpenByVersion(context.Context, string, string) ([]OpenCount, error) {
	list := slices.Clone(s.open)
	for i := range list {
		list[i].Hash = fmt.Sprint(list[i].Version)
	}
	return list, nil
}
