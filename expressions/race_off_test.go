//go:build !race

package expressions

import "time"

// patience is what any bounded evaluation may take on a slow machine.
const patience = 5 * time.Second
