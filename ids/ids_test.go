package ids_test

import (
	"heddle/ids"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestFormAndTime(t *testing.T) {
	at := time.UnixMilli(0x0192a3b4c5d6)
	id := ids.New(func() time.Time { return at }).New("wf_")
	if !regexp.MustCompile(`^wf_0192a3b4c5d6[0-9a-f]{12}$`).MatchString(id) {
		t.Fatalf("id %q does not start with its milliseconds", id)
	}
}

func TestRisesWhateverTheClockDoes(t *testing.T) {
	at := time.UnixMilli(1_800_000_000_000)
	m := ids.New(func() time.Time { return at })
	last := m.New("")
	for i := range 200_000 { // more than the counter holds in one millisecond
		if i == 100_000 {
			at = at.Add(-time.Hour)
		}
		id := m.New("")
		if id <= last {
			t.Fatalf("id %d: %s is not greater than %s", i, id, last)
		}
		last = id
	}
}

func TestUniqueUnderConcurrency(t *testing.T) {
	m := ids.New(time.Now)
	var mu sync.Mutex
	var all []string
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			mine := make([]string, 1000)
			for i := range mine {
				mine[i] = m.New("run_")[:20] // without the random part
			}
			if !slices.IsSorted(mine) {
				t.Error("ids of one goroutine do not rise")
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, mine...)
		})
	}
	wg.Wait()
	slices.Sort(all)
	if got := len(slices.Compact(all)); got != 4000 {
		t.Fatalf("%d distinct ids of 4000", got)
	}
}

func TestPlain(t *testing.T) {
	for s, want := range map[string]bool{
		"0192a3b4c5d6e7f800112233":  true,
		"0192A3B4C5D6E7F800112233":  false,
		"0192a3b4c5d6e7f80011223":   false,
		"0192a3b4c5d6e7f8001122334": false,
		"":                          false,
	} {
		if ids.IsBareID(s) != want {
			t.Errorf("Plain(%q) = %v", s, !want)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	m := ids.New(time.Now)
	for b.Loop() {
		m.New("run_")
	}
}
