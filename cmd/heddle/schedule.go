package main

import (
	"errors"
	"fmt"
	"heddle/fault"
	"heddle/schedules"
	"time"

	"github.com/spf13/cobra"
)

// scheduleCommand returns schedule, which groups the commands about schedules. Alone it
// prints its help.
func (p *process) scheduleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schedule",
		Short: "Look at schedules",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.schedulePreviewCommand())
	return cmd
}

// previewPlan holds the flags of one call of schedule preview, as they were given.
type previewPlan struct {
	zone, from, gap, repeat string
	count                   int
}

// schedulePreviewCommand returns schedule preview, which computes due times locally, by
// the code that the server uses.
func (p *process) schedulePreviewCommand() *cobra.Command {
	var plan previewPlan
	cmd := &cobra.Command{
		Use:   "preview EXPRESSION",
		Short: "Print when an expression is due, with the days when clocks change",
		Long: `Print the next due times of a cron expression in a zone, in local time with the
offset and in UTC, and say where a change of the clock moves or drops one:

  heddle schedule preview '0 2 * * *' --zone America/New_York --from 2026-03-01 -n 10

Nothing is stored, and no server is needed.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return p.preview(args[0], plan) },
	}
	f := cmd.Flags()
	f.StringVar(&plan.zone, "zone", "UTC", "the IANA name of the zone")
	f.StringVar(&plan.from, "from", "", "a local date, a local date and time, or an RFC 3339 time; default now")
	f.IntVarP(&plan.count, "count", "n", 10, "how many times, 1 to 500")
	f.StringVar(&plan.gap, "dst-gap", "shift", "local times that the clock jumps over: shift or skip")
	f.StringVar(&plan.repeat, "dst-repeat", "first", "local times that come twice: first, last or both")
	return cmd
}

// preview prints the expression in words and then a line for each due time: local time
// with its offset, UTC, and a note where a change of the clock moved or dropped it.
//
//	Mon 2026-03-09 02:00:00 -04:00  2026-03-09T06:00:00Z
//
// What is wrong with the flags is a usage error.
func (p *process) preview(expression string, plan previewPlan) error {
	// 500 lines are more than anyone reads, and bound the search in sparse expressions.
	if plan.count < 1 || plan.count > 500 {
		return usageError{errors.New("--count must be from 1 to 500")}
	}
	spec, err := schedules.Parse(expression)
	if err != nil {
		return usageError{messageOf(err)}
	}
	loc, err := schedules.LoadZone(plan.zone)
	if err != nil {
		return usageError{messageOf(err)}
	}
	rules := schedules.Rules{Gap: schedules.Gap(plan.gap), Repeat: schedules.Repeat(plan.repeat)}
	if err := schedules.CheckRules(rules); err != nil {
		return usageError{messageOf(err)}
	}
	begin, after, err := readFrom(plan.from, loc)
	if err != nil {
		return usageError{err}
	}
	// Intervals such as @every 1h are counted from it.
	rules.Anchor = begin
	fmt.Fprintln(p.out, spec.Describe(plan.zone))
	for _, t := range spec.Preview(after, time.Time{}, plan.count, loc, rules) {
		line := t.At.Format("Mon 2006-01-02 15:04:05 -07:00") + "  " + t.At.UTC().Format("2006-01-02T15:04:05Z")
		if t.Note != "" {
			line += "  " + t.Note
		}
		fmt.Fprintln(p.out, line)
	}
	return nil
}

// readFrom parses --from; "" is now. begin is the time that was given, the anchor of
// intervals. Due times are listed strictly after after, which for a local date or time
// is just before begin, so that begin itself counts. A local time that the clock jumps
// over becomes the first instant after the gap.
func readFrom(text string, loc *time.Location) (begin, after time.Time, err error) {
	if text == "" {
		now := time.Now()
		return now, now, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, at, nil
	}
	// time.ParseInLocation reads a local time in a gap as one before it, in the old
	// offset.
	for _, form := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02 15:04"} {
		if at, err := time.ParseInLocation(form, text, loc); err == nil {
			if _, end := at.ZoneBounds(); at.Format(form) < text { // the clock jumps over it
				at = end
			}
			return at, at.Add(-1), nil
		}
	}
	return begin, after, fmt.Errorf("--from must be a date such as 2026-03-01, a date and time, or an RFC 3339 time, not %q", text)
}

// messageOf returns the part of an error that is written for people: a fault's message
// without its code.
func messageOf(err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return errors.New(f.Message)
	}
	return err
}
