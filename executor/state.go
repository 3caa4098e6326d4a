package executor

import (
	"slices"
	"sync/atomic"
	"time"
)

// termState is what this node may do, from when it takes the executor's lease
// until it has given it up. docs/ARCHITECTURE.md has the table; transitions is
// the one place that says which state may follow which.
//
//	standby ─► recovering ─┬─► resuming ──► leading ─► draining ─► aborting ─► standby
//	                       └─► isolating ──► leading
//
// Each state from recovering to leading can also turn into draining.
type termState int32

const (
	// standby: another node has the lease, or none. Nothing is driven here. The
	// API answers; commands for runs are posted to the inbox.
	standby termState = iota
	// recovering: this node has the lease and reads which runs a dead process left
	// in flight. No run may begin: one that did would look like one of them.
	recovering
	// resuming: those runs are driven again. Commands are not taken yet, so that
	// each of them is given its recovery first.
	resuming
	// isolating: as leading, but only runs that are isolated begin attempts. A run
	// that is not recovered yet is recovered when a command reaches it, and its
	// attempts wait.
	isolating
	// leading: attempts begin and commands are taken.
	leading
	// draining: the lease is lost or the process stops. Nothing new begins; what
	// ends is still journalled.
	draining
	// aborting: nothing is journalled here. Attempts are cut off, and the node waits until
	// no goroutine of this term drives a run.
	aborting
)

// transitions lists the states that may follow each state.
var transitions = map[termState][]termState{
	standby:    {recovering},
	recovering: {resuming, isolating, draining},
	resuming:   {leading, draining},
	isolating:  {leading, draining},
	leading:    {draining},
	draining:   {aborting},
	aborting:   {standby},
}

// drives reports whether runs may begin attempts, as far as they have slots.
func (s termState) drives() bool { return s == resuming || s == isolating || s == leading }

// takesCommands reports whether commands for runs are applied on this node.
func (s termState) takesCommands() bool { return s == isolating || s == leading }

// journals reports whether a change of a run may be committed.
func (s termState) journals() bool { return s != standby && s != aborting }

// term is this node's lease and state. Every field is atomic and any goroutine may read
// them. The goroutine of leadership.serve changes them, with these exceptions: the one that
// isolates suspects enters leading, the one that renews the lease stores renewed, and
// serving is cleared when the context of Serve ends.
type term struct {
	current atomic.Int32 // a termState
	// epoch is that of the lease; 0: not held. It is set before the state becomes
	// recovering and cleared after the state has become standby. A commit that was decided
	// under one epoch is refused by the store under every other.
	epoch atomic.Int64
	// renewed is when the last renewal that succeeded was requested, by Config.Now;
	// nil: none was.
	renewed atomic.Pointer[time.Time]
	// serving: Serve was called and its context has not ended. Only then does this node
	// post commands to the inbox when it does not lead.
	serving atomic.Bool
	// ready is what Service.Ready reports of this node. It is apart from the state:
	// a standby that takes over stays ready while it recovers, and a node that has
	// just been started is not ready before it has found a leader or leads.
	ready atomic.Bool
}

// state returns the present state. It may have changed by the time the caller acts on it;
// what must not happen in the next state is fenced by the epoch or checked under a lock
// that aborting takes, too.
func (t *term) state() termState { return termState(t.current.Load()) }

// enter changes the state to next if the table of transitions allows it from the present
// one, and reports whether it did. Where two goroutines change it at once, the second is
// judged by the outcome of the first.
func (t *term) enter(next termState) bool {
	for {
		now := t.state()
		if !slices.Contains(transitions[now], next) {
			return false
		}
		if t.current.CompareAndSwap(int32(now), int32(next)) {
			return true
		}
	}
}

// String returns the state as people are shown it.
func (s termState) String() string {
	return [...]string{"standby", "recovering", "resuming", "isolating", "leading", "draining", "aborting"}[s]
}

// State returns what this node may do now, in the words of docs/ARCHITECTURE.md.
func (s *Service) State() string { return s.term.state().String() }

// Leading reports whether runs may begin attempts on this node: it holds the lease and is
// resuming, isolating or leading.
func (s *Service) Leading() bool { return s.term.state().drives() }
