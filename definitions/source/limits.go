package source

// Limits of a source text, whatever it holds. Sizes are bytes.
const (
	MaxBytes       = 4 << 20
	MaxDepth       = 64
	MaxStringBytes = 256 << 10
	MaxValues      = 500_000

	// MaxDiagnostics are listed in all and MaxPerCode of one code; of further
	// problems only the number is given. Of cycles, whose number is bounded by
	// that of the steps, as many are listed as in all.
	MaxDiagnostics = 1_000
	MaxPerCode     = 100

	MaxMessage     = 2 << 10 // bytes of one message; a cycle names all its steps
	MaxPointer     = 2 << 10 // bytes; beyond it a diagnostic points at the nearest value around its place
	maxDiagnostics = 2 << 20 // bytes of all messages and pointers together

	MaxDigits   = 1000 // of a number
	MaxExponent = 1000 // of a number, in either direction
)

// Limits bounds what ScanJSON lets through.
type Limits struct {
	Bytes       int // of the whole text
	Depth       int // of lists and objects in each other
	StringBytes int // of one decoded string or key
	Values      int // in the whole text
	// Opaque names members of the top-level object whose content is checked
	// for syntax alone, because somebody else reads it strictly.
	Opaque []string
}

// DefinitionLimits are those of a definition.
func DefinitionLimits() Limits {
	return Limits{Bytes: MaxBytes, Depth: MaxDepth, StringBytes: MaxStringBytes, Values: MaxValues}
}

// RequestLimits are those of any other request body.
func RequestLimits() Limits {
	return Limits{Bytes: 1 << 20, Depth: MaxDepth, StringBytes: 1 << 20, Values: MaxValues}
}
