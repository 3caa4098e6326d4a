package validation_test

import (
	"encoding/json"
	"fmt"
	"heddle/definitions"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/fault"
	"heddle/steps"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// hostile returns a definition of about n parts that is as costly as its size
// allows, of one kind. The size of the text is linear in n.
var hostile = map[string]func(n int) string{
	"steps: numbers":       func(n int) string { return `{"name":"n","steps":[` + list(n, "1") + `]}` },
	"steps: texts":         func(n int) string { return `{"name":"n","steps":[` + list(n, `"x"`) + `]}` },
	"steps: nulls":         func(n int) string { return `{"name":"n","steps":[` + list(n, "null") + `]}` },
	"steps: booleans":      func(n int) string { return `{"name":"n","steps":[` + list(n, "true") + `]}` },
	"steps: empty objects": func(n int) string { return `{"name":"n","steps":[` + list(n, "{}") + `]}` },
	"steps: empty lists":   func(n int) string { return `{"name":"n","steps":[` + list(n, "[]") + `]}` },
	"a loop's steps: numbers": func(n int) string {
		return oneLoop(`"items":"1","steps":[` + list(n, "1") + `]`)
	},
	"unknown keys": func(n int) string {
		return `{"name":"n","steps":[{"id":"a","type":"webhook"}],` + each(n, `"k%d":1`) + `}`
	},
	"unknown keys of a step": func(n int) string {
		return `{"name":"n","steps":[{"id":"a","type":"webhook",` + each(n, `"k%d":1`) + `}]}`
	},
	"unknown keys of a config": func(n int) string { return oneHTTP(each(n, `"k%d":1`)) },
	"unknown keys of a loop's config": func(n int) string {
		return oneLoop(each(n, `"k%d":1`))
	},
	"the same key":        func(n int) string { return `{"name":"n","steps":[],` + list(n, `"k":1`) + `}` },
	"long unknown keys":   func(n int) string { return `{"name":"n",` + each(n/100+1, `"`+strings.Repeat("k", 5000)+`%d":1`) + `}` },
	"long duplicate keys": func(n int) string { return `{"name":"n",` + list(n/100+1, `"`+strings.Repeat("k", 5000)+`":1`) + `}` },
	"header names":        func(n int) string { return oneHTTP(`"url":"https://e.x","headers":{` + each(n, `"a b%d":"1"`) + `}`) },
	"header values":       func(n int) string { return oneHTTP(`"url":"https://e.x","headers":{` + each(n, `"a%d":[]`) + `}`) },
	"header templates": func(n int) string {
		return oneHTTP(`"url":"https://e.x","headers":{` + each(n, `"a%d":"{{ nope }}"`) + `}`)
	},
	"webhook header names": func(n int) string {
		return oneStepOf("webhook", `"url":"https://e.x","event":"e","headers":{`+each(n, `"a b%d":"1"`)+`}`)
	},
	"query values":            func(n int) string { return oneHTTP(`"url":"https://e.x","query":{` + each(n, `"a%d":{}`) + `}`) },
	"query lists":             func(n int) string { return oneHTTP(`"url":"https://e.x","query":{"a":[` + list(n, `{}`) + `]}`) },
	"form values":             func(n int) string { return oneHTTP(`"url":"https://e.x","form":{` + each(n, `"a%d":null`) + `}`) },
	"multipart parts":         func(n int) string { return oneHTTP(`"url":"https://e.x","multipart":[` + list(n, `{}`) + `]`) },
	"expected statuses":       func(n int) string { return oneHTTP(`"url":"https://e.x","expect_status":[` + list(n, `"x"`) + `]`) },
	"expected status numbers": func(n int) string { return oneHTTP(`"url":"https://e.x","expect_status":[` + list(n, `1`) + `]`) },
	"script args":             func(n int) string { return oneStepOf("script", `"script":"x","args":[`+list(n, `[]`)+`]`) },
	"script env":              func(n int) string { return oneStepOf("script", `"script":"x","env":{`+each(n, `"a%d=":"1"`)+`}`) },
	"body templates":          func(n int) string { return oneHTTP(`"url":"https://e.x","body":[` + list(n, `"{{ nope }}"`) + `]`) },
	"templates in one text": func(n int) string {
		return oneHTTP(`"url":"https://e.x","body":"` + strings.Repeat("{{ nope }}", min(n, 26_000)) + `"`)
	},
	"sound templates":    func(n int) string { return oneHTTP(`"url":"https://e.x","body":[` + list(n, `"{{ input.a }}"`) + `]`) },
	"unclosed templates": func(n int) string { return oneHTTP(`"url":"https://e.x","body":[` + list(n, `"{{"`) + `]`) },
	"texts as values":    func(n int) string { return oneHTTP(`"url":"https://e.x","body":[` + list(n, `"x"`) + `]`) },
	"dependencies that are absent": func(n int) string {
		return `{"name":"n","steps":[{"id":"a","type":"webhook","depends_on":[` + each(n, `"d%d"`) + `]}]}`
	},
	"the same dependency": func(n int) string {
		return `{"name":"n","steps":[{"id":"a","type":"webhook","depends_on":[` + list(n, `"a"`) + `]}]}`
	},
	"dependencies that are numbers": func(n int) string {
		return `{"name":"n","steps":[{"id":"a","type":"webhook","depends_on":[` + list(n, `1`) + `]}]}`
	},
	"steps with an absent dependency": func(n int) string {
		return `{"name":"n","steps":[` + each(min(n/4, 10_000), `{"id":"s%d","type":"webhook","depends_on":["t"]}`) + `]}`
	},
	"steps that misspell": func(n int) string {
		return `{"name":"n","steps":[` + each(min(n/4, 5_000), `{"id":"step_%[1]d","type":"webhok","depends_on":["stp_%[1]d"]}`) + `]}`
	},
	"duplicate ids": func(n int) string {
		return `{"name":"n","steps":[` + list(min(n/4, 10_000), `{"id":"a","type":"webhook"}`) + `]}`
	},
	"pairs of steps": func(n int) string {
		return `{"name":"n","steps":[` + each(min(n/8, 5_000), `{"id":"a%[1]d","type":"webhook","depends_on":["b%[1]d"]},{"id":"b%[1]d","type":"webhook","depends_on":["a%[1]d"]}`) + `]}`
	},
	"one ring": func(n int) string {
		var b strings.Builder
		n = min(n/4, 10_000)
		for i := range n {
			fmt.Fprintf(&b, `,{"id":"s%d","type":"webhook","depends_on":["s%d"]}`, i, (i+1)%n)
		}
		return `{"name":"n","steps":[` + b.String()[1:] + `]}`
	},
	"everything depends on everything": func(n int) string {
		k := 1
		for k*k < n {
			k++
		}
		ids := each(k, `"s%d"`)
		return `{"name":"n","steps":[` + each(k, `{"id":"s%d","type":"webhook","depends_on":[`+strings.ReplaceAll(ids, "%", "%%")+`]}`) + `]}`
	},
	"a condition's branch": func(n int) string {
		return `{"name":"n","steps":[{"id":"a","type":"condition","config":{"expression":"true","then":[` + each(n, `"t%d"`) + `]}}]}`
	},
	"a condition's branch, the same": func(n int) string {
		return `{"name":"n","steps":[{"id":"b","type":"webhook"},{"id":"a","type":"condition","config":{"expression":"true","then":[` + list(n, `"b"`) + `]}}]}`
	},
	"a condition's cases": func(n int) string {
		return `{"name":"n","steps":[{"id":"a","type":"condition","config":{"cases":[` + list(n, `{}`) + `]}}]}`
	},
	"a condition's cases, nothing sound": func(n int) string {
		return `{"name":"n","steps":[{"id":"a","type":"condition","config":{"cases":[` + list(n, `{"when":"nope","then":["x"]}`) + `]}}]}`
	},
	"references to steps": func(n int) string {
		return `{"name":"n","steps":[` + each(min(n/8, 10_000), `{"id":"s%[1]d","type":"webhook","if":"steps.s_%[1]d.output == 1"}`) + `]}`
	},
	"references to all ancestors": func(n int) string {
		var b strings.Builder
		n = min(n/8, 10_000)
		for i := range n {
			fmt.Fprintf(&b, `,{"id":"s%d","type":"webhook","depends_on":["s%d"],"if":"steps.s%d.output == 1"}`, i, max(i-1, 0), i/2)
		}
		return `{"name":"n","steps":[` + b.String()[1:] + `]}`
	},
	"an enum of the input": func(n int) string {
		return `{"name":"n","input":{"type":"object","properties":{"a":{"enum":[` + each(n, `"e%d"`) + `]}}},"steps":[{"id":"a","type":"webhook"}]}`
	},
	"properties of the input": func(n int) string {
		return `{"name":"n","input":{"type":"object","properties":{` + each(n, `"p%d":{}`) + `}},"steps":[{"id":"a","type":"webhook"}]}`
	},
	"properties of the input that are no schemas": func(n int) string {
		return `{"name":"n","input":{"type":"object","properties":{` + each(n, `"p%d":1`) + `}},"steps":[{"id":"a","type":"webhook"}]}`
	},
	"properties of the input that many read": func(n int) string {
		return `{"name":"n","input":{"type":"object","additionalProperties":false,"properties":{` + each(n/2, `"p%d":{}`) + `}},"steps":[` +
			each(min(n/16, 10_000), `{"id":"s%[1]d","type":"webhook","if":"input.q%[1]d == 1"}`) + `]}`
	},
	"an output schema": func(n int) string {
		return `{"name":"n","steps":[` + each(min(n/16, 10_000), `{"id":"s%[1]d","type":"webhook","output_schema":{"type":"object","properties":{"a%[1]d":{"type":1}}}}`) + `]}`
	},
	"output schemas that are sound": func(n int) string {
		return `{"name":"n","steps":[` + each(min(n/16, 10_000), `{"id":"s%[1]d","type":"webhook","output_schema":{"type":"object","properties":{"a%[1]d":{"type":"string"}}}}`) + `]}`
	},
	"texts with escapes": func(n int) string { return `{"name":"n","output":[` + list(n, `"\ud83d\ude80\n"`) + `],"steps":[]}` },
	"texts with NUL":     func(n int) string { return `{"name":"n","output":[` + list(n, `"\u0000"`) + `],"steps":[]}` },
	"large numbers":      func(n int) string { return `{"name":"n","output":[` + list(n, `1e9999`) + `],"steps":[]}` },
	"deep lists": func(n int) string {
		return `{"name":"n","output":[` + list(n/100+1, strings.Repeat("[", 100)+strings.Repeat("]", 100)) + `],"steps":[]}`
	},
	"nested pointers": func(n int) string {
		return `{"name":"n","output":` + strings.Repeat(`{"`+strings.Repeat("k", 200)+`":`, 60) + `[` + list(n, `"\u0000"`) + `]` + strings.Repeat("}", 60) + `,"steps":[]}`
	},
	"nested loops": func(n int) string {
		inner := `{"id":"x","type":"webhook","if":"item == nope"}`
		for i := range min(n/8, 20) {
			inner = fmt.Sprintf(`{"id":"l%d","type":"loop","config":{"items":"nope","steps":[%s%s]}}`, i, inner,
				strings.Repeat(`,{"id":"y","type":"webhook","if":"nope"}`, n/800))
		}
		return `{"name":"n","steps":[` + inner + `]}`
	},
	"newlines":      func(n int) string { return `{"name":"n","steps":[` + list(n, "\n1") + `]}` },
	"one long line": func(n int) string { return `{"name":"n","x":[` + list(n, `1`) + `],` + each(n/10, `"k%d":1`) + `}` },
	"signal schemas": func(n int) string {
		return `{"name":"n","steps":[` + each(min(n/16, 10_000), `{"id":"s%[1]d","type":"wait","config":{"signal":{"name":"x","schema":{"type":"x%[1]d"}}}}`) + `]}`
	},
	"compensations": func(n int) string {
		return `{"name":"n","steps":[` + each(min(n/8, 10_000), `{"id":"s%[1]d","type":"webhook","compensate":{"type":"nope","config":{}}}`) + `]}`
	},
	"fallbacks": func(n int) string {
		return `{"name":"n","steps":[` + each(min(n/8, 10_000), `{"id":"s%[1]d","type":"webhook","on_error":"fallback","fallback_step":"t%[1]d"}`) + `]}`
	},
	"branches that do not depend": func(n int) string {
		return `{"name":"n","steps":[` + each(n/4, `{"id":"s%d","type":"webhook"}`) + `,{"id":"a","type":"condition","config":{"expression":"true","then":[` + each(n/4, `"s%d"`) + `]}}]}`
	},
	"retry on": func(n int) string {
		return `{"name":"n","steps":[{"id":"a","type":"webhook","retry":{"on":[` + list(n, `"x"`) + `]}}]}`
	},
	"concurrency key": func(n int) string {
		return `{"name":"n","concurrency":{"limit":1,"key":"` + strings.Repeat("{{ nope }}", min(n, 26_000)) + `"},"steps":[{"id":"a","type":"webhook"}]}`
	},
	"one long expression of many mistakes": func(n int) string {
		return `{"name":"n","steps":[` + each(n/100, `{"id":"s%d","type":"webhook","if":"`+strings.Repeat("nope + ", 25)+`1"}`) + `]}`
	},
}

func list(n int, item string) string {
	return strings.TrimSuffix(strings.Repeat(item+",", n), ",")
}

func each(n int, format string) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func oneStepOf(name, config string) string {
	return `{"name":"n","steps":[{"id":"a","type":"` + name + `","config":{` + config + `}}]}`
}

func oneHTTP(config string) string { return oneStepOf("http_request", config) }
func oneLoop(config string) string { return oneStepOf("loop", config) }

// check is what a request that carries the definition costs before its answer.
func check(src []byte, catalog definitions.Catalog) []fault.Issue {
	_, found := validation.Check(src, source.JSON, catalog)
	return found
}

// allocated returns the bytes that a call takes from the heap.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestCostGrowsWithTheText holds what a definition costs against its size:
// twice the text takes about twice the memory, never more, and the answer does
// not grow beyond what is listed.
func TestCostGrowsWithTheText(t *testing.T) {
	catalog := steps.Default(steps.Deps{})
	check([]byte(oneHTTP(`"url":"https://e.x"`)), catalog) // what is made once
	for _, name := range slices.Sorted(maps.Keys(hostile)) {
		t.Run(name, func(t *testing.T) {
			const n = 3_000
			small, large := []byte(hostile[name](n)), []byte(hostile[name](2*n))
			if !json.Valid(large) {
				t.Fatalf("not JSON: %.200s", large)
			}
			least := allocated(func() { check(small, catalog) })
			var found []fault.Issue
			most := allocated(func() { found = check(large, catalog) })
			if growth := float64(len(large)) / float64(len(small)); float64(most) > 1.5*growth*float64(least)+(1<<20) {
				t.Errorf("%d bytes of text take %d KiB, %d take %d KiB", len(small), least>>10, len(large), most>>10)
			}
			answer, err := json.Marshal(found)
			if err != nil || len(found) > source.MaxDiagnostics+1 || len(answer) > 1<<20 {
				t.Errorf("%d diagnostics in %d bytes, %v", len(found), len(answer), err)
			}
		})
	}
}

// Reading a definition without mistakes makes no words for messages, and few pieces of
// memory: at most two for each of its values.
func TestReadingASoundDefinitionAllocatesLittle(t *testing.T) {
	const n, valuesOfAStep = 500, 7
	text := []byte(`{"name":"n","steps":[` + each(n, `{"id":"s%[1]d","name":"Step %[1]d","type":"script","if":"input.a == %[1]d","config":{"script":"x"}}`) + `]}`)
	got := testing.AllocsPerRun(5, func() {
		if _, found := parser.Parse(text, source.JSON); len(found) > 0 {
			t.Errorf("found %+v", found)
		}
	})
	if got > 2*n*valuesOfAStep {
		t.Errorf("%.0f allocations for %d values", got, n*valuesOfAStep)
	}
}

// TestPatternsAreNotCompiledToCheckThem holds regular expressions, which a few
// characters can make large, to a budget of the whole definition, in expressions
// and schemas alike: beyond it one diagnostic says so, and checking compiles none.
func TestPatternsAreNotCompiledToCheckThem(t *testing.T) {
	catalog := steps.Default(steps.Deps{})
	check([]byte(oneHTTP(`"url":"https://e.x"`)), catalog) // what is made once
	const n = 400                                          // times 900 instructions
	for name, src := range map[string]string{
		"conditions":   `{"name":"n","steps":[` + each(n, `{"id":"s%[1]d","type":"script","if":"input.a matches '(a{1,900})%[1]d'","config":{"script":"x"}}`) + `]}`,
		"one template": oneHTTP(`"url":"https://e.x","body":"` + each(n, `{{ input.a matches '(a{1,900})%d' }}`) + `"`),
		"outputs":      `{"name":"n","steps":[` + each(n, `{"id":"s%[1]d","type":"script","output_schema":{"pattern":"(a{1,900})%[1]d"},"config":{"script":"x"}}`) + `]}`,
		"signals":      `{"name":"n","steps":[` + each(n, `{"id":"s%[1]d","type":"wait","config":{"signal":{"name":"x","schema":{"pattern":"(a{1,900})%[1]d"}}}}`) + `]}`,
		"both": `{"name":"n","steps":[` + each(n/2, `{"id":"s%[1]d","type":"script","if":"input.a matches '(a{1,900})%[1]d'",`+
			`"output_schema":{"patternProperties":{"(a{1,900})%[1]d":true}},"config":{"script":"x"}}`) + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			var found []fault.Issue
			taken := allocated(func() { found = check([]byte(src), catalog) })
			if len(found) != 1 || found[0].Code != string(source.LimitExceeded) || !strings.Contains(found[0].Message, "patterns") {
				t.Errorf("found %+v, want one limit_exceeded", found)
			}
			if taken > 32<<20 { // compiled, they take hundreds
				t.Errorf("a check takes %d KiB", taken>>10)
			}
		})
	}
	few := `{"name":"n","steps":[` + each(n/4, `{"id":"s%[1]d","type":"script","if":"input.a matches '(a{1,900})%[1]d'","config":{"script":"x"}}`) + `]}`
	if found := check([]byte(few), catalog); len(found) > 0 {
		t.Errorf("found %+v in a definition within the budget", found)
	}
}

// BenchmarkHostile shows what about a mebibyte of each kind costs.
func BenchmarkHostile(b *testing.B) {
	catalog := steps.Default(steps.Deps{})
	for _, name := range slices.Sorted(maps.Keys(hostile)) {
		b.Run(name, func(b *testing.B) {
			small := len(hostile[name](1_000))
			src := []byte(hostile[name](min(1_000*(1<<20)/small, 524_288)))
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				check(src, catalog)
			}
		})
	}
}
