package telemetry

import (
	"fmt"
	"heddle/executor"
)

// Describe returns the spans that a growth ends, each as one line. Links are
// left out: they are read from the run that a compensation runs on, which
// stands between two commits.
func Describe(g executor.Growth) (list []string) {
	for _, s := range spansOf(g, traceContextOf(g.After.RunID, g.Trace), func(string) bool { return false }) {
		list = append(list, fmt.Sprintf("%s below %s: %s %d-%d %s %s %v %s %d %d", s.id, s.parent, s.name,
			s.start.UnixMilli(), s.end.UnixMilli(), s.state, s.code, s.step, s.stepType, s.attempt, s.life))
	}
	return list
}
