package cli

import (
	"fmt"
	"heddle/client"
	"iter"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// secretNames completes a secret.
var secretNames = completeOf(func(s *session) iter.Seq2[client.Secret, error] {
	return s.c.Secrets.All(s.ctx, client.CursorQuery{})
}, func(x client.Secret) string { return x.Name })

// secretVerbs returns the verbs of secrets.
func secretVerbs() []verb {
	var file, reason string
	return []verb{
		{
			use: "set NAME", short: "Set a secret from standard input or a file", args: cobra.ExactArgs(1), complete: secretNames,
			long: `Set a secret, which configs read as secrets.NAME. Its value is standard input, at a
terminal one line that is not shown, or --from-file; never an argument, which other
users of the machine could see. One line break at its end is not part of it.`,
			flags: func(cmd *cobra.Command) {
				cmd.Flags().StringVar(&file, "from-file", "", "read the value from this file")
			},
			run: func(s *session, args []string) error {
				value, err := s.secret(file)
				if err != nil {
					return err
				}
				if err := s.c.Secrets.Set(s.ctx, args[0], value); err != nil {
					return err
				}
				s.said("%s was set.", args[0])
				return nil
			},
		},
		{
			use: "list", short: "List secrets, without their values", args: cobra.NoArgs, limit: true, watch: true,
			run: func(s *session, _ []string) error {
				list, err := take(s.limit, s.c.Secrets.All(s.ctx, client.CursorQuery{Limit: pageSize(s.limit)}))
				if err != nil {
					return err
				}
				return show(s, list, func(x client.Secret) string { return x.Name }, []column[client.Secret]{
					{"NAME", func(_ *session, x client.Secret) string { return x.Name }},
					{"UPDATED", func(s *session, x client.Secret) string { return s.time(x.UpdatedAt) }},
					{"LAST USED", func(s *session, x client.Secret) string { return s.when(x.LastUsedAt) }},
					{"USED BY", func(_ *session, x client.Secret) string { return usedBy(x.UsedBy) }},
				})
			},
		},
		{
			use: "delete NAME…", short: "Delete secrets; steps that name them fail from then on", args: cobra.MinimumNArgs(1), complete: secretNames,
			flags: func(cmd *cobra.Command) { cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit trail") },
			run: func(s *session, args []string) error {
				return s.each("secret", args, asGiven, func(name string) error {
					return s.c.Secrets.Delete(s.ctx, name, client.Because(reason))
				})
			},
		},
	}
}

// asGiven resolves a name that cannot be shortened.
func asGiven(name string) (string, error) { return name, nil }

// secret reads a value from the file or standard input. An empty one is a usage error.
func (s *session) secret(file string) (string, error) {
	var value string
	if f, ok := s.In.(*os.File); ok && file == "" && isTerminal(f) {
		fmt.Fprint(s.Err, "Value: ")
		restore, err := hideInput(f)
		if err != nil {
			return "", err
		}
		line, err := s.in.ReadString('\n')
		restore()
		fmt.Fprintln(s.Err)
		if err != nil && line == "" {
			return "", usagef("no value was given")
		}
		value = line
	} else {
		text, err := s.read(firstOf(file, "-"))
		if err != nil {
			return "", err
		}
		value = string(text)
	}
	value = strings.TrimSuffix(strings.TrimSuffix(value, "\n"), "\r")
	if value == "" {
		return "", usagef("the value is empty: pipe it in, or give --from-file")
	}
	return value, nil
}

// usedBy prints the workflows whose steps use something.
func usedBy(steps []client.UsingStep) string {
	var slugs []string
	for _, x := range steps {
		if n := len(slugs); n == 0 || slugs[n-1] != x.Workflow.Slug {
			slugs = append(slugs, x.Workflow.Slug)
		}
	}
	return strings.Join(slugs, ", ")
}
