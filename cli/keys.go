package cli

import (
	"fmt"
	"heddle/client"
	"iter"
	"time"

	"github.com/spf13/cobra"
)

// keyIDs completes a key.
var keyIDs = completeOf(func(s *session) iter.Seq2[client.Key, error] {
	return s.c.Keys.All(s.ctx, client.CursorQuery{})
}, func(x client.Key) string { return x.ID + "\t" + x.Name })

// keyVerbs returns the verbs of keys that need a server.
func keyVerbs() []verb {
	var reason string
	return []verb{
		{
			use: "list", short: "List API keys, without their texts", args: cobra.NoArgs, limit: true, watch: true,
			run: func(s *session, _ []string) error {
				list, err := take(s.limit, s.c.Keys.All(s.ctx, client.CursorQuery{Limit: pageSize(s.limit)}))
				if err != nil {
					return err
				}
				return show(s, list, func(x client.Key) string { return x.ID }, []column[client.Key]{
					{"KEY", func(_ *session, x client.Key) string { return x.ID }},
					{"NAME", func(_ *session, x client.Key) string { return x.Name }},
					{"ROLE", func(_ *session, x client.Key) string { return x.Role }},
					{"ENDS", func(s *session, x client.Key) string {
						if x.RevokedAt != nil {
							return "revoked " + s.time(*x.RevokedAt)
						}
						return s.when(x.ExpiresAt)
					}},
					{"LAST USED", func(s *session, x client.Key) string { return s.when(x.LastUsedAt) }},
					{"TEXT", func(_ *session, x client.Key) string { return "…" + x.Last4 }},
				})
			},
		},
		createKey(),
		rotateKey(),
		{
			use: "revoke KEY…", short: "Revoke API keys at once", args: cobra.MinimumNArgs(1), complete: keyIDs,
			flags: func(cmd *cobra.Command) { cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit trail") },
			run: func(s *session, args []string) error {
				return s.each("key", args, s.key, func(id string) error { return s.c.Keys.Revoke(s.ctx, id, client.Because(reason)) })
			},
		},
	}
}

func createKey() verb {
	var role string
	var days int
	return verb{
		use: "create NAME", short: "Make an API key and print it, this once", args: cobra.ExactArgs(1),
		flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&role, "role", "viewer", "viewer, editor, operator, admin or none")
			cmd.Flags().IntVar(&days, "expires-in-days", 0, "how long it is valid; 0: until it is revoked")
		},
		run: func(s *session, args []string) error {
			in := client.CreateKey{Name: args[0], Role: role}
			if days < 0 {
				return usagef("--expires-in-days is 0 or more")
			}
			if days > 0 {
				end := s.Now().Add(time.Duration(days) * 24 * time.Hour).UTC()
				in.ExpiresAt = &end
			}
			k, err := s.c.Keys.Create(s.ctx, in)
			if err != nil {
				return err
			}
			if s.output == "json" || s.output == "yaml" {
				return s.print(k)
			}
			s.said("This is %s, with the role %s. It is shown this once.", k.ID, k.Role)
			_, err = fmt.Fprintln(s.Out, k.Text)
			return err
		},
	}
}

func rotateKey() verb {
	var in client.RotateKey
	var grace time.Duration
	return verb{
		use: "rotate KEY", short: "Give an API key a new text and print it, this once", args: cobra.ExactArgs(1), complete: keyIDs,
		flags: func(cmd *cobra.Command) {
			cmd.Flags().DurationVar(&grace, "grace", 0, "how long the former text stays valid, such as 1h")
			cmd.Flags().StringVar(&in.Reason, "reason", "", "why, for the audit trail")
		},
		run: func(s *session, args []string) error {
			id, err := s.key(args[0])
			if err != nil {
				return err
			}
			in.GraceSeconds = int(grace.Seconds())
			k, err := s.c.Keys.Rotate(s.ctx, id, in)
			if err != nil {
				return err
			}
			if s.output == "json" || s.output == "yaml" {
				return s.print(k)
			}
			s.said("This is %s. It is shown this once; the former text ends at %s.", k.ID, s.time(k.FormerEndsAt))
			_, err = fmt.Fprintln(s.Out, k.Text)
			return err
		},
	}
}
