package definitions

import (
	"math"
	"time"
)

// The growths of a Backoff, as retry.backoff names them.
const (
	Fixed       = "fixed"
	Linear      = "linear"
	Exponential = "exponential"
)

// Backoff is how the delays between the attempts of one thing grow. It is the one place that
// computes them, for steps and for what the service itself repeats.
type Backoff struct {
	Growth   string // Fixed, Linear or Exponential; any other is Fixed
	Delay    time.Duration
	MaxDelay time.Duration
}

// After returns the delay after the n-th failed attempt, n from 1: Delay (fixed), Delay * n
// (linear) or Delay * 2^(n-1) (exponential), at most MaxDelay. It does not overflow.
//
// With a Delay of 1 s and a MaxDelay of 5 s, the delays after failures 1 to 4 are
//
//	fixed        1 s  1 s  1 s  1 s
//	linear       1 s  2 s  3 s  4 s
//	exponential  1 s  2 s  4 s  5 s
func (b Backoff) After(n int) time.Duration {
	// In float64, because the product may exceed what a Duration holds; MaxDelay brings it
	// back.
	d := float64(b.Delay)
	switch b.Growth {
	case Linear:
		d *= float64(n)
	case Exponential:
		d *= math.Pow(2, float64(n-1))
	}
	return time.Duration(min(d, float64(b.MaxDelay)))
}
