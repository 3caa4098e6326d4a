package executor

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/audit"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/internal/exactjson"
)

// inputData holds the fields of every input that can be posted; each kind uses some of
// them. Rows are read by other processes, maybe of a newer version, so a name keeps its
// meaning.
type inputData struct {
	Reason    string              `json:"reason,omitempty"`
	Name      string              `json:"name,omitempty"`
	RequestID string              `json:"request_id,omitempty"`
	Payload   string              `json:"payload,omitempty"` // the JSON text, so that it stays as it is
	Key       string              `json:"key,omitempty"`     // of a signal or a resume
	FromStep  string              `json:"from_step,omitempty"`
	Redrive   string              `json:"redrive,omitempty"`
	After     int64               `json:"after,omitempty"`   // of a resume
	Version   int                 `json:"version,omitempty"` // of a resume on another version, with Hash
	Hash      string              `json:"hash,omitempty"`
	IfPaused  bool                `json:"if_paused,omitempty"`
	With      *Commit             `json:"with,omitempty"` // of a restart: the insertion of the new run
	By        machine.Attribution `json:"by,omitzero"`
	// Audit is what the request adds to the audit trail with what it does.
	Audit []audit.Entry `json:"audit,omitempty"`
}

// encodeInput returns the kind and the JSON of an input for the inbox; posted is false for
// inputs that are never posted, which are those of the executor itself, and for what cannot
// be encoded. lines are kept with it for the audit trail. A plan is not encoded, but named
// by its version and hash.
func encodeInput(in machine.Input, lines []audit.Entry) (kind string, data json.RawMessage, posted bool) {
	var d inputData
	switch in := in.(type) {
	case machine.Cancel:
		kind, d = "cancel", inputData{Reason: in.Reason, By: in.By}
	case machine.Terminate:
		kind, d = "terminate", inputData{Reason: in.Reason, By: in.By}
	case machine.Pause:
		kind, d = "pause", inputData{By: in.By}
	case machine.Signal:
		kind, d = "signal", inputData{Name: in.Name, RequestID: in.RequestID, Payload: string(in.Payload), By: in.By, Key: in.Key}
	case machine.Resume:
		kind, d = "resume", inputData{FromStep: in.FromStep, Redrive: in.Redrive, IfPaused: in.IfPaused, After: in.After, Key: in.Key, By: in.By}
		if in.Plan != nil {
			d.Version, d.Hash = in.Version, in.Hash
		}
	default:
		return "", nil, false
	}
	d.Audit = lines
	data, err := exactjson.Encode(d)
	return kind, data, err == nil
}

// decodePosted reads a posted input back, and the lines that it adds to the audit trail.
// Errors: text that is not JSON, those of decodeInput.
func (b *inbox) decodePosted(ctx context.Context, p Posted) (machine.Input, []audit.Entry, error) {
	var d inputData
	if err := json.Unmarshal(p.Data, &d); err != nil {
		return nil, nil, fmt.Errorf("read the input %s: %w", p.ID, err)
	}
	in, err := b.decodeInput(ctx, p, d)
	return in, d.Audit, err
}

// decodeInput makes the input of one kind; a restart is a Terminate. An unknown kind is
// fault.Internal unknown_input. Other errors: those of decodeResume.
func (b *inbox) decodeInput(ctx context.Context, p Posted, d inputData) (machine.Input, error) {
	switch p.Kind {
	case "cancel":
		return machine.Cancel{Reason: d.Reason, By: d.By}, nil
	case "terminate", kindRestart:
		return machine.Terminate{Reason: d.Reason, By: d.By}, nil
	case "pause":
		return machine.Pause{By: d.By}, nil
	case "signal":
		sig := machine.Signal{Name: d.Name, RequestID: d.RequestID, By: d.By, Key: d.Key}
		if d.Payload != "" {
			sig.Payload = json.RawMessage(d.Payload)
		}
		return sig, nil
	case "resume":
		return b.decodeResume(ctx, p, d)
	}
	return nil, fault.New(fault.Internal, "unknown_input", "This node does not know the input %q; nodes of one database run one version.", p.Kind)
}

// decodeResume reads a Resume back. The plan of another version is compiled again, because
// the inbox holds only its version and hash. Errors: those of the store and of
// planCache.get.
func (b *inbox) decodeResume(ctx context.Context, p Posted, d inputData) (machine.Input, error) {
	in := machine.Resume{FromStep: d.FromStep, Redrive: d.Redrive, IfPaused: d.IfPaused, After: d.After, Key: d.Key, By: d.By}
	if d.Hash == "" {
		return in, nil
	}
	row, err := b.cfg.Store.Run(ctx, p.TenantID, p.RunID)
	if err != nil {
		return nil, err
	}
	c, err := b.plans.get(ctx, row.WorkflowID, d.Version, d.Hash)
	if err != nil {
		return nil, err
	}
	in.Plan, in.Version, in.Hash = c.plan, d.Version, d.Hash
	return in, nil
}
