package main

import (
	"bytes"
	"heddle/internal/sandbox"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// initialized returns how many bytes each package allocates when this program
// starts under a name.
func initialized(t *testing.T, name string) map[string]int {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^$")
	cmd.Args[0] = name
	cmd.Env = []string{"GODEBUG=inittrace=1"}
	var said bytes.Buffer
	cmd.Stderr = &said
	_ = cmd.Run() // without a spec the script's process fails
	allocated := map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)^init (\S+) .* (\d+) bytes`).FindAllStringSubmatch(said.String(), -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			t.Fatal(err)
		}
		allocated[m[1]] = n
	}
	return allocated
}

// Every command waits for the initialization of all packages. Those of this module do
// hardly anything there; above all they compile no patterns and schemas.
func TestOurPackagesAreInitializedWithoutWork(t *testing.T) {
	own := 0
	for name, bytes := range initialized(t, "heddle") {
		if !strings.HasPrefix(name, "heddle/") {
			continue
		}
		if own++; bytes > 150_000 {
			t.Errorf("%s allocates %d bytes", name, bytes)
		}
	}
	if own < 10 {
		t.Errorf("%d packages of ours are initialized", own)
	}
}

// A script costs a start of this program. The process that runs it must do so
// before the packages that the rest needs are initialized.
func TestScriptsStartBeforeTheProgramDoes(t *testing.T) {
	all, before := initialized(t, "heddle"), initialized(t, sandbox.Name)
	if len(all) < 100 || len(before) == 0 || len(before) > 40 {
		t.Errorf("%d packages are initialized before a script is run, %d in all: %v", len(before), len(all), before)
	}
	for name := range before {
		for _, slow := range []string{"heddle", "jsonschema", "prometheus", "grpc_", "gorm", "encoding/json", "regexp", "net/http"} {
			if strings.Contains(name, slow) {
				t.Errorf("%s is initialized before a script is run", name)
			}
		}
	}
}

// BenchmarkStart reports the CPU time of short commands. They run in the test's
// binary, which initializes a few packages more than the program.
func BenchmarkStart(b *testing.B) {
	file := filepath.Join(b.TempDir(), "small.yaml")
	if err := os.WriteFile(file, []byte("name: Small\nsteps:\n  - {id: a, type: condition, config: {expression: 'true'}}\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	for _, args := range [][]string{{"version"}, {"--help"}, {"validate", file}} {
		b.Run(args[0], func(b *testing.B) {
			var total time.Duration
			for b.Loop() {
				cmd := exec.CommandContext(b.Context(), "/proc/self/exe", args...)
				cmd.Env = []string{asProgram}
				if err := cmd.Run(); err != nil {
					b.Fatal(err)
				}
				total += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			}
			b.ReportMetric(float64(total.Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
}
