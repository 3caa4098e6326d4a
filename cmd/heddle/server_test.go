package main

import (
	"context"
	"heddle/client"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"
)

// testServer is a server that the process serves, and a client of it that tries each request once.
type testServer struct {
	c *client.Client
}

const testServerKey = "sweep-key-0123456789"

func newTestServer(t *testing.T) *testServer {
	t.Helper()
	set, _, err := sources{environ: []string{
		"HEDDLE_DATABASE_URL=sqlite://" + filepath.Join(t.TempDir(), "heddle.db"), "HEDDLE_BOOTSTRAP_KEY=" + testServerKey,
	}}.load()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	st, err := open(t.Context(), set, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- st.serve(ctx, ln, func() { close(ready) }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
		if err := st.close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	<-ready
	return &testServer{c: client.New("http://"+ln.Addr().String(), testServerKey, client.WithAttempts(1), client.WithHTTPClient(&http.Client{Timeout: 20 * time.Second}))}
}

// oneStep ends at once.
const oneStep = `{"name":"Sweep","steps":[{"id":"check","type":"condition","config":{"expression":"true"}}]}`
