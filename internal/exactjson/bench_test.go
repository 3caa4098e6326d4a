package exactjson_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"heddle/internal/exactjson"
	"testing"
)

// BenchmarkAppendString escapes a plain text, and one with what has to be escaped;
// encoding/json is beside it.
func BenchmarkAppendString(b *testing.B) {
	for name, text := range map[string]string{"plain": "a fairly ordinary message of some forty bytes", "escapes": "größer als \"erwartet\"\nzweite Zeile"} {
		b.Run(name+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			var dst []byte
			for b.Loop() {
				dst = exactjson.AppendString(dst[:0], text)
			}
		})
		b.Run(name+"/encoding-json", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := json.Marshal(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// steps returns a definition-like document of n steps.
func steps(n int) []byte {
	var text bytes.Buffer
	text.WriteString(`{"steps":[`)
	for i := range n {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `{"type":"http_request","id":"step_%d","depends_on":["a","b"],"config":{"url":"https://example.com/{{input.id}}","method":"POST","timeout":30.0,"body":{"b":1,"a":[1,2,3]}}}`, i)
	}
	text.WriteString(`]}`)
	return text.Bytes()
}

// BenchmarkDocument is what is done with a document of 200 steps: its canonical form,
// two equalities, its depth.
func BenchmarkDocument(b *testing.B) {
	text := steps(200)
	v, w := decoded(b, text), decoded(b, text)
	each := func(name string, do func() bool) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if !do() {
					b.Fatal("wrong")
				}
			}
		})
	}
	dst := make([]byte, 0, 2*len(text))
	each("canonical", func() bool { return len(exactjson.Append(dst, v)) > 0 })
	each("equal", func() bool { return exactjson.Equal(v, w) })
	each("equal by value", func() bool { return exactjson.EqualByValue(v, w) })
	each("depth", func() bool { return !exactjson.DeeperThan(text, exactjson.MaxDepth) })
}
