package client_test

import (
	"context"
	"errors"
	"fmt"
	"heddle/internal/client"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func serve(t *testing.T, h http.HandlerFunc) *client.Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return &client.Client{Base: srv.URL, Key: "key"}
}

func TestRefusal(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "2")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintf(w, `{"error":{"code":"store_unavailable","message":%q,"request_id":"req_1"}}`, r.Header.Get("Authorization"))
	})
	_, err := c.Start(context.Background(), "w", nil, "")
	var refused *client.Error
	if !errors.As(err, &refused) {
		t.Fatalf("error %v", err)
	}
	if refused.Code != "store_unavailable" || refused.RetryAfter != 2*time.Second || refused.Message != "Bearer key" || refused.RequestID != "req_1" {
		t.Errorf("refused: %+v", refused)
	}
}

func TestStream(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("Last-Event-ID") {
		case "":
			fmt.Fprint(w, ": ping\n\nid: 3\nevent: run_started\ndata: {\"seq\":3}\n\nid: 5\nevent: run_completed\ndata: {}\n\nid: 6\nevent: cut")
		case "5":
			w.WriteHeader(http.StatusNoContent)
		default:
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	var got []client.Frame
	keep := func(f client.Frame) error { got = append(got, f); return nil }
	if err := c.Stream(context.Background(), "run_1", 0, keep); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].ID != 3 || string(got[0].Data) != `{"seq":3}` || got[0].Terminal() || !got[1].Terminal() {
		t.Errorf("frames %+v", got)
	}
	if err := c.Stream(context.Background(), "run_1", 5, keep); !errors.Is(err, client.ErrFinished) {
		t.Errorf("at the end: %v", err)
	}
	if err := c.Stream(context.Background(), "run_1", 9, keep); err == nil {
		t.Error("a refused stream gave no error")
	}
}
