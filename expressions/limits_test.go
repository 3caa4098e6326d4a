package expressions

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// evaluate compiles and evaluates an expression, and returns the error's code.
func evaluate(source string, w Scope) (json.RawMessage, string) {
	p, err := Compile(source)
	var raw json.RawMessage
	if err == nil {
		raw, err = p.EvalJSON(w)
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return raw, e.Code
	}
	return raw, ""
}

// mostCPU is far beyond what a bounded evaluation takes, under the race detector
// too. It is CPU time of the process, so that the load of the machine does not count.
const mostCPU = time.Minute

// cheaply fails a test whose body takes more CPU time than any bounded evaluation.
func cheaply(t testing.TB, name string, run func()) {
	t.Helper()
	before := cpuTime(t)
	run()
	if took := cpuTime(t) - before; took > mostCPU {
		t.Errorf("%s took %s of CPU time", name, took)
	}
}

func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// The parser recurses; a text that overflowed its stack would end the process.
func TestDeepTextsAreRefusedBeforeTheParser(t *testing.T) {
	n := 600_000
	for name, source := range map[string]string{
		"parentheses":       strings.Repeat("(", n) + "1" + strings.Repeat(")", n),
		"minuses":           strings.Repeat("-", n) + "1",
		"nots":              strings.Repeat("not ", n) + "true",
		"lists":             strings.Repeat("[", n),
		"short parentheses": strings.Repeat("(", 65) + "1" + strings.Repeat(")", 65),
		"short minuses":     strings.Repeat("- ", 65) + "1",
		"short bangs":       strings.Repeat("!", 4000) + "true",
		"ternaries":         strings.Repeat("true?1:", 500) + "1",
		"coalescing":        strings.Repeat("nil??", 800) + "1",
		"pipes":             "input.list" + strings.Repeat("|sort()", 500),
		"ifs":               strings.Repeat("if true{1}else ", 270) + "{1}",
		"powers":            strings.Repeat("1**", 1000) + "1",
		"members":           "input" + strings.Repeat(".a", 1000),
		"lets":              strings.Repeat("let a=1;", 9) + "a",
		"predicates":        "all(input.list, all(input.list, all(input.list, true)))",
	} {
		if _, code := evaluate(source, someWorld()); code != CodeLimit {
			t.Errorf("%s: got %q", name, code)
		}
	}
	fits := strings.Repeat("(", 64) + "1" + strings.Repeat(")", 64)
	if raw, code := evaluate(fits, someWorld()); string(raw) != "1" {
		t.Errorf("64 parentheses: %s %s", raw, code)
	}
}

func TestUnboundedFunctionsAreRefused(t *testing.T) {
	for source, code := range map[string]string{
		`reduce(1..24, #acc + #acc, "aaaaaaaaaaaaaaaa")`: CodeSyntax,
		`repeat("a", 1000000)`:                           CodeSyntax,
		`now()`:                                          CodeSyntax,
		`date("2026-01-01")`:                             CodeFailed,
		`date("2026-01-01 10:00:00", "2006-01-02 15:04:05")`:          CodeFailed,
		`date("2026-01-01 10:00:00", "2006-01-02 15:04:05", "Local")`: CodeFailed,
		`timezone("UTC")`:                      CodeSyntax,
		`$env`:                                 CodeUnknown,
		`$env["input"]`:                        CodeUnknown,
		`$env[input.name]`:                     CodeUnknown,
		`$`:                                    CodeUnknown,
		`let $ = 1; input.n`:                   CodeSyntax,
		`$path(1)`:                             CodeUnknown,
		`map(1..3, #acc)`:                      CodeSyntax,
		`sortBy(input.list, #acc)`:             CodeSyntax,
		`input.name.Foo()`:                     CodeSyntax,
		`input.big.Int64()`:                    CodeSyntax,
		`date("2026-01-01T00:00:00Z").Local()`: CodeSyntax,
		`let f = input; f()`:                   CodeUnknown,
		`b"abc"`:                               CodeSyntax,
		`secrets.TOKEN`:                        CodeUnknown,
		`secrets`:                              CodeUnknown,
	} {
		if raw, got := evaluate(source, someWorld()); got != code {
			t.Errorf("%s: got %q %s, want %q", source, got, raw, code)
		}
	}
}

