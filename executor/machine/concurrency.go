package machine

import (
	"bytes"
	"encoding/json"
	"heddle/definitions"
	"heddle/fault"
)

// maxKeyBytes is how many bytes a concurrency key may have.
const maxKeyBytes = 1000

// Concurrency returns the limit of the definition that the run is on; nil: none. It must
// not be changed.
func (r *Run) Concurrency() *definitions.Concurrency { return r.plan.def.Concurrency }

// ConcurrencyKey renders the key by which the run counts against that limit, ""
// where there is none. It begins with '=', so that it is never empty where
// there is a limit. A key that cannot be rendered from the input, or is too
// long, is fault.Unacceptable concurrency_key.
func (r *Run) ConcurrencyKey() (string, error) {
	if r.Concurrency() == nil {
		return "", nil
	}
	if r.plan.key == nil {
		return "=", nil
	}
	raw, err := r.plan.key.Render(view{run: r, position: wholeRun})
	if err != nil {
		return "", fault.Wrap(err, fault.Unacceptable, "concurrency_key", "The workflow's concurrency.key cannot be rendered from this input: %s", err.Error())
	}
	raw = bytes.TrimSpace(raw)
	text := string(raw)
	if len(raw) > 0 && raw[0] == '"' {
		if err := json.Unmarshal(raw, &text); err != nil {
			return "", fault.Wrap(err, fault.Unacceptable, "concurrency_key", "The workflow's concurrency.key is not text.")
		}
	}
	if len(text) > maxKeyBytes {
		return "", fault.New(fault.Unacceptable, "concurrency_key", "The workflow's concurrency.key has %d bytes for this input; at most %d are allowed.", len(text), maxKeyBytes)
	}
	return "=" + text, nil
}
