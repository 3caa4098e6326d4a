package schedules

import (
	_ "embed" // the list of zones
	"heddle/fault"
	"math"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones are known on a machine without a tz database too

	regexp "heddle/internal/lazyregexp"
)

// zoneList holds the names of the zones of the tz database that the toolchain
// carries, one per line, sorted.
//
//go:embed zones.txt
var zoneList string

// Zones lists the IANA names that LoadZone accepts, sorted.
func Zones() []string { return strings.Fields(zoneList) }

// LoadZone returns the zone with an IANA name; "" is UTC. The error is
// fault.Unacceptable invalid_timezone, with the name that was probably meant as
// the suggestion. Only names of Zones are accepted: time.LoadLocation would also
// read "Local" and other spellings from the machine, so that a schedule would
// depend on where it runs.
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
		err.Message += " An offset is not a zone, and knows no daylight saving time: name the place."
		if issue.Suggestion != "" {
			err.Message += " The offset alone is " + issue.Suggestion + ", whose sign is reversed."
		}
	} else if issue.Suggestion = nearestZone(zones, name); issue.Suggestion != "" {
		err.Message += " Did you mean " + issue.Suggestion + "?"
	}
	err.Issues = []fault.Issue{issue}
	return nil, err
}

// offsetPattern matches an offset from UTC in the forms that people write: its
// sign, hours and minutes are the groups.
var offsetPattern = regexp.MustCompile(`(?i)^(?:GMT|UTC|UT|Z)?\s*([+-])\s*(\d{1,2})(?::?(\d{2}))?$`)

// etcZoneOfOffset returns the zone of an offset of whole hours, as offsetPattern
// matched it; "" where there is none. The signs of Etc are reversed (POSIX):
// UTC+2 is Etc/GMT-2.
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

// zoneByAbbreviation maps abbreviations that are not names of the tz database to
// zones. Of several places with one abbreviation it has the most populous.
var zoneByAbbreviation = map[string]string{
	"CEST": "Europe/Berlin", "BST": "Europe/London", "WEST": "Europe/Lisbon", "EEST": "Europe/Athens", "MSK": "Europe/Moscow",
	"EDT": "America/New_York", "CST": "America/Chicago", "CDT": "America/Chicago", "MDT": "America/Denver",
	"PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "KST": "Asia/Seoul",
	"SGT": "Asia/Singapore", "HKT": "Asia/Hong_Kong", "AEST": "Australia/Sydney", "AEDT": "Australia/Sydney", "Z": "UTC", "ZULU": "UTC",
}

// nearestZone returns the zone that was probably meant by an abbreviation, another
// case, spaces for underscores, or the city alone; "" where there is none.
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

// truncate shortens a value for a message, to 80 bytes of valid UTF-8.
func truncate(s string) string {
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}

// segment is a span of time in which a zone has one offset. start (inclusive) and
// end (exclusive) are seconds since 1970, minUnix and maxUnix where there is no
// transition; offset is in seconds east of UTC.
type segment struct {
	start, end, offset int64
}

const (
	minUnix = math.MinInt64
	maxUnix = math.MaxInt64
	// transitionMargin is more than any clock change ever (a day, where a place
	// changed sides of the date line) and more than any offset.
	transitionMargin = 2 * day
)

// segmentAt returns the segment of a zone that contains an instant. Its cost is
// that of a search in the zone's transitions.
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
		// On the last day of a leap year ZoneBounds returns the beginning of that
		// day as the end for a zone that follows a rule. The day's end is safe:
		// the next segment just has the same offset.
		s.end = unix - unix%day + day
	}
	return s
}

// next returns the segment after s; it may have the same offset.
func (s segment) next(loc *time.Location) segment {
	next := segmentAt(loc, s.end)
	next.start = s.end
	return next
}

// wallTime returns what a local clock shows at an instant of the segment.
func (s segment) wallTime(unix int64) wallTime { return wallTime(unix + s.offset) }

// unambiguous reports whether an instant is so far from both ends of the segment
// that its local time certainly comes once. It is the cheap test that almost every
// due time passes.
func (s segment) unambiguous(unix int64) bool {
	return (s.start == minUnix || unix-transitionMargin > s.start) && (s.end == maxUnix || unix+transitionMargin < s.end)
}

// instants lists, in order, the instants (seconds since 1970) at which a local
// clock shows w: normally one, none in a gap, two where clocks go back.
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
