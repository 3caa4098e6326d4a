package bench

import (
	"context"
	"errors"
	"heddle/client"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// How the flood case measures: floodConnections of one tenant start runs without a pause;
// another tenant starts and awaits floodProbes runs, one after another, before and meanwhile.
const (
	floodConnections = 50
	floodProbes      = 200
)

// floodCase measures what a tenant notices of another one that starts runs without a pause: the
// time of its own runs of one http_request, from the start to the last event of the stream,
// on a quiet server and during the flood, with the default limits. The flood's runs are of
// one http_request too, and most of them queue.
//
//	flood      quiet p50 …  p99 …, during … starts of another tenant (…/s) p50 …  p99 …:
//	           … times the quiet p50
func floodCase(ctx context.Context, b *session) (err error) {
	r, stop, err := receiveAtOnce(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	s, err := b.server(ctx, "HEDDLE_EGRESS_ALLOW=127.0.0.1")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	other, err := s.tenant(ctx, "flooded")
	if err != nil {
		return err
	}
	flooding, err := s.client.Workflows.Add(ctx, requests(r.url, 1), "")
	if err != nil {
		return err
	}
	probed, err := other.client.Workflows.Add(ctx, requests(r.url, 1), "")
	if err != nil {
		return err
	}
	probe := func(ctx context.Context) error { _, err := other.startAndAwait(ctx, probed); return err }
	// The first ones dial connections and fill caches.
	if _, _, err = repeat(ctx, 20, 1, b.plan.Seconds, probe); err != nil {
		return err
	}
	quiet, _, err := repeat(ctx, floodProbes, 1, b.plan.Seconds, probe)
	if err != nil {
		return err
	}
	var starts atomic.Int64
	flood, endFlood := context.WithCancel(ctx)
	var flooders sync.WaitGroup
	for range floodConnections {
		flooders.Go(func() {
			for flood.Err() == nil {
				if _, err := s.client.Runs.StartWith(flood, flooding, nil, ""); err == nil {
					starts.Add(1)
				}
			}
		})
	}
	began := time.Now()
	during, _, err := repeat(ctx, floodProbes, 1, 4*b.plan.Seconds, probe)
	n, took := starts.Load(), time.Since(began)
	endFlood()
	flooders.Wait()
	if err != nil {
		return err
	}
	b.printf("flood      quiet %s, during %d starts of another tenant (%s) %s: %.1f times the quiet p50",
		quiet, n, perSecond(int(n), took), during, float64(during.at(50))/float64(quiet.at(50)))
	return nil
}

// tenant creates a tenant and returns the same server as its admin sees it.
func (s *serverProcess) tenant(ctx context.Context, slug string) (*serverProcess, error) {
	var created struct {
		Key string `json:"key"`
	}
	err := s.client.Do(ctx, client.Request{
		Method: http.MethodPost, Path: "/v1/tenants", Body: map[string]string{"slug": slug, "name": slug},
	}, &created)
	return &serverProcess{cmd: s.cmd, client: client.New(s.client.URL(), created.Key, client.WithAttempts(1), client.WithHTTPClient(manyConnections()))}, err
}
