package schedules

import (
	"context"
	"heddle/fault"
	"time"
)

// The bounds of a calendar: its days, and the lines of ledgers that are read for one page of it.
// The schedules of a page share the lines.
const (
	MaxCalendarDays  = 400
	maxCalendarLines = 100_000
)

// CalendarQuery asks for the days From to To, both included, in each schedule's own zone. They
// are dates: midnights of UTC. Query selects the schedules.
type CalendarQuery struct {
	Query
	From, To time.Time
}

// Calendar is what became of a schedule's due times by day, and what is due.
type Calendar struct {
	Schedule Schedule
	Workflow WorkflowName
	// Days are those on which something was or will be due, in their order.
	Days []CalendarDay
	// CountedSince is when the first line is due that was counted; zero: all were. It is set
	// where the ledger has more lines than are read.
	CountedSince time.Time
}

// CalendarDay is a day of the schedule's zone. Outcomes counts due times of the ledger; Due
// counts those to come, if the schedule stays as it is.
type CalendarDay struct {
	Date     time.Time // midnight of UTC
	Outcomes map[Outcome]int
	Due      int
}

// CalendarPage is a page of calendars; Next is empty on the last.
type CalendarPage struct {
	Calendars []Calendar
	Next      string
}

// LedgerSpan is a part of a schedule's ledger: due times from From on and before To.
type LedgerSpan struct {
	ScheduleID string
	From, To   time.Time
}

// LedgerCount counts due times of one outcome within a quarter of an hour from At on or, where
// Until is not zero, those of one line, from At to Until.
type LedgerCount struct {
	At, Until time.Time
	Outcome   Outcome
	Count     int
}

// LedgerCounts is what was counted in a span. First is when the first line is due that was
// counted, and Cut is whether there are earlier ones in the span.
type LedgerCounts struct {
	Counts []LedgerCount
	First  time.Time
	Cut    bool
}

// Calendar returns what became of due times by day, and what is due. Its cost is bounded: by the
// schedules of a page, the days, and a share of lines for each schedule, the latest. Errors:
// those of List; fault.Malformed invalid_request.
func (s *Service) Calendar(ctx context.Context, q CalendarQuery) (CalendarPage, error) {
	first, days := dayOf(q.From), int(dayOf(q.To)-dayOf(q.From))+1
	if days < 1 || days > MaxCalendarDays {
		return CalendarPage{}, fault.New(fault.Malformed, "invalid_request", "from and to must be dates in this order, at most %d days.", MaxCalendarDays)
	}
	page, err := s.List(ctx, q.Query)
	if err != nil || len(page.Schedules) == 0 {
		return CalendarPage{Next: page.Next}, err
	}
	zones := make([]*time.Location, len(page.Schedules))
	spans := make([]LedgerSpan, len(page.Schedules))
	for i, sc := range page.Schedules {
		if zones[i], err = s.zone(sc.Timezone); err != nil {
			zones[i] = time.UTC // a zone that is gone since
		}
		spans[i] = LedgerSpan{sc.ID, dayStart(zones[i], first), dayStart(zones[i], first+int64(days))}
	}
	counts, err := s.store.LedgerCounts(ctx, spans, maxCalendarLines/len(spans))
	if err != nil {
		return CalendarPage{}, err
	}
	result := CalendarPage{Calendars: make([]Calendar, len(spans)), Next: page.Next}
	for i, sc := range page.Schedules {
		m := month{first: first, loc: zones[i], schedule: sc, days: make([]CalendarDay, days)}
		m.spec, err = Parse(sc.Expression)
		m.readable = err == nil
		c := counts[sc.ID]
		for _, n := range c.Counts {
			m.add(n)
		}
		m.addDue(spans[i])
		result.Calendars[i] = Calendar{Schedule: sc, Workflow: page.Overviews[i].Workflow, Days: m.nonEmpty()}
		if c.Cut {
			result.Calendars[i].CountedSince = c.First
		}
	}
	return result, nil
}

// month is the calendar of one schedule while it is made. It belongs to one goroutine.
type month struct {
	first    int64 // counted from 1970-01-01
	loc      *time.Location
	schedule Schedule
	spec     Spec
	readable bool // spec is the schedule's
	days     []CalendarDay
}

// add adds due times of the ledger to their days. A line of several that lie on several days is
// divided by the expression, if that has so many there; else, as after an edit, all count on
// the first.
func (m *month) add(n LedgerCount) {
	at := localDay(n.At.In(m.loc))
	if n.Until.IsZero() {
		m.count(at, n.Outcome, n.Count)
		return
	}
	last := localDay(n.Until.In(m.loc))
	if at == last || !m.readable {
		m.count(at, n.Outcome, n.Count)
		return
	}
	// Far lines only matter within the calendar, but are compared as a whole.
	r := m.schedule.rules()
	if m.spec.Count(n.At.Add(-1), n.Until, m.loc, r) != n.Count {
		m.count(at, n.Outcome, n.Count)
		return
	}
	for i, due := range m.spec.countDays(m.first, len(m.days), n.At, n.Until, m.loc, r) {
		m.count(m.first+int64(i), n.Outcome, due)
	}
}

// count adds due times to a day, if it is in the calendar.
func (m *month) count(d int64, o Outcome, n int) {
	i := d - m.first
	if i < 0 || i >= int64(len(m.days)) || n == 0 {
		return
	}
	if m.days[i].Outcomes == nil {
		m.days[i].Outcomes = map[Outcome]int{}
	}
	m.days[i].Outcomes[o] += n
}

// addDue adds what is due within the span.
func (m *month) addDue(span LedgerSpan) {
	s := m.schedule
	if !m.readable || s.Status != Active || s.NextDue.IsZero() {
		return
	}
	until := span.To.Add(-1)
	if !s.EndsAt.IsZero() && s.EndsAt.Before(until) {
		until = s.EndsAt
	}
	if until.Before(s.NextDue) {
		return
	}
	for i, n := range m.spec.countDays(m.first, len(m.days), s.NextDue, until, m.loc, s.rules()) {
		m.days[i].Due = n
	}
}

// nonEmpty returns the days on which something was or is due.
func (m *month) nonEmpty() []CalendarDay {
	var list []CalendarDay
	for i, d := range m.days {
		if d.Due > 0 || d.Outcomes != nil {
			d.Date = dateOf(m.first + int64(i))
			list = append(list, d)
		}
	}
	return list
}
