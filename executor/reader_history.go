package executor

import (
	"bytes"
	"context"
	"encoding/json"
	"heddle/events"
	"heddle/executor/machine"
	"time"
)

// historyPage is how many events are read at once.
const historyPage = 1000

// walk passes the events of a run's journal after seq to visit, in order, until the end
// that it had when it was called, or the first error, and returns the row of that moment.
// It holds one page of events at a time.
func (s *Reader) walk(ctx context.Context, tenantID, runID string, after int64, visit func(events.Event) error) (Record, error) {
	row, err := s.cfg.Store.Run(ctx, tenantID, runID)
	if err != nil {
		return row, err
	}
	for after < row.Seq {
		batch, err := s.cfg.Store.Events(ctx, runID, after, historyPage)
		if err != nil || len(batch) == 0 {
			return row, err
		}
		for _, e := range batch {
			if after = e.Seq; after > row.Seq {
				break
			}
			if err := visit(e); err != nil {
				return row, err
			}
		}
	}
	return row, nil
}

// toolCallsWithin is the length of a journal in which a read of the run looks
// for the tool calls of its agents; of longer ones the history has them.
const toolCallsWithin = 10_000

// withToolCalls adds to the agents among a run's steps which tools their attempts called,
// in order, as the journal has them. Without agents, or in a journal longer than
// toolCallsWithin, nothing is read and none are added.
func (s *Reader) withToolCalls(ctx context.Context, row Record, steps []machine.StepRun) error {
	agents := make(map[string]*machine.StepRun)
	for i := range steps {
		if steps[i].Usage.Tokens > 0 && s.cfg.Traits(steps[i].Type).AgentField != "" {
			agents[steps[i].StepID] = &steps[i]
		}
	}
	if len(agents) == 0 || row.Seq > toolCallsWithin {
		return nil
	}
	calls := make(map[string][]json.RawMessage)
	_, err := s.walk(ctx, row.TenantID, row.RunID, 0, func(e events.Event) error {
		if agents[e.StepID] == nil || !bytes.Contains(e.Data, []byte(`"tool_calls"`)) {
			return nil
		}
		d, err := machine.ReadDetail(e)
		var list []json.RawMessage
		if err == nil && len(d.ToolCalls) > 0 && json.Unmarshal(d.ToolCalls, &list) == nil {
			calls[e.StepID] = append(calls[e.StepID], list...)
		}
		return err
	})
	for id, list := range calls {
		agents[id].Usage.ToolCalls, _ = json.Marshal(list) // what was decoded encodes
	}
	return err
}

// UsageQuery selects the runs of one workflow that were created from From up to
// before To.
type UsageQuery struct {
	TenantID   string
	WorkflowID string
	From, To   time.Time
}

// UsageSum is what those runs consumed.
type UsageSum struct {
	Runs         int64
	Tokens       int64
	CostMicroUSD int64
}

// Usage sums what a workflow's runs consumed. Deleted runs do not count.
func (s *Reader) Usage(ctx context.Context, q UsageQuery) (UsageSum, error) {
	return s.cfg.Store.Usage(ctx, q)
}
