package expressions

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func BenchmarkEvalBool(b *testing.B) {
	for _, source := range []string{
		`true`, `input.ok`, `input.n > 3`, `steps.fetch.status == "completed" && input.n in [1, 5]`,
		`any(input.users, .tag == "b")`,
	} {
		b.Run(source, func(b *testing.B) {
			p, err := Compile(source)
			if err != nil {
				b.Fatal(err)
			}
			w := someWorld()
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := p.EvalBool(w); err != nil || !ok {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(`steps.fetch.status == "completed" && input.n > 3`); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	env := someEnv()
	b.ReportAllocs()
	for b.Loop() {
		if found := Check(`steps.fetch.status == "completed" && input.n > 3`, env, WantBool); found != nil {
			b.Fatal(found)
		}
	}
}

// A path into a large value costs a scan of its bytes and nothing more.
func BenchmarkPlainPath(b *testing.B) {
	p, err := Compile("input.last.x")
	if err != nil {
		b.Fatal(err)
	}
	var items strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&items, `{"id":%d,"name":"item number %d"},`, i, i)
	}
	w := world{values: map[string]string{"input": `{"items":[` + items.String() + `0],"last":{"x":1}}`}}
	b.SetBytes(int64(len(w.values["input"])))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.EvalJSON(w); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	t, err := CompileTemplate(json.RawMessage(`{"url":"https://example.com/{{ input.name }}/{{ input.n }}","body":{"all":"{{ input.users }}"}}`))
	if err != nil {
		b.Fatal(err)
	}
	w := someWorld()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := t.Render(w); err != nil {
			b.Fatal(err)
		}
	}
}
