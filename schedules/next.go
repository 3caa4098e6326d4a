package schedules

import "time"

// Gap is the rule for a matching local time that does not exist because clocks go
// forward, such as 02:30 in Europe/Berlin on the last Sunday of March.
type Gap string

// Repeat is the rule for a matching local time that comes twice because clocks go
// back, such as 02:30 in Europe/Berlin on the last Sunday of October.
type Repeat string

// The rules; the first of each is the default.
const (
	Shift Gap = "shift" // due at the first instant after the gap, once, however many times were in it
	Skip  Gap = "skip"  // not due

	First Repeat = "first" // due the first time, in summer time
	Last  Repeat = "last"  // due the second time, in standard time
	Both  Repeat = "both"  // due both times
)

// Rules choose what happens on the days when clocks change. They concern
// expressions whose hour holds neither * nor /; all others follow elapsed
// time. Anchor is where the intervals of @every are counted from; zero is 1970.
type Rules struct {
	Gap    Gap
	Repeat Repeat
	Anchor time.Time
}

// maxSearchYears bounds the search for a next time.
const maxSearchYears = 40

// Next returns the first due time strictly after an instant, in the zone loc;
// false where there is none within maxSearchYears. It depends on nothing but its
// arguments and the zone's transitions, so a list of due times is the same however
// it is paged, and on every node.
//
// It walks the zone's segments of constant offset. Within one, a matching local
// time is an instant; between two, the gap and repeat rules decide.
func (s Spec) Next(after time.Time, loc *time.Location, r Rules) (time.Time, bool) {
	if s.every > 0 {
		return s.nextInterval(after, r.Anchor).In(loc), true
	}
	seg := segmentAt(loc, after.Unix())
	w := seg.wallTime(after.Unix())
	for limit := w + maxSearchYears*366*day; w < limit; {
		var ok bool
		if w, ok = s.nextWallTime(w); !ok {
			break
		}
		if seg.end == maxUnix || int64(w)-seg.offset < seg.end {
			if at := int64(w) - seg.offset; s.fires(at, seg, loc, r) {
				return time.Unix(at, 0).In(loc), true
			}
			continue
		}
		// The next match lies beyond the segment: the gap behind it comes first.
		following := seg.next(loc)
		if !s.wildcardHour && r.Gap != Skip && len(s.skippedByGap(seg, following, loc, 1)) > 0 {
			return time.Unix(seg.end, 0).In(loc), true
		}
		seg = following
		w = seg.wallTime(seg.start) - 1
	}
	return time.Time{}, false
}

// nextInterval returns the first multiple of the interval after an instant,
// counted from the anchor (zero: 1970) in elapsed time.
func (s Spec) nextInterval(after, anchor time.Time) time.Time {
	// In seconds, so that no distance overflows.
	from, every := int64(0), int64(s.every/time.Second)
	if !anchor.IsZero() {
		from = anchor.Unix()
	}
	passed := after.Unix() - from
	n := passed / every
	if passed%every < 0 {
		n--
	}
	return time.Unix(from+(n+1)*every, 0)
}

// fires reports whether a matching local time is due at this instant, of the one
// or two at which a clock shows it.
func (s *Spec) fires(at int64, seg segment, loc *time.Location, r Rules) bool {
	if s.wildcardHour || r.Repeat == Both || seg.unambiguous(at) {
		return true
	}
	all := instants(loc, seg.wallTime(at))
	if r.Repeat == Last {
		return at == all[len(all)-1]
	}
	return at == all[0]
}

// skippedByGap lists at most limit matching local times that clocks jump over
// between two segments. The times of a day that does not exist at all (Samoa had
// no 30 December 2011) are not among them: such a day is not due, and its times
// are not moved to the next.
func (s *Spec) skippedByGap(before, after segment, loc *time.Location, limit int) []wallTime {
	from, to := before.wallTime(before.end), after.wallTime(after.start)
	var list []wallTime
	for w, ok := s.nextWallTime(from - 1); ok && w < to && len(list) < limit; w, ok = s.nextWallTime(w) {
		midnight := wallTime(w.days() * day)
		if from <= midnight && midnight+day <= to {
			w = midnight + day - 1
			continue
		}
		if len(instants(loc, w)) == 0 {
			list = append(list, w)
		}
	}
	return list
}

// Last returns the latest due time after the instant after and up to upto; false
// where there is none. It searches backwards in growing spans, so that a range of
// years with a due time every minute costs an hour's worth of steps.
func (s Spec) Last(after, upto time.Time, loc *time.Location, r Rules) (time.Time, bool) {
	const hour = time.Hour
	for _, back := range []time.Duration{hour, 24 * hour, 31 * 24 * hour, 366 * 24 * hour, 9 * 366 * 24 * hour, maxInterval * 4} {
		from := upto.Add(-back)
		if from.Before(after) {
			from = after
		}
		if t, ok := s.Next(from, loc, r); ok && !t.After(upto) {
			for n, more := t, true; more && !n.After(upto); n, more = s.Next(n, loc, r) {
				t = n
			}
			return t, true
		}
		if !from.After(after) {
			break
		}
	}
	return time.Time{}, false
}

// Count returns the number of due times after the instant after and up to upto.
// Its cost grows with the days in between, not with the due times: far from clock
// changes whole days are multiplied out, around them Next walks.
func (s Spec) Count(after, upto time.Time, loc *time.Location, r Rules) int {
	if !after.Before(upto) {
		return 0
	}
	if s.every > 0 {
		first := s.nextInterval(after, r.Anchor)
		if first.After(upto) {
			return 0
		}
		return 1 + int((upto.Unix()-first.Unix())/int64(s.every/time.Second))
	}
	n := 0
	for u := after; ; {
		seg := segmentAt(loc, u.Unix())
		end := upto.Unix()
		if seg.end != maxUnix {
			end = min(end, seg.end-transitionMargin-1)
		}
		if seg.unambiguous(u.Unix()) && end-u.Unix() > day {
			n += s.countWallTimes(seg.wallTime(u.Unix()), seg.wallTime(end))
			u = time.Unix(end, 0)
			continue
		}
		t, ok := s.Next(u, loc, r)
		if !ok || t.After(upto) {
			return n
		}
		n++
		u = t
	}
}
