package bench

import (
	"strings"
	"testing"
)

func TestAFigureBeyondItsBoundFails(t *testing.T) {
	var out strings.Builder
	b := &session{Config: Config{Out: &out}}
	if err := b.hold(bound{"rows", 11, 11}, bound{"CPU", 0.5, 1}); err != nil {
		t.Errorf("within the bounds: %v", err)
	}
	err := b.hold(bound{"rows", 11.5, 11}, bound{"CPU", 0.5, 1}, bound{"commits", 3, 2})
	if err == nil || !strings.Contains(err.Error(), "rows: 11.50") || !strings.Contains(err.Error(), "commits") || strings.Contains(err.Error(), "CPU") {
		t.Errorf("beyond the bounds: %v", err)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 5 {
		t.Errorf("%d figures were printed, not all", lines)
	}
}
