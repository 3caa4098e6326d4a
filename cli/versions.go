package cli

import (
	"fmt"
	"heddle/client"

	"github.com/spf13/cobra"
)

// versionVerbs returns the verbs of versions.
func versionVerbs() []verb {
	return []verb{listVersions(), diffVersions(), moveVersion("publish"), moveVersion("rollback"), labelVersion()}
}

func listVersions() verb {
	return verb{
		use: "list WORKFLOW", short: "List a workflow's versions, newest first", args: cobra.ExactArgs(1), complete: slugs, limit: true, watch: true,
		run: func(s *session, args []string) error {
			ref, err := s.workflow(args[0])
			if err != nil {
				return err
			}
			var q client.PageQuery
			q.Limit = pageSize(s.limit)
			list, err := take(s.limit, s.c.Versions.All(s.ctx, ref, q))
			if err != nil {
				return err
			}
			return show(s, list, func(v client.VersionSummary) string { return fmt.Sprint(v.Version) }, []column[client.VersionSummary]{
				{"VERSION", func(_ *session, v client.VersionSummary) string { return fmt.Sprint(v.Version) }},
				{"ACTIVE", func(_ *session, v client.VersionSummary) string {
					if v.Active {
						return "*"
					}
					return ""
				}},
				{"LABEL", func(_ *session, v client.VersionSummary) string { return text(v.Label) }},
				{"CREATED", func(s *session, v client.VersionSummary) string { return s.time(v.CreatedAt) }},
				{"BY", func(_ *session, v client.VersionSummary) string { return v.CreatedBy }},
				{"SUMMARY", func(_ *session, v client.VersionSummary) string { return v.ChangeSummary }},
			})
		},
	}
}

func diffVersions() verb {
	var in string
	return verb{
		use: "diff WORKFLOW [BEFORE [AFTER]]", short: "Compare two versions, or one with a file", args: cobra.RangeArgs(1, 3), complete: slugs,
		long: `Compare two versions of a workflow by number or label: the active one with the
latest unless they are named, or with -f the active one, or BEFORE, with a file. The
exit code is 0 when they are equal and 1 when they differ.`,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVarP(&in, "file", "f", "", "compare with the definition in this file; - reads standard input")
		},
		run: func(s *session, args []string) error {
			ref, err := s.workflow(args[0])
			if err != nil {
				return err
			}
			d, err := s.diff(ref, args[1:], in)
			if err != nil {
				return s.atLines(in, err)
			}
			if s.output == "json" || s.output == "yaml" {
				err = s.print(d)
			} else {
				s.showChanges(d.Summary, d.Changes)
			}
			if err == nil && len(d.Changes) > 0 {
				return ErrAnswered
			}
			return err
		},
	}
}

// diff compares the versions that are named, or those that are meant without names.
func (s *session) diff(ref string, versions []string, file string) (*client.VersionDiff, error) {
	if file != "" {
		if len(versions) > 1 {
			return nil, usagef("-f takes the place of AFTER")
		}
		source, err := s.source(file)
		if err != nil {
			return nil, err
		}
		base := ""
		if len(versions) == 1 {
			base = versions[0]
		}
		return s.c.Versions.DiffWith(s.ctx, ref, client.DiffDraft{Source: source, Base: client.VersionRef(base)})
	}
	w, err := s.c.Workflows.Get(s.ctx, ref)
	if err != nil {
		return nil, err
	}
	q := client.DiffQuery{Before: fmt.Sprint(w.Version), After: fmt.Sprint(w.LatestVersion)}
	if len(versions) > 0 {
		q.Before = versions[0]
	}
	if len(versions) > 1 {
		q.After = versions[1]
	}
	return s.c.Versions.Diff(s.ctx, ref, q)
}

// moveVersion returns publish or rollback, which change what the active version is.
func moveVersion(name string) verb {
	var reason string
	var dryRun bool
	short := "Make a version the active one; open runs keep theirs"
	if name == "rollback" {
		short = "Publish a new version with the definition of an earlier one"
	}
	return verb{
		use: name + " WORKFLOW VERSION", short: short, args: cobra.ExactArgs(2), complete: slugs,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&reason, "reason", "", "why, for the history and the audit trail")
			cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print what it would mean")
		},
		run: func(s *session, args []string) error {
			ref, err := s.workflow(args[0])
			if err != nil {
				return err
			}
			back := client.RollbackWorkflow{Version: client.VersionRef(args[1]), Reason: reason}
			if dryRun {
				preview := (*client.Preview)(nil)
				if name == "publish" {
					preview, err = s.c.Versions.PreviewPublish(s.ctx, ref, args[1], reason)
				} else {
					preview, err = s.c.Versions.PreviewRollback(s.ctx, ref, back)
				}
				if err != nil {
					return err
				}
				return s.showPreview(*preview)
			}
			var w *client.Workflow
			if name == "publish" {
				w, err = s.c.Versions.Publish(s.ctx, ref, args[1], reason)
			} else {
				w, err = s.c.Versions.Rollback(s.ctx, ref, back)
			}
			if err != nil {
				return err
			}
			s.said("%s is on version %d.", w.Slug, w.Version)
			return showMade(s, *w)
		},
	}
}

func labelVersion() verb {
	var reason string
	var clear bool
	return verb{
		use: "label WORKFLOW VERSION [LABEL]", short: "Give a version a label, or take it away", args: cobra.RangeArgs(2, 3), complete: slugs,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().BoolVar(&clear, "clear", false, "take the label away")
			cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit trail")
		},
		run: func(s *session, args []string) error {
			if clear == (len(args) == 3) {
				return usagef("give a label, or --clear")
			}
			ref, err := s.workflow(args[0])
			if err != nil {
				return err
			}
			in := client.LabelVersion{Reason: reason}
			if !clear {
				in.Label = &args[2]
			}
			v, err := s.c.Versions.Label(s.ctx, ref, args[1], in)
			if err != nil {
				return err
			}
			return showOne(s, *v, fmt.Sprint(v.Version), []column[client.VersionSummary]{
				{"Version", func(_ *session, v client.VersionSummary) string { return fmt.Sprint(v.Version) }},
				{"Label", func(_ *session, v client.VersionSummary) string { return text(v.Label) }},
			})
		},
	}
}
