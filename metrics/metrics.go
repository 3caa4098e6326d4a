// Package metrics measures the process for Prometheus: it stands between the
// features and the store, records requests and due times, and reads the
// executor's load when it is scraped. It holds numbers and closed sets of words
// only; no label names a tenant, a workflow or a path that a caller chose. Nothing
// leaves the process but through Handler.
package metrics

import (
	"context"
	"errors"
	"heddle/definitions"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/schedules"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is one process's measures. It is safe for concurrent use. Its fields are
// set by New and registered in registry, with the collectors that Watch, WatchClock
// and WatchSpans add. The names of the measures are documented in
// docs/operations.md and do not change.
type Metrics struct {
	registry *prometheus.Registry

	// Of the API.
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec // in seconds
	streams   prometheus.Gauge

	// Of runs, and of the store that they are in.
	started     *prometheus.CounterVec
	ended       *prometheus.CounterVec
	isolated    prometheus.Counter
	quarantined prometheus.Counter
	commits     *prometheus.HistogramVec // in seconds
	groups      *prometheus.HistogramVec // in members
	failures    *prometheus.CounterVec

	// Of schedules.
	dueTimes *prometheus.CounterVec
	missed   prometheus.Counter
	lateness prometheus.Histogram // in seconds
}

// New returns the measures of a process of this version. Counters that have a
// known set of labels begin at 0, so that rates can be computed from the start.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: counters("heddle_http_requests_total", "Requests answered, by the pattern of their route.", "route", "method", "status"),
		durations: histograms("heddle_http_request_seconds", "From a request's arrival to its answer; streams are left out.",
			[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}, "route", "method"),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{Name: "heddle_sse_streams", Help: "Open event streams."}),
		started: counters("heddle_runs_started_total", "Runs stored by this process, by what triggered them.", "trigger"),
		ended:   counters("heddle_runs_ended_total", "Runs that ended, by their last state.", "state"),
		isolated: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "heddle_runs_recovered_alone_total",
			Help: "Runs that were recovered with the attempts of all others held back, because the process died several times while they were in flight.",
		}),
		quarantined: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "heddle_runs_quarantined_total",
			Help: "Runs that were failed with run_quarantined, because the process died twice while they alone were in flight.",
		}),
		commits: histograms("heddle_commit_seconds", "One transaction of the journal: runs is a group commit, schedules a group of firings.",
			[]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5}, "of"),
		groups: histograms("heddle_commit_group_size", "Members that share one transaction of the journal.",
			[]float64{1, 2, 4, 8, 16, 32, 64, 128, 256}, "of"),
		failures: counters("heddle_store_errors_total", "Store operations that failed; conflicts and refusals are left out.", "operation"),
		dueTimes: counters("heddle_schedule_due_times_total", "Due times, by what became of them.", "outcome", "origin", "reason"),
		missed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "heddle_schedule_missed_total",
			Help: "Due times that passed while nothing could fire and that got no run of their own.",
		}),
		lateness: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "heddle_schedule_lateness_seconds",
			Help:    "From a due time (with its jitter) until its run was stored.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 60},
		}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "heddle_build_info", Help: "Always 1; the label carries the version.", ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.durations, m.streams, m.started, m.ended, m.isolated, m.quarantined, m.commits, m.groups, m.failures, m.dueTimes, m.missed, m.lateness,
		build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	// Known sets of labels begin at 0.
	for _, trigger := range definitions.Triggers() {
		m.started.WithLabelValues(trigger)
	}
	for _, state := range []machine.State{machine.Completed, machine.Failed, machine.Cancelled} {
		m.ended.WithLabelValues(string(state))
	}
	return m
}

// counters returns counters of one name, one for each combination of labels.
func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

// histograms returns histograms of one name, one for each combination of labels.
// buckets are upper bounds, in the unit of the name.
func histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}

// Handler serves the measures in Prometheus's text format, to at most four requests
// at one time (503 beyond). A collector that fails is left out of the answer.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4, DisableCompression: true})
}

// Request records an answered request. route is a pattern, "" where nothing
// serves the path: then the method, which the caller chose, is not a label either.
// took is 0 for a stream.
func (m *Metrics) Request(route, method string, status int, took time.Duration) {
	if route == "" {
		route, method = "none", "any"
	}
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	if took > 0 {
		m.durations.WithLabelValues(route, method).Observe(took.Seconds())
	}
}

// Stream records that a stream opened (1) or closed (-1). Every stream must be
// recorded both ways, or the gauge drifts.
func (m *Metrics) Stream(change int) { m.streams.Add(float64(change)) }

// SlotRecorded notes what became of due times, and how much later than due it was
// stored. It is a schedules.Meter. Lateness is measured for runs that the expression
// started and that neither waited nor were missed.
func (m *Metrics) SlotRecorded(s schedules.Slot, late time.Duration) {
	origin, _, _ := strings.Cut(s.Origin, ":")
	m.dueTimes.WithLabelValues(string(s.Outcome), origin, s.Reason).Add(float64(s.Count))
	if s.Missed() {
		m.missed.Add(float64(s.Count))
	}
	if s.Origin == schedules.FromSchedule && (s.Outcome == schedules.Fired || s.Outcome == schedules.Late && s.Reason == "") {
		m.lateness.Observe(max(late, 0).Seconds())
	}
}

// countError counts an error of the store, and leaves out those that are answers: a
// context that ended, a lost race, a fault of the caller. nil counts nothing.
func (m *Metrics) countError(operation string, err error) {
	var f *fault.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled),
		errors.Is(err, executor.ErrFenced), errors.Is(err, executor.ErrStale), errors.Is(err, executor.ErrDuplicateKey), errors.Is(err, executor.ErrNameTaken),
		errors.Is(err, executor.ErrLeaseHeld), errors.Is(err, schedules.ErrConflict):
		return
	case errors.As(err, &f) && f.Kind != fault.Internal && f.Kind != fault.Unavailable:
		return
	}
	m.failures.WithLabelValues(operation).Inc()
}
