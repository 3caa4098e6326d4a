package metrics

import "github.com/prometheus/client_golang/prometheus"

// SpanCounts is what became of spans since the start; the numbers only rise.
type SpanCounts struct{ Sent, Dropped, Failed uint64 }

// WatchSpans shows what became of spans whenever the measures are read. Without
// tracing it is not called, and there is no such measure.
func (m *Metrics) WatchSpans(counts func() SpanCounts) {
	m.registry.MustRegister(spans(counts))
}

// spans is a collector: its numbers are read, not kept.
type spans func() SpanCounts

// spansTotal describes the one measure, which has a label for each outcome.
var spansTotal = prometheus.NewDesc("heddle_spans_total", "Spans of tracing, by what became of them.", []string{"outcome"}, nil)

// Describe sends nothing: the registry takes what Collect sends.
func (s spans) Describe(chan<- *prometheus.Desc) {}

// Collect reads the counts.
func (s spans) Collect(out chan<- prometheus.Metric) {
	c := s()
	for outcome, n := range map[string]uint64{"sent": c.Sent, "dropped": c.Dropped, "failed": c.Failed} {
		out <- prometheus.MustNewConstMetric(spansTotal, prometheus.CounterValue, float64(n), outcome)
	}
}
