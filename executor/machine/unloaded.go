package machine

import (
	"heddle/events"
	"time"
)

// FailUnloaded returns the two events that end a run in state from as failed, after the
// event seq, without its journal: for a run that cannot be loaded without harm. A run
// restored from them has failed with that error, like one that Apply failed; compensations
// and handlers do not run. started is zero for a run that never began.
func FailUnloaded(runID string, from State, seq int64, started, now time.Time, err *Error) []events.Event {
	duration := int64(0)
	if !started.IsZero() {
		duration = max(now.Sub(started).Milliseconds(), 0)
	}
	event := func(seq int64, kind events.Kind, d *Detail) events.Event {
		return events.Event{RunID: runID, Seq: seq, Kind: kind, At: now.UTC(), Data: d.encode(nil, kind)}
	}
	return []events.Event{
		event(seq+1, events.StateChanged, &Detail{State: Failed, From: from}),
		event(seq+2, events.RunFailed, &Detail{Error: err, DurationMS: duration}),
	}
}
