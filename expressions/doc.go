// Package expressions compiles and evaluates expr-lang expressions and the
// {{ }} templates in config, behind limits that no text can exceed: nothing here
// can crash, hang or bloat the process. It is pure: no clock, no randomness;
// the same text over the same scope yields the same value, or the same error.
//
// There are three ways in. Compile makes a Program, which is evaluated over a
// Scope. CompileTemplate makes a Template out of a JSON value whose strings hold
// expressions; it is rendered over a Scope. Check and CheckTemplate find what is
// wrong with a text before anything runs, given an Env that says what is known
// of the names in it. The package knows nothing of steps and runs but their
// names in a scope: who may read which step, and when, is the caller's concern.
//
// # From text to value
//
// An expression passes through these stages, each in files of its own:
//
//   - guard (limits.go) measures the text before the parser sees it.
//   - parse (parse.go) has the library build a syntax tree. What does not parse is
//     searched for words and signs of other languages (foreign.go), so that the
//     error says what to write instead.
//   - analysis (analyse.go) holds the tree against an allow-list, and gathers what
//     the expression reads.
//   - rewriter (rewrite.go) replaces every path, operator and function by a call of
//     ours, which is bounded. The library compiles what is left.
//   - evaluation (evaluation.go) is the state of one run: what is left of each
//     limit, and the values that were read.
//
// An expression that is nothing but a path skips the library: its hops are
// followed through the stored JSON (descend.go).
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
// A scope holds JSON; only what a text names is looked up, and only what is
// not handed through is decoded. A text that is nothing but a path yields the
// stored bytes. Whole numbers of 64 bits are int, numbers that a float64 holds
// as written are float64, any others keep their digits; comparisons are exact.
// A member that an object lacks is null, a member of null is an error; ?. and
// ?? work as in expr-lang. Whole numbers that leave 64 bits, and divisions by
// zero, are errors. Objects list their members in the order of their keys.
//
// # Errors
//
// All errors are *Error, with one of the Code constants, a message for the author
// and the column in the text as it was given. Messages name kinds and limits;
// where they quote a value they quote all of it or nothing, since redaction
// finds secrets as a whole only. The library's own messages are never shown.
//
// # Concurrency
//
// A Program, a Template and a Shape never change and may be used by any number
// of goroutines. An evaluation, a check and a Budget belong to one goroutine.
//
// # What differs from expr-lang
//
// The names of zones come from the time-zone database.
//
// There is no reduce, repeat, now, timezone or $env, and the only methods are
// those of times and durations. date takes RFC 3339, or a layout with a zone, or
// a layout and the name of a zone. string and join print null as nothing and
// objects as JSON. sortBy is stable.
package expressions
