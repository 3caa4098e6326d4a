package schedules_test

import (
	"archive/zip"
	"fmt"
	"heddle/schedules"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// changes lists when a zone's clock changes from the last days of 2025 to the
// first of 2027, found by looking at every quarter of an hour.
func changes(loc *time.Location) string {
	var b strings.Builder
	_, offset := sweepFrom.In(loc).Zone()
	fmt.Fprint(&b, offset)
	for at := sweepFrom; at.Before(sweepTo); at = at.Add(15 * time.Minute) {
		if _, o := at.In(loc).Zone(); o != offset {
			offset = o
			fmt.Fprint(&b, " ", at.Unix(), " ", o)
		}
	}
	return b.String()
}

var (
	sweepFrom = time.Date(2025, 12, 29, 0, 0, 0, 0, time.UTC)
	sweepTo   = time.Date(2027, 1, 4, 0, 0, 0, 0, time.UTC)
)

// A daily schedule with the default rules fires exactly once per local day of
// 2026, at each half-hour and in each zone. Each distinct set of changes is
// taken once; HEDDLE_SWEEP=all takes every zone.
func TestSweepDaily(t *testing.T) {
	zones, fired, shifted := map[string]string{}, 0, 0
	for _, name := range schedules.Zones() {
		key := changes(zone(t, name))
		if os.Getenv("HEDDLE_SWEEP") == "all" {
			key = name
		}
		if zones[key] == "" {
			zones[key] = name
		}
	}
	for _, name := range zones {
		loc := zone(t, name)
		for half := range 48 {
			f, s := daily(t, loc, half/2, half%2*30)
			fired, shifted = fired+f, shifted+s
		}
		rhythms(t, loc)
	}
	t.Logf("%d zones, %d daily schedules, %d firings, %d of them moved out of a gap", len(zones), 48*len(zones), fired, shifted)
}

// daily checks one schedule over 2026.
func daily(t *testing.T, loc *time.Location, hour, minute int) (fired, shifted int) {
	t.Helper()
	s := spec(t, fmt.Sprintf("%d %d * * *", minute, hour))
	due := time.Date(2026, 1, 1, hour, minute, 0, 0, time.UTC) // the local time that comes next, as if UTC
	at := sweepFrom
	for due.Year() == 2026 {
		next, ok := s.Next(at, loc, schedules.Rules{})
		if !ok || !next.After(at) {
			t.Fatalf("%s %02d:%02d: after %s comes %s", loc, hour, minute, at, next)
		}
		at = next
		shown, before := showing(next, loc), showing(next.Add(-time.Second), loc).Add(time.Second)
		switch {
		case shown.Before(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)):
			continue
		case shown.Equal(due):
		case !due.Before(before) && due.Before(shown): // jumped over
			shifted++
		default:
			t.Fatalf("%s: %s fires at %s", loc, due.Format(time.DateTime), shown.Format(time.DateTime))
		}
		fired++
		due = due.AddDate(0, 0, 1)
	}
	return fired, shifted
}

// showing is what a local clock shows, as if it were UTC.
func showing(at time.Time, loc *time.Location) time.Time {
	_, offset := at.In(loc).Zone()
	return at.UTC().Add(time.Duration(offset) * time.Second)
}

// rhythms checks that */15 fires every quarter of an hour that passes, and an
// hourly one whenever the clock shows a full hour.
func rhythms(t *testing.T, loc *time.Location) {
	t.Helper()
	quarterly, hourly := spec(t, "*/15 * * * *"), spec(t, "0 * * * *")
	nextHour, _ := hourly.Next(sweepFrom.Add(-1), loc, schedules.Rules{})
	for at := sweepFrom; at.Before(sweepTo); at = at.Add(15 * time.Minute) {
		if next, _ := quarterly.Next(at, loc, schedules.Rules{}); !next.Equal(at.Add(15 * time.Minute)) {
			t.Fatalf("%s: */15 after %s is %s", loc, at, next)
		}
		if full := showing(at, loc).Minute() == 0; full != nextHour.Equal(at) {
			t.Fatalf("%s: hourly is due at %s, the clock shows %s", loc, nextHour, showing(at, loc))
		}
		if nextHour.Equal(at) {
			nextHour, _ = hourly.Next(at, loc, schedules.Rules{})
		}
	}
}

func TestEveryZoneOfTheToolchainIsListed(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skipf("no Go command to compare with: %v", err)
	}
	file, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Skipf("no tz database beside the toolchain: %v", err)
	}
	defer file.Close()
	var names []string
	for _, f := range file.File {
		if !strings.HasSuffix(f.Name, "/") {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, schedules.Zones()) {
		t.Error("zones.txt is not the toolchain's list; write lib/time/zoneinfo.zip's names to it, sorted")
	}
}
