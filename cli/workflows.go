package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"heddle/client"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// workflowVerbs returns the verbs of workflows.
func workflowVerbs() []verb {
	return append([]verb{listWorkflows(), getWorkflow(), createWorkflow(), applyWorkflow(), editWorkflow()}, statusVerbs()...)
}

func listWorkflows() verb {
	var q client.WorkflowQuery
	return verb{
		use: "list", short: "List workflows and how they go", args: cobra.NoArgs, watch: true, limit: true,
		flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringVar(&q.Status, "status", "", "only draft, active, paused or archived ones")
			f.StringSliceVar(&q.Tags, "tag", nil, "only those with this tag")
			f.StringVar(&q.Text, "search", "", "only those with this text in their name, slug or description")
			f.StringVar(&q.Health, "health", "", "failing: only those whose last run failed")
		},
		run: func(s *session, _ []string) error {
			q.Limit = pageSize(s.limit)
			list, err := take(s.limit, s.c.Workflows.All(s.ctx, q))
			if err != nil {
				return err
			}
			return show(s, list, func(w client.ListedWorkflow) string { return w.Slug }, []column[client.ListedWorkflow]{
				{"SLUG", func(_ *session, w client.ListedWorkflow) string { return w.Slug }},
				{"STATUS", func(_ *session, w client.ListedWorkflow) string { return w.Status }},
				{"VERSION", func(_ *session, w client.ListedWorkflow) string { return fmt.Sprint(w.Version) }},
				{"OPEN", func(_ *session, w client.ListedWorkflow) string { return fmt.Sprint(w.OpenRuns) }},
				{"LAST RUN", func(_ *session, w client.ListedWorkflow) string {
					if w.LastRun == nil {
						return "-"
					}
					return w.LastRun.Status
				}},
				{"UPDATED", func(s *session, w client.ListedWorkflow) string { return s.time(w.UpdatedAt) }},
				{"NAME", func(_ *session, w client.ListedWorkflow) string { return w.Name }},
			})
		},
	}
}

func getWorkflow() verb {
	return verb{
		use: "get WORKFLOW", short: "Show a workflow and its definition", args: cobra.ExactArgs(1), complete: slugs, watch: true,
		long: `Show a workflow, by its slug, its id or the beginning of one, and its definition as
its author wrote it.`,
		run: func(s *session, args []string) error {
			ref, err := s.workflow(args[0])
			if err != nil {
				return err
			}
			w, err := s.c.Workflows.Get(s.ctx, ref)
			if err != nil {
				return err
			}
			if err := showWorkflow(s, *w); err != nil || s.output != "table" {
				return err
			}
			text, err := s.c.Versions.Source(s.ctx, ref, "")
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(s.Out, "\n%s\n", strings.TrimRight(text, "\n"))
			return err
		},
	}
}

func showWorkflow(s *session, w client.Workflow) error {
	return showOne(s, w, w.Slug, []column[client.Workflow]{
		{"Slug", func(_ *session, w client.Workflow) string { return w.Slug }},
		{"Id", func(_ *session, w client.Workflow) string { return w.ID }},
		{"Name", func(_ *session, w client.Workflow) string { return w.Name }},
		{"Status", func(_ *session, w client.Workflow) string { return w.Status }},
		{"Version", func(_ *session, w client.Workflow) string {
			if w.LatestVersion != w.Version {
				return fmt.Sprintf("%d, latest %d", w.Version, w.LatestVersion)
			}
			return fmt.Sprint(w.Version)
		}},
		{"Trigger", func(_ *session, w client.Workflow) string { return w.TriggerType }},
		{"Tags", func(_ *session, w client.Workflow) string { return strings.Join(w.Tags, ", ") }},
		{"Created", func(s *session, w client.Workflow) string { return s.time(w.CreatedAt) }},
		{"Updated", func(s *session, w client.Workflow) string { return s.time(w.UpdatedAt) }},
	})
}

// workflowFlags are what creating and applying a workflow take.
type workflowFlags struct {
	file, slug, status, trigger, summary string
	tags                                 []string
	dryRun, draft                        bool
}

func (w *workflowFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&w.file, "file", "f", "", "the definition, YAML or JSON; - reads standard input")
	f.StringVar(&w.slug, "slug", "", "its name in URLs")
	f.StringVar(&w.trigger, "trigger-type", "", "manual, schedule, webhook, api or event")
	f.StringSliceVar(&w.tags, "tag", nil, "a tag; may be given several times")
	f.StringVar(&w.summary, "summary", "", "what is new, for the history of versions")
}

