package steps

import (
	"slices"
	"testing"
)

func TestAStepsVariablesTakeThePlaceOfTheDefaults(t *testing.T) {
	t.Parallel()
	got := withDefaults([]string{"PATH=/opt", "X=1"}, "PATH=/bin", "HOME=/w")
	if want := []string{"HOME=/w", "PATH=/opt", "X=1"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