// The library's memory budget counts elements, not bytes.
func TestGrowthIsCapped(t *testing.T) {
	long := strings.Repeat("x", 1000)
	w := world{values: map[string]string{"input": fmt.Sprintf(`{"s":%q,"many":[%s0],"deep":%s}`,
		strings.Repeat("y", 200_000), strings.Repeat("0,", 10_000), strings.Repeat("[", 900)+strings.Repeat("]", 900))}}
	for source, code := range map[string]string{
		`let a = "` + long + `"; let b=a+a+a+a+a+a+a+a; let c=b+b+b+b+b+b+b+b; let d=c+c+c+c+c+c+c+c; d`: CodeLarge,
		`input.s + input.s`:                              CodeLarge,
		`replace(input.s, "y", "zz")`:                    CodeLarge,
		`replace(input.s, "", "zz")`:                     CodeLarge,
		`split(input.s, "")`:                             CodeLarge,
		`splitAfter(input.s, "y")`:                       CodeLarge,
		`join(map(1..5000, input.s), "")`:                CodeLarge,
		`join(1..9000, input.s)`:                         CodeLarge,
		`map(1..10000, input.s + "x")`:                   CodeLarge,
		`map(1..10000, toJSON(input.s))`:                 CodeLarge,
		`map(1..10000, upper(input.s))`:                  CodeLarge,
		`toBase64(input.s)`:                              CodeLarge,
		`base64(input.s)`:                                CodeLarge,
		`urlEncode(replace(input.s, "y", " "))`:          CodeLarge,
		`htmlEscape(replace(input.s, "y", "&"))`:         CodeLarge,
		`map(1..10000, sha256(input.s))`:                 CodeLimit,
		`map(1..10000, hmac("", input.s))`:               CodeLimit,
		`urlEncode(input.s) == input.s`:                  "",
		`1..10001`:                                       CodeLarge,
		`-9223372036854775807..9223372036854775807`:      CodeLarge,
		`map(input.many, #)`:                             CodeLarge,
		`sort(input.many)`:                               CodeLarge,
		`1 in input.many`:                                CodeLarge,
		`concat(1..6000, 1..6000)`:                       CodeLarge,
		`flatten(map(1..200, 1..100))`:                   CodeLarge,
		`flatten(input.deep)`:                            CodeLarge,
		`max(input.deep)`:                                CodeLarge,
		`min(input.deep)`:                                CodeLarge,
		`mean(input.deep)`:                               CodeLarge,
		`median(input.deep)`:                             CodeLarge,
		`map(1..10000, map(1..90, [1,2,3,4,5,6,7,8,9]))`: CodeLarge,
		`len(input.many)`:                                "",
		`input.many`:                                     "",
	} {
		cheaply(t, source, func() {
			if raw, got := evaluate(source, w); got != code {
				t.Errorf("%.60s: got %q (%d bytes), want %q", source, got, len(raw), code)
			}
		})
	}
}

// Lists that hold one list many times are small in memory and huge when walked.
func TestSharedPartsAreCounted(t *testing.T) {
	lets := "let a=[1,1,1,1,1,1,1,1];"
	for i := range 7 {
		lets += fmt.Sprintf("let %c=[%s];", 'b'+i, strings.TrimSuffix(strings.Repeat(string(rune('a'+i))+",", 8), ","))
	}
	for source, code := range map[string]string{
		`h`:                      CodeLarge,
		`toJSON(h)`:              CodeLarge,
		`string(h)`:              CodeLarge,
		`h == [g,g,g,g,g,g,g,g]`: CodeLimit,
		`h in [h]`:               CodeLimit,
		`flatten(h)`:             CodeLarge,
		`max(h)`:                 CodeLarge,
		`median(h, h)`:           CodeLarge,
		`uniq([h,h])`:            CodeLimit,
		`join(h)`:                CodeLarge,
		`len(h)`:                 "",
	} {
		cheaply(t, source, func() {
			if _, got := evaluate(lets+source, someWorld()); got != code {
				t.Errorf("%s: got %q, want %q", source, got, code)
			}
		})
	}
	p, err := Compile(lets + "h")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Eval(someWorld()); err == nil {
		t.Error("Eval copied a value of 8^8 parts")
	}
}

