package bench

import (
	"slices"
	"strings"
	"testing"
)

func TestCasesAreFoundByName(t *testing.T) {
	found, err := findCases([]string{"streams", "loop-10k"})
	if err != nil || len(found) != 2 || found[0].name != "streams" || found[1].name != "loop-10k" {
		t.Errorf("found %d cases, %v", len(found), err)
	}
	for _, c := range allCases() {
		if !strings.Contains(CaseList(), c.name+" ") {
			t.Errorf("the list does not name %q", c.name)
		}
	}
}

func TestPlanIsChecked(t *testing.T) {
	good := Plan{Runs: 1, InFlight: 1, Seconds: 1}
	if err := good.Check(); err != nil {
		t.Errorf("a good plan is refused: %v", err)
	}
	for name, change := range map[string]func(*Plan){
		"no runs": func(p *Plan) { p.Runs = 0 }, "none in flight": func(p *Plan) { p.InFlight = 0 },
		"no time": func(p *Plan) { p.Seconds = 0 }, "fewer than none parked": func(p *Plan) { p.Parked = -1 },
		"unknown case": func(p *Plan) { p.Cases = []string{"loop-2m"} },
	} {
		bad := good
		if change(&bad); bad.Check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestServersDoNotInheritSettings(t *testing.T) {
	got := withoutSettings([]string{"PATH=/bin", "HEDDLE_LISTEN=:1", "WORKFLOW_MAX_CONCURRENT_RUNS=1", "OTEL_SERVICE_NAME=x"})
	if !slices.Equal(got, []string{"PATH=/bin"}) {
		t.Errorf("kept %q", got)
	}
}
