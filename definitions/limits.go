package definitions

import "encoding/json"

// What a definition may be at the most. Sizes are bytes.
const (
	MaxBytes           = 4 << 20
	MaxDepth           = 64
	MaxStringBytes     = 256 << 10
	MaxExpressionBytes = 4 << 10
	MaxSteps           = 10_000 // in all lists together
	MaxValues          = 500_000
	MaxExpressions     = 50_000

	// MaxDiagnostics are listed in all and MaxPerCode of one code; of further
	// problems only the number is given. Of cycles, whose number is bounded by
	// that of the steps, as many are listed as in all.
	MaxDiagnostics = 1_000
	MaxPerCode     = 100

	maxMessage     = 2 << 10 // bytes of one message; a cycle names all its steps
	maxPointer     = 2 << 10 // bytes; beyond it a diagnostic points at what holds its place
	maxDiagnostics = 2 << 20 // bytes of all messages and pointers together

	maxDigits   = 1000
	maxExponent = 1000
	maxSeconds  = 3_153_600_000 // a hundred years
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

// Admit waits until a request may take about so many bytes of memory for the
// definitions that it reads next, in place of what it was let take before; 0
// gives that back. The error is fault.Unavailable server_busy when the wait was
// in vain. A nil Admit lets all in.
type Admit func(weight int64) error

// Hold is a call of a, which may be nil.
func (a Admit) Hold(weight int64) error {
	if a == nil {
		return nil
	}
	return a(weight)
}

// Weights is the sum of the weights of definitions, or other values, in JSON.
func Weights(texts ...json.RawMessage) int64 {
	sum := int64(0)
	for _, text := range texts {
		sum += Weight(text, JSON)
	}
	return sum
}

// Weight is about how many bytes of memory it takes to read and validate a
// definition, or a request that carries one: more for each value than for its
// text.
func Weight(text []byte, f Format) int64 {
	const perByte, perValue, inYAML = 8, 170, 3
	weight := int64(perByte * len(text))
	for _, c := range text {
		switch c {
		case ',', ':', '[', '{':
			weight += perValue
		case '\n', '-', '?':
			if f == YAML {
				weight += perValue
			}
		}
	}
	if f == YAML {
		weight *= inYAML
	}
	return weight
}