// The library has no limit on time: nested predicates over a list of 1,000 ran
// for seconds, and cancelling did not stop them.
func TestWorkIsPaidFor(t *testing.T) {
	item := `{"id":1,"name":"` + strings.Repeat("n", 200) + `"}`
	w := world{values: map[string]string{"input": fmt.Sprintf(`{"list":[%s%s],"text":%q,"evil":%q,"nums":[%s1]}`,
		strings.Repeat(item+",", 999), item, strings.Repeat("a", 4_000_000), strings.Repeat("a", 200_000), strings.Repeat("1.5,", 9_999))}}
	for source, code := range map[string]string{
		`all(input.list, count(input.list, .id == 1) == 1000)`:                         CodeLimit,
		`count(input.list, any(input.list, .name == "x")) == 0`:                        CodeLimit,
		`none(1..9000, input.text contains "zzz")`:                                     CodeLimit,
		`all(1..9000, not (input.text matches "(a|aa)+$b"))`:                           CodeLimit,
		`input.text matches "` + strings.Repeat(".{200}", 10) + `"`:                    CodeLimit,
		`all(1..9000, len(split(input.evil, "b")) == 1)`:                               CodeLimit,
		`all(1..9000, input.list == input.list)`:                                       CodeLimit,
		`all(1..9000, len(sort(input.nums)) > 0)`:                                      CodeLimit,
		`all(1..9000, median(input.nums) > 0)`:                                         CodeLimit,
		`let g = groupBy(1..9000, #); all(1..9000, len(keys(g)) > 0)`:                  CodeLimit,
		`let g = groupBy(1..9000, #); all(1..9000, # in g)`:                            "",
		`all(1..9000, get(1..9000, #) != 0)`:                                           CodeLimit,
		`all(1..9000, lower(input.evil) == input.evil)`:                                CodeLarge,
		`all(1..9000, input.text matches input.evil)`:                                  CodeLarge,
		`all(1..9000, "a" matches ("(x{9}){9}y" + string(#)) or true)`:                 CodeLimit,
		`all(1..500, "a" matches ("(a{1,90})" + string(#)) or true)`:                   CodeLimit, // each is compiled
		`all(1..9000, date("2026-01-01 10", "2006-01-02 15", "Europe/Berlin") != nil)`: "",
		`count(input.list, .id == 1) == 1000`:                                          "",
		`all(1..1000, any(1..100, # == 1))`:                                            "",
	} {
		cheaply(t, source, func() {
			if raw, got := evaluate(source, w); got != code {
				t.Errorf("%.70s: got %q %s, want %q", source, got, raw, code)
			}
		})
	}
	for _, pattern := range []string{strings.Repeat(".{1000}", 100), `((a{100}){100}){100}`, `(((((a{9}){9}){9}){9}){9})`} {
		if _, code := evaluate(`input.text matches "`+pattern+`"`, w); code != CodeLarge && code != CodeFailed {
			t.Errorf("%.30s: got %q", pattern, code)
		}
	}
}

// A refusal comes at the same point each time.
func TestLimitsAreDeterministic(t *testing.T) {
	p, err := Compile(`filter(1..9000, len(sort(1..9000)) > #)`)
	if err != nil {
		t.Fatal(err)
	}
	_, first := p.Eval(someWorld())
	for range 5 {
		if _, err := p.Eval(someWorld()); err == nil || first == nil || err.Error() != first.Error() {
			t.Fatal(err, first)
		}
	}
}

func TestReadLimit(t *testing.T) {
	w := world{values: map[string]string{"input": `{"big":"` + strings.Repeat("b", MaxRead) + `","small":1}`}}
	for source, code := range map[string]string{
		`input.small + 1`:  "",
		`input.big`:        "",
		`input.big == "x"`: CodeLarge,
		`len(input)`:       CodeLarge,
	} {
		if _, got := evaluate(source, w); got != code {
			t.Errorf("%s: got %q, want %q", source, got, code)
		}
	}
}

func TestDeepValues(t *testing.T) {
	deep := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	w := world{values: map[string]string{"input": `{"d":` + deep + `}`}}
	for source, code := range map[string]string{`input.d`: "", `len(input.d)`: CodeLarge, `input.d[0][0]`: "", `[input.d]`: CodeLarge} {
		if _, got := evaluate(source, w); got != code {
			t.Errorf("%s: got %q, want %q", source, got, code)
		}
	}
	if _, code := evaluate(`fromJSON(input)`, world{values: map[string]string{"input": `"` + deep[:100_000] + strings.Repeat("]", 100_000) + `"`}}); code == "" {
		t.Error("fromJSON read it")
	}
}

// What costs little fuel allocates little: numbers are compared by their digits,
// and a zone is loaded once per evaluation.
func TestCheapOperationsAllocateLittle(t *testing.T) {
	scope := world{values: map[string]string{"input": `{"a": 1.1e-1999, "b": 1.2e-1999}`}}
	for source, most := range map[string]float64{
		"count(1..1000, # > 0 and input.a < input.b)":                                                                10_000,
		"count(1..1000, # > 0 and input.a == input.b)":                                                               10_000,
		`count(1..1000, # > 0 and date("2026-01-31", "2006-01-02", "Europe/Berlin") < date("2027-01-31T00:00:00Z"))`: 15_000,
	} {
		p, err := Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		got := testing.AllocsPerRun(1, func() {
			if _, err := p.EvalJSON(scope); err != nil {
				t.Fatal(err)
			}
		})
		if got > most {
			t.Errorf("%s: %v allocations, want at most %v", source, got, most)
		}
	}
}
