package machine

import (
	"heddle/definitions"
	"testing"
)

// What is cut off in a loop can be asked for in the middle of an edit that goes on with the
// loop: the answer shares no node with it that the edit may still change.
func TestWhatIsCutOffIsReadWithoutAChange(t *testing.T) {
	t.Parallel()
	const edit = 7
	body := &list{nodes: []*node{{step: &definitions.Step{ID: "send"}}}}
	underWay := func() *scopeState {
		s := &scopeState{edit: edit, list: body}
		s.steps.set(edit, 0, &stepState{edit: edit, status: StepRunning, stepAttempts: stepAttempts{lastAttempt: 1}})
		return s
	}
	loop := &loopState{edit: edit}
	loop.cutOff.set(edit, 0, &cutOff{Index: 0, Steps: map[string]int32{"send": 0}})
	loop.open.set(edit, 1, underWay())
	loop.open.set(edit, 2, underWay())
	tree := &stepTree{edit: edit}
	all := tree.cutOffOf(&stepState{edit: edit, loop: loop})
	checkTrieKeys(t, "cut off in all", &all, 0, 1, 2)
	checkTrieKeys(t, "remembered by the loop", &loop.cutOff, 0)
	all.delete(edit, 0)
	checkTrieKeys(t, "remembered after a change of the answer", &loop.cutOff, 0)

	loop.open.delete(edit, 1)
	loop.open.delete(edit, 2)
	same := tree.cutOffOf(&stepState{edit: edit, loop: loop})
	same.delete(edit, 0)
	checkTrieKeys(t, "remembered when nothing is open", &loop.cutOff, 0)
}

// checkTrieKeys compares the keys that the trie holds, by its values and by its size.
func checkTrieKeys(t *testing.T, what string, got *trie[*cutOff], want ...uint64) {
	t.Helper()
	list := values(got)
	if len(list) != len(want) || got.len() != len(want) {
		t.Errorf("%s: %d values of %d, want %d", what, len(list), got.len(), len(want))
		return
	}
	for i, c := range list {
		if c.Index != want[i] {
			t.Errorf("%s: %d is %d, want %d", what, i, c.Index, want[i])
		}
	}
}
