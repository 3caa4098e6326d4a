// Package client is a client of Heddle's HTTP API for Go programs: a service for each noun of the
// API, with typed requests and answers.
//
//	c := client.New("http://127.0.0.1:8080", key)
//	run, err := c.Runs.Start(ctx, "nightly-export", client.StartRun{InputData: input})
//
// It knows the wire and nothing of the server's code: its types are its own, and a test holds them
// and its methods against the OpenAPI document. Answers may gain fields, which are ignored.
//
// A request that failed on its way, or that the server was too busy for, is repeated a few times,
// later each time and never before Retry-After. What may have happened already is repeated only
// where that is safe: reads, what computes and stores nothing, and requests with an
// Idempotency-Key, which the client makes itself where a route takes one and none is given.
//
// Where the API refuses, the error is an *Error. Everything is safe for concurrent use.
package client

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// Client calls one server with one key. Its services are the nouns of the API.
type Client struct {
	Workflows *WorkflowService
	Versions  *VersionService
	Drafts    *DraftService
	Templates *TemplateService
	Runs      *RunService
	Steps     *StepService
	Schedules *ScheduleService
	Approvals *ApprovalService
	Jobs      *JobService
	Secrets   *SecretService
	Agents    *AgentService
	Keys      *KeyService
	Access    *AccessService
	System    *SystemService
	Instances *InstanceService
	// V1 and Turns are the dialects of runs for clients that speak them already.
	V1    *V1Service
	Turns *TurnService

	base, key string
	http      *http.Client
	attempts  int // of one request, from 1
	sleep     func(context.Context, time.Duration) error
	agent     string
}

// How often a request is tried, how long the first wait is, and for how long at most it waits for
// the server to be ready again.
const (
	defaultAttempts = 4
	firstWait       = 100 * time.Millisecond
	longestWait     = 30 * time.Second
)

// Option changes a client that New makes.
type Option func(*Client)

// WithHTTPClient makes the requests through h. Its Timeout also ends streams; a deadline of the
// context is better.
func WithHTTPClient(h *http.Client) Option { return func(c *Client) { c.http = h } }

// WithAttempts sets how often a request is tried, from 1, which is never again. With 1 the client
// makes no Idempotency-Keys of its own.
func WithAttempts(n int) Option { return func(c *Client) { c.attempts = max(1, n) } }

// WithUserAgent sets the header User-Agent.
func WithUserAgent(name string) Option { return func(c *Client) { c.agent = name } }

// New returns a client of the server at url, such as http://127.0.0.1:8080, with an API key. It
// sends nothing yet.
func New(url, key string, opts ...Option) *Client {
	c := &Client{
		base: strings.TrimRight(url, "/"), key: key,
		http: http.DefaultClient, attempts: defaultAttempts, sleep: sleep, agent: "heddle-client",
	}
	for _, o := range opts {
		o(c)
	}
	c.Workflows, c.Versions, c.Drafts = &WorkflowService{c}, &VersionService{c}, &DraftService{c}
	c.Templates, c.Schedules, c.Approvals = &TemplateService{c}, &ScheduleService{c}, &ApprovalService{c}
	c.Runs, c.Steps, c.Jobs = &RunService{c}, &StepService{c}, &JobService{c}
	c.Secrets, c.Agents, c.Keys = &SecretService{c}, &AgentService{c}, &KeyService{c}
	c.Access, c.System = &AccessService{c}, &SystemService{c}
	c.Instances, c.V1, c.Turns = &InstanceService{c}, &V1Service{c}, &TurnService{c}
	return c
}

// URL returns the server's address, without a slash at its end.
func (c *Client) URL() string { return c.base }

// Key returns the API key.
func (c *Client) Key() string { return c.key }

// sleep returns after d, or earlier with the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// HTTP returns the client of net/http that performs the requests.
func (c *Client) HTTP() *http.Client { return c.http }
