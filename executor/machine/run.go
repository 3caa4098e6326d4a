package machine

import (
	"encoding/json"
	"time"
)

// Run is a run's whole state.
type Run struct {
	Header
	State       State
	Seq         int64
	StartedAt   time.Time
	CompletedAt time.Time
	Output      json.RawMessage
	Err         *Error
	Usage       Usage
}
