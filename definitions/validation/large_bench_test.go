package validation_test

import (
	"encoding/json"
	"fmt"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/workflows"
	"heddle/steps"
	"maps"
	"syscall"
	"testing"
	"time"
)

// largeDefinition returns a definition of n steps in a hundred chains, each of which reads
// the step before it by an expression that expression returns.
func largeDefinition(b *testing.B, n int, step map[string]any, expression func(i int, before string) string) []byte {
	const chains = 100
	list := make([]map[string]any, n)
	for i := range list {
		list[i] = map[string]any{"id": fmt.Sprint("s", i), "name": fmt.Sprint("Step ", i)}
		maps.Copy(list[i], step)
		if i >= chains {
			before := fmt.Sprint("s", i-chains)
			list[i]["depends_on"], list[i]["if"] = []string{before}, expression(i, before)
		}
	}
	text, err := json.Marshal(map[string]any{"name": "Large", "steps": list})
	if err != nil {
		b.Fatal(err)
	}
	return text
}

// cpuTime returns what this process has used so far.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkLarge reads and validates definitions of 10,000 steps with the product's own
// step types, as a request does, and small ones of three steps. It prints the CPU time of
// one, the collector's included, and its ratio to decoding and encoding the same text with
// encoding/json.
func BenchmarkLarge(b *testing.B) {
	request := map[string]any{"type": "http_request", "config": map[string]any{"url": "https://example.com/{{ input.path }}"}}
	script := map[string]any{"type": "script", "config": map[string]any{"script": "true"}}
	reads := func(_ int, before string) string { return "steps." + before + ".output != null" }
	s := workflows.NewService(workflows.ServiceConfig{Catalog: steps.Default(steps.Deps{})})
	for _, of := range []struct {
		name string
		text []byte
	}{
		{"requests", largeDefinition(b, 10_000, request, reads)},
		{"scripts", largeDefinition(b, 10_000, script, reads)},
		// No two have the same form.
		{"scripts, each its own", largeDefinition(b, 10_000, script, func(i int, before string) string {
			return fmt.Sprintf("steps.%s.output.exit_code != %d", before, i)
		})},
		{"small", largeDefinition(b, 3, request, reads)},
	} {
		b.Run(of.name, func(b *testing.B) {
			begun, n := cpuTime(b), 0
			for n < 1 || cpuTime(b)-begun < 200*time.Millisecond {
				var v any
				if json.Unmarshal(of.text, &v) != nil {
					b.Fatal("not JSON")
				}
				if _, err := json.Marshal(v); err != nil {
					b.Fatal(err)
				}
				n++
			}
			raw := (cpuTime(b) - begun).Seconds() / float64(n)
			b.ReportAllocs()
			begun = cpuTime(b)
			for b.Loop() {
				doc, found := parser.Parse(of.text, source.JSON)
				if all, err := s.ValidateFor(b.Context(), "t", parser.ParsedDefinition{Document: doc, Found: found}); err != nil || len(all) > 0 {
					b.Fatal(err, all)
				}
			}
			each := (cpuTime(b) - begun).Seconds() / float64(b.N)
			b.ReportMetric(each*1e3, "cpu-ms/op")
			b.ReportMetric(each/raw, "times-json")
		})
	}
}
