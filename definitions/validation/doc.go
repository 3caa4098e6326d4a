// Package validation finds what decoding cannot see: the graph of steps, their
// configs, the schemas inside, the expressions and what those can read. It reports
// every problem in one pass, errors before warnings, each in document order. It is
// pure: no clock, no I/O, and bounded work however large the definition is.
package validation
