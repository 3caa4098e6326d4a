// Package advice knows how other products, and people, write what Heddle
// writes differently: words for fields and values, whole formats, and the
// mistakes that values of another type stand for. It words diagnostics with
// what to write instead; it decides nothing about soundness.
//
// Its knowledge is in tables: fields by the object that they stand in
// (words.go), values and step types (values.go), files of other products by
// marks that they have (formats.go), and examples of what a field holds
// (examples.go). The rest looks words up and puts what was written into the
// advice.
//
// Lookups go from the certain to the likely: the same letters in another
// convention (dependsOn for depends_on), then a word of the tables (needs),
// and only then a name that differs in a few letters. Advice is given only
// where the object has room for it: a name that is there already is never
// suggested as missing.
//
// For example "retries: 3" in a step is reported as an unknown field with the
// advice "Write retry: {max_attempts: 4}; the first attempt counts too".
//
// The tables never change and may be read concurrently.
package advice
