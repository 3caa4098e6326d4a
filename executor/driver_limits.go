package executor

import (
	"heddle/executor/machine"
	"slices"
)

// enforceLimit drops the Begin of a queued run that has to wait for its workflow's
// concurrency limit, answers the callers of that with the run as it stands, and returns the
// other messages. It reuses the slice. A run that is not queued, or has no limit, is not
// touched.
func (d *driver) enforceLimit(a *activeRun, messages []message) []message {
	g, c, limited := groupOf(a.run, a.key)
	if !limited || a.run.State != machine.Queued {
		return messages
	}
	begins := func(m message) bool { _, begin := m.input.(machine.Begin); return begin }
	if !slices.ContainsFunc(messages, begins) || d.dispatcher.limits.admit(a.id, g, c.Limit) {
		return messages
	}
	d.dispatcher.queueBehindLimit(a.id, g, c)
	for _, m := range messages {
		if begins(m) && m.answer != nil {
			m.answer <- outcome{row: rowOf(a.run, a.trace, d.cfg.now())}
		}
	}
	return slices.DeleteFunc(messages, begins)
}

// updateHostWaits counts which attempts began or ended to wait for their host, and returns
// the other messages in order. It reuses the slice. An attempt that may go to its host
// needs a slot for its run at once, and gets it beyond the limit: it has had its turn. Then
// the attempt is told to go on.
func (d *driver) updateHostWaits(a *activeRun, messages []message) []message {
	rest := messages[:0]
	for _, m := range messages {
		if m.hostWait == 0 {
			rest = append(rest, m)
			continue
		}
		a.waitingForHost += m.hostWait
		if m.resumed == nil {
			continue
		}
		if !a.slot {
			d.dispatcher.slots.acquireBeyondLimit()
			d.registry.claimSlot(a)
		}
		close(m.resumed)
	}
	// With other messages the slot may be needed for them; drive looks again afterwards.
	if len(rest) == 0 {
		d.lendSlot(a)
	}
	return rest
}

// lendSlot releases a run's slot while all its attempts in flight wait for their hosts, so
// that a host which does not answer holds up no other run. It does not while more than
// maxLending runs are in memory, because a run that waits so has to stay there.
func (d *driver) lendSlot(a *activeRun) {
	if a.run == nil || !a.slot || a.waitingForHost == 0 || a.waitingForHost < a.run.InFlight() {
		return
	}
	if d.registry.count() <= maxLending {
		d.registry.releaseSlot(a)
	}
}
