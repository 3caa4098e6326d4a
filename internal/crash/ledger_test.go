package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"heddle/client"
	"net/http"
	"strings"
)

// figures is what one crash test counted.
type figures struct {
	Runs, Cancelled, Frames, Resumes int
	Effects, Repeated                int
	Quarantined                      int
}

func (f figures) String() string {
	return fmt.Sprintf("%d runs (%d cancelled, %d quarantined), %d effects of which %d were repeated with their key, %d frames, %d streams resumed",
		f.Runs, f.Cancelled, f.Quarantined, f.Effects, f.Repeated, f.Frames, f.Resumes)
}

// verify holds what the clients and the receiver saw against what the server
// now says. The faults are in w.
func (w *world) verify(ctx context.Context, c *client.Client) figures {
	f := figures{Runs: len(w.runs), Resumes: w.resumes}
	w.verifyCount(ctx, c)
	effects := w.receiver.byPlace()
	w.verifyKeys(effects, &f)
	for _, o := range w.runs {
		f.Frames += len(o.frames)
		w.verifyRun(ctx, c, o, effects, &f)
	}
	return f
}

// verifyCount: each start that was acknowledged made one run, and no other
// run is there.
func (w *world) verifyCount(ctx context.Context, c *client.Client) {
	var list struct {
		Total int `json:"total"`
	}
	path := "/api/workflows/" + w.workflow + "/runs?limit=1&offset=0"
	if err := c.Do(ctx, client.Request{Method: http.MethodGet, Path: path}, &list); err != nil {
		w.fault("list of runs: %v", err)
	}
	if list.Total != w.starts || len(w.runs) != w.starts {
		w.fault("%d starts, %d acknowledged with different ids, %d runs on the server", w.starts, len(w.runs), list.Total)
	}
}

// verifyKeys: one place, one key; one key, one place; and nobody had an effect
// that is not a run's.
func (w *world) verifyKeys(effects map[effectID][]effect, f *figures) {
	owner := make(map[string]effectID)
	for p, list := range effects {
		f.Effects += len(list)
		f.Repeated += len(list) - 1
		if _, known := w.runs[p.Run]; !known {
			w.fault("%v had an effect, but its run was never acknowledged", p)
		}
		for _, e := range list {
			if e.Key == "" || e.Key != list[0].Key {
				w.fault("%v came with key %q, first with %q", p, e.Key, list[0].Key)
			}
		}
		if other, taken := owner[list[0].Key]; taken {
			w.fault("%v and %v share the key %q", p, other, list[0].Key)
		}
		owner[list[0].Key] = p
	}
}

// stepData is what the frames of steps carry.
type stepData struct {
	StepID    string `json:"step_id"`
	Iteration string `json:"iteration"`
}

func (d stepData) place(run string) effectID {
	index := ""
	if _, rest, inLoop := strings.Cut(d.Iteration, "["); inLoop {
		index = strings.TrimSuffix(rest, "]")
	}
	return effectID{Run: run, Step: d.StepID, Index: index}
}

func (w *world) verifyRun(ctx context.Context, c *client.Client, o *observed, effects map[effectID][]effect, f *figures) {
	run, err := c.Runs.Get(ctx, o.id)
	if err != nil {
		w.fault("%s was acknowledged and is gone: %v", o.id, err)
		return
	}
	switch {
	case run.Status == "cancelled" && o.cancelled != "":
		f.Cancelled++
	case run.Status == "completed" && (o.cancelled == "" || o.cancelled == "completed"):
		w.verifyOutput(*run, effects)
	case run.Status == "failed" && run.Error != nil && run.Error.Code == "run_quarantined":
		f.Quarantined++ // the kills met it twice while it was alone; they are blind to who is guilty
	default:
		w.fault("%s ended as %s (%+v); a cancel was answered %q", o.id, run.Status, run.Error, o.cancelled)
		if run.Status != "completed" && run.Status != "failed" && run.Status != "cancelled" {
			return // its stream would not end
		}
	}
	w.verifyStream(ctx, c, o)
	w.verifySteps(o, effects, run.Status)
}

// verifyStream: what was followed across the crashes is what one reads now.
func (w *world) verifyStream(ctx context.Context, c *client.Client, o *observed) {
	var whole []client.Frame
	err := c.Runs.Follow(ctx, o.id, 0, func(f client.Frame) error {
		whole = append(whole, f)
		return nil
	})
	if err != nil {
		w.fault("%s: the whole stream: %v", o.id, err)
		return
	}
	if len(whole) != len(o.frames) {
		w.fault("%s: %d frames were followed, the stream has %d", o.id, len(o.frames), len(whole))
		return
	}
	for i, f := range whole {
		got := o.frames[i]
		if got.ID != f.ID || got.Event != f.Event || !bytes.Equal(got.Data, f.Data) {
			w.fault("%s: frame %d %s %s was followed, now it is %d %s %s", o.id, got.ID, got.Event, got.Data, f.ID, f.Event, f.Data)
			return
		}
	}
}

// verifySteps: an effect has its start in the journal, and none follows the
// step's end.
func (w *world) verifySteps(o *observed, effects map[effectID][]effect, status string) {
	started, ended := make(map[effectID]int), make(map[effectID]int64)
	for _, f := range o.frames {
		var d stepData
		if err := json.Unmarshal(f.Data, &d); err != nil {
			w.fault("%s: frame %d: %v", o.id, f.ID, err)
		}
		p := d.place(o.id)
		switch f.Event {
		case "step_started":
			started[p]++
		case "step_completed":
			if ended[p] != 0 {
				w.fault("%v completed twice", p)
			}
			ended[p] = f.At
		case "step_failed":
			w.fault("%v failed: %s", p, f.Data)
		}
	}
	for p, list := range effects {
		if p.Run != o.id {
			continue
		}
		if len(list) > started[p] {
			w.fault("%v had %d effects and %d starts in the journal", p, len(list), started[p])
		}
		if last := list[len(list)-1].At; ended[p] != 0 && last > ended[p] {
			w.fault("%v ran again after its end was in the journal", p)
		}
		if ended[p] == 0 && status == "completed" {
			w.fault("%v had an effect and never completed", p)
		}
	}
}

// verifyOutput: the run's output is what the receiver answered.
func (w *world) verifyOutput(run client.Run, effects map[effectID][]effect) {
	number := func(step, index string) int {
		list := effects[effectID{Run: run.ID, Step: step, Index: index}]
		if len(list) == 0 {
			w.fault("%s completed without an effect of %s%s", run.ID, step, index)
			return 0
		}
		return w.receiver.numbers[list[0].Key]
	}
	want := map[string]any{
		"first": number("first", ""), "last": number("last", ""),
		"items": []int{number("call", "0"), number("call", "1"), number("call", "2")},
	}
	text, err := json.Marshal(want)
	var got any
	if err == nil {
		err = json.Unmarshal(run.Output, &got)
	}
	sorted, _ := json.Marshal(got)
	if err != nil || !bytes.Equal(sorted, text) {
		w.fault("%s: output %s, want %s", run.ID, run.Output, text)
	}
}
