package telemetry

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"heddle/executor"
	"heddle/executor/machine"
	"strconv"

	"go.opentelemetry.io/otel/trace"
)

// traceContext is where a run stands in a trace: the trace, and the caller's span. It
// follows from what the run's start carried, so it is never stored.
type traceContext struct {
	trace      trace.TraceID
	callerSpan trace.SpanID // zero: the trace has no caller
	flags      trace.TraceFlags
	state      trace.TraceState
}

// traceContextOf reads what the run's start carried, in the form of W3C Trace
// Context: version, trace id, span id and flags, of which the version is not looked
// at. Without a caller, or where that cannot be read, the trace is the run's own,
// and its id is always the same.
func traceContextOf(runID string, t executor.Trace) traceContext {
	var p traceContext
	// "00-<32 digits>-<16 digits>-<2 digits>"; later versions may have more behind it.
	if len(t.Parent) >= 55 {
		id, err := trace.TraceIDFromHex(t.Parent[3:35])
		span, spanErr := trace.SpanIDFromHex(t.Parent[36:52])
		flags, flagsErr := hex.DecodeString(t.Parent[53:55])
		if err == nil && spanErr == nil && flagsErr == nil {
			p.trace, p.callerSpan, p.flags = id, span, trace.TraceFlags(flags[0])
			p.state, _ = trace.ParseTraceState(t.State) // an invalid one is left out, as the standard says
			return p
		}
	}
	sum := sha256.Sum256([]byte("trace/" + runID))
	copy(p.trace[:], sum[:])
	return p
}

// spanID derives an id from what identifies a span: the same at every time and
// in every process. Each part is preceded by its length, so that "a", "bc" and "ab",
// "c" differ.
func spanID(parts ...string) trace.SpanID {
	var buf []byte
	for _, part := range parts {
		buf = binary.AppendUvarint(buf, uint64(len(part)))
		buf = append(buf, part...)
	}
	sum := sha256.Sum256(buf)
	return trace.SpanID(sum[:8])
}

// runSpan returns the id of the span of one life of a run; the first is 0. A run has
// a span for each of its lives, of which a resume after the end begins another.
func runSpan(runID string, life int) trace.SpanID {
	return spanID("run", runID, strconv.Itoa(life))
}

// stepSpan returns the id of a step's span. seq is that of the step's first event, by
// which the times that the step ran differ.
func stepSpan(runID string, seq int64) trace.SpanID {
	return spanID("step", runID, strconv.FormatInt(seq, 10))
}

// attemptSpan returns the id of an attempt's span. A number is used once at one
// position of a run.
func attemptSpan(runID string, ref machine.Ref, attempt int) trace.SpanID {
	return spanID("attempt", runID, ref.StepID, ref.Iteration, strconv.Itoa(attempt))
}
