package definitions

import regexp "heddle/internal/lazyregexp"

// Limits of a definition beside those of its text.
const (
	MaxExpressionBytes = 4 << 10 // of one expression
	MaxSteps           = 10_000  // in all lists together
	MaxExpressions     = 50_000

	// MaxSeconds bounds every duration: a hundred years.
	MaxSeconds = 3_153_600_000
)

// PerformedByMachine tells whether the machine performs the type itself.
func PerformedByMachine(name string) bool {
	return name == "condition" || name == "loop" || name == "wait"
}

// IDPattern matches the id of a step.
var IDPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)

// PercentPattern matches a share such as "5%"; its first group is the number.
var PercentPattern = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?)%$`)
