package machine_test

import (
	"bytes"
	"heddle/events"
	"heddle/executor/machine"
	"testing"
)

// TestOlderResumesMeanWhatTheyMeant: a resume that was journalled before keys
// were kept gave every step that had begun a new one, and still does.
func TestOlderResumesMeanWhatTheyMeant(t *testing.T) {
	t.Parallel()
	plan, h := compilePlan(t, "name: w\nsteps: [{id: a, type: http_request, config: {url: u}}]"), header()
	c := machine.New(plan, h, epoch)
	journal := c.Events
	key := func(c machine.Change) string { return c.Effects[len(c.Effects)-1].(machine.Execute).IdempotencyKey }
	c = mustApply(t, c.Run, machine.Begin{})
	journal, first := append(journal, c.Events...), key(c)
	c = mustApply(t, c.Run, machine.Terminate{})
	journal = append(journal, c.Events...)
	c = mustApply(t, c.Run, machine.Resume{})
	journal = append(journal, c.Events...)
	again := func(evs []events.Event) string {
		t.Helper()
		run, err := machine.Restore(plan, h, nil, evs)
		if err != nil {
			t.Fatal(err)
		}
		return key(mustApply(t, run, machine.Begin{}))
	}
	if again(journal) != first {
		t.Error("the step that was cut off has a new key")
	}
	old := journal[len(journal)-1]
	old.Data = bytes.Replace(old.Data, []byte(`,"keep_keys":true`), nil, 1)
	if again(append(journal[:len(journal)-1:len(journal)-1], old)) == first {
		t.Error("a resume of an older journal keeps the key now")
	}
}
