package executor

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestSuspectsDoNotKeepTheOthersWaitingForLong(t *testing.T) {
	policy := Isolation{}.withDefaults()
	for _, c := range []struct {
		survived, many int
		want           time.Duration
	}{
		{0, 1, 500 * time.Millisecond},
		{1, 1, time.Second},
		{0, 10, 500 * time.Millisecond},
		{0, 25, 200 * time.Millisecond},
		{0, 1000, 5 * time.Millisecond},
		{3, 1000, 40 * time.Millisecond},
		{1000, 1, 5 * time.Minute},
	} {
		if got := policy.window(Suspect{Survived: c.survived}, c.many); got != c.want {
			t.Errorf("%d windows, %d suspects: %v, want %v", c.survived, c.many, got, c.want)
		}
	}
	for _, c := range []struct {
		suspects []Suspect
		want     time.Duration
	}{
		{nil, 0},
		{[]Suspect{{Crashes: 7}}, 0},
		{[]Suspect{{Alone: 1}}, 5 * time.Second},
		{[]Suspect{{Alone: 1, Survived: 1}}, 10 * time.Second},
		{[]Suspect{{Alone: 1, Survived: 9}}, time.Minute},
	} {
		if got := policy.rest(c.suspects); got != c.want {
			t.Errorf("%+v: %v, want %v", c.suspects, got, c.want)
		}
	}
}

// server is a model of a server that is killed again and again: what is in flight, and what
// the rules say of it. Times are in seconds.
type server struct {
	isolation   Isolation
	rand        *rand.Rand
	known       []Suspect
	runs        map[string]*modelRun
	started     int
	quarantined []string
	kind        func(n int) modelRun
}

// modelRun is a run of steps that each take as long. An attempt that is cut off
// begins anew. deadly: the process dies so long after an attempt began.
type modelRun struct {
	steps  int
	step   float64
	deadly float64 // 0: never
	ended  int     // steps
	at     float64 // of the attempt that is in flight
}

func (s *server) busy() (list []Suspect) {
	for id, r := range s.runs {
		list = append(list, Suspect{RunID: id, LastEnd: int64(r.ended)})
	}
	slices.SortFunc(list, func(a, b Suspect) int { return cmp.Compare(a.RunID, b.RunID) })
	return list
}

// run lets a run go on for a time, and says when it kills the process (or 0).
func (s *server) run(id string, d float64) float64 {
	r, passed := s.runs[id], 0.0
	for passed < d {
		if r.deadly > 0 && r.at < r.deadly && r.at+d-passed >= r.deadly {
			return max(passed+r.deadly-r.at, 1e-9)
		}
		if r.at+d-passed < r.step {
			r.at += d - passed
			return 0
		}
		passed += r.step - r.at
		r.at, r.ended = 0, r.ended+1
		if r.ended == r.steps {
			delete(s.runs, id)
			return 0
		}
	}
	return 0
}

