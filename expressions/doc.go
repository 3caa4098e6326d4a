// Package expressions compiles and evaluates expr-lang expressions and the
// {{ }} templates in config, behind limits that no text can pass: nothing here
// can crash, hang or bloat the process. It is pure: no clock, no I/O, no
// randomness; the same text over the same scope gives the same value.
package expressions
