//go:build !linux

package steps

import (
	"context"
	"strconv"
)

func (r *scriptRunner) probe(context.Context) (isolation, error) {
	return isolation{}, notHere()
}

func (r *scriptRunner) execute(context.Context, isolation, interpreter, program) (*ending, error) {
	return nil, notHere()
}

func notHere() error {
	return permanent("script_isolation_unavailable", "Scripts are refused: they can be confined and limited on Linux only.")
}

func signalName(n int) string { return strconv.Itoa(n) }

func pythonAt(path string) interpreter { return interpreter{path: path} }

type cgroups struct{}

func (r *scriptRunner) describeLimits() string { return "scripts are refused" }
