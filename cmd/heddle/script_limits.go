package main

import (
	"context"
	"fmt"
	"heddle/steps"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
)

// scriptSettings returns the settings that limit scripts. Sizes are in bytes, with or
// without a unit. Their defaults are those of steps.Limits, so that `heddle config` can
// print them.
func scriptSettings() []setting {
	const size = "a size from 1KiB to 1TiB, as 512MiB, 2GiB or a number of bytes"
	// bytes and count return the set of a row that stores a number of bytes or a count.
	bytes := func(put func(*steps.Limits, int64), least int64) func(*settings, string) error {
		return func(s *settings, v string) error {
			n, err := byteSize(v, least)
			put(&s.ScriptLimits, n)
			return err
		}
	}
	count := func(put func(*steps.Limits, int64), least, most int) func(*settings, string) error {
		return func(s *settings, v string) error {
			n, err := between(v, least, most)
			put(&s.ScriptLimits, int64(n))
			return err
		}
	}
	return []setting{
		{
			// With less than 16 MiB hardly any interpreter starts.
			Name: "HEDDLE_SCRIPT_MEMORY", Flag: "script-memory", Default: "512MiB",
			Help: "address space of each process of a script, and memory of all of them where they have a cgroup", Allowed: "a size from 16MiB to 1TiB, as 512MiB, 2GiB or a number of bytes",
			set: bytes(func(l *steps.Limits, n int64) { l.Memory = n }, 16<<20),
		},
		{
			Name: "HEDDLE_SCRIPT_CGROUP", Flag: "script-cgroup", Default: "auto",
			Help: "where each script gets a cgroup that limits its memory and processes as a whole", Allowed: "auto, off or the path of a directory of cgroups v2",
			set: func(s *settings, v string) error {
				s.ScriptCgroup = v
				if v != "auto" && v != "off" && !filepath.IsAbs(v) {
					return fmt.Errorf("it is not an absolute path")
				}
				return nil
			},
		},
		{
			// 0 stands for the default, which depends on the attempt's timeout.
			Name: "HEDDLE_SCRIPT_CPU", Flag: "script-cpu", Default: "0",
			Help: "seconds of CPU time of each process of a script; 0 is what the attempt has left", Allowed: "a whole number from 0 to 86400",
			set: count(func(l *steps.Limits, n int64) { l.CPU = n }, 0, 86_400),
		},
		{
			// The kernel counts threads as processes here.
			Name: "HEDDLE_SCRIPT_PROCESSES", Flag: "script-processes", Default: "256",
			Help: "processes and threads of a script at one time", Allowed: "a whole number from 1 to 100000",
			set: count(func(l *steps.Limits, n int64) { l.Processes = n }, 1, 100_000),
		},
		{
			Name: "HEDDLE_SCRIPT_FILES", Flag: "script-files", Default: "1GiB",
			Help: "size of each file that a script writes", Allowed: size,
			set: bytes(func(l *steps.Limits, n int64) { l.FileSize = n }, 1<<10),
		},
		{
			Name: "HEDDLE_SCRIPT_OPEN_FILES", Flag: "script-open-files", Default: "1024",
			Help: "open files of each process of a script", Allowed: "a whole number from 16 to 1000000",
			set: count(func(l *steps.Limits, n int64) { l.OpenFiles = n }, 16, 1_000_000),
		},
		{
			// What goes beyond it is dropped, and the output says so; the script goes on.
			Name: "HEDDLE_SCRIPT_OUTPUT", Flag: "script-output", Default: "1MiB",
			Help: "what is kept of each of stdout and stderr", Allowed: "a size from 1KiB to 16MiB, as 4MiB or a number of bytes",
			set: func(s *settings, v string) error {
				// Larger outputs belong into a file or a request: each is a part of the run's
				// journal.
				n, err := byteSize(v, 1<<10)
				if err == nil && n > 16<<20 {
					err = fmt.Errorf("it is out of range")
				}
				s.ScriptLimits.Output = n
				return err
			},
		},
	}
}

// byteSize parses a number of bytes, with or without the unit KiB, MiB, GiB or TiB, from
// least to 1 TiB, both included: "512MiB", "512 MiB" and "536870912" are equal.
func byteSize(v string, least int64) (int64, error) {
	number, unit := strings.TrimSpace(v), int64(1)
	for i, name := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if rest, found := strings.CutSuffix(number, name); found {
			number, unit = strings.TrimSpace(rest), 1<<(10*(i+1))
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	switch {
	case err != nil:
		return 0, fmt.Errorf("it is not a size")
	// The comparison is with the quotient, because the product may overflow.
	case n < 0 || n > (1<<40)/unit || n*unit < least:
		return 0, fmt.Errorf("it is out of range")
	}
	return n * unit, nil
}

// scripts returns how scripts run under the settings, and which files of the server must
// be hidden from them.
func (s settings) scripts() steps.Scripts {
	return steps.Scripts{Mode: steps.ScriptMode(s.Scripts), Hide: databaseFiles(s.DatabaseURL), Limits: s.ScriptLimits, Cgroup: s.ScriptCgroup}
}

// isolation describes how scripts are confined on this machine, and whether their
// processes are limited as a whole. It runs a trivial script to find out.
func (s settings) isolation(ctx context.Context) (isolation, limits string) {
	// A registry of its own, whose log is dropped: the answer is the output.
	r := steps.Default(steps.Deps{Scripts: s.scripts(), Log: slog.New(slog.DiscardHandler)})
	defer r.Close()
	return r.ScriptIsolation(ctx), r.ScriptLimits()
}
