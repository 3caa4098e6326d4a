package schedules

import (
	"math/bits"
	"time"
)

// countDays returns how many due times lie in each of n local days, the first of which is
// counted from 1970-01-01, as far as they lie from the instant from to the instant until, both
// included. Its cost grows with the days and not with the due times: those of a day are
// multiplied out, and only the first, the last, and the days on which clocks change are walked.
func (s Spec) countDays(first int64, n int, from, until time.Time, loc *time.Location, r Rules) []int {
	counts := make([]int, n)
	changes := changedDays(loc, first, n)
	begin, end := localDay(from.In(loc)), localDay(until.In(loc))
	for i := 0; i < n; i++ {
		d := first + int64(i)
		if d < begin-1 || d > end+1 {
			continue
		}
		if s.every == 0 && d > begin && d < end && !changes[d] {
			if s.matchesDate(d) {
				counts[i] = s.perDay()
			}
			continue
		}
		// Days in a row are walked together: where clocks go back over midnight the two
		// days take turns.
		last := i
		for last+1 < n && changes[first+int64(last)] && changes[first+int64(last+1)] {
			last++
		}
		a, b := dayStart(loc, d), dayStart(loc, first+int64(last)+1).Add(-1)
		if a.Before(from) {
			a = from
		}
		if b.After(until) {
			b = until
		}
		if s.every > 0 && last == i && !changes[d] {
			counts[i] = s.Count(a.Add(-1), b, loc, r)
			continue
		}
		for t, ok := s.Next(a.Add(-1), loc, r); ok && !t.After(b); t, ok = s.Next(t, loc, r) {
			if at := localDay(t) - first; at >= 0 && at < int64(n) {
				counts[at]++
			}
		}
		i = last
	}
	return counts
}

// perDay returns how many local times of a day match.
func (s *Spec) perDay() int { return bits.OnesCount64(s.hour) * bits.OnesCount64(s.minute) }

// localDay returns the day that a local clock shows, counted from 1970-01-01.
func localDay(t time.Time) int64 {
	year, month, dom := t.Date()
	return wallTimeOf(year, month, dom).days()
}

// dayOf returns a date, at any time of its day in UTC, counted from 1970-01-01.
func dayOf(date time.Time) int64 { return localDay(date.UTC()) }

// dateOf is the inverse of dayOf.
func dateOf(d int64) time.Time { return wallTime(d * day).time() }

// changedDays returns those of n local days that local times are skipped or repeated on, or are
// moved to.
func changedDays(loc *time.Location, first int64, n int) map[int64]bool {
	changes := map[int64]bool{}
	end := (first+int64(n))*day + transitionMargin
	for seg := segmentAt(loc, first*day-transitionMargin); seg.end < end; {
		next := seg.next(loc)
		before, after := seg.wallTime(seg.end), next.wallTime(seg.end)
		if before != after {
			for d := min(before, after).days(); d <= max(before, after).days(); d++ {
				changes[d] = true
			}
		}
		seg = next
	}
	return changes
}

// dayStart returns the first instant of a local day; of one that does not exist, the instant at
// which clocks jumped over it.
func dayStart(loc *time.Location, d int64) time.Time {
	w := wallTime(d * day)
	if all := instants(loc, w); len(all) > 0 {
		return time.Unix(all[0], 0).In(loc)
	}
	seg := segmentAt(loc, int64(w)-transitionMargin)
	for next := seg.next(loc); next.wallTime(seg.end) <= w; next = seg.next(loc) {
		seg = next
	}
	return time.Unix(seg.end, 0).In(loc)
}
