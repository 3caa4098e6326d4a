// Package validation finds what decoding cannot see: the graph of steps,
// their configs, the schemas inside, the expressions and what those can read.
// It reports every problem in one pass, errors before warnings, each in
// document order. It is pure: no clock, no I/O, and bounded work however
// large the definition is.
//
// A pass lists all steps of all lists as entries of one graph and
// then checks, in this order, since each check uses what the ones before have
// found:
//
//   - ids, depends_on and fallback_step, which become the edges of the graph;
//   - its strongly connected components: cycles, and steps that can never
//     start;
//   - the fields of a step that only together can be wrong (settings, retry,
//     handlers);
//   - types and configs, against the schemas and the checks of the catalog;
//   - the JSON Schemas inside, which are compiled as a run would compile
//     them;
//   - expressions and templates, each against what can be read at its place.
//
// What an expression can read follows from the graph alone: outputs of
// ancestors in its list and of what is around its loop, for a handler those
// of the main steps as well. Their types come from output_schema or from the
// catalog, and where neither is known every use is accepted.
//
// Bounds: steps, expressions, subschemas, instructions of patterns, members
// of types looked at, names compared for suggestions, and edges looked at in
// search of short cycles. A bound that is reached is reported as
// limit_exceeded, or costs a suggestion.
package validation
