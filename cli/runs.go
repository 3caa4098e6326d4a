package cli

import (
	"encoding/json"
	"fmt"
	"heddle/client"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// runVerbs returns the verbs of runs.
func runVerbs() []verb {
	return append([]verb{startRun(), listRuns(), getRun(), watchRun(), runLogs(), runResult(), signalRun(), deleteRuns()}, steeringVerbs()...)
}

// newestRuns completes a run.
var newestRuns = completeOf(func(s *session) iter.Seq2[client.ListedRun, error] {
	return s.c.Runs.All(s.ctx, client.RunQuery{})
}, func(r client.ListedRun) string { return r.ID + "\t" + r.Status + " " + slugOf(r) })

func startRun() verb {
	var in input
	var version, key string
	var labels []string
	var watch bool
	return verb{
		use: "start WORKFLOW", short: "Start a run", args: cobra.ExactArgs(1), complete: slugs,
		long: `Start a run of a workflow and print its id. The input is -f FILE, --set key=value,
or both. With --watch the run is followed to its end: as a tree of its steps on a
terminal, as lines elsewhere; the exit code is 1 when it fails. --idempotency-key
makes a repetition of the command answer with the same run.`,
		flags: func(cmd *cobra.Command) {
			in.add(cmd, "the input")
			f := cmd.Flags()
			f.StringVar(&version, "version", "", "a number or label; the active version unless given")
			f.StringArrayVar(&labels, "label", nil, "a label, key=value; may be given several times")
			f.StringVar(&key, "idempotency-key", "", "start one run for this key, however often")
			f.BoolVarP(&watch, "watch", "w", false, "follow the run to its end")
		},
		run: func(s *session, args []string) error {
			value, err := in.value(s)
			if err != nil {
				return err
			}
			marks, err := pairs("--label", labels)
			if err != nil {
				return err
			}
			ref, err := s.workflow(args[0])
			if err != nil {
				return err
			}
			id, err := s.c.Runs.Start(s.ctx, ref, client.StartRun{InputData: value, Version: client.VersionRef(version), Labels: marks}, client.IdempotencyKey(key))
			if err != nil {
				return err
			}
			if watch {
				s.said("%s was started.", id)
			}
			return s.started(id, watch)
		},
	}
}

func listRuns() verb {
	var q client.RunQuery
	var labels []string
	var since time.Duration
	return verb{
		use: "list", short: "List runs, newest first", args: cobra.NoArgs, watch: true, limit: true,
		flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringSliceVar(&q.Workflows, "workflow", nil, "only runs of this workflow, or of several")
			f.StringSliceVar(&q.Status, "status", nil, "only runs in this status, or in one of several")
			f.StringSliceVar(&q.Triggers, "trigger", nil, "only runs that were started so")
			f.StringArrayVar(&labels, "label", nil, "only runs with this label, key=value")
			f.StringVar(&q.ErrorCode, "error-code", "", "only runs that ended with this code")
			f.StringVar(&q.ScheduleID, "schedule", "", "only runs of this schedule, by its id")
			f.DurationVar(&since, "since", 0, "only runs created in this time until now, such as 24h")
			f.StringVar(&q.Order, "order", "", "-created, created, -ended or -duration")
		},
		run: func(s *session, _ []string) error {
			marks, err := pairs("--label", labels)
			if err != nil {
				return err
			}
			if q.Labels, q.Limit = marks, pageSize(s.limit); since > 0 {
				q.CreatedAfter = s.Now().Add(-since)
			}
			list, err := take(s.limit, s.c.Runs.All(s.ctx, q))
			if err != nil {
				return err
			}
			return show(s, list, func(r client.ListedRun) string { return r.ID }, []column[client.ListedRun]{
				{"RUN", func(_ *session, r client.ListedRun) string { return r.ID }},
				{"WORKFLOW", func(_ *session, r client.ListedRun) string { return slugOf(r) }},
				{"STATUS", func(_ *session, r client.ListedRun) string { return r.Status }},
				{"STEPS", func(_ *session, r client.ListedRun) string {
					if r.Steps == nil {
						return "-"
					}
					return fmt.Sprintf("%d/%d", r.Steps.Completed, r.Steps.Total)
				}},
				{"TRIGGER", func(_ *session, r client.ListedRun) string { return r.Trigger }},
				{"CREATED", func(s *session, r client.ListedRun) string { return s.time(r.CreatedAt) }},
				{"TOOK", func(_ *session, r client.ListedRun) string { return seconds(r.DurationSeconds) }},
				{"ERROR", func(_ *session, r client.ListedRun) string {
					if r.Error == nil {
						return ""
					}
					return r.Error.Code
				}},
			})
		},
	}
}

