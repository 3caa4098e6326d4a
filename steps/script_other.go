//go:build !linux

package steps

import (
	"context"
	"strconv"
)

// probe finds no level: only Linux has the means.
func (r *scriptRunner) probe(context.Context) (isolation, error) {
	return isolation{}, notHere()
}

// execute runs nothing, whatever the mode.
func (r *scriptRunner) execute(context.Context, isolation, interpreter, program) (*ending, error) {
	return nil, notHere()
}

// notHere returns the permanent failure of scripts on other systems.
func notHere() error {
	return permanent("script_isolation_unavailable", "Scripts are refused: they can be confined and limited on Linux only.")
}

// signalName returns a signal's number in decimal.
func signalName(n int) string { return strconv.Itoa(n) }

// pythonAt returns the interpreter at a path.
func pythonAt(path string) interpreter { return interpreter{path: path} }

// cgroups is never used here; scriptRunner has a field of it.
type cgroups struct{}

// describeLimits describes, for operators, how scripts are limited: not at all, as none
// runs.
func (r *scriptRunner) describeLimits() string { return "scripts are refused" }
