package schedules

import (
	_ "embed" // the list of zones
	"math"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones are known on a bare machine too

	"heddle/fault"
)

// Names of the zones of the tz database that the toolchain carries, one a line
// and sorted.
//
//go:embed zones.txt
var zoneList string

// Zones lists the IANA names that LoadZone takes.
func Zones() []string { return strings.Fields(zoneList) }

// LoadZone finds a zone by its IANA name; "" is UTC. The error is
// fault.Unacceptable invalid_timezone.
func LoadZone(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	zones := Zones()
	if _, ok := slices.BinarySearch(zones, name); ok {
		loc, err := time.LoadLocation(name)
		if err == nil {
			return loc, nil
		}
	}
	err := fault.New(fault.Unacceptable, "invalid_timezone",
		"timezone must be an IANA name such as Europe/Berlin or UTC, not %q.", clip(name))
	issue := fault.Issue{Code: err.Code, Severity: "error", Message: err.Message, Pointer: "/timezone", Suggestion: nearestZone(zones, name)}
	if issue.Suggestion != "" {
		err.Message += " Did you mean " + issue.Suggestion + "?"
	}
	err.Issues = []fault.Issue{issue}
	return nil, err
}

// nearestZone guesses the zone that was meant: another case, spaces, or the
// city alone.
func nearestZone(zones []string, name string) string {
	name = strings.ReplaceAll(strings.TrimSpace(name), " ", "_")
	for _, z := range zones {
		if strings.EqualFold(z, name) {
			return z
		}
	}
	for _, z := range zones {
		if i := strings.LastIndexByte(z, '/'); i > 0 && strings.EqualFold(z[i+1:], name) {
			return z
		}
	}
	return ""
}

func clip(s string) string {
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}

// segment is a stretch of time in which a zone has one offset: seconds since
// 1970, the end not included.
type segment struct {
	start, end, offset int64
}

const (
	always = math.MinInt64
	ever   = math.MaxInt64
	// near is more than any clock was ever moved, and more than any offset.
	near = 2 * day
)

func segmentAt(loc *time.Location, unix int64) segment {
	t := time.Unix(unix, 0).In(loc)
	_, offset := t.Zone()
	start, end := t.ZoneBounds()
	s := segment{always, ever, int64(offset)}
	if !start.IsZero() {
		s.start = start.Unix()
	}
	if !end.IsZero() {
		s.end = end.Unix()
	}
	if s.end <= unix {
		// On the last day of a leap year ZoneBounds gives that day's beginning
		// as the end of a zone that follows a rule.
		s.end = unix - unix%day + day
	}
	return s
}

// following is the segment after s; it may have the same offset.
func (s segment) following(loc *time.Location) segment {
	next := segmentAt(loc, s.end)
	next.start = s.end
	return next
}

// wall is what the clock shows at an instant of the segment.
func (s segment) wall(unix int64) wall { return wall(unix + s.offset) }

// inner tells whether an instant is so far from both ends that its local time
// comes once.
func (s segment) inner(unix int64) bool {
	return (s.start == always || unix-near > s.start) && (s.end == ever || unix+near < s.end)
}

// instants lists when the clock shows w: once, never in a gap, twice where it
// is set back.
func instants(loc *time.Location, w wall) []int64 {
	var list []int64
	for s := segmentAt(loc, int64(w)-near); ; s = s.following(loc) {
		if at := int64(w) - s.offset; at >= s.start && at < s.end {
			list = append(list, at)
		}
		if s.end > int64(w)+near {
			return list
		}
	}
}
