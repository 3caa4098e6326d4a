package templates_test

import (
	"encoding/json"
	"fmt"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/fault"
	"heddle/templates"
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// step returns a step with a url and the other fields.
func step(id, url string, more ...string) string {
	return fmt.Sprintf(`{"config":{"method":"GET","url":%q},%s"id":%q}`, url, strings.Join(more, ""), id)
}

func flow(steps ...string) string { return `{"name":"F","steps":[` + strings.Join(steps, ",") + `]}` }

func loop(id string, body ...string) string {
	return `{"id":"` + id + `","type":"loop","config":{"items":"3","steps":[` + strings.Join(body, ",") + `]}}`
}

func TestMerge(t *testing.T) {
	a, b, c := step("a", "1"), step("b", "2"), step("c", "3")
	for name, x := range map[string]struct {
		base, edited, next, want string
		conflicts                []string // step path installed edited new
	}{
		"another member of the same config": {
			flow(a), flow(`{"config":{"method":"PUT","url":"1"},"id":"a"}`), flow(step("a", "9")),
			flow(`{"config":{"method":"PUT","url":"9"},"id":"a"}`), nil,
		},
		"the same member differently": {
			flow(a, b), flow(step("a", "7"), b), flow(step("a", "9"), b),
			flow(step("a", "7"), b),
			[]string{`a /config/url "1" "7" "9"`},
		},
		"the same member equally": {flow(a), flow(step("a", "9")), flow(step("a", "9")), flow(step("a", "9")), nil},
		"both add a step":         {flow(a), flow(a, b), flow(c, a), flow(c, a, b), nil},
		"both remove":             {flow(a, b), flow(a), flow(a), flow(a), nil},
		"both add the same id": {
			flow(a), flow(a, step("b", "1")), flow(a, step("b", "2")), flow(a, step("b", "1")), []string{`b /config/url - "1" "2"`},
		},
		"the template removes an edited step": {
			flow(a, b, c), flow(a, step("b", "7"), c), flow(a, c),
			flow(a, step("b", "7"), c),
			[]string{`b  ` + canonical(b) + ` ` + canonical(step("b", "7")) + ` -`},
		},
		"the template changes a removed step": {
			flow(a, b), flow(a), flow(a, step("b", "9")), flow(a), []string{`b  ` + canonical(b) + ` - ` + canonical(step("b", "9"))},
		},
		"the template removes an unedited step": {flow(a, b), flow(step("a", "7"), b), flow(a), flow(step("a", "7")), nil},
		"people's order stays":                  {flow(a, b), flow(b, a), flow(a, b, c), flow(b, c, a), nil},
		"the template's order comes":            {flow(a, b), flow(step("a", "7"), b), flow(b, a), flow(b, step("a", "7")), nil},
		"loop bodies": {
			flow(loop("l", a, b)), flow(loop("l", a, b, c)), flow(loop("l", step("a", "9"), b)), flow(loop("l", step("a", "9"), b, c)), nil,
		},
		"settings": {
			`{"name":"F","input":{"type":"object","properties":{"x":{}}},"steps":[]}`,
			`{"name":"G","input":{"type":"object","properties":{"x":{},"y":{}}},"steps":[]}`,
			`{"name":"H","input":{"type":"object","properties":{"x":{},"z":{}}},"timeout_seconds":5,"steps":[]}`,
			`{"name":"G","input":{"type":"object","properties":{"x":{},"y":{},"z":{}}},"timeout_seconds":5,"steps":[]}`,
			[]string{`- /name "F" "G" "H"`},
		},
		"lists are one value": {
			flow(step("a", "1", `"depends_on":["x"],`)), flow(step("a", "1", `"depends_on":["x","y"],`)), flow(step("a", "1", `"depends_on":["z"],`)),
			flow(step("a", "1", `"depends_on":["x","y"],`)),
			[]string{`a /depends_on ["x"] ["x","y"] ["z"]`},
		},
		"numbers are not rounded": {
			`{"n":9007199254740992,"steps":[]}`, `{"n":9007199254740993,"steps":[]}`, `{"n":9007199254740992,"m":1,"steps":[]}`,
			`{"m":1,"n":9007199254740993,"steps":[]}`, nil,
		},
		"not a list of steps": {
			`{"steps":[{"id":"a"}]}`, `{"steps":[{"id":"a"},{"id":"a"}]}`, `{"steps":[]}`, `{"steps":[{"id":"a"},{"id":"a"}]}`,
			[]string{`- /steps [{"id":"a"}] [{"id":"a"},{"id":"a"}] []`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, conflicts, err := templates.Merge(json.RawMessage(x.base), json.RawMessage(x.edited), json.RawMessage(x.next))
			if err != nil || string(got) != canonical(x.want) {
				t.Errorf("%s %v\nwant %s", got, err, canonical(x.want))
			}
			if list := printed(conflicts); strings.Join(list, "\n") != strings.Join(x.conflicts, "\n") {
				t.Errorf("conflicts %q", list)
			}
		})
	}
}

func canonical(text string) string {
	raw, err := source.Canonical([]byte(text))
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func printed(conflicts []templates.Conflict) []string {
	var list []string
	or := func(raw []byte) string {
		if raw == nil {
			return "-"
		}
		return string(raw)
	}
	for _, c := range conflicts {
		id := "-"
		if c.StepID != nil {
			id = *c.StepID
		}
		list = append(list, fmt.Sprintf("%s %s %s %s %s", id, c.Path, or(c.Installed), or(c.Edited), or(c.New)))
	}
	return list
}

// sketch is a generated definition: steps with fields of small values.
type sketch struct {
	order []string
	steps map[string]map[string]int
}

func drawSketch(t *rapid.T, label string) sketch {
	ids := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-h]`), 0, 8, rapid.ID).Draw(t, label)
	s := sketch{order: ids, steps: map[string]map[string]int{}}
	for _, id := range ids {
		s.steps[id] = rapid.MapOfN(rapid.SampledFrom([]string{"p", "q", "r"}), rapid.IntRange(0, 2), 0, 3).Draw(t, label+id)
	}
	return s
}

func (s sketch) definition() json.RawMessage {
	list := make([]any, len(s.order))
	for i, id := range s.order {
		list[i] = map[string]any{"id": id, "config": s.steps[id]}
	}
	raw, err := json.Marshal(map[string]any{"name": "F", "steps": list})
	if err != nil {
		panic(err)
	}
	return json.RawMessage(canonical(string(raw)))
}

// TestMergeOfHandlers: the steps of on_failure and finally are merged by id.
func TestMergeOfHandlers(t *testing.T) {
	t.Parallel()
	with := func(failure, finally string) json.RawMessage {
		return json.RawMessage(`{"finally":[` + finally + `],"name":"F","on_failure":[` + failure + `],"steps":[]}`)
	}
	got, conflicts, err := templates.Merge(with(`{"id":"a"},{"id":"b"}`, ``), with(`{"id":"a","name":"mine"},{"id":"b"}`, `{"id":"x"}`), with(`{"id":"a"},{"id":"c"}`, `{"id":"y"}`))
	want := with(`{"id":"a","name":"mine"},{"id":"c"}`, `{"id":"x"},{"id":"y"}`)
	if err != nil || len(conflicts) > 0 || string(got) != string(want) {
		t.Errorf("%s %v %v\nwant %s", got, conflicts, err, want)
	}
}

func TestMergeOfOneSideIsThatSide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base, other := drawSketch(t, "base").definition(), drawSketch(t, "other").definition()
		for _, sides := range [][3]json.RawMessage{{base, base, other}, {base, other, base}, {base, other, other}} {
			got, conflicts, err := templates.Merge(sides[0], sides[1], sides[2])
			if err != nil || string(got) != string(other) || conflicts != nil {
				t.Fatalf("%s %v %v, want %s", got, conflicts, err, other)
			}
		}
	})
}

// Two sides change different fields of the same steps, and each adds and
// removes steps of its own: all of it is in the result.
func TestMergeOfDisjointEditsIsBoth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := drawSketch(t, "base")
		edited, next, both := base.copied(), base.copied(), base.copied()
		for _, id := range base.order {
			change := func(side sketch, field string, v int) {
				side.steps[id][field], both.steps[id][field] = v, v
			}
			switch rapid.IntRange(0, 4).Draw(t, "fate of "+id) {
			case 0:
				edited.remove(id)
				both.remove(id)
			case 1:
				next.remove(id)
				both.remove(id)
			case 2:
				change(edited, "p", 7)
				change(next, "q", 8)
			case 3:
				change(next, "p", 9)
			}
		}
		edited.add("mine")
		next.add("theirs")
		got, conflicts, err := templates.Merge(base.definition(), edited.definition(), next.definition())
		if err != nil || conflicts != nil {
			t.Fatalf("%v %v", conflicts, err)
		}
		// Both new ones are at the end, in either order.
		ways := []sketch{both.copied(), both.copied()}
		ways[0].add("theirs")
		ways[0].add("mine")
		ways[1].add("mine")
		ways[1].add("theirs")
		if string(got) != string(ways[0].definition()) && string(got) != string(ways[1].definition()) {
			t.Fatalf("%s\nwant %s", got, ways[0].definition())
		}
	})
}

func (s *sketch) remove(id string) {
	kept := []string{}
	for _, other := range s.order {
		if other != id {
			kept = append(kept, other)
		}
	}
	s.order = kept
}

func (s *sketch) add(id string) {
	s.order = append(s.order, id)
	s.steps[id] = map[string]int{}
}

func (s sketch) copied() sketch {
	c := sketch{order: append([]string{}, s.order...), steps: map[string]map[string]int{}}
	for id, fields := range s.steps {
		c.steps[id] = map[string]int{}
		maps.Copy(c.steps[id], fields)
	}
	return c
}

// A merge repeated on its own result changes nothing.
func TestMergeOfAnythingSettles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base, edited, next := drawSketch(t, "base").definition(), drawSketch(t, "edited").definition(), drawSketch(t, "next").definition()
		once, _, err := templates.Merge(base, edited, next)
		if err != nil {
			t.Fatal(err)
		}
		again, conflicts, err := templates.Merge(next, once, next)
		if err != nil || string(again) != string(once) || conflicts != nil {
			t.Fatalf("%s, then %s", once, again)
		}
		if doc, _ := parser.Parse(once, source.JSON); doc == nil || string(doc.Canonical) != string(once) {
			t.Fatalf("not canonical, or an id twice: %s", once)
		}
	})
}

// Resolutions decide the conflicts that they name, and what they do not name stays one.
func TestResolutionsDecideConflicts(t *testing.T) {
	base := flow(step("a", "1") + "," + step("b", "1"))
	edited := `{"name":"mine","steps":[` + step("a", "2") + "," + step("b", "2") + `]}`
	next := `{"name":"new","steps":[` + step("b", "3") + `]}`
	base = strings.Replace(base, `"name":"F"`, `"name":"old"`, 1)
	a, b := "a", "b"
	_, all, err := templates.Merge(json.RawMessage(base), json.RawMessage(edited), json.RawMessage(next))
	if err != nil || len(all) != 3 {
		t.Fatalf("%v %v", printed(all), err)
	}
	at := func(c templates.Conflict, take templates.Take, value string) templates.Resolution {
		r := templates.Resolution{StepID: c.StepID, Path: c.Path, Take: take}
		if value != "" {
			r.Value = json.RawMessage(value)
		}
		return r
	}
	merge := func(decided ...templates.Resolution) (string, []templates.Conflict, error) {
		got, left, err := templates.MergeResolved(json.RawMessage(base), json.RawMessage(edited), json.RawMessage(next), decided)
		return string(got), left, err
	}
	for name, x := range map[string]struct {
		takes [3]templates.Take
		want  string
	}{
		"edited": {[3]templates.Take{"edited", "edited", "edited"}, edited},
		"new":    {[3]templates.Take{"new", "new", "new"}, next},
		"values": {[3]templates.Take{"value", "edited", "value"}, ""},
	} {
		var decided []templates.Resolution
		for i, c := range all {
			value := ""
			if x.takes[i] == templates.TakeValue {
				value = `9007199254740993`
			}
			decided = append(decided, at(c, x.takes[i], value))
		}
		got, left, err := merge(decided...)
		if err != nil || len(left) != 0 || x.want != "" && got != canonical(x.want) || x.want == "" && strings.Count(got, "9007199254740993") != 2 {
			t.Errorf("%s: %s %v %v", name, got, printed(left), err)
		}
	}
	if _, left, err := merge(at(all[0], templates.TakeNew, "")); err != nil || len(left) != 2 {
		t.Errorf("one of three: %v %v", printed(left), err)
	}
	for name, bad := range map[string][]templates.Resolution{
		"no conflict":        {{StepID: &a, Path: "/none", Take: templates.TakeNew}},
		"take":               {{StepID: &b, Path: "", Take: "theirs"}},
		"value without":      {at(all[0], templates.TakeValue, "")},
		"value with a side":  {at(all[0], templates.TakeNew, "1")},
		"twice":              {at(all[0], templates.TakeNew, ""), at(all[0], templates.TakeEdited, "")},
		"empty id of a step": {{StepID: new(""), Take: templates.TakeNew}},
	} {
		if _, _, err := merge(bad...); fault.CodeOf(err) != "invalid_resolution" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
