package steps

import (
	"context"
	"heddle/executor"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
)

// TestConnectionsToOneHostAreUsedAgain: as many requests as before find a connection each.
func TestConnectionsToOneHostAreUsedAgain(t *testing.T) {
	const atOnce = 40
	var dialled atomic.Int64
	var arrived sync.WaitGroup
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived.Done()
		arrived.Wait() // all are in flight at one time
		_, _ = io.WriteString(w, `{}`)
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			dialled.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	guard, err := NewGuard("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	for idle, want := range map[int]int64{0: atOnce, 10: 2*atOnce - 10} {
		dialled.Store(0)
		r := Default(Deps{Egress: guard, IdlePerHost: idle})
		for range 2 {
			arrived.Add(atOnce)
			var done sync.WaitGroup
			for range atOnce {
				done.Go(func() {
					if _, err := r.Run(context.Background(), executor.Call{Type: "http_request", Attempt: 1, Config: []byte(`{"url":"` + srv.URL + `"}`)}); err != nil {
						t.Error(err)
					}
				})
			}
			done.Wait()
		}
		if got := dialled.Load(); got != want {
			t.Errorf("with %d idle connections %d were dialled, want %d", idle, got, want)
		}
		r.Close()
	}
}
