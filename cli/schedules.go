package cli

import (
	"fmt"
	"heddle/client"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// scheduleIDs completes a schedule.
var scheduleIDs = completeOf(func(s *session) iter.Seq2[client.ListedSchedule, error] {
	return s.c.Schedules.All(s.ctx, client.ScheduleQuery{})
}, func(x client.ListedSchedule) string { return x.ID + "\t" + x.Workflow.Slug + " " + x.CronExpression })

// scheduleVerbs returns the verbs of schedules.
func scheduleVerbs() []verb {
	return []verb{
		listSchedules(), createSchedule(), previewSchedule(), statusOfSchedule("pause", "Fire no more until it is resumed"),
		statusOfSchedule("resume", "Fire again; what was missed is made up for as its rule says"),
		triggerSchedule(), backfillSchedule(), scheduleSlots(), deleteSchedules(),
	}
}

func listSchedules() verb {
	var q client.ScheduleQuery
	return verb{
		use: "list", short: "List schedules, how they go and what is due next", args: cobra.NoArgs, watch: true, limit: true,
		flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringVar(&q.Workflow, "workflow", "", "only schedules of this workflow")
			f.StringVar(&q.Status, "status", "", "only active, paused or ended ones")
			f.StringVar(&q.Health, "health", "", "failing or late")
			f.StringVar(&q.Order, "order", "", "-created, or next: by what is due next")
		},
		run: func(s *session, _ []string) error {
			q.Limit = pageSize(s.limit)
			list, err := take(s.limit, s.c.Schedules.All(s.ctx, q))
			if err != nil {
				return err
			}
			return show(s, list, func(x client.ListedSchedule) string { return x.ID }, []column[client.ListedSchedule]{
				{"SCHEDULE", func(_ *session, x client.ListedSchedule) string { return x.ID }},
				{"WORKFLOW", func(_ *session, x client.ListedSchedule) string { return x.Workflow.Slug }},
				{"EXPRESSION", func(_ *session, x client.ListedSchedule) string { return x.CronExpression }},
				{"ZONE", func(_ *session, x client.ListedSchedule) string { return x.Timezone }},
				{"STATUS", func(_ *session, x client.ListedSchedule) string { return x.Status }},
				{"NEXT", func(s *session, x client.ListedSchedule) string { return s.when(x.NextRunAt) }},
				{"LAST", func(_ *session, x client.ListedSchedule) string {
					if x.LastSlot == nil {
						return "-"
					}
					return firstOf(text(x.LastSlot.RunStatus), x.LastSlot.Outcome)
				}},
			})
		},
	}
}

// scheduleFlags are what a schedule is made of.
type scheduleFlags struct {
	in                                input
	cron, zone, version, overlap, gap string
	repeat, catchUp                   string
	jitter                            time.Duration
	from, to                          string
}

func (x *scheduleFlags) add(cmd *cobra.Command) {
	x.in.add(cmd, "the input of its runs")
	f := cmd.Flags()
	f.StringVar(&x.cron, "cron", "", "the expression: five fields, a word such as @daily, or @every 1h")
	f.StringVar(&x.zone, "timezone", "", "the IANA name of the zone; UTC unless given")
	f.StringVar(&x.version, "version", "", "a number or label; whichever is active unless given")
	f.StringVar(&x.overlap, "overlap", "", "while the run before is open: skip, queue, allow or cancel_running")
	f.StringVar(&x.catchUp, "catch-up", "", "missed due times: none, latest or all")
	f.StringVar(&x.gap, "dst-gap", "", "local times that the clock jumps over: shift or skip")
	f.StringVar(&x.repeat, "dst-repeat", "", "local times that come twice: first, last or both")
	f.DurationVar(&x.jitter, "jitter", 0, "fire this much later at most")
	f.StringVar(&x.from, "starts-at", "", "an RFC 3339 time")
	f.StringVar(&x.to, "ends-at", "", "an RFC 3339 time")
}

// patch returns what the flags say.
func (x *scheduleFlags) patch(s *session) (client.SchedulePatch, error) {
	var p client.SchedulePatch
	value, err := x.in.value(s)
	if err != nil {
		return p, err
	}
	p.Input = value
	for _, f := range []struct {
		given string
		to    **string
	}{{x.cron, &p.Expression}, {x.zone, &p.Timezone}, {x.overlap, &p.Overlap}, {x.gap, &p.Gap}, {x.repeat, &p.Repeat}} {
		if f.given != "" {
			given := f.given
			*f.to = &given
		}
	}
	if x.version != "" {
		version := client.VersionRef(x.version)
		p.Version = &version
	}
	if x.catchUp != "" {
		p.CatchUp = &client.CatchUpPatch{Policy: &x.catchUp}
	}
	if x.jitter != 0 {
		jitter := x.jitter.Seconds()
		p.Jitter = &jitter
	}
	for _, f := range []struct {
		name, given string
		to          *client.Optional[time.Time]
	}{{"--starts-at", x.from, &p.StartsAt}, {"--ends-at", x.to, &p.EndsAt}} {
		if f.given == "" {
			continue
		}
		at, err := moment(f.name, f.given)
		if err != nil {
			return p, err
		}
		*f.to = client.Set(at)
	}
	return p, nil
}

