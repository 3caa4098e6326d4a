package metrics

import (
	"context"
	"heddle/clock"
	"heddle/executor"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Queue returns how many runs wait in the store, as far as it counts. The store has
// the limit, so that a long queue costs no more than a short one.
type Queue interface {
	QueueLength(ctx context.Context) (int, error)
}

// How long one scrape waits for the queue's length, and how long that is good
// for others.
const (
	queueTimeout = 2 * time.Second
	queueLife    = time.Second
)

// Watch shows the executor's load and the queue whenever the measures are read. It
// must be called at most once, like WatchClock and WatchSpans: a second collector would
// repeat the measures, which is an error of every scrape.
func (m *Metrics) Watch(exec *executor.Service, queue Queue) {
	m.registry.MustRegister(&load{m: m, exec: exec, queue: queue})
}

// WatchClock shows what the last comparison of the process's clock with the
// database's found, once there was one.
func (m *Metrics) WatchClock(w *clock.Watch) { m.registry.MustRegister(clockOffset{w}) }

// clockOffset is a collector: it reads the watch's last measurement.
type clockOffset struct{ watch *clock.Watch }

// Describe sends nothing, as load's.
func (clockOffset) Describe(chan<- *prometheus.Desc) {}

// Collect reads the state of the watch; before the first comparison there are no such
// measures.
func (c clockOffset) Collect(out chan<- prometheus.Metric) {
	s, measured := c.watch.State()
	if !measured {
		return
	}
	waits := 0.0
	if s.TooFar {
		waits = 1
	}
	out <- prometheus.MustNewConstMetric(gauge("heddle_clock_offset_seconds", "This process's clock minus the database's, as last measured."), prometheus.GaugeValue, s.Offset.Seconds())
	out <- prometheus.MustNewConstMetric(gauge("heddle_schedules_wait_for_clock", "1 while this process fires no schedules, because its clock is more than 5 s off."), prometheus.GaugeValue, waits)
}

// load is a collector: its numbers are read, not kept, but for the queue's length,
// which costs a query.
type load struct {
	m     *Metrics
	exec  *executor.Service
	queue Queue

	mu     sync.Mutex // guards length and at; held while the store counts
	length int
	at     time.Time
}

// gauge describes a measure without labels.
func gauge(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }

// Describe sends nothing: the registry takes what Collect sends.
func (l *load) Describe(chan<- *prometheus.Desc) {}

// Collect reads the load, at one moment, and the queue, which is another. A queue
// that cannot be counted is left out.
func (l *load) Collect(out chan<- prometheus.Metric) {
	send := func(name, help string, v float64) {
		out <- prometheus.MustNewConstMetric(gauge(name, help), prometheus.GaugeValue, v)
	}
	now := l.exec.Load()
	held := 0.0
	if now.Epoch != 0 {
		held = 1
	}
	send("heddle_lease_held", "1 on the node that drives runs.", held)
	send("heddle_lease_epoch", "The lease's epoch, 0 where it is not held; it rises when the holder changes.", float64(now.Epoch))
	send("heddle_runs_active", "Runs in memory: with an attempt in flight or an input to apply.", float64(now.Runs))
	send("heddle_runs_waiting_for_slot", "Resident runs that wait for a slot, ahead of the queue.", float64(now.Woken))
	send("heddle_steps_in_action", "Attempts in flight.", float64(now.Steps))
	send("heddle_slots", "Runs that may have attempts in flight at one time.", float64(now.Slots))
	send("heddle_slots_used", "Runs that have attempts in flight; recovery may go beyond the limit.", float64(now.SlotsUsed))
	n, err := l.queued()
	l.m.countError("queue_length", err)
	if err == nil {
		send("heddle_runs_queued", "Runs that wait in the store for a slot, of all nodes; counted up to 100,000.", float64(n))
	}
}

// queued returns the queue's length, counted at most once a second (queueLife),
// however many scrapes there are. Those that come meanwhile wait for the one that
// counts. A count that failed is not kept: the next scrape tries again.
func (l *load) queued() (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.at) < queueLife {
		return l.length, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), queueTimeout)
	defer cancel()
	n, err := l.queue.QueueLength(ctx)
	if err == nil {
		l.length, l.at = n, time.Now()
	}
	return n, err
}
