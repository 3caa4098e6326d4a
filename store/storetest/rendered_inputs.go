package storetest

import (
	"encoding/json"
	"fmt"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/store"
	"strings"
	"testing"
)

// renderedTests hold what the rendered inputs of attempts promise.
var renderedTests = map[string]func(*testing.T, *store.DB){
	"rendered inputs are kept with the end of an attempt": testRenderedKept,
	"rendered inputs of a step are read within bounds":    testRenderedBounded,
}

// rendered makes the input of an attempt of a step.
func rendered(step, iteration string, attempt int, input string) executor.RenderedInput {
	return executor.RenderedInput{Ref: machine.Ref{StepID: step, Iteration: iteration}, Attempt: attempt, Input: json.RawMessage(input)}
}

// testRenderedKept: attempts that follow one another with the same input are one range, also
// within a group; those of other steps, iterations and runs are not among them; what is written
// twice is there once; they go with their run, and count as stored.
func testRenderedKept(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	one, two := newRun(w, "run_1", 1), newRun(w, "run_2", 2)
	commit(t, db, one, two)
	before, err := db.CountStoredBytes(ctx, "t1")
	must(t, err)
	c, bytes := one, int64(0)
	for _, in := range [][]executor.RenderedInput{
		{rendered("a", "", 1, `{"n":"it's"}`)},
		{rendered("a", "", 2, `{"n":"it's"}`), rendered("a", "each[0]", 1, `1`), rendered("b", "", 1, `2`)},
		{rendered("a", "", 3, `3`)},
		{rendered("a", "", 4, `{"n":"it's"}`)},
		{rendered("a", "", 6, `{"n":"it's"}`)}, // the fifth succeeded
		{rendered("a", "", 6, `{"n":"it's"}`)}, // and this is a repetition
	} {
		c = grow(c, machine.Running, 1)
		c.Inputs = in
		commit(t, db, c)
	}
	// One group, of which the second member lengthens what the first began.
	other := grow(two, machine.Running, 1)
	other.Inputs = []executor.RenderedInput{rendered("a", "", 1, `"x"`)}
	more := grow(other, machine.Completed, 1)
	more.Inputs = []executor.RenderedInput{rendered("a", "", 2, `"x"`)}
	commit(t, db, other, more)
	read := func(run, step, iteration string) string {
		t.Helper()
		list, err := db.RenderedInputs(ctx, run, machine.Ref{StepID: step, Iteration: iteration})
		must(t, err)
		var text strings.Builder
		for _, k := range list {
			fmt.Fprintf(&text, "%d-%d %s; ", k.First, k.Last, k.Input)
			bytes += int64(len(k.Input))
		}
		return text.String()
	}
	same(t, "the step's", read("run_1", "a", ""), `1-2 {"n":"it's"}; 3-3 3; 4-4 {"n":"it's"}; 6-6 {"n":"it's"}; `)
	same(t, "in a loop", read("run_1", "a", "each[0]"), `1-1 1; `)
	same(t, "another step's", read("run_1", "b", ""), `1-1 2; `)
	same(t, "another run's", read("run_2", "a", ""), `1-2 "x"; `)
	after, err := db.CountStoredBytes(ctx, "t1")
	must(t, err)
	if after < before+bytes {
		t.Errorf("%d bytes are stored, %d before, with inputs of %d", after, before, bytes)
	}
	must(t, db.DeleteRun(ctx, "t1", "run_2"))
	same(t, "of a deleted run", read("run_2", "a", ""), "")
	same(t, "of the other", read("run_1", "b", ""), `1-1 2; `)
}

// testRenderedBounded: of a step whose input changes with every attempt the newest are read.
func testRenderedBounded(t *testing.T, db *store.DB) {
	c := newRun(create(t, db, revision("t1", "wf_1", "one", 1)), "run_1", 1)
	commit(t, db, c)
	c = grow(c, machine.Running, 1)
	last := executor.MaxRenderedInputs + 3
	for n := 1; n <= last; n++ {
		c.Inputs = append(c.Inputs, rendered("a", "", n, fmt.Sprint(n)))
	}
	commit(t, db, c)
	list, err := db.RenderedInputs(ctx, "run_1", machine.Ref{StepID: "a"})
	must(t, err)
	if n := len(list); n != executor.MaxRenderedInputs || list[0].First != 4 || list[n-1].Last != last {
		t.Errorf("%d inputs: %+v", n, list)
	}
}
