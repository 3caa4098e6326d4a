package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/client"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// largeCase measures a definition of 10,000 steps: each request that reads it as a whole,
// with the server's CPU time beside that of decoding and encoding the same text once with
// encoding/json, in the same minute.
//
//	large      validate  … ms CPU  … ms   a definition of 10,000 steps, … KiB (encoding/json: … ms)
func largeCase(ctx context.Context, b *session) (err error) {
	const steps, times = 10_000, 5
	definition := wideChain(steps, "wait")
	raw, err := rawDecode(definition)
	if err != nil {
		return err
	}
	s, err := b.server(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	ended, err := s.endedRun(ctx, wideChain(steps, "condition"))
	if err != nil {
		return err
	}
	var sum struct {
		Run struct{ Seq int64 }
	}
	if err := s.client.Do(ctx, client.Request{Method: http.MethodGet, Path: "/api/workflows/runs/" + ended + "?view=summary"}, &sum); err != nil {
		return err
	}
	var ids, runs []string
	for _, part := range []struct {
		name string
		call func() error
	}{
		{"validate", func() error {
			return s.client.Do(ctx, client.Request{Method: http.MethodPost, Path: "/api/workflows/validate", Body: map[string]any{"definition": definition}}, nil)
		}},
		{"create", func() error {
			id, err := s.client.Workflows.Add(ctx, definition, "")
			ids = append(ids, id)
			return err
		}},
		// Each is the first of its workflow.
		{"start", func() error {
			id, err := s.client.Runs.StartWith(ctx, ids[len(runs)], nil, "")
			runs = append(runs, id)
			return err
		}},
		{"get run", func() error { return s.get(ctx, "/api/workflows/runs/"+ended) }},
		{"summary", func() error { return s.get(ctx, "/api/workflows/runs/"+ended+"?view=summary") }},
		{"steps", func() error { return s.get(ctx, "/api/workflows/runs/"+ended+"/steps?limit=200") }},
		{"changed", func() error {
			return s.get(ctx, "/api/workflows/runs/"+ended+"/steps?changed_after="+strconv.FormatInt(sum.Run.Seq-5, 10))
		}},
		{"inspect", func() error { return s.get(ctx, "/v1/runs/"+ended) }},
	} {
		cost, err := s.cost(times, part.call)
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		b.printf("%-10s %-9s %s   a definition of %d steps, %d KiB (encoding/json: %s CPU)", "large", part.name, cost, steps, len(definition)>>10, millis(raw))
	}
	return nil
}

// endedRun stores the workflow, runs it and returns the id of the run when it has ended.
func (s *serverProcess) endedRun(ctx context.Context, definition any) (string, error) {
	workflow, err := s.client.Workflows.Add(ctx, definition, "")
	if err != nil {
		return "", err
	}
	run, err := s.client.Runs.StartWith(ctx, workflow, nil, "")
	if err != nil {
		return "", err
	}
	return run, s.client.Runs.Follow(ctx, run, 0, func(client.Frame) error { return nil })
}

// wideChain returns a workflow of n steps in a hundred chains, each step of which reads the
// one before it: conditions, behind a first one in each chain that is a condition as well,
// or a wait until far from now.
func wideChain(n int, first string) json.RawMessage {
	type step struct {
		ID        string            `json:"id"`
		Name      string            `json:"name"`
		Type      string            `json:"type"`
		DependsOn []string          `json:"depends_on,omitempty"`
		Config    map[string]string `json:"config"`
	}
	const chains = 100
	list := make([]step, n)
	for i := range list {
		list[i] = step{ID: "s" + strconv.Itoa(i), Name: "Step " + strconv.Itoa(i), Type: "condition", Config: map[string]string{"expression": "true"}}
		switch {
		case i >= chains:
			before := "s" + strconv.Itoa(i-chains)
			list[i].DependsOn, list[i].Config["expression"] = []string{before}, "steps."+before+".output != null"
		case first == "wait":
			list[i].Type, list[i].Config = first, map[string]string{"until": "2999-01-01T00:00:00Z"}
		}
	}
	text, _ := json.Marshal(map[string]any{"name": "Large", "steps": list}) // strings and lists always encode
	return text
}

// rawDecode returns the CPU time of decoding a text and encoding it again.
func rawDecode(text []byte) (time.Duration, error) {
	const times = 5
	begun, err := cpuTime(os.Getpid())
	if err != nil {
		return 0, err
	}
	for range times {
		var v any
		if err := json.Unmarshal(text, &v); err != nil {
			return 0, err
		}
		if _, err := json.Marshal(v); err != nil {
			return 0, err
		}
	}
	ended, err := cpuTime(os.Getpid())
	return (ended - begun) / times, err
}

// pagesCase measures one page of each list of a run whose journal has a million events: the
// newest, and one in its middle where the list has cursors.
//
//	pages      history    … ms CPU  … ms   of a run with 1,000,003 events (a page of a short run: … ms CPU)
func pagesCase(ctx context.Context, b *session) (err error) {
	const iterations = 250_000
	long, short, err := b.longAndShort(ctx, iterations)
	if err != nil {
		return err
	}
	s, err := b.server(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	for _, list := range []struct{ name, path string }{
		{"history", "/v1/runs/{run}/history?limit=50"},
		{"middle", "/v1/runs/{run}/history?limit=50&cursor={middle}"},
		{"instance", "/api/workflows/workflows/{workflow}/instances/{name}/history?pageSize=50"},
		{"oldest", "/api/workflows/workflows/{workflow}/instances/{name}/history?pageSize=50&order=asc"},
		{"get run", "/api/workflows/runs/{run}"},
		{"inspect", "/v1/runs/{run}"},
		{"iterations", "/api/workflows/runs/{run}/steps/each/iterations?limit=50"},
	} {
		const times = 20
		costs := [2]requestCost{}
		for i, run := range []benchedRun{short, long} {
			path := strings.NewReplacer("{run}", run.id, "{workflow}", run.workflow, "{name}", run.name, "{middle}", strconv.FormatInt(run.seq/2, 10)).Replace(list.path)
			if costs[i], err = s.cost(times, func() error { return s.get(ctx, path) }); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		b.printf("%-10s %-10s %s   of a run with %d events (of one with %d: %s CPU)", "pages", list.name, costs[1], long.seq, short.seq, millis(costs[0].cpu))
	}
	return nil
}

// benchedRun is a run whose lists are paged.
type benchedRun struct {
	id, workflow, name string
	seq                int64 // events in its journal
}

// longAndShort makes two runs of a loop, of that many iterations and of one, and returns
// both when they have ended.
func (b *session) longAndShort(ctx context.Context, iterations int) (long, short benchedRun, err error) {
	r, err := b.rig(ctx, json.RawMessage(`{"name":"Loop","steps":[{"id":"each","type":"loop","config":{
		"items":"input.n","max_iterations":1000000,"concurrency":10,
		"steps":[{"id":"even","type":"condition","config":{"expression":"index % 2 == 0"}}]}}]}`), Parts{})
	if err != nil {
		return long, short, err
	}
	defer func() { err = errors.Join(err, r.Stop()) }()
	for _, run := range []struct {
		into *benchedRun
		name string
		n    int
	}{{&long, "long", iterations}, {&short, "short", 1}} {
		err := r.client.Do(ctx, client.Request{
			Method: http.MethodPost, Path: "/api/workflows/workflows/" + r.workflow + "/instances",
			Body: map[string]any{"id": run.name, "params": map[string]int{"n": run.n}},
		}, nil)
		if err != nil {
			return long, short, err
		}
		named, err := r.Executor.Named(ctx, r.tenant, r.workflow, run.name, 0)
		if err == nil {
			named.Record, err = r.awaitEnd(ctx, named.Record)
		}
		if err != nil {
			return long, short, err
		}
		*run.into = benchedRun{id: named.RunID, workflow: r.workflow, name: run.name, seq: named.Seq}
	}
	return long, short, nil
}

// get performs a GET and discards its answer.
func (s *serverProcess) get(ctx context.Context, path string) error {
	return s.client.Do(ctx, client.Request{Method: http.MethodGet, Path: path}, nil)
}

// requestCost is what one request took, as a mean.
type requestCost struct {
	cpu, wall time.Duration // of the server; of the caller's waiting
}

// String returns both in milliseconds.
func (c requestCost) String() string { return fmt.Sprintf("%s CPU  %s", millis(c.cpu), millis(c.wall)) }

// cost makes a request so many times, one after another, and returns what one took. The
// server must be idle otherwise.
func (s *serverProcess) cost(times int, call func() error) (requestCost, error) {
	begun, err := cpuTime(s.cmd.Process.Pid)
	if err != nil {
		return requestCost{}, err
	}
	at := time.Now()
	for range times {
		if err := call(); err != nil {
			return requestCost{}, err
		}
	}
	wall := time.Since(at)
	ended, err := cpuTime(s.cmd.Process.Pid)
	return requestCost{(ended - begun) / time.Duration(times), wall / time.Duration(times)}, err
}
