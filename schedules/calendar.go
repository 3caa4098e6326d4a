package schedules

import (
	"math/bits"
	"time"
)

// wallTime is what a local clock shows: seconds since 1970 as if it were UTC.
type wallTime int64

const (
	minute = 60
	day    = 24 * 60 * minute
	// maxSearchDays is how many days are looked through for the next day that fits.
	maxSearchDays = 12 * 366
)

func wallTimeOf(year int, month time.Month, dayOfMonth int) wallTime {
	return wallTime(time.Date(year, month, dayOfMonth, 0, 0, 0, 0, time.UTC).Unix())
}

func (w wallTime) time() time.Time { return time.Unix(int64(w), 0).UTC() }

// days counts whole days since 1970.
func (w wallTime) days() int64 {
	d := int64(w) / day
	if int64(w)%day < 0 {
		d--
	}
	return d
}

// nextWallTime is the first named local time after w, or none within farAhead days.
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

// matchesDate tells whether a day (since 1970) is among the named ones.
func (s *Spec) matchesDate(d int64) bool {
	_, month, dom := wallTime(d * day).time().Date()
	return s.month&(1<<month) != 0 && s.matchesDay(d, dom)
}

// matchesDay tells whether a day of a named month is among the named ones.
func (s *Spec) matchesDay(d int64, dom int) bool {
	weekday := ((d+4)%7 + 7) % 7
	inMonth, inWeek := s.dom&(1<<dom) != 0, s.dow&(1<<weekday) != 0
	if s.anyDom || s.anyDow {
		return inMonth && inWeek
	}
	return inMonth || inWeek
}

// nextMinute is the first named minute of a day at or after m.
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

// countWallTimes is how many named local times there are after a and up to b.
func (s *Spec) countWallTimes(a, b wallTime) int {
	n := 0
	perDay := bits.OnesCount64(s.hour) * bits.OnesCount64(s.minute)
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
