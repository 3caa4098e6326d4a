package main

import (
	"context"
	"errors"
	"fmt"
	"heddle/access"
	"heddle/internal/bench"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// serveCommand returns serve, which runs the server until a signal ends it.
func (p *process) serveCommand() *cobra.Command {
	profile := ""
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the API and run workflows",
		Long: `Serve the API and run workflows until SIGTERM or SIGINT. Then readiness turns
red, no new work is taken and steps in flight get 7 s to end; everything else goes
on at the next start. The process ends within 10 s; a second signal ends it at
once. SIGHUP is as SIGTERM. While PostgreSQL is still starting, serve waits for it
for a minute.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if profile != "" {
				stop, failed := bench.Profile(profile)
				if failed != nil {
					return failed
				}
				defer func() { err = errors.Join(err, stop()) }()
			}
			// All settings are checked before anything is opened, and all wrong ones are named
			// at once.
			s, err := p.settings(cmd)
			if err != nil {
				return err
			}
			return p.serve(cmd.Context(), s)
		},
	}
	settingFlags(cmd)
	// For measurements alone, which start servers of their own.
	cmd.Flags().StringVar(&profile, "profile", "", "write PREFIX.cpu.pprof and PREFIX.allocs.pprof at the end")
	_ = cmd.Flags().MarkHidden("profile")
	return cmd
}

// serve opens the product, serves until ctx ends or a signal comes, and closes it. It
// returns within stopWithin of the signal; otherwise the process ends then.
func (p *process) serve(ctx context.Context, s settings) error {
	var opened atomic.Pointer[stack]
	// last may run on another goroutine and before the stack is open, hence the
	// pointer; endsNow accepts nil.
	last := func() { opened.Load().endsNow() }
	ctx, stop := untilSignal(ctx, last)
	defer stop()
	// The port is taken first: it is the cheapest thing to fail.
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.Listen, err)
	}
	log := newLog(p.err, s)
	captureLog(log)
	defer endInTime(ctx, log, last)()
	st, err := open(ctx, s, log)
	if err != nil {
		_ = ln.Close()
		return err
	}
	// From here on a forced end notes itself in the database.
	opened.Store(st)
	address := "http://" + ln.Addr().String()
	err = st.serve(ctx, ln, func() {
		// On standard output, once requests are answered, so that scripts can wait for the
		// line.
		p.greet(address, s, st.madeKey)
		if s.linkWanted(ln.Addr(), st.madeKey) {
			p.greetLink(linkBase(s, ln.Addr()), st.links.New())
		}
		st.log.Info("serving", "address", address, "version", buildVersion(), "database", maskURL(s.DatabaseURL))
	})
	// The reason why serving ended says more than a failure to close after it.
	if closeErr := st.close(); err == nil {
		err = closeErr
	}
	return err
}

// greet prints where the server is, in lines that people and scripts can read:
//
//	heddle v1.2.0
//	  serving   http://127.0.0.1:8080
//	  database  sqlite://heddle.db
//
// A key that this start made is shown here and never again: only its hash is stored.
func (p *process) greet(address string, s settings, madeKey string) {
	fmt.Fprintf(p.out, "heddle %s\n  serving   %s\n  database  %s\n", buildVersion(), address, maskURL(s.DatabaseURL))
	if madeKey != "" {
		fmt.Fprintf(p.out, "  admin key %s\n            (shown this once: keep it; send it as \"Authorization: Bearer …\")\n", madeKey)
	}
}

// greetLink prints the link by which a browser signs in, below what greet prints:
//
//	sign in   http://127.0.0.1:8080/login?token=…
//	          (once, within 10 minutes; a key works too)
//
// It goes to standard output and not to the log, which others keep.
func (p *process) greetLink(base, token string) {
	fmt.Fprintf(p.out, "  sign in   %s/login?token=%s\n            (once, within %d minutes; a key works too)\n", base, token, int(access.LinkLife.Minutes()))
}

// linkWanted reports whether a sign-in link is printed: by default where only this machine
// reaches the server, and where an admin key was printed that is worth more than the link.
func (s settings) linkWanted(at net.Addr, madeKey string) bool {
	tcp, ok := at.(*net.TCPAddr)
	return s.LoginLink == "on" || s.LoginLink == "auto" && (madeKey != "" || ok && tcp.IP.IsLoopback())
}

// linkBase returns where a browser reaches this node. The name localhost stands for an
// address that is none, as 0.0.0.0: a cookie over plain HTTP is for this machine alone.
func linkBase(s settings, at net.Addr) string {
	if s.PublicURL != "" {
		return s.PublicURL
	}
	if tcp, ok := at.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return "http://localhost:" + strconv.Itoa(tcp.Port)
	}
	return "http://" + at.String()
}

// untilSignal returns a context that ends at the first SIGINT, SIGTERM or SIGHUP. From
// then on a further SIGINT or SIGTERM calls last and then has its usual effect, which
// ends the process at once. A further SIGHUP has none: a terminal that closes sends
// several. Where SIGHUP was ignored from the beginning, as under nohup, it stays
// ignored. The function returned releases the signals and must be called.
func untilSignal(ctx context.Context, last func()) (context.Context, context.CancelFunc) {
	ctx, release := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	over, finish := context.WithCancel(context.WithoutCancel(ctx))
	stop := func() { finish(); release() }
	context.AfterFunc(ctx, func() {
		// The new registration comes before the release of the old one, so that no
		// signal between the two has its default effect without last.
		again := make(chan os.Signal, 1)
		signal.Notify(again, os.Interrupt, syscall.SIGTERM)
		defer signal.Stop(again)
		release()
		select {
		// The signal is sent again with its default effect, so that the exit status says
		// which one it was.
		case s := <-again:
			last()
			signal.Reset(s)
			if self, err := os.FindProcess(os.Getpid()); err == nil {
				_ = self.Signal(s)
			}
		case <-over.Done():
		}
	})
	if signal.Ignored(syscall.SIGHUP) {
		return ctx, stop
	}
	// The channel stays registered, which is what keeps a later SIGHUP without effect.
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	ctx, end := context.WithCancel(ctx)
	go func() {
		select {
		case <-hangup:
			end()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { end(); stop() }
}

// stopWithin is how long the process goes on after the first signal. drain is the
// part of it that steps in flight get to end; the rest is for interrupting them,
// for the commits of their ends, the release of the lease, and open connections.
const (
	stopWithin = 10 * time.Second
	drain      = 7 * time.Second
)

// endInTime ends the process shortly before stopWithin has passed since ctx ended,
// calling last before that, unless done is called first. Otherwise a database that hangs
// would have the process killed from outside, which counts as a crash of the runs in
// flight. They continue at the next start. done may be called more than once.
func endInTime(ctx context.Context, log *slog.Logger, last func()) (done func()) {
	over := make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
		case <-over:
			return
		}
		select {
		// 200 ms are left for last and for the log line.
		case <-time.After(stopWithin - 200*time.Millisecond):
			last()
			log.Error("the stop took too long; what was in flight goes on at the next start")
			os.Exit(exitFailure)
		case <-over:
		}
	}()
	return sync.OnceFunc(func() { close(over) })
}
