package main

import (
	"bufio"
	"errors"
	"heddle/internal/await"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// output collects what a process prints.
type output struct {
	mu sync.Mutex
	b  strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// TestWhatLibrariesPrintGoesThroughTheLog has a server send an unsolicited response with
// a secret in it on an idle connection, which makes net/http print it.
func TestWhatLibrariesPrintGoesThroughTheLog(t *testing.T) { // not parallel: Go's own logger is shared
	before, flags, was := log.Writer(), log.Flags(), slog.Default()
	t.Cleanup(func() { slog.SetDefault(was); log.SetOutput(before); log.SetFlags(flags) })
	const secret = "hunter2hunter2"
	for _, format := range []string{"text", "json"} {
		printed := &output{}
		l := newLog(printed, settings{LogFormat: format})
		scrubLog(l, func(s string) string { return strings.ReplaceAll(s, secret, "***") })
		captureLog(l)
		ln, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test's own
		if err != nil {
			t.Fatal(err)
		}
		answered := make(chan struct{})
		go func() {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			<-answered
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nX-Token: "+secret+"\r\nX-Part: hunter2\r\n\r\n")
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}()
		client := &http.Client{Transport: &http.Transport{}}
		resp, err := client.Get("http://" + ln.Addr().String()) //nolint:noctx // a test's own
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		close(answered)
		await.True(t, "net/http reports it", func() bool { return strings.Contains(printed.String(), "Unsolicited") })
		client.CloseIdleConnections()
		_ = ln.Close()
		if got := printed.String(); strings.Contains(got, "hunter2") || !strings.Contains(got, "a library reports") || strings.Count(got, "\n") != 1 {
			t.Errorf("%s: printed %q", format, got)
		}
	}
}

func TestTheLogHoldsNoSecretAndNothingEndless(t *testing.T) {
	t.Parallel()
	printed := &output{}
	l := newLog(printed, settings{})
	scrubLog(l, func(s string) string { return strings.ReplaceAll(s, "hunter2hunter2", "***") })
	l.With("a", "hunter2hunter2").WithGroup("g").Error("said hunter2hunter2", "text", "hunter2hunter2", "error", errors.New("hunter2hunter2"),
		slog.Group("more", "b", "hunter2hunter2"), "list", []string{"hunter2hunter2"}, "bytes", []byte("x"), "n", 3,
		"long", strings.Repeat("x", maxLogged-4)+"hunter2hunter2"+strings.Repeat("y", 1<<20))
	if got := printed.String(); strings.Contains(got, "hunter2") || strings.Count(got, "***") != 7 || len(got) > 2*maxLogged {
		t.Errorf("%d bytes: %.600q", len(got), got)
	}
}
