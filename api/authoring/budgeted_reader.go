package authoring

import (
	"bytes"
	"context"
	"errors"
	"heddle/api/core"
	"heddle/fault"
	"io"
)

// The memory of imports. It is apart from that of definitions, which are read at once: a line
// takes as long as its client.
const (
	// LineMemory is how many bytes the long lines of all imports at this process may have been
	// read into at a time.
	LineMemory = 256 << 20
	// shortLine is how much of a line needs no memory from the budget, and in which steps more is
	// reserved: most lines need none, so that the budget is not theirs to wait for.
	shortLine = 1 << 20
)

// budgetedReader reads lines, and waits for memory before it reads more of a long one. What it
// holds is released at each line's end and by release. It is used by one goroutine. A line of 3.5
// MiB reserves 1 MiB after the first, the second and the third MiB; so a client that sends half a
// line and stalls holds what it has sent, and no more.
type budgetedReader struct {
	r      io.Reader
	memory *core.MemoryBudget
	ctx    context.Context //nolint:containedctx // io.Reader has no place for it
	line   int64           // bytes of the line that has not ended
	held   int64           // bytes reserved for it, a multiple of shortLine
	err    error           // the refusal of the budget, nil: none
}

// Read reads the next bytes, at most 1 MiB. The error is fault.Unavailable server_busy when there
// was no memory for the line.
func (m *budgetedReader) Read(p []byte) (int, error) {
	// Before the read, so that nothing is read for which there is no memory.
	for m.line >= m.held+shortLine {
		if _, m.err = m.memory.Reserve(m.ctx, shortLine); m.err != nil {
			return 0, m.err
		}
		m.held += shortLine
	}
	n, err := m.r.Read(p[:min(len(p), shortLine)])
	if end := bytes.LastIndexByte(p[:n], '\n'); end >= 0 {
		// What came behind the line's end is the beginning of the next one.
		m.release()
		m.line = int64(n - end - 1)
		return n, err
	}
	m.line += int64(n)
	return n, err
}

// refusal returns why an import ended with err: where the memory ran out, err is about the half
// line that was read, and the refusal takes its place, with the line's number.
func (m *budgetedReader) refusal(err error) error {
	var f, busy *fault.Error
	if !errors.As(m.err, &busy) || !errors.As(err, &f) {
		return err
	}
	return busy.With("line", f.Details["line"])
}

// release releases what is reserved. It may be called more than once.
func (m *budgetedReader) release() {
	if m.held > 0 {
		m.memory.Release(m.held)
	}
	m.held = 0
}
