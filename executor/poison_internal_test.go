package executor

import (
	"testing"
	"time"
)

func TestSuspectsDoNotKeepTheOthersWaitingForLong(t *testing.T) {
	for _, c := range []struct {
		crashes, many int
		want          time.Duration
	}{
		{2, 1, time.Second},
		{3, 1, 2 * time.Second},
		{2, 20, time.Second},
		{2, 1000, 20 * time.Millisecond},
		{5, 1000, 160 * time.Millisecond},
		{1000, 1, 5 * time.Minute},
	} {
		if got := (Suspect{Crashes: c.crashes}).patience(c.many); got != c.want {
			t.Errorf("%d crashes, %d suspects: %v, want %v", c.crashes, c.many, got, c.want)
		}
	}
}
