package executor

import "heddle/executor/machine"

// unjournalledResults are ends of attempts that this process learned and could not
// journal before it lost the lease, by run. Should it get the same term back,
// nobody else drove the runs meanwhile, and the attempts need not be made
// again. Guarded by engine.mu.
type unjournalledResults struct {
	epoch int64
	ends  map[string][]machine.StepEnded
}

// keepResults remembers what ended among inputs that were not applied, or whose
// change was not stored. Outputs that are stored apart are not kept: what
// nobody names is swept.
func (e *engine) keepResults(l *activeRun, envs []message) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, env := range envs {
		end, ended := env.input.(machine.StepEnded)
		if held, ok := env.input.(machine.JournalOnly); ok {
			end, ended = held.Input.(machine.StepEnded)
		}
		if !ended || env.blob != "" || l.epoch == 0 {
			continue
		}
		if e.results.epoch != l.epoch {
			e.results = unjournalledResults{epoch: l.epoch, ends: make(map[string][]machine.StepEnded)}
		}
		e.results.ends[l.id] = append(e.results.ends[l.id], end)
	}
}

// recovery is what a run of a dead process is given: what is known to have
// ended, then that the rest is cut off. Nothing starts in between. The caller
// holds engine.mu.
func (e *engine) recovery(l *activeRun) []message {
	var envs []message
	if e.results.epoch == l.epoch {
		for _, end := range e.results.ends[l.id] {
			envs = append(envs, message{input: machine.JournalOnly{Input: end}})
		}
		delete(e.results.ends, l.id)
	}
	return append(envs, message{input: machine.Recover{}})
}
