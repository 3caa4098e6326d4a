package source

import "heddle/internal/exactjson"

// Limits of a source text, whatever it holds. Sizes are bytes.
const (
	MaxBytes       = 4 << 20            // of a definition's whole text
	MaxDepth       = exactjson.MaxDepth // of lists and objects within each other
	MaxStringBytes = 256 << 10          // of one decoded string or key
	MaxValues      = 500_000            // of all kinds in one text; beyond it reading ends

	// MaxDiagnostics are listed in all, and MaxPerCode of one code and severity;
	// of further problems only the number is reported. Cycles, whose number is
	// bounded by that of the steps, are listed up to MaxDiagnostics.
	MaxDiagnostics = 1_000
	MaxPerCode     = 100

	MaxMessage     = 2 << 10 // bytes of one message; a cycle names all its steps
	MaxPointer     = 2 << 10 // bytes; beyond it a diagnostic points at the nearest value around its place
	maxDiagnostics = 2 << 20 // bytes of all messages and pointers together
)

// Limits bounds what a scan accepts. Every field counts: 0 allows nothing.
type Limits struct {
	Bytes       int // of the whole text
	Depth       int // of lists and objects in each other
	StringBytes int // of one decoded string or key
	Values      int // in the whole text
	// Opaque names members of the top-level object whose content is checked for
	// syntax alone, because another reader checks it strictly afterwards.
	Opaque []string
}

// DefinitionLimits returns the limits of a definition's text.
func DefinitionLimits() Limits {
	return Limits{Bytes: MaxBytes, Depth: MaxDepth, StringBytes: MaxStringBytes, Values: MaxValues}
}

// RequestLimits returns the limits of any other request body: 1 MiB in all, of
// which one string may take the whole.
func RequestLimits() Limits {
	return Limits{Bytes: 1 << 20, Depth: MaxDepth, StringBytes: 1 << 20, Values: MaxValues}
}
