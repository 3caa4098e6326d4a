package schedules

import (
	"math/bits"
	"time"
)

// wallTime is what a local clock shows, without a zone: the seconds since 1970
// that an instant would have if it showed this time in UTC. One wallTime may
// stand for no instant (in a gap) or for two (where clocks go back).
type wallTime int64

const (
	minute = 60
	day    = 24 * 60 * minute
	// maxSearchDays bounds the search for the next matching day. The rarest day
	// is February 29, up to 8 years apart where a century year is not a leap year.
	maxSearchDays = 12 * 366
)

// wallTimeOf returns midnight of a day; month may be 13, as in time.Date.
func wallTimeOf(year int, month time.Month, dayOfMonth int) wallTime {
	return wallTime(time.Date(year, month, dayOfMonth, 0, 0, 0, 0, time.UTC).Unix())
}

// time returns w as if the clock stood in UTC, to take it apart.
func (w wallTime) time() time.Time { return time.Unix(int64(w), 0).UTC() }

// days returns the day of w, counted from 1970-01-01, rounded down also before
// that.
func (w wallTime) days() int64 {
	d := int64(w) / day
	if int64(w)%day < 0 {
		d--
	}
	return d
}

// nextWallTime returns the first matching local time strictly after w, whether or
// not it exists in a zone; false where there is none within maxSearchDays. Months
// that do not match are skipped as a whole, so the cost is at most a few hundred
// day checks.
func (s *Spec) nextWallTime(w wallTime) (wallTime, bool) {
	d := w.days()
	if s.matchesDate(d) {
		if m, ok := s.nextMinute(int(int64(w)-d*day)/minute + 1); ok {
			return wallTime(d*day + int64(m)*minute), true
		}
	}
	first, _ := s.nextMinute(0)
	for last := d + maxSearchDays; d < last; {
		d++
		year, month, dom := wallTime(d * day).time().Date()
		if s.month&(1<<month) == 0 {
			d = wallTimeOf(year, month+1, 1).days() - 1
			continue
		}
		if s.matchesDay(d, dom) {
			return wallTime(d*day + int64(first)*minute), true
		}
	}
	return 0, false
}

// matchesDate reports whether a day (counted from 1970-01-01) matches month and
// day fields.
func (s *Spec) matchesDate(d int64) bool {
	_, month, dom := wallTime(d * day).time().Date()
	return s.month&(1<<month) != 0 && s.matchesDay(d, dom)
}

// matchesDay reports whether a day matches the two day fields, given that its
// month does; d counts from 1970-01-01, which was a Thursday, and dom is the same
// day within its month. If one of the fields is *, both must match; if both are
// restricted, either is enough ("0 9 13 * FRI": every 13th and every Friday).
func (s *Spec) matchesDay(d int64, dom int) bool {
	weekday := ((d+4)%7 + 7) % 7
	inMonth, inWeek := s.dom&(1<<dom) != 0, s.dow&(1<<weekday) != 0
	if s.anyDom || s.anyDow {
		return inMonth && inWeek
	}
	return inMonth || inWeek
}

// nextMinute returns the first matching minute of a day (0 to 1439) at or after
// m; false where the rest of the day has none.
func (s *Spec) nextMinute(m int) (int, bool) {
	h := m / 60
	if h > 23 {
		return 0, false
	}
	if s.hour&(1<<h) != 0 {
		if rest := s.minute >> (m % 60); rest != 0 {
			return m + bits.TrailingZeros64(rest), true
		}
	}
	rest := s.hour >> (h + 1)
	if rest == 0 {
		return 0, false
	}
	return (h+1+bits.TrailingZeros64(rest))*60 + bits.TrailingZeros64(s.minute), true
}

// countWallTimes returns the number of matching local times after a and up to b.
// Whole days are counted by multiplying, so the cost grows with the days and not
// with the times; only the first and the last day are walked.
func (s *Spec) countWallTimes(a, b wallTime) int {
	n := 0
	perDay := s.perDay()
	for d := a.days(); d <= b.days(); d++ {
		if !s.matchesDate(d) {
			continue
		}
		if start := wallTime(d * day); start > a && start+day <= b+minute {
			n += perDay
			continue
		}
		for w, ok := s.nextWallTime(max(a, wallTime(d*day)-1)); ok && w <= b && w.days() == d; w, ok = s.nextWallTime(w) {
			n++
		}
	}
	return n
}
