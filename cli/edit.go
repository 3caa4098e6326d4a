package cli

import (
	"bytes"
	"fmt"
	"heddle/client"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// said marks the lines that edit adds to a text, and takes out again.
const saidMark = "#! "

func editWorkflow() verb {
	var summary string
	var draft bool
	return verb{
		use: "edit WORKFLOW", short: "Change a workflow's definition in an editor", args: cobra.ExactArgs(1), complete: slugs,
		long: `Open the latest definition in the editor of VISUAL or EDITOR, as its author wrote it.
What is saved is checked: what is wrong is shown in the file at its lines, until it
is right or the file is closed unchanged. Then the difference is shown, and after a
question, or with --yes, the workflow is changed.`,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&summary, "summary", "", "what is new, for the history of versions")
			cmd.Flags().BoolVar(&draft, "no-publish", false, "store the definition without publishing it")
		},
		run: func(s *session, args []string) error {
			ref, err := s.workflow(args[0])
			if err != nil {
				return err
			}
			var tag string
			w, err := s.c.Workflows.Get(s.ctx, ref, client.ETag(&tag))
			if err != nil {
				return err
			}
			before, err := s.c.Versions.Source(s.ctx, ref, fmt.Sprint(w.LatestVersion))
			if err != nil {
				return err
			}
			after, err := s.edited(w.Slug, before)
			if err != nil {
				return err
			}
			change := client.UpdateWorkflow{Source: &client.Source{Format: "yaml", Text: after}, ChangeSummary: summary}
			if draft {
				publish := false
				change.Publish = &publish
			}
			preview, err := s.c.Workflows.PreviewUpdate(s.ctx, ref, change)
			if err != nil {
				return err
			}
			if err := s.showPreview(*preview); err != nil {
				return err
			}
			if err := s.confirm("Change " + w.Slug + "?"); err != nil {
				return s.kept(after, err)
			}
			changed, err := s.c.Workflows.Update(s.ctx, ref, change, client.IfMatch(tag))
			if err != nil {
				return s.kept(after, err)
			}
			s.said("%s has version %d.", changed.Slug, changed.LatestVersion)
			return nil
		},
	}
}

// kept writes the text of an edit that came to nothing to a file, and says where. It returns the
// error.
func (s *session) kept(text string, err error) error {
	f, fileErr := os.CreateTemp("", "heddle-edit-*.yaml")
	if fileErr != nil {
		return err
	}
	_, writeErr := f.WriteString(text)
	if f.Close() == nil && writeErr == nil {
		fmt.Fprintf(s.Err, "What you wrote is in %s.\n", f.Name())
	}
	if isConflict(err) {
		return fmt.Errorf("the workflow was changed meanwhile; edit it again: %w", err)
	}
	return err
}

// edited lets a person change a definition until the server finds nothing wrong with it. A text
// that was not changed is a usage error.
func (s *session) edited(name, before string) (string, error) {
	dir, err := os.MkdirTemp("", "heddle-edit-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is in the system's directory for temporary files
	file := filepath.Join(dir, name+".yaml")
	shown, last := before, before
	for {
		if err := os.WriteFile(file, []byte(shown), 0o600); err != nil {
			return "", err
		}
		if err := s.editor(file); err != nil {
			return "", err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		after := withoutFindings(string(text))
		if after == before {
			return "", usagef("nothing was changed")
		}
		if after == last {
			return "", s.kept(after, usagef("what is wrong was not changed"))
		}
		checked, err := s.c.Workflows.Validate(s.ctx, client.DefinitionPart{Source: &client.Source{Format: "yaml", Text: after}})
		if err != nil {
			return "", s.kept(after, err)
		}
		if checked.Valid {
			return after, nil
		}
		for _, d := range checked.Diagnostics {
			fmt.Fprintln(s.Err, diagnosticLine(name, d))
		}
		last, shown = after, withFindings(after, checked.Diagnostics)
	}
}

// withFindings returns a text with each finding as a comment below its line.
func withFindings(text string, found []client.Diagnostic) string {
	at := map[int][]string{}
	for _, d := range found {
		line := max(d.Line, 1)
		said := saidMark + strings.Repeat(" ", max(d.Column-1-len(saidMark), 0)) + d.Severity + ": " + visible(d.Message) + suggested(d)
		at[line] = append(at[line], said)
	}
	var b bytes.Buffer
	number := 0
	for line := range strings.Lines(text) {
		number++
		b.WriteString(line)
		if len(at[number]) > 0 && !strings.HasSuffix(line, "\n") {
			b.WriteByte('\n')
		}
		for _, said := range at[number] {
			b.WriteString(said + "\n")
		}
		delete(at, number)
	}
	for _, rest := range at { // behind the last line
		b.WriteString(strings.Join(rest, "\n") + "\n")
	}
	return b.String()
}

// withoutFindings returns a text without what withFindings added.
func withoutFindings(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, saidMark) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// editor opens a file in the person's editor and waits until it is closed. VISUAL and EDITOR may
// have arguments.
func (s *session) editor(file string) error {
	words := strings.Fields(firstOf(s.variable("VISUAL"), s.variable("EDITOR"), "vi"))
	cmd := exec.CommandContext(s.ctx, words[0], append(words[1:], file)...) //nolint:gosec // the person names the program
	cmd.Stdout, cmd.Stderr, cmd.Env = s.Out, s.Err, s.Environ
	if f, ok := s.In.(*os.File); ok { // what is piped in answers the question that follows
		cmd.Stdin = f
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the editor %s: %w", words[0], err)
	}
	return nil
}