// slugOf returns the slug of a run's workflow, or its id where it was deleted.
func slugOf(r client.ListedRun) string {
	if r.Workflow != nil && r.Workflow.Slug != "" {
		return r.Workflow.Slug
	}
	return r.WorkflowID
}

func getRun() verb {
	return verb{
		use: "get RUN", short: "Show a run and its steps", args: cobra.ExactArgs(1), watch: true, complete: newestRuns,
		run: func(s *session, args []string) error {
			id, err := s.run(args[0])
			if err != nil {
				return err
			}
			r, err := s.c.Runs.Get(s.ctx, id)
			if err != nil {
				return err
			}
			err = showOne(s, *r, r.ID, []column[client.Run]{
				{"Run", func(_ *session, r client.Run) string { return r.ID }},
				{"Status", func(_ *session, r client.Run) string { return r.Status }},
				{"Version", func(_ *session, r client.Run) string { return fmt.Sprint(r.Version) }},
				{"Trigger", func(_ *session, r client.Run) string { return r.Trigger }},
				{"Created", func(s *session, r client.Run) string { return s.time(r.CreatedAt) }},
				{"Ended", func(s *session, r client.Run) string { return s.when(r.CompletedAt) }},
				{"Took", func(_ *session, r client.Run) string { return seconds(r.DurationSeconds) }},
				{"Error", func(_ *session, r client.Run) string { return failure(r.Error) }},
				{"Input", func(s *session, r client.Run) string { return fitted(string(r.Input), max(s.width-10, 0)) }},
				{"Output", func(s *session, r client.Run) string { return fitted(string(r.Output), max(s.width-10, 0)) }},
			})
			if err != nil || s.output != "table" {
				return err
			}
			fmt.Fprintln(s.Out)
			return show(s, r.StepRuns, func(x client.StepRun) string { return x.StepID }, []column[client.StepRun]{
				{"STEP", func(_ *session, x client.StepRun) string { return x.StepID }},
				{"TYPE", func(_ *session, x client.StepRun) string { return x.Type }},
				{"STATUS", func(_ *session, x client.StepRun) string { return x.Status }},
				{"ATTEMPT", func(_ *session, x client.StepRun) string { return fmt.Sprint(x.Attempt) }},
				{"TOOK", func(_ *session, x client.StepRun) string { return seconds(x.DurationSeconds) }},
				{"ERROR", func(_ *session, x client.StepRun) string { return failure(x.Error) }},
			})
		},
	}
}

// failure prints an error of a run or a step; "" for none.
func failure(f *client.Failure) string {
	if f == nil {
		return ""
	}
	return f.Message + " [" + f.Code + "]"
}

func watchRun() verb {
	return verb{
		use: "watch RUN", short: "Follow a run to its end", args: cobra.ExactArgs(1), complete: newestRuns,
		long: `Follow a run from its first event to its end: as a tree of its steps on a terminal,
as lines elsewhere. The exit code is 1 when it fails or is cancelled.`,
		run: func(s *session, args []string) error {
			id, err := s.run(args[0])
			if err != nil {
				return err
			}
			return s.follow(id)
		},
	}
}