// boot is one process from its start to its death; it is killed after some time at the
// latest. It reports whether it died before that.
func (s *server) boot(life float64) (phase Phase, killer bool) {
	for _, r := range s.runs {
		r.at = 0
	}
	suspects, now := SelectSuspects(s.known, s.busy()), 0.0
	toQuarantine, rest := splitQuarantined(suspects)
	if now = s.isolation.rest(rest).Seconds(); now >= life {
		return PhaseRest, false
	}
	var tried []string
	for _, c := range rest {
		i := slices.IndexFunc(s.known, func(k Suspect) bool { return k.RunID == c.RunID })
		s.known[i].Isolated = true
		r, window := s.runs[c.RunID], s.isolation.window(c, len(rest)).Seconds()
		over, survived := min(window, r.step), r.step > window
		died := s.run(c.RunID, min(over, life-now))
		for _, other := range tried {
			if s.runs[other] != nil {
				s.run(other, min(over, life-now))
			}
		}
		if now+over >= life || died > 0 {
			return PhaseIsolation, died > 0
		}
		now += over
		tried = append(tried, c.RunID)
		s.known[i].Isolated = false
		if survived {
			s.known[i].Alone, s.known[i].Survived = 0, s.known[i].Survived+1
		}
	}
	confirmed := now + s.isolation.Confirm.Seconds()
	for now < life {
		if now >= confirmed {
			for _, c := range toQuarantine {
				s.quarantined = append(s.quarantined, c.RunID)
				delete(s.runs, c.RunID)
			}
			toQuarantine = nil
		}
		for len(s.runs) < 10 {
			s.started++
			r := s.kind(s.started)
			s.runs[fmt.Sprintf("run_%06d", s.started)] = &r
		}
		d := min(0.25, life-now)
		for _, b := range s.busy() {
			held := slices.ContainsFunc(toQuarantine, func(c Suspect) bool { return c.RunID == b.RunID })
			if !held && s.run(b.RunID, d) > 0 {
				return PhaseOpen, true
			}
		}
		now += d
	}
	return PhaseOpen, false
}

func (s *server) dies(phase Phase) { s.known = UpdateSuspects(phase, s.known, s.busy()) }

func newServer(seed uint64, kind func(n int) modelRun) *server {
	return &server{isolation: Isolation{}.withDefaults(), rand: rand.New(rand.NewPCG(seed, 1)), runs: map[string]*modelRun{}, kind: kind}
}

// Kills from outside quarantine fewer than one of 1,000 innocent runs, whatever
// their steps take and however often the process is killed.
func TestExternalKillsQuarantineNoInnocentRun(t *testing.T) {
	t.Parallel()
	steps := map[string]func(n int) modelRun{
		"short steps":  func(int) modelRun { return modelRun{steps: 6, step: 0.3} },
		"long steps":   func(int) modelRun { return modelRun{steps: 2, step: 4} },
		"longer steps": func(int) modelRun { return modelRun{steps: 1, step: 20} },
		"loops":        func(int) modelRun { return modelRun{steps: 200, step: 0.15} },
		"all kinds": func(n int) modelRun {
			return []modelRun{{steps: 3, step: 0.1}, {steps: 2, step: 1}, {steps: 1, step: 6}, {steps: 60, step: 0.4}}[n%4]
		},
	}
	kills := map[string]func(r *rand.Rand) float64{
		"at once":       func(r *rand.Rand) float64 { return r.Float64() },
		"within 3 s":    func(r *rand.Rand) float64 { return 0.2 + 2.8*r.Float64() },
		"within 8 s":    func(r *rand.Rand) float64 { return 8 * r.Float64() },
		"within 30 s":   func(r *rand.Rand) float64 { return 30 * r.Float64() },
		"as they come":  func(r *rand.Rand) float64 { return 4 * r.ExpFloat64() },
		"every second":  func(*rand.Rand) float64 { return 1 },
		"every 5.3 s":   func(*rand.Rand) float64 { return 5.3 },
		"0.3 and 5.3 s": func(r *rand.Rand) float64 { return []float64{0.3, 5.3, 0.3, 9}[r.IntN(4)] },
	}
	all, guilty := 0, 0
	for _, what := range slices.Sorted(maps.Keys(steps)) {
		for _, when := range slices.Sorted(maps.Keys(kills)) {
			s := newServer(7, steps[what])
			for range 1000 {
				phase, _ := s.boot(kills[when](s.rand))
				s.dies(phase)
			}
			t.Logf("%s, killed %s: %d of %d", what, when, len(s.quarantined), s.started)
			all, guilty = all+s.started, guilty+len(s.quarantined)
		}
	}
	t.Logf("%d of %d innocent runs are quarantined", guilty, all)
	if guilty*1000 >= all {
		t.Errorf("%d of %d innocent runs are quarantined", guilty, all)
	}
}

