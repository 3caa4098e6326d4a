package steps_test

import (
	"heddle/definitions"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryFailureCodeIsKnownToRetry checks that retry.on and retry.except accept every
// code that a step can fail with, and no others.
func TestEveryFailureCodeIsKnownToRetry(t *testing.T) {
	t.Parallel()
	known := definitions.FailureCodes()
	made := regexp.MustCompile(`(?:permanent|transient|failure)\("([a-z_]+)"|Code: +"([a-z_]+)"`)
	ofRuns := []string{ // errors of a run, or of a signal; no step fails with them
		"cancelled", "finally_failed", "invalid_payload", "journal_failed", "run_quarantined", "run_timeout", "step_test", "terminated",
	}
	for _, pattern := range []string{"*.go", "../executor/*.go", "../executor/machine/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range made.FindAllStringSubmatch(string(source), -1) {
				code := m[1] + m[2]
				if !slices.Contains(known, code) && !slices.Contains(ofRuns, code) {
					t.Errorf("%s: steps fail with %s, which is in neither list of definitions/failures.go", file, code)
				}
			}
		}
	}
}