func createWorkflow() verb {
	var w workflowFlags
	return verb{
		use: "create -f FILE", short: "Create a workflow of a definition", args: cobra.NoArgs,
		flags: func(cmd *cobra.Command) {
			w.add(cmd)
			cmd.Flags().StringVar(&w.status, "status", "active", "draft, active or paused")
		},
		run: func(s *session, _ []string) error {
			source, err := s.source(w.file)
			if err != nil {
				return err
			}
			made, err := s.c.Workflows.Create(s.ctx, client.CreateWorkflow{
				Source: source, Slug: w.slug, Status: w.status, TriggerType: w.trigger, Tags: w.tags, ChangeSummary: w.summary,
			})
			if err != nil {
				return s.atLines(w.file, err)
			}
			s.said("%s was created.", made.Slug)
			return showMade(s, *made)
		},
	}
}

// showMade prints a workflow that was made or changed: its slug, unless another format was asked
// for.
func showMade(s *session, w client.Workflow) error {
	if s.output == "table" {
		_, err := fmt.Fprintln(s.Out, w.Slug)
		return err
	}
	return showOne(s, w, w.Slug, nil)
}

// atLines prints the diagnostics of a refused definition as compilers do, with the file, and
// returns an error that has been said; any other error as it is.
func (s *session) atLines(file string, err error) error {
	e, ok := errors.AsType[*client.Error](err)
	if !ok || len(e.Diagnostics) == 0 {
		return err
	}
	if file == "-" {
		file = "standard input"
	}
	for _, d := range e.Diagnostics {
		fmt.Fprintln(s.Err, diagnosticLine(file, d))
	}
	return ErrAnswered
}

func applyWorkflow() verb {
	var w workflowFlags
	return verb{
		use: "apply -f FILE", short: "Create a workflow, or change it to what a file says", args: cobra.NoArgs,
		long: `Create a workflow, or change the one with the slug to what the file says: --slug,
or the file's name. A definition that is the same changes nothing, so that an apply
may be repeated. --dry-run prints the difference and stores nothing.`,
		flags: func(cmd *cobra.Command) {
			w.add(cmd)
			cmd.Flags().BoolVar(&w.dryRun, "dry-run", false, "print what would change")
			cmd.Flags().BoolVar(&w.draft, "no-publish", false, "store a changed definition without publishing it")
		},
		run: func(s *session, _ []string) error { return s.apply(w) },
	}
}

// apply creates or changes the workflow of a file.
func (s *session) apply(w workflowFlags) error {
	if w.slug == "" && w.file == "-" {
		return usagef("which workflow? Give --slug, as standard input has no name")
	}
	source, err := s.source(w.file)
	if err != nil {
		return err
	}
	if w.slug == "" {
		base := filepath.Base(w.file)
		w.slug = strings.ToLower(strings.TrimSuffix(base, filepath.Ext(base)))
	}
	before, err := s.c.Workflows.Get(s.ctx, w.slug)
	if client.CodeOf(err) == "workflow_not_found" {
		return s.applyNew(w, source)
	}
	if err != nil {
		return err
	}
	change := client.UpdateWorkflow{Source: source, ChangeSummary: w.summary, Tags: w.tags}
	if w.trigger != "" {
		change.TriggerType = &w.trigger
	}
	if w.draft {
		publish := false
		change.Publish = &publish
	}
	if w.dryRun {
		preview, err := s.c.Workflows.PreviewUpdate(s.ctx, w.slug, change)
		if err != nil {
			return s.atLines(w.file, err)
		}
		return s.showPreview(*preview)
	}
	after, err := s.c.Workflows.Update(s.ctx, w.slug, change)
	if err != nil {
		return s.atLines(w.file, err)
	}
	if after.LatestVersion == before.LatestVersion {
		s.said("%s has not changed.", after.Slug)
	} else {
		s.said("%s has version %d.", after.Slug, after.LatestVersion)
	}
	return showMade(s, *after)
}

// applyNew creates the workflow of a file; a dry run only checks it.
func (s *session) applyNew(w workflowFlags, source *client.Source) error {
	if w.dryRun {
		checked, err := s.c.Workflows.Validate(s.ctx, client.DefinitionPart{Source: source})
		if err != nil {
			return s.atLines(w.file, err)
		}
		for _, d := range checked.Diagnostics {
			fmt.Fprintln(s.Err, diagnosticLine(w.file, d))
		}
		if !checked.Valid {
			return ErrAnswered
		}
		s.said("%s would be created.", w.slug)
		return nil
	}
	made, err := s.c.Workflows.Create(s.ctx, client.CreateWorkflow{
		Source: source, Slug: w.slug, Status: "active", TriggerType: w.trigger, Tags: w.tags, ChangeSummary: w.summary,
	})
	if err != nil {
		return s.atLines(w.file, err)
	}
	s.said("%s was created.", made.Slug)
	return showMade(s, *made)
}

