package main

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"heddle/client"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
)

// demoWorkflow is the workflow of the tour, in YAML.
//
//go:embed demo.yaml
var demoWorkflow string

// demoCommand returns demo, a tour for a first look: a server, a receiver and one run,
// all in this process. It takes at most a minute.
func (p *process) demoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Start a server, run a workflow against it, and show the run as it happens",
		Long: `Start a server on a free port of this machine with a database in a temporary
directory, and run one workflow on it: it fetches the server's own list of
workflows over HTTP, counts with a Python script, decides, waits, and posts the
signed result to a receiver in this process. The exit code is 0 only when the
receiver got the right number. Nothing is left behind.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := untilSignal(cmd.Context(), func() {})
			defer stop()
			// A tour that takes longer has gone wrong, and the user should see that.
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			return p.demo(ctx)
		},
	}
	return cmd
}

// demo runs the tour. All files are in a temporary directory, which is removed. The
// receiver closes after the server, so that the server's last requests are answered.
func (p *process) demo(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "heddle-demo-")
	if err != nil {
		return err
	}
	// After the server has stopped: deferred calls run in reverse order.
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// 24 bytes, as Standard Webhooks recommend.
	secret := "whsec_" + base64.StdEncoding.EncodeToString(randomBytes(24))
	receiver, err := newDemoReceiver(ctx, secret)
	if err != nil {
		return err
	}
	defer receiver.close()
	server, err := p.demoServer(ctx, dir, receiver.address())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	return p.demoRun(ctx, client.New(server.base, server.madeKey, client.WithAttempts(1)), receiver, secret)
}

// demoServer starts a server whose steps may reach the server itself and the receiver,
// and no other private address. Its database is in dir.
func (p *process) demoServer(ctx context.Context, dir, receiver string) (*inProcess, error) {
	// The port is taken before the server starts, because the server's settings name it.
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return p.serveLocal(ctx, ln, []string{
		"HEDDLE_DATABASE_URL=sqlite://" + filepath.Join(dir, "heddle.db"),
		"HEDDLE_EGRESS_ALLOW=" + ln.Addr().String() + "," + receiver,
	}, replaced{})
}

// demoRun creates the workflow and two more to be counted, runs it, prints each event,
// and returns an error unless the receiver got the counts that the server's list has.
func (p *process) demoRun(ctx context.Context, c *client.Client, receiver *demoReceiver, secret string) error {
	p.say("A server listens on %s; its database is a temporary file.", c.URL())
	id, err := p.demoWorkflows(ctx, c)
	if err != nil {
		return err
	}
	// Counted before the run, by the same list that the run will fetch.
	want, err := count(ctx, c)
	if err != nil {
		return err
	}
	// The last argument is the run's idempotency key. The secrets of the tour are only
	// inputs, as the database is thrown away.
	runID, err := c.Runs.StartWith(ctx, id, map[string]any{
		"server": c.URL(), "receiver": receiver.url(), "token": c.Key(), "signing_secret": secret,
	}, "demo")
	if err != nil {
		return fmt.Errorf("start the run: %w", err)
	}
	p.say("The workflow %s was created; its run %s has begun:\n", id, runID)
	begun := time.Now()
	// The stream ends with the run.
	err = c.Runs.Follow(ctx, runID, 0, func(f client.Frame) error {
		p.say("  %5.2fs  %s", time.Since(begun).Seconds(), describe(f))
		return nil
	})
	if err != nil {
		return fmt.Errorf("follow the run: %w", err)
	}
	run, err := c.Runs.Get(ctx, runID)
	if err != nil {
		return err
	}
	// The stream has ended, so the status is final.
	if run.Status != "completed" {
		return fmt.Errorf("the run ended as %s: %+v", run.Status, run.Error)
	}
	got, err := receiver.delivery()
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("the receiver got %+v, the server has %+v", got, want)
	}
	p.say("\nThe receiver got a signed delivery: %d workflows, %d letters. That is right.", got.Workflows, got.Letters)
	return nil
}

// say prints one line of the tour.
func (p *process) say(format string, args ...any) { fmt.Fprintf(p.out, format+"\n", args...) }

// counted is what the tour's script computes and the receiver gets: how many workflows
// there are, and how many letters their names have.
type counted struct {
	Workflows int `json:"workflows"`
	Letters   int `json:"letters"`
}

// count computes in Go what the tour's script computes in Python, from the same list.
func count(ctx context.Context, c *client.Client) (counted, error) {
	var list struct {
		Workflows []struct {
			Name string `json:"name"`
		} `json:"workflows"`
	}
	err := c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/api/workflows?limit=200"}, &list)
	n := counted{Workflows: len(list.Workflows)}
	for _, w := range list.Workflows {
		for _, r := range w.Name {
			if unicode.IsLetter(r) {
				n.Letters++
			}
		}
	}
	return n, err
}

// demoWorkflows stores the tour's workflow and two others, and returns the id of the
// first.
func (p *process) demoWorkflows(ctx context.Context, c *client.Client) (string, error) {
	// Their steps do nothing; they are there to be counted.
	for _, name := range []string{"Greet the morning", "Water the plants"} {
		definition := map[string]any{"name": name, "steps": []any{
			map[string]any{"id": "decide", "type": "condition", "config": map[string]any{"expression": "true"}},
		}}
		if _, err := c.Workflows.Add(ctx, definition, ""); err != nil {
			return "", fmt.Errorf("create the workflow %q: %w", name, err)
		}
	}
	definition, err := demoDefinition()
	if err != nil {
		return "", err
	}
	id, err := c.Workflows.Add(ctx, definition, "count-my-workflows")
	if err != nil {
		return "", fmt.Errorf("create the workflow of the tour: %w", err)
	}
	return id, nil
}

// randomBytes returns n bytes of the system's randomness.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

// describe formats a frame of the stream as a line for people: the event's name, the
// step, and its error or output, such as
//
//	step completed  fetch    {"count":3}
//
// An output of more than 120 bytes is shown by its size.
func describe(f client.Frame) string {
	d := decodeFrame(f)
	line := strings.ReplaceAll(f.Event, "_", " ")
	if d.StepID != "" {
		line = fmt.Sprintf("%-15s %-8s", line, d.StepID)
	}
	switch {
	case d.Error != nil:
		line += fmt.Sprintf(" %s: %s", d.Error.Code, d.Error.Message)
	case len(d.Output) > 0 && len(d.Output) <= 120:
		line += " " + string(d.Output)
	case len(d.Output) > 120:
		line += fmt.Sprintf(" (%d bytes)", len(d.Output))
	}
	return strings.TrimRight(line, " ")
}
