package steps_test

import (
	"hash/fnv"
	"heddle/steps"
	"syscall"
	"testing"
	"time"
)

// BenchmarkScript reports what a trivial script costs in CPU time: of the
// server (self), of the processes that it started (children), and of both as a
// multiple of what hashing 1 MiB costs here at the same time, by which figures
// of different and of busy machines can be compared.
func BenchmarkScript(b *testing.B) {
	for _, mode := range []steps.ScriptMode{steps.Sandbox, steps.Unconfined} {
		b.Run(string(mode), func(b *testing.B) {
			r := open(b, "", func(d *steps.Deps) { d.Scripts.Mode = mode })
			one := call("script", `{"script":"true"}`)
			if _, err := r.Run(b.Context(), one); err != nil {
				b.Skipf("scripts cannot be run here: %v", err)
			}
			self, children := cpuTime(b, syscall.RUSAGE_SELF), cpuTime(b, syscall.RUSAGE_CHILDREN)
			for b.Loop() {
				if _, err := r.Run(b.Context(), one); err != nil {
					b.Fatal(err)
				}
			}
			self, children = cpuTime(b, syscall.RUSAGE_SELF)-self, cpuTime(b, syscall.RUSAGE_CHILDREN)-children
			perScript := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(b.N) / 1000 }
			b.ReportMetric(perScript(self), "self-ms/op")
			b.ReportMetric(perScript(children), "children-ms/op")
			b.ReportMetric(perScript(self+children)/calibration(b), "hashes/op")
		})
	}
}

// calibration is how many milliseconds of CPU time it costs to hash 1 MiB.
func calibration(b *testing.B) float64 {
	const rounds = 200
	data, before := make([]byte, 1<<20), cpuTime(b, syscall.RUSAGE_SELF)
	for i := range rounds {
		hash := fnv.New64a()
		_, _ = hash.Write(data)
		data[i] = byte(hash.Sum64())
	}
	return float64((cpuTime(b, syscall.RUSAGE_SELF) - before).Microseconds()) / rounds / 1000
}

// cpuTime is the user and system time that the kernel has counted so far.
func cpuTime(tb testing.TB, who int) time.Duration {
	tb.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(who, &usage); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
