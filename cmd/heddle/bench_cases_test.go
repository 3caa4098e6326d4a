package main

import (
	"strings"
	"testing"
)

func TestBenchRunsACase(t *testing.T) {
	code, out, errOut := heddle(t, nil, "bench", "--dir", t.TempDir(), "--case", "loop-10k")
	if code != exitOK || !strings.Contains(out, "10000 iterations") || !strings.Contains(out, "peak resident") {
		t.Fatalf("exit %d\n%s\n%s", code, out, errOut)
	}
	if strings.Contains(out, "\nraw ") {
		t.Errorf("a case ran more than itself:\n%s", out)
	}
}

func TestBenchNamesTheCases(t *testing.T) {
	code, _, errOut := heddle(t, nil, "bench", "--case", "loop-2m")
	if code != exitUsage || !strings.Contains(errOut, `no case "loop-2m"`) || !strings.Contains(errOut, "loop-1m") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}
