package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func (p *process) serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the API and run workflows",
		Long: `Serve the API and run workflows until SIGTERM or SIGINT. Then readiness turns
red, no new work is taken and steps in action get 10 s to end; everything else
goes on at the next start. A second signal ends the process at once.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := p.settings(cmd)
			if err != nil {
				return err
			}
			return p.serve(cmd.Context(), s)
		},
	}
	settingFlags(cmd)
	return cmd
}

func (p *process) serve(ctx context.Context, s settings) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	// The port is taken first: it is the cheapest thing to fail.
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.Listen, err)
	}
	st, err := open(ctx, s, newLog(p.err, s))
	if err != nil {
		_ = ln.Close()
		return err
	}
	address := "http://" + ln.Addr().String()
	err = st.serve(ctx, ln, func() {
		p.greet(address, s, st.madeKey)
		st.log.Info("serving", "address", address, "version", buildVersion(), "database", maskURL(s.DatabaseURL))
	})
	if closeErr := st.close(); err == nil {
		err = closeErr
	}
	return err
}

// greet says where everything is, in lines that people and scripts can read.
// The key is shown here and nowhere else, ever again.
func (p *process) greet(address string, s settings, madeKey string) {
	fmt.Fprintf(p.out, "heddle %s\n  serving   %s\n  database  %s\n", buildVersion(), address, maskURL(s.DatabaseURL))
	if madeKey != "" {
		fmt.Fprintf(p.out, "  admin key %s\n            (shown this once: keep it; send it as \"Authorization: Bearer …\")\n", madeKey)
	}
}

// untilSignal ends the context at the first SIGINT or SIGTERM. From then on a
// further one has its usual effect and ends the process at once.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