// moment reads an RFC 3339 time, or a date or a date and time in UTC.
func moment(flag, given string) (time.Time, error) {
	for _, form := range []string{time.RFC3339, time.DateOnly, "2006-01-02T15:04"} {
		if at, err := time.Parse(form, given); err == nil {
			return at, nil
		}
	}
	return time.Time{}, usagef("%s is a date such as 2026-03-01 or an RFC 3339 time, not %q", flag, given)
}

func createSchedule() verb {
	var x scheduleFlags
	return verb{
		use: "create WORKFLOW --cron EXPRESSION", short: "Give a workflow a schedule", args: cobra.ExactArgs(1), complete: slugs,
		long: `Give a workflow a schedule and print its id:

  heddle schedules create nightly-export --cron '0 2 * * *' --timezone Europe/Berlin --set dataset=orders`,
		flags: x.add,
		run: func(s *session, args []string) error {
			if x.cron == "" {
				return usagef("when? Give --cron EXPRESSION")
			}
			patch, err := x.patch(s)
			if err != nil {
				return err
			}
			ref, err := s.workflow(args[0])
			if err != nil {
				return err
			}
			made, err := s.c.Schedules.Create(s.ctx, ref, patch)
			if err != nil {
				return err
			}
			s.said("%s; next at %s.", made.Description, s.when(made.NextRunAt))
			if s.output == "table" {
				_, err = fmt.Fprintln(s.Out, made.ID)
				return err
			}
			return showOne(s, *made, made.ID, nil)
		},
	}
}

func previewSchedule() verb {
	var in client.PreviewSchedule
	var count int
	return verb{
		use: "preview [SCHEDULE]", short: "List the next due times of a schedule, or of an expression", args: cobra.MaximumNArgs(1), complete: scheduleIDs,
		flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringVar(&in.CronExpression, "cron", "", "an expression that is not stored")
			f.StringVar(&in.Timezone, "timezone", "", "the zone of --cron; UTC unless given")
			f.StringVar(&in.Against, "against", "", "mark times at which the run before of this workflow would be open")
			f.IntVarP(&count, "count", "n", 10, "how many times, 1 to 500")
		},
		run: func(s *session, args []string) error {
			if (in.CronExpression == "") == (len(args) == 0) {
				return usagef("name a schedule, or give --cron EXPRESSION")
			}
			var due *client.DueTimes
			var err error
			if len(args) == 0 {
				in.Count = &count
				due, err = s.c.Schedules.PreviewExpression(s.ctx, in)
			} else {
				id := ""
				if id, err = s.schedule(args[0]); err == nil {
					due, err = s.c.Schedules.Preview(s.ctx, id, client.PreviewQuery{Count: count, Against: in.Against})
				}
			}
			if err != nil {
				return err
			}
			if s.output == "json" || s.output == "yaml" {
				return s.print(due)
			}
			s.said("%s", due.Description)
			t := newTable("LOCAL", "UTC", "")
			for _, d := range due.Times {
				note := text(d.Note)
				if d.Clash {
					note = strings.TrimSpace("the run before is still open  " + note)
				}
				t.row(d.Local, d.At.UTC().Format(time.RFC3339), note)
			}
			return t.write(s.Out, s.width)
		},
	}
}

// statusOfSchedule returns pause or resume.
func statusOfSchedule(name, short string) verb {
	var reason string
	return verb{
		use: name + " SCHEDULE", short: short, args: cobra.ExactArgs(1), complete: scheduleIDs,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&reason, "reason", "", "why, for the schedule and the audit trail")
		},
		run: func(s *session, args []string) error {
			id, err := s.schedule(args[0])
			if err != nil {
				return err
			}
			status := "active"
			in := client.UpdateSchedule{Reason: reason}
			if name == "pause" {
				status = "paused"
				if reason != "" {
					in.PauseReason = &reason
				}
			}
			in.Status = &status
			x, err := s.c.Schedules.Update(s.ctx, id, in)
			if err != nil {
				return err
			}
			if s.output != "table" {
				return showOne(s, *x, x.ID, nil)
			}
			_, err = fmt.Fprintln(s.Out, x.Status)
			return err
		},
	}
}

