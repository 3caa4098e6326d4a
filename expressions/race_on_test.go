//go:build race

package expressions

import "time"

// patience is what any bounded evaluation may take; the race detector slows
// matchers and walks about twentyfold.
const patience = 60 * time.Second