// A run that kills the process is found within few deaths, also among many that
// are innocent, and none of those is quarantined with it.
func TestADeadlyRunIsFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		after float64 // seconds from its attempt's begin to the death
		most  int     // deaths
	}{
		{0.01, 4}, {0.4, 4}, {0.9, 5}, {3, 7}, {30, 10},
	} {
		for _, step := range []float64{0.2, 60} {
			s := newServer(3, func(n int) modelRun {
				if n == 7 {
					return modelRun{steps: 1, step: 1000, deadly: c.after}
				}
				return modelRun{steps: 1000, step: step}
			})
			deaths := 0
			for ; len(s.quarantined) == 0 && deaths < 100; deaths++ {
				phase, killer := s.boot(200)
				if !killer {
					break
				}
				s.dies(phase)
			}
			if len(s.quarantined) != 1 || s.quarantined[0] != "run_000007" || deaths > c.most {
				t.Errorf("deadly after %v s among steps of %v s: %v after %d deaths, want run_000007 after at most %d", c.after, step, s.quarantined, deaths, c.most)
			}
		}
	}
}

func TestJudge(t *testing.T) {
	run := func(id string, end int64, crashes, alone, survived int, isolated bool) Suspect {
		return Suspect{RunID: id, LastEnd: end, Crashes: crashes, Alone: alone, Survived: survived, Isolated: isolated}
	}
	for _, c := range []struct {
		name              string
		phase             Phase
		known, busy, want []Suspect
	}{
		{"each run in flight counts", PhaseOpen, nil, []Suspect{run("a", 3, 0, 0, 0, false)}, []Suspect{run("a", 3, 1, 0, 0, false)}},
		{"again", PhaseOpen, []Suspect{run("a", 3, 1, 0, 0, false)}, []Suspect{run("a", 3, 0, 0, 0, false)}, []Suspect{run("a", 3, 2, 0, 0, false)}},
		{"a step ended", PhaseOpen, []Suspect{run("a", 3, 4, 1, 2, false)}, []Suspect{run("a", 5, 0, 0, 0, false)}, []Suspect{run("a", 5, 1, 0, 0, false)}},
		{"it is not in flight any more", PhaseOpen, []Suspect{run("a", 3, 4, 1, 2, false)}, nil, nil},
		{"it died with others: not alone", PhaseOpen, []Suspect{run("a", 3, 4, 1, 2, false)}, []Suspect{run("a", 3, 0, 0, 0, false)}, []Suspect{run("a", 3, 5, 0, 2, false)}},
		{
			"while suspects are tried others count nothing", PhaseIsolation,
			[]Suspect{run("a", 3, 2, 0, 0, true), run("b", 1, 2, 1, 0, false)},
			[]Suspect{run("a", 3, 0, 0, 0, false), run("b", 1, 0, 0, 0, false), run("c", 1, 0, 0, 0, false)},
			[]Suspect{run("a", 3, 3, 1, 0, false), run("b", 1, 2, 0, 0, false)},
		},
		{
			"before any is", PhaseIsolation,
			[]Suspect{run("a", 3, 2, 0, 0, false)},
			[]Suspect{run("a", 3, 0, 0, 0, false), run("c", 1, 0, 0, 0, false)},
			[]Suspect{run("a", 3, 2, 0, 0, false)},
		},
		{"a run to be quarantined is not driven", PhaseOpen, []Suspect{run("a", 3, 4, 2, 0, false)}, []Suspect{run("a", 3, 0, 0, 0, false)}, []Suspect{run("a", 3, 4, 0, 0, false)}},
		{"with nothing in flight all are cleared", PhaseRest, []Suspect{run("a", 3, 9, 1, 0, false)}, []Suspect{run("a", 3, 0, 0, 0, false)}, nil},
	} {
		if got := UpdateSuspects(c.phase, c.known, c.busy); !slices.Equal(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
