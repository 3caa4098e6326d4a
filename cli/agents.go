package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"heddle/client"
	"iter"

	"github.com/spf13/cobra"
)

// agentIDs completes an agent.
var agentIDs = completeOf(func(s *session) iter.Seq2[client.Agent, error] {
	return s.c.Agents.All(s.ctx, client.CursorQuery{})
}, func(x client.Agent) string { return x.ID })

var agentColumns = []column[client.Agent]{
	{"AGENT", func(_ *session, x client.Agent) string { return x.ID }},
	{"PROVIDER", func(_ *session, x client.Agent) string { return x.Provider }},
	{"MODEL", func(_ *session, x client.Agent) string { return x.Model }},
	{"URL", func(_ *session, x client.Agent) string { return x.BaseURL }},
	{"SECRET", func(_ *session, x client.Agent) string { return x.APIKeySecret }},
	{"UPDATED", func(s *session, x client.Agent) string { return s.time(x.UpdatedAt) }},
}

// agentVerbs returns the verbs of agents.
func agentVerbs() []verb {
	var reason string
	return []verb{
		{
			use: "list", short: "List agents", args: cobra.NoArgs, limit: true, watch: true,
			run: func(s *session, _ []string) error {
				list, err := take(s.limit, s.c.Agents.All(s.ctx, client.CursorQuery{Limit: pageSize(s.limit)}))
				if err != nil {
					return err
				}
				return show(s, list, func(x client.Agent) string { return x.ID }, agentColumns)
			},
		},
		{
			use: "get AGENT", short: "Show an agent", args: cobra.ExactArgs(1), complete: agentIDs,
			run: func(s *session, args []string) error {
				x, err := s.c.Agents.Get(s.ctx, args[0])
				if err != nil {
					return err
				}
				return showOne(s, *x, x.ID, agentColumns)
			},
		},
		setAgent(),
		testAgent(),
		{
			use: "delete AGENT…", short: "Delete agents; steps that name them fail from then on", args: cobra.MinimumNArgs(1), complete: agentIDs,
			flags: func(cmd *cobra.Command) { cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit trail") },
			run: func(s *session, args []string) error {
				return s.each("agent", args, asGiven, func(id string) error { return s.c.Agents.Delete(s.ctx, id, client.Because(reason)) })
			},
		},
	}
}

func setAgent() verb {
	var in input
	return verb{
		use: "set AGENT -f FILE", short: "Set an agent up, or change it as a whole", args: cobra.ExactArgs(1), complete: agentIDs,
		long: `Set an agent up, or change it as a whole: what the file leaves out has its default.
The key of its provider is a secret, which api_key_secret names.`,
		flags: func(cmd *cobra.Command) { in.add(cmd, "the agent") },
		run: func(s *session, args []string) error {
			value, err := in.value(s)
			if err != nil {
				return err
			}
			if value == nil {
				return usagef("what should it be? Give -f FILE or --set key=value")
			}
			var agent client.PutAgent
			if err := decodeExactly(value, &agent); err != nil {
				return err
			}
			x, err := s.c.Agents.Put(s.ctx, args[0], agent)
			if err != nil {
				return err
			}
			s.said("%s was set.", x.ID)
			if s.output == "table" {
				return nil
			}
			return showOne(s, *x, x.ID, agentColumns)
		},
	}
}

func testAgent() verb {
	var goal string
	return verb{
		use: "test AGENT", short: "Ask an agent's model something, really", args: cobra.ExactArgs(1), complete: agentIDs,
		flags: func(cmd *cobra.Command) { cmd.Flags().StringVar(&goal, "goal", "", "what it is asked") },
		run: func(s *session, args []string) error {
			r, err := s.c.Agents.Test(s.ctx, args[0], client.TestAgent{Goal: goal})
			if err != nil {
				return err
			}
			if s.output == "json" || s.output == "yaml" {
				err = s.print(r)
			} else if r.OK {
				_, err = fmt.Fprintf(s.Out, "%s\n", r.Output)
			} else {
				fmt.Fprintln(s.Err, failure(r.Error))
			}
			if err == nil && !r.OK {
				return ErrAnswered
			}
			return err
		},
	}
}

// decodeExactly decodes a value in which every member is known; another is a usage error.
func decodeExactly(value json.RawMessage, into any) error {
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return usagef("%w", err)
	}
	return nil
}
