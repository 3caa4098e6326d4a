package source

import "encoding/json"

// Admit waits until a request may take about weight bytes of memory for the
// definitions that it reads next. The weight replaces what the request was
// granted before; 0 releases it. The error is fault.Unavailable server_busy when
// the wait was in vain. A nil Admit grants everything.
type Admit func(weight int64) error

// Hold calls a; where a is nil it returns nil.
func (a Admit) Hold(weight int64) error {
	if a == nil {
		return nil
	}
	return a(weight)
}

// Weights returns the sum of the weights of definitions, or other values, in
// JSON.
func Weights(texts ...json.RawMessage) int64 {
	sum := int64(0)
	for _, text := range texts {
		sum += Weight(text, JSON)
	}
	return sum
}

// Weight estimates how many bytes of memory it takes to read and validate a
// definition, or a request that carries one: more for each value than for its
// text. Values are counted by the marks that separate them, in one pass and
// without parsing, so marks inside of strings count too: the estimate is rather
// too high.
func Weight(text []byte, f Format) int64 {
	// The factors were measured: a tree takes about perByte bytes for each byte
	// of its text and perValue for each value; the YAML library's own tree, kept
	// beside ours while it is read, makes that inYAML times as much.
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