func triggerSchedule() verb {
	var reason string
	var watch bool
	return verb{
		use: "trigger SCHEDULE", short: "Start a schedule's run now, and print its id", args: cobra.ExactArgs(1), complete: scheduleIDs,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit trail")
			cmd.Flags().BoolVarP(&watch, "watch", "w", false, "follow the run to its end")
		},
		run: func(s *session, args []string) error {
			id, err := s.schedule(args[0])
			if err != nil {
				return err
			}
			run, err := s.c.Schedules.Trigger(s.ctx, id, reason)
			if err != nil {
				return err
			}
			return s.started(run, watch)
		},
	}
}

func backfillSchedule() verb {
	var from, to, overlap, reason string
	var limit int
	var dryRun bool
	return verb{
		use: "backfill SCHEDULE --from TIME --to TIME", short: "Start the runs of past due times", args: cobra.ExactArgs(1), complete: scheduleIDs,
		flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringVar(&from, "from", "", "a date or an RFC 3339 time, included")
			f.StringVar(&to, "to", "", "a date or an RFC 3339 time, not included")
			f.StringVar(&overlap, "overlap", "", "queue or allow")
			f.IntVar(&limit, "max", 0, "refuse more due times than this")
			f.StringVar(&reason, "reason", "", "why, for the audit trail")
			f.BoolVar(&dryRun, "dry-run", false, "print what would run")
		},
		run: func(s *session, args []string) error {
			if from == "" || to == "" {
				return usagef("which due times? Give --from and --to")
			}
			begin, err := moment("--from", from)
			if err != nil {
				return err
			}
			end, err := moment("--to", to)
			if err != nil {
				return err
			}
			id, err := s.schedule(args[0])
			if err != nil {
				return err
			}
			in := client.BackfillSchedule{From: &begin, To: &end, OverlapPolicy: overlap, Reason: reason}
			if limit > 0 {
				in.Limit = &limit
			}
			return s.backfill(id, in, dryRun)
		},
	}
}

// backfill asks what would run and, unless that is all, starts it.
func (s *session) backfill(id string, in client.BackfillSchedule, dryRun bool) error {
	preview, err := s.c.Schedules.PreviewBackfill(s.ctx, id, in)
	if err != nil {
		return err
	}
	if dryRun {
		if s.output == "json" || s.output == "yaml" {
			return s.print(preview)
		}
		t := newTable("DUE", "RAN")
		for _, d := range preview.DueTimes {
			t.row(d.Local, text(d.RunID))
		}
		return t.write(s.Out, s.width)
	}
	if err := s.confirm(fmt.Sprintf("Start %d runs?", preview.Slots)); err != nil {
		return err
	}
	done, err := s.c.Schedules.Backfill(s.ctx, id, in)
	if err != nil {
		return err
	}
	if s.output == "json" || s.output == "yaml" {
		return s.print(done)
	}
	s.said("%d due times are being run.", done.Slots)
	_, err = fmt.Fprintln(s.Out, done.BackfillID)
	return err
}

func scheduleSlots() verb {
	var q client.SlotQuery
	return verb{
		use: "slots SCHEDULE", short: "List what became of each due time, latest first", args: cobra.ExactArgs(1), complete: scheduleIDs, limit: true, watch: true,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&q.Outcome, "outcome", "", "fired, late, caught_up, coalesced, skipped or waiting")
		},
		run: func(s *session, args []string) error {
			id, err := s.schedule(args[0])
			if err != nil {
				return err
			}
			q.Limit = pageSize(s.limit)
			list, err := take(s.limit, s.c.Schedules.AllSlots(s.ctx, id, q))
			if err != nil {
				return err
			}
			return show(s, list, func(x client.Slot) string { return x.DueAt.UTC().Format(time.RFC3339) }, []column[client.Slot]{
				{"DUE", func(s *session, x client.Slot) string { return s.time(x.DueAt) }},
				{"OUTCOME", func(_ *session, x client.Slot) string { return x.Outcome }},
				{"RUN", func(_ *session, x client.Slot) string { return text(x.RunID) }},
				{"STATUS", func(_ *session, x client.Slot) string { return text(x.RunStatus) }},
				{"TOOK", func(_ *session, x client.Slot) string { return seconds(x.DurationSeconds) }},
				{"REASON", func(_ *session, x client.Slot) string { return text(x.Reason) }},
			})
		},
	}
}

func deleteSchedules() verb {
	var reason string
	return verb{
		use: "delete SCHEDULE…", short: "End schedules; their runs go on", args: cobra.MinimumNArgs(1), complete: scheduleIDs,
		flags: func(cmd *cobra.Command) { cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit trail") },
		run: func(s *session, args []string) error {
			return s.each("schedule", args, s.schedule, func(id string) error { return s.c.Schedules.Delete(s.ctx, id, client.Because(reason)) })
		},
	}
}
