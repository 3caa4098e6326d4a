package cli

import (
	"encoding/json"
	"fmt"
	"heddle/client"
	"iter"
	"strings"

	"github.com/spf13/cobra"
)

// templateIDs completes a template.
var templateIDs = completeOf(func(s *session) iter.Seq2[client.TemplateSummary, error] {
	return s.c.Templates.All(s.ctx, client.TemplateQuery{})
}, func(x client.TemplateSummary) string { return x.ID + "\t" + x.Name })

// templateVerbs returns the verbs of templates.
func templateVerbs() []verb {
	return []verb{listTemplates(), getTemplate(), installTemplate(), updateFromTemplate()}
}

func listTemplates() verb {
	var q client.TemplateQuery
	return verb{
		use: "list", short: "List templates: the built-in ones, then your own", args: cobra.NoArgs, limit: true, watch: true,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&q.Category, "category", "", "only those of this category")
		},
		run: func(s *session, _ []string) error {
			q.Limit = pageSize(s.limit)
			list, err := take(s.limit, s.c.Templates.All(s.ctx, q))
			if err != nil {
				return err
			}
			return show(s, list, func(x client.TemplateSummary) string { return x.ID }, []column[client.TemplateSummary]{
				{"TEMPLATE", func(_ *session, x client.TemplateSummary) string { return x.ID }},
				{"VERSION", func(_ *session, x client.TemplateSummary) string { return fmt.Sprint(x.Version) }},
				{"CATEGORY", func(_ *session, x client.TemplateSummary) string { return x.Category }},
				{"NAME", func(_ *session, x client.TemplateSummary) string { return x.Name }},
				{"DESCRIPTION", func(_ *session, x client.TemplateSummary) string { return x.Description }},
			})
		},
	}
}

func getTemplate() verb {
	return verb{
		use: "get TEMPLATE", short: "Show a template, its parameters and its definition", args: cobra.ExactArgs(1), complete: templateIDs,
		run: func(s *session, args []string) error {
			id, err := s.template(args[0])
			if err != nil {
				return err
			}
			x, err := s.c.Templates.Get(s.ctx, id)
			if err != nil {
				return err
			}
			err = showOne(s, *x, x.ID, []column[client.Template]{
				{"Template", func(_ *session, x client.Template) string { return x.ID }},
				{"Name", func(_ *session, x client.Template) string { return x.Name }},
				{"Version", func(_ *session, x client.Template) string { return fmt.Sprint(x.Version) }},
				{"Category", func(_ *session, x client.Template) string { return x.Category }},
				{"Description", func(_ *session, x client.Template) string { return x.Description }},
				{"Schedule", func(_ *session, x client.Template) string { return x.SuggestedSchedule }},
			})
			if err != nil || s.output != "table" {
				return err
			}
			for _, part := range []struct {
				title string
				value json.RawMessage
			}{{"Parameters", x.Parameters}, {"Definition", x.Definition}} {
				text, err := yamlOf(part.value)
				if err != nil {
					return err
				}
				fmt.Fprintf(s.Out, "\n%s\n%s\n", part.title, strings.TrimRight(string(text), "\n"))
			}
			return nil
		},
	}
}

func installTemplate() verb {
	var in input
	var name, slug string
	var dryRun bool
	return verb{
		use: "install TEMPLATE", short: "Make a workflow of a template, and print its id", args: cobra.ExactArgs(1), complete: templateIDs,
		flags: func(cmd *cobra.Command) {
			in.add(cmd, "the parameters")
			cmd.Flags().StringVar(&name, "name", "", "the workflow's name; the template's unless given")
			cmd.Flags().StringVar(&slug, "slug", "", "the workflow's name in URLs")
			cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print the definition that it would have")
		},
		run: func(s *session, args []string) error {
			value, err := in.value(s)
			if err != nil {
				return err
			}
			id, err := s.template(args[0])
			if err != nil {
				return err
			}
			ask := client.InstallTemplate{Name: name, Slug: slug, Parameters: value}
			if dryRun {
				p, err := s.c.Templates.PreviewInstall(s.ctx, id, ask)
				if err != nil {
					return err
				}
				for _, d := range p.Diagnostics {
					fmt.Fprintln(s.Err, diagnosticLine("", d))
				}
				if s.output == "table" {
					s.output = "yaml"
				}
				if err := s.print(p.Definition); err != nil {
					return err
				}
				if !p.Valid {
					return ErrAnswered
				}
				return nil
			}
			made, err := s.c.Templates.Install(s.ctx, id, ask)
			if err != nil {
				return err
			}
			if s.output == "json" || s.output == "yaml" {
				return s.print(map[string]string{"workflow_id": made})
			}
			_, err = fmt.Fprintln(s.Out, made)
			return err
		},
	}
}

func updateFromTemplate() verb {
	var in input
	var reason string
	return verb{
		use: "update WORKFLOW", short: "Merge the newest version of its template into a workflow", args: cobra.ExactArgs(1), complete: slugs,
		long: `Merge the newest version of its template into a workflow, as a version that is not
published: versions publish does that. What both have changed is a conflict and is
printed; the exit code is 1 then.`,
		flags: func(cmd *cobra.Command) {
			in.add(cmd, "other parameters")
			cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit trail")
		},
		run: func(s *session, args []string) error {
			value, err := in.value(s)
			if err != nil {
				return err
			}
			ref, err := s.workflow(args[0])
			if err != nil {
				return err
			}
			m, err := s.c.Workflows.UpdateFromTemplate(s.ctx, ref, client.MergeTemplate{Parameters: value, Reason: reason})
			if err != nil {
				return err
			}
			if s.output == "json" || s.output == "yaml" {
				return s.print(m)
			}
			s.showChanges(m.Summary, m.Changes)
			for _, c := range m.Conflicts {
				fmt.Fprintf(s.Out, "! %s%s: installed %s, edited %s, new %s\n", firstOf(text(c.StepID), "(settings)"), c.Path, orAbsent(c.Installed), orAbsent(c.Edited), orAbsent(c.New))
			}
			if len(m.Conflicts) > 0 {
				return ErrAnswered
			}
			s.said("%s has version %d, which is not published.", ref, m.Version)
			return nil
		},
	}
}
