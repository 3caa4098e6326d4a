package definitions

import regexp "heddle/internal/lazyregexp"

// Limits of a definition beside those of its text.
const (
	// Each is far beyond what definitions need; they bound the work of
	// validation and the memory of a run.
	MaxExpressionBytes = 4 << 10 // of one expression
	MaxSteps           = 10_000  // in all lists together
	MaxExpressions     = 50_000  // of all steps together; checking each costs time

	// MaxSeconds bounds every duration: a hundred years.
	MaxSeconds = 3_153_600_000
)

// PerformedByMachine reports whether the machine performs the type itself,
// without an attempt that anything outside of it takes part in. The catalog
// is not consulted about such types.
func PerformedByMachine(name string) bool {
	return name == "condition" || name == "loop" || name == "wait"
}

// IDPattern matches the id of a step: a letter or _ first, then letters,
// digits, _ and -, at most 64 characters in all.
var IDPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)

// PercentPattern matches a share such as "5%"; its first group is the number,
// which may exceed 100.
var PercentPattern = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?)%$`)
