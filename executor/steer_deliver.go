package executor

import (
	"context"
	"errors"
	"heddle/audit"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/fault"
	"time"
)

// deliverRetryDelay is how long Deliver pauses before it delivers again.
const deliverRetryDelay = 50 * time.Millisecond

// Deliver is Signal for callers that repeat a request when they do not learn its outcome
// and have no request id to make that safe. It repeats the delivery itself, under one
// request id, for Config.OutcomeWait. An error that leaves the outcome open is returned
// only when the journal cannot be read after that either. It goes on when the client
// disconnects. Errors: those of Signal.
func (s *Steering) Deliver(ctx context.Context, tenantID, runID string, sig machine.Signal) (SignalOutcome, error) {
	if sig.RequestID == "" {
		sig.RequestID = s.cfg.NewID("evt_")
	}
	ctx = context.WithoutCancel(ctx) // a client that disconnected may repeat the request
	patience, cancel := context.WithTimeout(ctx, s.cfg.OutcomeWait)
	defer cancel()
	for {
		out, err := s.Signal(ctx, tenantID, runID, sig)
		if err == nil || fault.KindOf(err) != fault.Unavailable && !errors.Is(err, ErrFenced) {
			return out, err
		}
		// The machine knows the request id, so a delivery that did arrive is not counted
		// twice.
		if sleep(patience, deliverRetryDelay) {
			continue
		}
		row, there := s.signalReceived(ctx, tenantID, runID, sig.RequestID)
		if there { // and so is the line in the audit trail
			audit.TrailFrom(ctx).MarkWritten()
			return SignalOutcome{Row: row}, nil
		}
		if errors.Is(err, ErrFenced) {
			err = notReady("The run is driven elsewhere by now; try again shortly.")
		}
		return out, err
	}
}

// signalReceived reports whether the journal holds a delivery with this request id, and
// returns the run's row. It reads all signals of the run. False also where the journal
// cannot be read.
func (s *Steering) signalReceived(ctx context.Context, tenantID, runID, requestID string) (Record, bool) {
	row, err := s.cfg.Store.Run(ctx, tenantID, runID)
	if err != nil {
		return row, false
	}
	there := false
	err = s.reader.EventsOfKind(ctx, tenantID, runID, events.SignalReceived, func(e events.Event) error {
		if there {
			return nil
		}
		d, err := machine.ReadDetail(e)
		there = d.RequestID == requestID
		return err
	})
	return row, there && err == nil
}
