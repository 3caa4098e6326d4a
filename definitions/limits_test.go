package definitions_test

import (
	"fmt"
	"strings"
	"testing"

	"heddle/definitions"
)

func oneStep(config string) string {
	return `{"name":"n","steps":[{"id":"a","type":"free","config":` + config + `}]}`
}

func manySteps(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,{"id":"s%d","type":"free"}`, i)
	}
	return `{"name":"n","steps":[` + b.String()[1:] + `]}`
}

func nestedLists(n int) string {
	inner := `{"id":"x","type":"free"}`
	for i := range n {
		inner = fmt.Sprintf(`{"id":"l%d","type":"loop","config":{"items":"1","steps":[%s]}}`, i, inner)
	}
	return `{"name":"n","steps":[` + inner + `]}`
}

func TestLimits(t *testing.T) {
	text := func(n int) string { return `{"t":"` + strings.Repeat("x", n) + `"}` }
	expression := func(n int) string {
		return `{"name":"n","steps":[{"id":"a","type":"free","if":"` + strings.Repeat(" ", n-4) + `true"}]}`
	}
	fill := func(n int) string {
		empty := oneStep(`{"a":["",""]}`)
		return empty + strings.Repeat(" ", n-len(empty))
	}
	half := manySteps(5_000)
	for name, c := range map[string]struct{ in, want string }{
		"text":              {oneStep(text(definitions.MaxStringBytes)), ""},
		"text+1":            {oneStep(text(definitions.MaxStringBytes + 1)), "limit_exceeded /steps/0/config/t"},
		"key+1":             {oneStep(`{"` + strings.Repeat("k", definitions.MaxStringBytes+1) + `":1}`), "limit_exceeded /steps/0/config"},
		"expression":        {expression(definitions.MaxExpressionBytes), ""},
		"expression+1":      {expression(definitions.MaxExpressionBytes + 1), "limit_exceeded /steps/0/if"},
		"bytes":             {fill(definitions.MaxBytes), ""},
		"bytes+1":           {fill(definitions.MaxBytes + 1), "limit_exceeded "},
		"steps":             {manySteps(definitions.MaxSteps), ""},
		"steps+1":           {manySteps(definitions.MaxSteps + 1), "limit_exceeded /steps"},
		"steps of all":      {half[:len(half)-2] + `,{"id":"l","type":"loop","config":{"items":"1","steps":` + strings.ReplaceAll(half[len(`{"name":"n","steps":`):len(half)-1], `"s`, `"t`) + `}}]}`, "limit_exceeded /steps"},
		"loops in loops":    {nestedLists(20), ""},
		"values":            {oneStep(`{"a":[` + strings.Repeat("0,", definitions.MaxValues-9) + `0]}`), ""},
		"values+1":          {oneStep(`{"a":[` + strings.Repeat("0,", definitions.MaxValues) + `0]}`), "limit_exceeded…"},
		"digits":            {oneStep(`{"a":` + strings.Repeat("9", 1000) + `}`), ""},
		"digits+1":          {oneStep(`{"a":-0.` + strings.Repeat("9", 1000) + `}`), "limit_exceeded /steps/0/config/a"},
		"deep, far too":     {oneStep(`{"a":` + strings.Repeat("[", 1_000_000) + strings.Repeat("]", 1_000_000) + `}`), "limit_exceeded /steps/0/config/a" + strings.Repeat("/0", 60)},
		"deep and unclosed": {strings.Repeat("[", 1_000_000), "limit_exceeded…"},
	} {
		for _, format := range []definitions.Format{definitions.JSON, definitions.YAML} {
			if format == definitions.YAML && (strings.HasPrefix(name, "deep") || strings.HasPrefix(name, "values") || strings.HasPrefix(name, "bytes") || name == "key+1") {
				continue // other words, and slow
			}
			_, ds := definitions.Check([]byte(c.in), format, testCatalog())
			got := found(ds)
			if prefix, partly := strings.CutSuffix(c.want, "…"); partly && strings.HasPrefix(got, prefix) {
				continue
			}
			if got != c.want {
				t.Errorf("%s %s: got %.200q, want %.200q", format, name, got, c.want)
			}
		}
	}
}

func TestProblemsBeyondTheLimitAreCounted(t *testing.T) {
	var b strings.Builder
	for i := range definitions.MaxDiagnostics + 5 {
		fmt.Fprintf(&b, `"x%d":1,`, i)
	}
	_, ds := definitions.Check([]byte("{"+b.String()+`"name":"n","steps":[{"id":"a","type":"free"}]}`), definitions.JSON, nil)
	last := ds[len(ds)-1]
	if len(ds) != definitions.MaxDiagnostics+1 || last.Message != "There are 5 more problems; correct these first" {
		t.Errorf("%d diagnostics, the last is %+v", len(ds), last)
	}
}

func TestYAMLValuesAreBoundedBeforeTheyAreBuilt(t *testing.T) {
	_, ds := definitions.Check([]byte("["+strings.Repeat("a,", 1_000_001)+"]"), definitions.YAML, nil)
	if found(ds) != "limit_exceeded " || !strings.Contains(ds[0].Message, "as JSON") {
		t.Errorf("%+v", ds)
	}
}

func TestYAMLDepthDoesNotRecurse(t *testing.T) {
	for _, n := range []int{65, 9_000, 20_000} {
		src := "name: n\noutput: " + strings.Repeat("[", n) + strings.Repeat("]", n) + "\nsteps: [{id: a, type: free}]\n"
		doc, ds := definitions.Check([]byte(src), definitions.YAML, nil)
		if len(ds) != 1 || ds[0].Code != "limit_exceeded" && ds[0].Code != "syntax" {
			t.Errorf("%d levels: %v %v", n, doc, found(ds))
		}
	}
}
