//go:build !linux

package steps

import (
	"context"
	"strconv"
)

// ScriptHelperMain must be the first thing that main does; see its Linux form.
func ScriptHelperMain() {}

func (r *scriptRunner) probe(context.Context) (isolation, error) {
	return isolation{}, notHere()
}

func (r *scriptRunner) execute(context.Context, isolation, string, program) (*ending, error) {
	return nil, notHere()
}

func notHere() error {
	return permanent("script_isolation_unavailable", "Scripts are refused: they can be confined and limited on Linux only.")
}

func signalName(n int) string { return strconv.Itoa(n) }
