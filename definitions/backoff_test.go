package definitions_test

import (
	"heddle/definitions"
	"math"
	"slices"
	"testing"
	"time"
)

func TestDelaysOfABackoff(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for growth, want := range map[string][]time.Duration{
		definitions.Fixed:       {s, s, s, s, s},
		definitions.Linear:      {s, 2 * s, 3 * s, 4 * s, 5 * s},
		definitions.Exponential: {s, 2 * s, 4 * s, 5 * s, 5 * s},
		"":                      {s, s, s, s, s},
	} {
		b := definitions.Backoff{Growth: growth, Delay: s, MaxDelay: 5 * s}
		var got []time.Duration
		for n := range 5 {
			got = append(got, b.After(n+1))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, not %v", growth, got, want)
		}
		for _, n := range []int{64, 1_100, math.MaxInt32} {
			if got := b.After(n); got < s || got > 5*s {
				t.Errorf("%q after %d attempts: %v", growth, n, got)
			}
		}
	}
	if got := (definitions.Backoff{Growth: definitions.Fixed, Delay: 7 * s, MaxDelay: 5 * s}).After(1); got != 5*s {
		t.Errorf("a delay over the maximum: %v", got)
	}
}
