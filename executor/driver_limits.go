package executor

import (
	"heddle/executor/machine"
	"slices"
)

// enforceLimit drops the Begin of a queued run that has to wait for its workflow's
// concurrency limit, and answers the callers of that.
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

// updateHostWaits counts which attempts began or ended to wait for their host, and
// returns the other messages. An attempt that may go to its host needs a slot for
// its run at once, and gets it beyond the limit: it has had its turn.
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
	if len(rest) == 0 {
		d.lendSlot(a)
	}
	return rest
}

// lendSlot releases a run's slot while all its attempts in flight wait for their
// hosts, unless very many runs are in memory: runs that wait so have to stay there.
func (d *driver) lendSlot(a *activeRun) {
	if a.run == nil || !a.slot || a.waitingForHost == 0 || a.waitingForHost < a.run.InFlight() {
		return
	}
	if d.registry.count() <= maxLending {
		d.registry.releaseSlot(a)
	}
}
