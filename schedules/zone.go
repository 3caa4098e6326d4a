package schedules

import (
	_ "embed" // the list of zones
	"heddle/fault"
	"math"
	"slices"
	"strings"
	"time"
	_ "time/tzdata"

	// zones are known on a bare machine too

	regexp "heddle/internal/lazyregexp"
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
		"timezone must be an IANA name such as Europe/Berlin or UTC, not %q.", truncate(name))
	issue := fault.Issue{Code: err.Code, Severity: "error", Message: err.Message, Pointer: "/timezone"}
	if m := offsetPattern.FindStringSubmatch(strings.TrimSpace(name)); m != nil {
		issue.Suggestion = etcZoneOfOffset(zones, m)
		err.Message += " An offset is no zone, and knows no daylight saving time: name the place."
		if issue.Suggestion != "" {
			err.Message += " The offset alone is " + issue.Suggestion + ", whose sign is reversed."
		}
	} else if issue.Suggestion = nearestZone(zones, name); issue.Suggestion != "" {
		err.Message += " Did you mean " + issue.Suggestion + "?"
	}
	err.Issues = []fault.Issue{issue}
	return nil, err
}

var offsetPattern = regexp.MustCompile(`(?i)^(?:GMT|UTC|UT|Z)?\s*([+-])\s*(\d{1,2})(?::?(\d{2}))?$`)

// etcZoneOfOffset is the zone of an offset of whole hours; "": there is none. Etc
// counts hours behind UTC, so GMT+2 is Etc/GMT-2.
func etcZoneOfOffset(zones []string, m []string) string {
	sign, hours := "-", strings.TrimLeft(m[2], "0")
	switch {
	case strings.Trim(m[3], "0") != "":
		return ""
	case hours == "":
		return "UTC"
	case m[1] == "-":
		sign = "+"
	}
	zone := "Etc/GMT" + sign + hours
	if _, ok := slices.BinarySearch(zones, zone); !ok {
		return ""
	}
	return zone
}

// zoneByAbbreviation are the zones of abbreviations that are no names of the tz
// database; those of several places are of the one with the most people.
var zoneByAbbreviation = map[string]string{
	"CEST": "Europe/Berlin", "BST": "Europe/London", "WEST": "Europe/Lisbon", "EEST": "Europe/Athens", "MSK": "Europe/Moscow",
	"EDT": "America/New_York", "CST": "America/Chicago", "CDT": "America/Chicago", "MDT": "America/Denver",
	"PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "KST": "Asia/Seoul",
	"SGT": "Asia/Singapore", "HKT": "Asia/Hong_Kong", "AEST": "Australia/Sydney", "AEDT": "Australia/Sydney", "Z": "UTC", "ZULU": "UTC",
}

// nearestZone guesses the zone that was meant: another case, spaces, an
// abbreviation, or the city alone.
func nearestZone(zones []string, name string) string {
	if zone := zoneByAbbreviation[strings.ToUpper(strings.TrimSpace(name))]; zone != "" {
		return zone
	}
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

func truncate(s string) string {
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
	minUnix = math.MinInt64
	maxUnix = math.MaxInt64
	// transitionMargin is more than any clock was ever moved, and more than any offset.
	transitionMargin = 2 * day
)

func segmentAt(loc *time.Location, unix int64) segment {
	t := time.Unix(unix, 0).In(loc)
	_, offset := t.Zone()
	start, end := t.ZoneBounds()
	s := segment{minUnix, maxUnix, int64(offset)}
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

// next is the segment after s; it may have the same offset.
func (s segment) next(loc *time.Location) segment {
	next := segmentAt(loc, s.end)
	next.start = s.end
	return next
}

// wallTime is what the clock shows at an instant of the segment.
func (s segment) wallTime(unix int64) wallTime { return wallTime(unix + s.offset) }

// unambiguous tells whether an instant is so far from both ends that its local time
// comes once.
func (s segment) unambiguous(unix int64) bool {
	return (s.start == minUnix || unix-transitionMargin > s.start) && (s.end == maxUnix || unix+transitionMargin < s.end)
}

// instants lists when the clock shows w: once, never in a gap, twice where it
// is set back.
func instants(loc *time.Location, w wallTime) []int64 {
	var list []int64
	for s := segmentAt(loc, int64(w)-transitionMargin); ; s = s.next(loc) {
		if at := int64(w) - s.offset; at >= s.start && at < s.end {
			list = append(list, at)
		}
		if s.end > int64(w)+transitionMargin {
			return list
		}
	}
}
