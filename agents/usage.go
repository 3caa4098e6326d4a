package agents

import (
	"context"
	"heddle/fault"
	"time"
)

// Used is what attempts of steps consumed that were charged to an agent. Cost is in millionths of
// a US dollar, by the agent's prices at that time.
type Used struct {
	Attempts     int64 // those that consumed something
	Tokens       int64
	CostMicroUSD int64
}

// Day is what was consumed on one day of UTC, by when the attempts ended.
type Day struct {
	At time.Time // its beginning
	Used
}

// Usage is what an agent's attempts consumed from one day on and before another.
type Usage struct {
	From, To time.Time // beginnings of days
	Total    Used
	Days     []Day // those without any left out, oldest first
}

const (
	// MaxDays is how many days one question may be about.
	MaxDays = 366
	// defaultDays is how many they are unless it is said.
	defaultDays = 30
	day         = 24 * time.Hour
)

// Usage sums what attempts consumed that were charged to an agent, from the day of from on and up
// to the last day that begins before to. Zero times are thirty days, today included. Errors:
// fault.NotFound agent_not_found, fault.Malformed invalid_request where from is not before to, or
// more than MaxDays before it.
func (s *Service) Usage(ctx context.Context, tenantID, id string, from, to time.Time) (Usage, error) {
	if to.IsZero() {
		to = s.now().Add(1)
	}
	if from.IsZero() {
		from = to.Add(-defaultDays * day)
		from = dayAfter(from)
	}
	u := Usage{From: from.UTC().Truncate(day), To: dayAfter(to)}
	if !from.Before(to) {
		return u, fault.New(fault.Malformed, "invalid_request", "from must be before to.")
	}
	if u.To.Sub(u.From) > MaxDays*day {
		return u, fault.New(fault.Malformed, "invalid_request", "from and to are at most %d days apart.", MaxDays)
	}
	if _, err := s.store.Agent(ctx, tenantID, id); err != nil {
		return u, err
	}
	var err error
	u.Days, err = s.store.AgentUsage(ctx, tenantID, id, u.From, u.To)
	for _, d := range u.Days {
		u.Total.Attempts += d.Attempts
		u.Total.Tokens += d.Tokens
		u.Total.CostMicroUSD += d.CostMicroUSD
	}
	return u, err
}

// dayAfter returns the beginning of the first day that does not begin before t.
func dayAfter(t time.Time) time.Time {
	begins := t.UTC().Truncate(day)
	if begins.Equal(t) {
		return begins
	}
	return begins.Add(day)
}
