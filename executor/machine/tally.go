package machine

// stepTally counts the steps of the definition's own list by part and status, so that no
// reader walks over them. What an edit touches is noted and counted at its end, by
// settleTally: a run that the package returns is settled. Pending steps are not counted.
type stepTally struct {
	n       [parts][len(tallied)]int32
	touched []int32 // indexes of steps that this edit changed, some maybe twice
}

// tallied are the statuses that a tally counts, by stepState.counted; 0 stands for pending.
var tallied = [...]StepStatus{"", StepRunning, StepWaiting, StepRetrying, StepCompleted, StepFailed, StepSkipped, StepCancelled}

// touch notes a step of the definition's own list that the edit changes.
func (t *stepTally) touch(at int32) { t.touched = append(t.touched, at) }

// kindOf returns what a step is counted as: one that was interrupted and starts again as
// soon as it may is running.
func (s *stepState) kindOf() uint8 {
	status := s.status
	if status == StepPending && s.interrupted {
		status = StepRunning
	}
	for kind, counted := range tallied {
		if counted == status {
			return uint8(kind)
		}
	}
	return 0
}

// settleTally counts what the edit touched. O(steps touched).
func (r draft) settleTally() {
	for _, at := range r.tally.touched {
		st, ok := r.root.steps.get(uint64(at))
		if !ok {
			continue
		}
		kind, byKind := st.kindOf(), &r.tally.n[r.root.list.nodes[at].part]
		if st.counted != 0 {
			byKind[st.counted]--
		}
		if kind != 0 {
			byKind[kind]++
		}
		st.counted = kind
	}
	r.tally.touched = nil
}