// statusVerbs returns status and delete.
func statusVerbs() []verb {
	var reason string
	var force bool
	because := func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit trail")
	}
	return []verb{
		{
			use: "status WORKFLOW [draft|active|paused|archived]", short: "Print a workflow's status, or set it", args: cobra.RangeArgs(1, 2), flags: because,
			complete: func(s *session, args []string) []string {
				if len(args) == 1 {
					return []string{"draft", "active", "paused", "archived"}
				}
				return slugs(s, args)
			},
			run: func(s *session, args []string) error {
				ref, err := s.workflow(args[0])
				if err != nil {
					return err
				}
				var w *client.Workflow
				if len(args) == 1 {
					w, err = s.c.Workflows.Get(s.ctx, ref)
				} else {
					w, err = s.c.Workflows.SetStatus(s.ctx, ref, client.SetStatus{Status: args[1], Reason: reason})
				}
				if err != nil {
					return err
				}
				if s.output != "table" {
					return showOne(s, *w, w.Slug, nil)
				}
				_, err = fmt.Fprintln(s.Out, w.Status)
				return err
			},
		},
		{
			use: "delete WORKFLOW…", short: "Delete workflows; finished runs stay readable", args: cobra.MinimumNArgs(1), complete: slugs,
			flags: func(cmd *cobra.Command) {
				because(cmd)
				cmd.Flags().BoolVar(&force, "force", false, "end their open runs")
			},
			run: func(s *session, args []string) error {
				return s.each("workflow", args, s.workflow, func(id string) error {
					return s.c.Workflows.Delete(s.ctx, id, client.DeleteQuery{Force: force}, client.Because(reason))
				})
			},
		},
	}
}

// each deletes the objects that the arguments name, after one question about all of them. The
// first refusal ends it.
func (s *session) each(noun string, args []string, resolve func(string) (string, error), remove func(id string) error) error {
	ids := make([]string, len(args))
	for i, a := range args {
		var err error
		if ids[i], err = resolve(a); err != nil {
			return fmt.Errorf("%s: %w", a, err)
		}
	}
	question := fmt.Sprintf("Delete the %s %s?", noun, ids[0])
	if len(ids) > 1 {
		question = fmt.Sprintf("Delete the %d %ss %s?", len(ids), noun, strings.Join(ids, ", "))
	}
	if err := s.confirm(question); err != nil {
		return err
	}
	for _, id := range ids {
		if err := remove(id); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		s.said("%s was deleted.", id)
	}
	return nil
}

// showPreview prints what a change of a workflow would mean.
func (s *session) showPreview(p client.Preview) error {
	if s.output != "table" {
		return s.print(p)
	}
	s.showChanges(p.Summary, p.Changes)
	for _, b := range p.Breaking {
		fmt.Fprintf(s.Out, "! %s: %s\n", b.Pointer, visible(b.Message))
	}
	for _, r := range p.OpenRuns {
		fmt.Fprintf(s.Out, "  %d open runs stay on version %d\n", r.Count, r.Version)
	}
	return nil
}

// showChanges prints a semantic difference: + added, - removed, ~ changed, with its fields.
func (s *session) showChanges(summary string, changes []client.Change) {
	if len(changes) == 0 {
		fmt.Fprintln(s.Out, "No differences.")
		return
	}
	fmt.Fprintln(s.Out, summary)
	marks := map[string]string{"added": "+", "removed": "-"}
	colour := map[string]string{"+": "\x1b[32m", "-": "\x1b[31m", "~": "\x1b[33m"}
	for _, c := range changes {
		mark := firstOf(marks[c.Change], "~")
		line := fmt.Sprintf("%s %s", mark, firstOf(text(c.StepID), "(settings)"))
		if c.PreviousID != "" {
			line += " (was " + c.PreviousID + ")"
		}
		if s.colours() {
			line = colour[mark] + line + "\x1b[0m"
		}
		fmt.Fprintln(s.Out, line)
		for _, f := range c.Fields {
			fmt.Fprintln(s.Out, fitted(fmt.Sprintf("    %s: %s → %s", f.Path, orAbsent(f.Before), orAbsent(f.After)), s.width))
		}
	}
}

// orAbsent returns a value as JSON, or "absent".
func orAbsent(v json.RawMessage) string {
	if len(v) == 0 {
		return "absent"
	}
	return visible(string(v))
}

// isConflict reports whether somebody else has changed the object since it was read.
func isConflict(err error) bool {
	e, ok := errors.AsType[*client.Error](err)
	return ok && e.Status == http.StatusPreconditionFailed
}
