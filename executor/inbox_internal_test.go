package executor

import (
	"encoding/json"
	"heddle/audit"
	"heddle/executor/machine"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is posted on one node is the same input on another.
func TestPostedInputsKeepTheirMeaning(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	who := machine.Attribution{Actor: audit.Actor{Type: audit.Key, ID: "key_1", Name: "ü"}, Reason: "because"}
	for _, in := range []machine.Input{
		machine.Cancel{Reason: "Änderung"},
		machine.Terminate{Reason: "now"},
		machine.Pause{},
		machine.Cancel{By: who},
		machine.Terminate{By: who},
		machine.Pause{By: who},
		machine.Resume{By: who},
		machine.Signal{Name: "go", By: who},
		machine.Signal{Name: "go", RequestID: "k", Payload: json.RawMessage(`{ "n": 1e400, "s": "\u2028<&>` + "\u2028" + `" }`)},
		machine.Signal{Name: "go"},
		machine.Resume{},
		machine.Resume{FromStep: "a"},
		machine.Resume{Redrive: "each"},
		machine.Resume{IfPaused: true},
		machine.Resume{Redrive: "each", After: 7, Key: "job_1/7"},
	} {
		lines := []audit.Entry{{ID: "aud_1", Action: "run.cancel", Object: "run:run_1"}}
		kind, data, posted := encodeInput(in, lines)
		if !posted {
			t.Errorf("%T is not posted", in)
			continue
		}
		got, kept, err := s.Steering.inbox.decodePosted(t.Context(), Posted{Kind: kind, Data: data})
		if diff := cmp.Diff(in, got); diff != "" || err != nil {
			t.Errorf("%T: %v\n%s", in, err, diff)
		}
		if diff := cmp.Diff(lines, kept); diff != "" {
			t.Errorf("%T: lines of the audit trail\n%s", in, diff)
		}
	}
	for _, in := range []machine.Input{machine.Begin{}, machine.Tick{}, machine.Recover{}, machine.JournalOnly{Input: machine.Pause{}}} {
		if _, _, posted := encodeInput(in, nil); posted {
			t.Errorf("%T is posted", in)
		}
	}
	if _, _, err := s.Steering.inbox.decodePosted(t.Context(), Posted{Kind: "unknown", Data: []byte("{}")}); err == nil {
		t.Error("an unknown kind is read")
	}
}
