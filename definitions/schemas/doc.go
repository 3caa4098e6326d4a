// Package schemas checks values against JSON Schemas (2020-12) that authors
// wrote. It loads nothing from outside, words what is wrong in the product's
// own words, and bounds the work of every check: a schema that could cost
// more is refused, or its check ends with an error. It quotes no part of a
// value, which may hold a secret.
//
// The checking itself is a library's. Around it stand:
//
//   - Checker, which compiles a schema once and is used by many goroutines;
//   - meter, which is called by the library at each subschema that it visits,
//     counts units of work and ends the check when they are used up
//     (meter.go);
//   - words for the library's failures (words.go) and for schemas that it
//     refuses (faults.go);
//   - defaults, which the library knows but does not put in (defaults.go).
//
// The bound is needed because a schema of a few kilobytes can cost minutes:
// alternatives that double at each level of references, patterns with nested
// repetitions, numbers with huge exponents. Limits of the schema's size bound
// the first visit of a value; the meter bounds their number.
//
// For example {"type": "object", "required": ["a"]} and the value {} make one
// issue, "the field 'a' is missing", with the pointer "".
//
// The package knows nothing of steps and definitions.
package schemas
