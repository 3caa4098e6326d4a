// Package expressions compiles and evaluates expr-lang expressions and the
// {{ }} templates in config, behind limits that no text can pass: nothing here
// can crash, hang or bloat the process. It is pure: no clock, no randomness;
// the same text over the same scope gives the same value, or the same error.
//
// # How it is bounded
//
// A text is measured before the parser sees it (size, brackets, prefix
// operators), and its syntax tree is held against an allow-list. Then the tree
// is rewritten: every operator and function that could walk, compare or build
// something becomes a call of ours, which is paid for in fuel (elements
// visited, bytes read) and in bytes built. A list is paid for when a predicate
// opens it, so nested predicates end at the same point every time. There are
// no watchdogs and no deadlines. The constants Max… are the limits.
//
// # Values
//
// A scope gives JSON; only what a text names is looked up, and only what is
// not handed through is decoded. A text that is nothing but a path gives the
// stored bytes. Whole numbers of 64 bits are int, numbers that a float64 holds
// as written are float64, any others keep their digits; comparisons are exact.
// A member that an object lacks is null, a member of null is an error; ?. and
// ?? work as in expr-lang. Whole numbers that leave 64 bits, and divisions by
// zero, are errors. Objects list their members in the order of their keys.
//
// # What differs from expr-lang
//
// The names of zones come from the time-zone database.
//
// There is no reduce, repeat, now, timezone or $env, and methods of times and
// durations alone. date takes RFC 3339, or a layout with a zone, or a layout
// and the name of a zone. string and join print null as nothing and objects as
// JSON. sortBy is stable.
package expressions
