package source

import "encoding/json"

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

// Format is the notation of a definition's source text.
type Format string

// The notations that Parse reads.
const (
	JSON Format = "json"
	YAML Format = "yaml"
)
