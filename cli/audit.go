package cli

import (
	"heddle/client"
	"time"

	"github.com/spf13/cobra"
)

// auditCommand returns audit, which lists who did what and why.
func (p *Process) auditCommand() *cobra.Command {
	var q client.AuditQuery
	var since time.Duration
	cmd := p.verb(verb{
		use: "audit", short: "List who did what, and why, newest first", args: cobra.NoArgs, limit: true, watch: true,
		flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringVar(&q.Actor, "actor", "", "only what was done under this name")
			f.StringVar(&q.Action, "action", "", "only this action, such as workflow.create")
			f.StringVar(&q.Object, "object", "", "only what was done to this object, such as workflow:SLUG")
			f.StringVar(&q.Text, "search", "", "only lines with this text")
			f.DurationVar(&since, "since", 0, "only what was done in this time until now, such as 24h")
		},
		run: func(s *session, _ []string) error {
			q.Limit = pageSize(s.limit)
			if since > 0 {
				q.From = s.Now().Add(-since)
			}
			list, err := take(s.limit, s.c.Access.AllAudit(s.ctx, q))
			if err != nil {
				return err
			}
			return show(s, list, func(x client.AuditEntry) string { return x.ID }, []column[client.AuditEntry]{
				{"AT", func(s *session, x client.AuditEntry) string { return s.time(x.At) }},
				{"ACTOR", func(_ *session, x client.AuditEntry) string { return x.Actor }},
				{"ACTION", func(_ *session, x client.AuditEntry) string { return x.Action }},
				{"OBJECT", func(_ *session, x client.AuditEntry) string { return x.Object }},
				{"REASON", func(_ *session, x client.AuditEntry) string { return x.Reason }},
			})
		},
	})
	cmd.GroupID = "server"
	return cmd
}
