package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// How the events case measures: idle listeners at once, then rounds of a load without and with
// stalled ones, which alternate.
const (
	idleListeners    = 1000
	stalledListeners = 100
	listenRounds     = 2
	// listenersWithin is the promised bound of memory for a thousand idle listeners, in bytes,
	// over what the server took before they were there.
	listenersWithin = 64 << 20
)

// eventsCase measures what listeners of the tenant's stream cost: the memory of a thousand on
// which nothing happens, and what listeners that never read take from a load of runs, as the
// ratio of the throughput, of the CPU time and of the commits of a run with and without them. It
// fails where the memory grows by more than listenersWithin.
//
//	events     1000 idle listeners: resident … → … MiB, … KiB each; with 100 that stall …
func eventsCase(ctx context.Context, b *session) (err error) {
	s, err := b.server(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	workflow, err := s.client.Workflows.Add(ctx, threeSteps(), "")
	if err != nil {
		return err
	}
	if _, err := s.load(ctx, workflow, b.plan.Seconds/4); err != nil {
		return err // caches are filled, so that their memory is not that of listeners
	}
	before, _, err := s.memory()
	if err != nil {
		return err
	}
	idle, err := s.listeners(ctx, idleListeners, true)
	if err != nil {
		return err
	}
	after, _, err := s.memory()
	if err = errors.Join(err, idle.close()); err != nil {
		return err
	}
	var kinds [2]polledLoad // without and with listeners that stall
	var commits [2]int64
	for round := range 2 * listenRounds {
		kind, end := round%2, func() error { return nil }
		if kind == 1 {
			stalled, err := s.listeners(ctx, stalledListeners, false)
			if err != nil {
				return err
			}
			end = stalled.close
		}
		from, err := s.usage(ctx)
		if err != nil {
			return err
		}
		load, err := s.load(ctx, workflow, b.plan.Seconds/2)
		upto, usageErr := s.usage(ctx)
		if err := errors.Join(err, usageErr, end()); err != nil {
			return err
		}
		commits[kind] += upto.commits - from.commits
		k := &kinds[kind]
		k.runs, k.took, k.cpu = k.runs+load.runs, k.took+load.took, k.cpu+load.cpu
	}
	alone, beside := kinds[0], kinds[1]
	b.printf("%-10s %d idle listeners: resident %d → %d MiB, %.1f KiB each; with %d that stall: %.2f times the throughput (%s without), %.2f times the CPU and %.2f times the commits of a run",
		"events", idleListeners, before>>20, after>>20, float64(after-before)/1024/idleListeners, stalledListeners,
		float64(beside.runs)/beside.took.Seconds()/(float64(alone.runs)/alone.took.Seconds()), perSecond(alone.runs, alone.took),
		float64(beside.cpu)/float64(beside.runs)/(float64(alone.cpu)/float64(alone.runs)),
		float64(commits[1])/float64(beside.runs)/(float64(commits[0])/float64(alone.runs)))
	if after-before > listenersWithin {
		return fmt.Errorf("%d idle listeners take %d MiB of memory; they are to stay within %d", idleListeners, (after-before)>>20, listenersWithin>>20)
	}
	return nil
}

// listening is connections to the tenant's stream.
type listening struct {
	conns   []net.Conn
	readers sync.WaitGroup
}

// listeners opens n connections to the tenant's stream and returns once each is answered. They
// are read on, or never again where reads is false.
func (s *serverProcess) listeners(ctx context.Context, n int, reads bool) (*listening, error) {
	l := &listening{}
	host := strings.TrimPrefix(s.client.URL(), "http://")
	for range n {
		conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", host)
		if err != nil {
			return nil, errors.Join(err, l.close())
		}
		l.conns = append(l.conns, conn)
		if tcp, ok := conn.(*net.TCPConn); ok && !reads {
			_ = tcp.SetReadBuffer(1)
		}
		_, err = io.WriteString(conn, "GET /v1/events HTTP/1.1\r\nHost: "+host+"\r\nAuthorization: Bearer "+s.client.Key()+"\r\n\r\n")
		if err != nil {
			return nil, errors.Join(err, l.close())
		}
	}
	for _, conn := range l.conns {
		// One that stalls is read no further than a buffer's worth.
		answer := bufio.NewReaderSize(conn, 16)
		status, err := answer.Peek(len("HTTP/1.1 200"))
		if err == nil && string(status) != "HTTP/1.1 200" {
			err = fmt.Errorf("the stream answers %q", status)
		}
		if err != nil {
			return nil, errors.Join(err, l.close())
		}
		if reads {
			l.readers.Go(func() { _, _ = io.Copy(io.Discard, answer) })
		}
	}
	return l, nil
}

// close ends the connections.
func (l *listening) close() (err error) {
	for _, conn := range l.conns {
		err = errors.Join(err, conn.Close())
	}
	l.readers.Wait()
	return err
}
