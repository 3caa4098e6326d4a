package executor

import (
	"context"
	"encoding/json"
	"heddle/executor/machine"
	"heddle/fault"
	"time"
)

// Posted is a steering input on its way to the node that drives runs: durable, and not
// applied yet. Inputs of one run are taken in the order of their ids.
type Posted struct {
	ID       string // inp_…; rises with time, as far as the clocks of nodes agree
	TenantID string
	RunID    string
	// Kind and Data are an input as encodeInput encodes it.
	Kind string
	Data json.RawMessage
	// At is when it was posted.
	At time.Time
	// RequestID is that of a signal; "" where it has none, and for other inputs.
	RequestID string
}

// Taken says what became of a posted input: the run's state after it, whether it had an
// effect, or why it was refused.
type Taken struct {
	ID    string
	RunID string
	At    time.Time // when it was taken; PurgeTaken goes by it
	State machine.State
	// Effect: the input did something; false, without Refusal: the run was already
	// so.
	Effect  bool
	Refusal *fault.Error // nil: accepted
}

// Notice is a hint that came from another node: the journals of these runs have grown (nil:
// any may have), or there is work for the node that drives. A notice may be lost or come
// twice; what it is about is in the store.
type Notice struct {
	Runs []string
	Work bool
}

// InboxStore passes commands from nodes that do not lead to the one that does. A
// posted input is taken at most once: Commit with Commit.Taken takes it together
// with its effect, Settle where it has none.
type InboxStore interface {
	// Post stores an input and notifies the other nodes. Where one of the same run
	// and request id is there and not taken yet nothing is stored, and earlier is
	// its id.
	Post(ctx context.Context, p Posted) (earlier string, err error)
	// Untaken lists inputs with an id beyond after, oldest first.
	Untaken(ctx context.Context, after string, limit int) ([]Posted, error)
	// Withdraw removes an input that is not taken yet; false: it was taken.
	Withdraw(ctx context.Context, id string) (bool, error)
	// Outcome says what became of an input; nil: nothing yet.
	Outcome(ctx context.Context, id string) (*Taken, error)
	// Settle takes inputs that changed nothing. ErrFenced: the epoch is old.
	// One that was taken before keeps its outcome.
	Settle(ctx context.Context, epoch int64, list []Taken) error
	// PurgeTaken removes inputs that were taken before a moment.
	PurgeTaken(ctx context.Context, before time.Time) error
	// Listen calls heard for what other nodes tell, until ctx ends (nil) or it
	// can no longer hear. The first call comes once it hears, because what
	// was told before was missed.
	Listen(ctx context.Context, heard func(Notice)) error
}
