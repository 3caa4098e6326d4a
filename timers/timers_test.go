package timers_test

import (
	"fmt"
	"heddle/timers"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestEachIDComesOnceInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := time.UnixMilli(1_800_000_000_000)
		all := timers.New()
		earliest := map[string]time.Time{}
		for range rapid.IntRange(0, 200).Draw(t, "entries") {
			id := fmt.Sprint(rapid.IntRange(0, 40).Draw(t, "id"))
			at := base.Add(time.Duration(rapid.IntRange(0, 1000).Draw(t, "ms")) * time.Millisecond)
			old, known := earliest[id]
			switch rapid.IntRange(0, 8).Draw(t, "how") {
			case 0:
				all.Remove(id)
				delete(earliest, id)
			case 1, 2, 3:
				all.Set(id, at)
				earliest[id] = at
			default:
				all.SetIfEarlier(id, at)
				if !known || at.Before(old) {
					earliest[id] = at
				}
			}
		}
		now := base.Add(500 * time.Millisecond)
		var last time.Time
		for {
			ids, next := all.Pop(now, 3)
			for _, id := range ids {
				at, known := earliest[id]
				if !known || at.After(now) || at.Before(last) {
					t.Fatalf("%s due %v came at %v after %v", id, at, now, last)
				}
				last = at
				delete(earliest, id)
			}
			if len(ids) < 3 {
				if !next.IsZero() && !next.After(now) {
					t.Fatalf("next %v is due at %v", next, now)
				}
				break
			}
		}
		if all.Len() != len(earliest) {
			t.Fatalf("%d are left, want %d", all.Len(), len(earliest))
		}
		for id, at := range earliest {
			if !at.After(now) {
				t.Fatalf("%s due %v did not come", id, at)
			}
		}
	})
}

// Who sleeps until the earliest time is woken by an earlier one only.
func TestChangedTellsOfAnEarlierTime(t *testing.T) {
	base := time.UnixMilli(1_800_000_000_000)
	all := timers.New()
	told := func() bool {
		select {
		case <-all.Changed():
			return true
		default:
			return false
		}
	}
	for n, step := range []struct {
		id   string
		at   int
		want bool
	}{{"a", 5, true}, {"b", 6, false}, {"b", 4, true}, {"a", 5, false}, {"c", 1, true}} {
		all.SetIfEarlier(step.id, base.Add(time.Duration(step.at)*time.Second))
		if told() != step.want {
			t.Errorf("step %d: told %t, want %t", n, !step.want, step.want)
		}
	}
}

func BenchmarkTimers(b *testing.B) {
	base := time.UnixMilli(1_800_000_000_000)
	all := timers.New()
	for i := range b.N {
		all.SetIfEarlier(fmt.Sprint(i), base.Add(time.Duration(rand.IntN(1_000_000))*time.Millisecond))
		if i%4 == 3 {
			all.Pop(base.Add(time.Hour), 4)
		}
	}
}
