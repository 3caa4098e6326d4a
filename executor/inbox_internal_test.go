package executor

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"heddle/executor/machine"
)

// What is posted on one node is the same input on another.
func TestPostedInputsKeepTheirMeaning(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	for _, in := range []machine.Input{
		machine.Cancel{Reason: "Änderung"}, machine.Terminate{Reason: "now"}, machine.Pause{},
		machine.Signal{Name: "go", RequestID: "k", Payload: json.RawMessage(`{ "n": 1e400, "s": "\u2028<&>` + "\u2028" + `" }`)},
		machine.Signal{Name: "go"},
		machine.Resume{}, machine.Resume{FromStep: "a"}, machine.Resume{Redrive: "each"}, machine.Resume{IfPaused: true},
	} {
		kind, data, posted := encodeInput(in)
		if !posted {
			t.Errorf("%T is not posted", in)
			continue
		}
		got, err := s.decodeInput(t.Context(), Posted{Kind: kind, Data: data})
		if diff := cmp.Diff(in, got); diff != "" || err != nil {
			t.Errorf("%T: %v\n%s", in, err, diff)
		}
	}
	for _, in := range []machine.Input{machine.Begin{}, machine.Tick{}, machine.Recover{}, machine.Held{Input: machine.Pause{}}} {
		if _, _, posted := encodeInput(in); posted {
			t.Errorf("%T is posted", in)
		}
	}
	if _, err := s.decodeInput(t.Context(), Posted{Kind: "unknown", Data: []byte("{}")}); err == nil {
		t.Error("an unknown kind is read")
	}
}