func runLogs() verb {
	var q client.LogQuery
	var follow bool
	return verb{
		use: "logs RUN", short: "Print what a run's steps said", args: cobra.ExactArgs(1), complete: newestRuns,
		flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.BoolVarP(&follow, "follow", "f", false, "go on until the run has ended")
			f.StringVar(&q.StepID, "step", "", "only lines of this step")
			f.StringVar(&q.Level, "level", "", "only lines of this level")
			f.StringVar(&q.Text, "search", "", "only lines with this text; not with --follow")
		},
		run: func(s *session, args []string) error {
			if follow && q.Text != "" {
				return usagef("--follow and --search exclude each other")
			}
			id, err := s.run(args[0])
			if err != nil {
				return err
			}
			q.Limit = 200
			lines := s.c.Runs.AllLogs(s.ctx, id, q)
			if follow {
				lines = s.c.Runs.StreamLogs(s.ctx, id, client.LogStreamQuery{StepID: q.StepID, Level: q.Level})
			}
			for line, err := range lines {
				if err != nil {
					return err
				}
				if err := s.logLine(line); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// logLine prints one line that a step wrote, as soon as it is there.
func (s *session) logLine(l client.LogLine) error {
	if s.output == "json" || s.output == "yaml" {
		return json.NewEncoder(s.Out).Encode(l)
	}
	step := l.StepID
	if l.Iteration != nil {
		step = *l.Iteration + "." + step
	}
	_, err := fmt.Fprintf(s.Out, "%s  %-5s  %s: %s\n", s.time(l.At), l.Level, step, visible(strings.TrimRight(l.Message, "\n")))
	return err
}

func runResult() verb {
	return verb{
		use: "result RUN", short: "Print a finished run's output", args: cobra.ExactArgs(1), complete: newestRuns,
		long: `Print the output of a finished run as JSON. Of a failed or cancelled run it is the
error, on standard error, and the exit code is 1, as it is while the run is open.`,
		run: func(s *session, args []string) error {
			id, err := s.run(args[0])
			if err != nil {
				return err
			}
			r, err := s.c.Runs.Result(s.ctx, id)
			if err != nil {
				return err
			}
			if s.output == "table" || s.output == "name" {
				s.output = "json"
			}
			if r.State != "succeeded" {
				fmt.Fprintf(s.Err, "%s: %s %s\n", id, r.State, failure(r.Error))
				return ErrAnswered
			}
			return s.print(r.Result)
		},
	}
}

func signalRun() verb {
	var in input
	var request, reason string
	return verb{
		use: "signal RUN NAME", short: "Deliver a signal to a run", args: cobra.ExactArgs(2), complete: newestRuns,
		flags: func(cmd *cobra.Command) {
			in.add(cmd, "the payload")
			cmd.Flags().StringVar(&request, "request-id", "", "deliver it once for this id, however often")
			cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit trail")
		},
		run: func(s *session, args []string) error {
			payload, err := in.value(s)
			if err != nil {
				return err
			}
			id, err := s.run(args[0])
			if err != nil {
				return err
			}
			done, err := s.c.Runs.Signal(s.ctx, id, args[1], client.Signal{Payload: payload, RequestID: request, Reason: reason})
			if err != nil {
				return err
			}
			if s.output == "json" || s.output == "yaml" {
				return s.print(done)
			}
			if done.Duplicate {
				s.said("%s had it already.", id)
			} else {
				s.said("%s was delivered to %s.", args[1], id)
			}
			return nil
		},
	}
}

func deleteRuns() verb {
	var reason string
	return verb{
		use: "delete RUN…", short: "Delete finished runs with their history", args: cobra.MinimumNArgs(1), complete: newestRuns,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit trail")
		},
		run: func(s *session, args []string) error {
			return s.each("run", args, s.run, func(id string) error { return s.c.Runs.Delete(s.ctx, id, client.Because(reason)) })
		},
	}
}

// steeringVerbs returns what a command does to an open run, or to one that has ended.
func steeringVerbs() []verb {
	var from, version string
	steered := func(name, short string, asks bool, do func(s *session, id, reason string) (string, string, error)) verb {
		var reason string
		return verb{
			use: name + " RUN", short: short, args: cobra.ExactArgs(1), complete: newestRuns,
			flags: func(cmd *cobra.Command) {
				cmd.Flags().StringVar(&reason, "reason", "", "why, for the history and the audit trail")
				if name == "resume" {
					cmd.Flags().StringVar(&from, "from-step", "", "run this step and what follows it again")
					cmd.Flags().StringVar(&version, "version", "", "go on with this version")
				}
			},
			run: func(s *session, args []string) error {
				id, err := s.run(args[0])
				if err != nil {
					return err
				}
				if asks {
					if err := s.confirm("End " + id + " at once, without clean-up?"); err != nil {
						return err
					}
				}
				made, status, err := do(s, id, reason)
				if err != nil {
					return err
				}
				if s.output == "json" || s.output == "yaml" {
					return s.print(map[string]string{"run_id": made, "status": status})
				}
				_, err = fmt.Fprintln(s.Out, firstOf(status, made))
				return err
			},
		}
	}
	of := func(r *client.SteeredRun, err error) (string, string, error) {
		if err != nil {
			return "", "", err
		}
		return r.RunID, r.Status, nil
	}
	return []verb{
		steered("cancel", "Ask a run to stop, and to clean up", false, func(s *session, id, reason string) (string, string, error) {
			return of(s.c.Runs.Cancel(s.ctx, id, reason))
		}),
		steered("pause", "Let steps in flight finish and start nothing more", false, func(s *session, id, reason string) (string, string, error) {
			return of(s.c.Runs.Pause(s.ctx, id, reason))
		}),
		steered("resume", "Go on with a paused, failed or cancelled run", false, func(s *session, id, reason string) (string, string, error) {
			resume := client.ResumeRun{FromStep: from, Version: client.VersionRef(version), Reason: reason}
			return of(s.c.Runs.Resume(s.ctx, id, resume))
		}),
		steered("restart", "Start a new run with the same input, and print its id", false, func(s *session, id, reason string) (string, string, error) {
			made, err := s.c.Runs.Restart(s.ctx, id, reason)
			return made, "", err
		}),
		steered("terminate", "End a run at once, without clean-up", true, func(s *session, id, reason string) (string, string, error) {
			return of(s.c.Runs.Terminate(s.ctx, id, reason))
		}),
	}
}
