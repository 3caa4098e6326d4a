package executor

import "heddle/executor/machine"

// keptEnds are ends of attempts that this process learned and could not
// journal before it lost the lease, by run. Should it get the same term back,
// nobody else drove the runs meanwhile, and the attempts need not be made
// again. Guarded by engine.mu.
type keptEnds struct {
	epoch int64
	ends  map[string][]machine.StepEnded
}

// keepEnds remembers what ended among inputs that were not applied, or whose
// change was not stored. Outputs that are stored apart are not kept: what
// nobody names is swept.
func (e *engine) keepEnds(l *live, envs []envelope) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, env := range envs {
		end, ended := env.in.(machine.StepEnded)
		if held, ok := env.in.(machine.Held); ok {
			end, ended = held.Input.(machine.StepEnded)
		}
		if !ended || env.blob != "" || l.epoch == 0 {
			continue
		}
		if e.kept.epoch != l.epoch {
			e.kept = keptEnds{epoch: l.epoch, ends: make(map[string][]machine.StepEnded)}
		}
		e.kept.ends[l.id] = append(e.kept.ends[l.id], end)
	}
}

// recovery is what a run of a dead process is given: what is known to have
// ended, then that the rest is cut off. Nothing starts in between. The caller
// holds engine.mu.
func (e *engine) recovery(l *live) []envelope {
	var envs []envelope
	if e.kept.epoch == l.epoch {
		for _, end := range e.kept.ends[l.id] {
			envs = append(envs, envelope{in: machine.Held{Input: end}})
		}
		delete(e.kept.ends, l.id)
	}
	return append(envs, envelope{in: machine.Recover{}})
}
