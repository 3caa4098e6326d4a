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
	// aborting: nothing is journalled here any more. Attempts are cut off, and the
	// node waits until no goroutine of this term drives a run.
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

// term is this node's lease and state. Only the goroutine of leadership.serve and
// the one that isolates suspects change them; any goroutine may read them.
type term struct {
	current atomic.Int32 // a termState
	// epoch is that of the lease; 0: not held. A commit that was decided under one
	// epoch is refused by the store under every other.
	epoch atomic.Int64
	// renewed is when the last renewal that succeeded was requested, by Config.Now;
	// nil: none was.
	renewed atomic.Pointer[time.Time]
	// serving: Serve was called and its context has not ended.
	serving atomic.Bool
	// ready is what Service.Ready reports of this node. It is apart from the state:
	// a standby that takes over stays ready while it recovers, and a node that has
	// just been started is not ready before it has found a leader or leads.
	ready atomic.Bool
}

// state returns the present state.
func (t *term) state() termState { return termState(t.current.Load()) }

// enter changes the state, and reports whether the present one allows that. Where
// two goroutines want to change it at once, the second is judged by the outcome of
// the first.
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

// Leading reports whether this node drives runs.
func (s *Service) Leading() bool { return s.term.state().drives() }
