package validation_test

import (
	"encoding/json"
	"fmt"
	"heddle/definitions"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/steps"
	"maps"
	"strings"
	"testing"
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
		"text":              {oneStep(text(source.MaxStringBytes)), ""},
		"text+1":            {oneStep(text(source.MaxStringBytes + 1)), "limit_exceeded /steps/0/config/t"},
		"key+1":             {oneStep(`{"` + strings.Repeat("k", source.MaxStringBytes+1) + `":1}`), "limit_exceeded /steps/0/config"},
		"expression":        {expression(definitions.MaxExpressionBytes), ""},
		"expression+1":      {expression(definitions.MaxExpressionBytes + 1), "limit_exceeded /steps/0/if"},
		"bytes":             {fill(source.MaxBytes), ""},
		"bytes+1":           {fill(source.MaxBytes + 1), "limit_exceeded "},
		"steps":             {manySteps(definitions.MaxSteps), ""},
		"steps+1":           {manySteps(definitions.MaxSteps + 1), "limit_exceeded /steps"},
		"steps of all":      {half[:len(half)-2] + `,{"id":"l","type":"loop","config":{"items":"1","steps":` + strings.ReplaceAll(half[len(`{"name":"n","steps":`):len(half)-1], `"s`, `"t`) + `}}]}`, "limit_exceeded /steps"},
		"loops in loops":    {nestedLists(20), ""},
		"values":            {oneStep(`{"a":[` + strings.Repeat("0,", source.MaxValues-9) + `0]}`), ""},
		"values+1":          {oneStep(`{"a":[` + strings.Repeat("0,", source.MaxValues) + `0]}`), "limit_exceeded…"},
		"digits":            {oneStep(`{"a":` + strings.Repeat("9", 1000) + `}`), ""},
		"digits+1":          {oneStep(`{"a":-0.` + strings.Repeat("9", 1000) + `}`), "limit_exceeded /steps/0/config/a"},
		"deep, far too":     {oneStep(`{"a":` + strings.Repeat("[", 1_000_000) + strings.Repeat("]", 1_000_000) + `}`), "limit_exceeded /steps/0/config/a" + strings.Repeat("/0", 60)},
		"deep and unclosed": {strings.Repeat("[", 1_000_000), "limit_exceeded…"},
	} {
		for _, format := range []source.Format{source.JSON, source.YAML} {
			if format == source.YAML && (strings.HasPrefix(name, "deep") || strings.HasPrefix(name, "values") || strings.HasPrefix(name, "bytes") || name == "key+1") {
				continue // other words, and slow
			}
			_, ds := validation.Check([]byte(c.in), format, testCatalog())
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
	text := func(unknown, absent int, rest string) string {
		return `{` + each(unknown, `"x%d":1`) + `,"name":"n","steps":[{"id":"a","type":"free","depends_on":[` + each(absent, `"d%d"`) + `]}` + rest + `]}`
	}
	pairs := each(600, `{"id":"a%[1]d","type":"free","depends_on":["b%[1]d"]},{"id":"b%[1]d","type":"free","depends_on":["a%[1]d"]}`)
	for name, c := range map[string]struct {
		text   string
		listed map[string]int
		more   string
	}{
		"none left out": {text(100, 100, ""), map[string]int{"unknown_field": 100, "unknown_dependency": 100}, ""},
		"of one kind": {
			text(105, 3, ""),
			map[string]int{"unknown_field": 100, "unknown_dependency": 3, "limit_exceeded": 1},
			"Problems that are not listed: at least 5 (5 × unknown_field); correct these first",
		},
		"of two passes": {
			text(105, 107, ""),
			map[string]int{"unknown_field": 100, "unknown_dependency": 100, "limit_exceeded": 1},
			"Problems that are not listed: at least 12 (5 × unknown_field, 7 × unknown_dependency); correct these first",
		},
		"cycles are all listed": {text(1, 0, ","+pairs), map[string]int{"unknown_field": 1, "cycle": 600}, ""},
	} {
		_, ds := validation.Check([]byte(c.text), source.JSON, testCatalog())
		listed := map[string]int{}
		for _, d := range ds {
			listed[d.Code]++
		}
		last := ds[len(ds)-1]
		if !maps.Equal(listed, c.listed) || c.more != "" && (last.Message != c.more || last.Severity != "error") {
			t.Errorf("%s: %v, the last is %+v", name, listed, last)
		}
	}
}

// A definition that is warned of more than is listed is valid all the same; one
// whose only error is not listed is not.
func TestWhatIsNotListedKeepsItsSeverity(t *testing.T) {
	warnings := each(150, `{"id":"w%d","type":"wait","config":{"condition":"input.ok == true"}}`)
	_, ds := validation.Check([]byte(`{"name":"n","steps":[`+warnings+`]}`), source.JSON, testCatalog())
	last := ds[len(ds)-1]
	if !validation.Valid(ds) || len(ds) != 101 || last.Severity != "warning" || last.Code != "limit_exceeded" {
		t.Errorf("%d diagnostics, the last is %+v", len(ds), last)
	}
}

func TestMessagesAndPointersAreBounded(t *testing.T) {
	long := strings.Repeat("k", 200_000)
	for name, text := range map[string]string{
		"an unknown key":   `{"name":"n","` + long + `":1,"steps":[]}`,
		"a key twice":      `{"name":"n","` + long + `":1,"` + long + `":1,"steps":[]}`,
		"an id":            `{"name":"n","steps":[{"id":"` + long + `","type":"free","depends_on":["` + long + `"]}]}`,
		"a type":           `{"name":"n","steps":[{"id":"a","type":"` + long + `"}]}`,
		"a value":          oneHTTP(`"url":"https://e.x","method":"` + long + `"`),
		"a header":         oneHTTP(`"url":"https://e.x","headers":{"` + long + `":[]}`),
		"a place":          `{"name":"n","output":{"` + long + `":{"` + long + `":"\u0000"}},"steps":[]}`,
		"a schema's type":  `{"name":"n","input":{"type":"` + long + `"},"steps":[]}`,
		"a schema's place": `{"name":"n","input":{"properties":{"` + long + `":{"type":1}}},"steps":[]}`,
		"a pattern":        `{"name":"n","input":{"pattern":"(` + long + `"},"steps":[]}`,
		"a reference":      `{"name":"n","input":{"$ref":"#/` + long + `"},"steps":[]}`,
		"a retry":          `{"name":"n","steps":[{"id":"a","type":"free","retry":{"backoff":"` + long + `"}}]}`,
	} {
		ds := check([]byte(text), steps.Default(steps.Deps{}))
		answer, _ := json.Marshal(ds)
		if len(ds) == 0 || len(answer) > 8<<10 {
			t.Errorf("%s: %d diagnostics in %d bytes: %.300s", name, len(ds), len(answer), answer)
		}
	}
}

func TestYAMLValuesAreBoundedBeforeTheyAreBuilt(t *testing.T) {
	_, ds := validation.Check([]byte("["+strings.Repeat("a,", 1_000_001)+"]"), source.YAML, nil)
	if found(ds) != "limit_exceeded " || !strings.Contains(ds[0].Message, "as JSON") {
		t.Errorf("%+v", ds)
	}
}

func TestYAMLDepthDoesNotRecurse(t *testing.T) {
	for _, n := range []int{65, 9_000, 20_000} {
		src := "name: n\noutput: " + strings.Repeat("[", n) + strings.Repeat("]", n) + "\nsteps: [{id: a, type: free}]\n"
		doc, ds := validation.Check([]byte(src), source.YAML, nil)
		if len(ds) != 1 || ds[0].Code != "limit_exceeded" && ds[0].Code != "syntax" {
			t.Errorf("%d levels: %v %v", n, doc, found(ds))
		}
	}
}
