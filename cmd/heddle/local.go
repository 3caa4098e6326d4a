package main

import (
	"context"
	"errors"
	"net"
)

// inProcess is the product, serving in this process on a free port of the loopback
// interface, as demo and bench use it.
type inProcess struct {
	*stack
	base string // URL of the HTTP server

	// stop ends it, waits for the end and closes the database. Call it once.
	stop func() error
}

// startLocal starts a server with the given settings ("NAME=value"; the process's own
// are ignored) and returns once it is ready. Errors are logged to the process's standard
// error. The server ends with ctx at the latest, but the caller has to call stop in any
// case.
func (p *process) startLocal(ctx context.Context, settings []string, parts replaced) (*inProcess, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return p.serveLocal(ctx, ln, settings, parts)
}

// serveLocal is startLocal on a listener that the caller has opened, so that the
// settings may name its address. It closes the listener if it fails.
func (p *process) serveLocal(ctx context.Context, ln net.Listener, settings []string, parts replaced) (*inProcess, error) {
	// The level comes last, as the last of several values counts.
	s, _, err := sources{environ: append(settings, "HEDDLE_LOG_LEVEL=error")}.load()
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	st, err := openWith(ctx, s, newLog(p.err, s), parts)
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	serving, stopServing := context.WithCancel(ctx)
	// ended is buffered, so that the goroutine ends though stop is never called.
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- st.serve(serving, ln, func() { close(ready) }) }()
	srv := &inProcess{stack: st, base: "http://" + ln.Addr().String(), stop: func() error {
		stopServing()
		return errors.Join(<-ended, st.close())
	}}
	select {
	case <-ready:
		return srv, nil
	case err := <-ended:
		ended <- err // stop reads it again
		return nil, srv.stop()
	}
}
