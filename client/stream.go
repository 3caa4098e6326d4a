package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// ErrFinished is returned by Follow where the run is finished and nothing comes after the frame
// that was named (204).
var ErrFinished = errors.New("the run is finished and its stream is at its end")

// Frame is one server-sent event. ID is the number of the event in the run's journal.
type Frame struct {
	ID int64
	// Event is the frame's name, such as step_completed; Data is an object.
	Event string
	Data  json.RawMessage
}

// Terminal reports whether the frame is a run's last, unless the run is resumed later.
func (f Frame) Terminal() bool {
	return f.Event == "run_completed" || f.Event == "run_failed" || f.Event == "run_cancelled"
}

// Decode returns the frame's data.
func (f Frame) Decode() (RunEvent, error) {
	var e RunEvent
	err := json.Unmarshal(f.Data, &e)
	return e, err
}

// Follow follows a run's events over one connection, after the frame with the number after (0:
// from the first), and calls each in order. It returns nil when the server ended the stream,
// ErrFinished where there is nothing more to come, an *Error where it was refused, the error of
// each, or what cut the connection. Stream comes back by itself.
func (s *RunService) Follow(ctx context.Context, runID string, after int64, each func(Frame) error) error {
	last := ""
	if after > 0 {
		last = strconv.FormatInt(after, 10)
	}
	path := pathOf("/api/workflows/runs/{run_id}/stream", runID)
	return s.c.events(ctx, request{method: http.MethodGet, path: path}, last, func(e event) error {
		f := Frame{Event: e.name, Data: e.data}
		if e.id != "" {
			var err error
			if f.ID, err = strconv.ParseInt(e.id, 10, 64); err != nil {
				return fmt.Errorf("a frame's id is %q", e.id)
			}
		}
		return each(f)
	})
}

// Stream iterates over a run's events after the frame with the number after (0: from the first)
// until the run ends. A stream that is cut goes on where it was, each frame once. It ends with the
// first error that does not pass by itself.
func (s *RunService) Stream(ctx context.Context, runID string, after int64) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		last := after
		resume(ctx, s.c, func() error {
			return s.Follow(ctx, runID, last, func(f Frame) error {
				if f.ID > 0 {
					last = f.ID
				}
				if !yield(f, nil) || f.Terminal() {
					return errStopped
				}
				return nil
			})
		}, func(err error) { yield(Frame{}, err) })
	}
}

// StreamLogs iterates over what a run's steps say, as it is kept, until the run has ended. A stream
// that is cut goes on where it was.
func (s *RunService) StreamLogs(ctx context.Context, runID string, q LogStreamQuery) iter.Seq2[LogLine, error] {
	return func(yield func(LogLine, error) bool) {
		last := ""
		r := request{method: http.MethodGet, path: pathOf("/api/workflows/runs/{run_id}/logs/stream", runID), query: queryOf(q)}
		resume(ctx, s.c, func() error {
			return s.c.events(ctx, r, last, func(e event) error {
				last = e.id
				if e.name == "end" {
					return errStopped
				}
				var line LogLine
				if err := json.Unmarshal(e.data, &line); err != nil {
					return fmt.Errorf("decode a line: %w", err)
				}
				if !yield(line, nil) {
					return errStopped
				}
				return nil
			})
		}, func(err error) { yield(LogLine{}, err) })
	}
}

// LogStreamQuery selects the lines that a stream has.
type LogStreamQuery struct {
	StepID string `query:"step_id"`
	Level  string `query:"level"`
	// After is the id of a line: only what comes behind it.
	After string `query:"after"`
}

// LiveQuery selects what Changes is told of.
type LiveQuery struct {
	Topics   []string `query:"topics"`
	Workflow string   `query:"workflow"`
}

// Changes iterates over what changes in the tenant, for as long as the caller takes it. It is not
// durable: after a cut the changes in between are missed.
func (s *SystemService) Changes(ctx context.Context, q LiveQuery) iter.Seq2[LiveEvent, error] {
	return func(yield func(LiveEvent, error) bool) {
		r := request{method: http.MethodGet, path: "/v1/events", query: queryOf(q)}
		resume(ctx, s.c, func() error {
			return s.c.events(ctx, r, "", func(e event) error {
				var change LiveEvent
				if err := json.Unmarshal(e.data, &change); err != nil {
					return fmt.Errorf("decode a change: %w", err)
				}
				if !yield(change, nil) {
					return errStopped
				}
				return nil
			})
		}, func(err error) { yield(LiveEvent{}, err) })
	}
}

// Events iterates over a run's events in the words of the runs dialect, until the run ends.
func (s *V1Service) Events(ctx context.Context, runID string) iter.Seq2[V1Event, error] {
	return func(yield func(V1Event, error) bool) {
		last := ""
		r := request{method: http.MethodGet, path: pathOf("/v1/runs/{run_id}/events", runID)}
		resume(ctx, s.c, func() error {
			return s.c.events(ctx, r, last, func(e event) error {
				last = e.id
				var decoded V1Event
				if err := json.Unmarshal(e.data, &decoded); err != nil {
					return fmt.Errorf("decode an event: %w", err)
				}
				if !yield(decoded, nil) || strings.HasPrefix(e.name, "run.") && decoded.State != "" && finished(decoded.State) {
					return errStopped
				}
				return nil
			})
		}, func(err error) { yield(V1Event{}, err) })
	}
}

// finished reports whether a run in this state of the runs dialect has ended.
func finished(state string) bool {
	return state == "succeeded" || state == "failed" || state == "cancelled"
}

// errStopped ends a stream that its reader wants no more of, or whose last frame was read.
var errStopped = errors.New("stopped")

// resume calls connect, which reads one connection to its end, again and again until the stream is
// at its end or the context ends, waiting a little longer after each failure without a success. An
// error that does not pass by itself goes to fail.
func resume(ctx context.Context, c *Client, connect func() error, fail func(error)) {
	for failures := 0; ; {
		err := connect()
		switch {
		case errors.Is(err, errStopped), errors.Is(err, ErrFinished):
			return
		case err == nil: // the server ended it, as one that stops does
			failures = 0
		case ctx.Err() != nil:
			fail(context.Cause(ctx))
			return
		default:
			failures++
			if failures >= c.attempts || !(request{method: http.MethodGet}).again(err) {
				fail(err)
				return
			}
		}
		if err := c.sleep(ctx, backoff(failures+1, err)); err != nil {
			fail(err)
			return
		}
	}
}

// event is one frame of a stream.
type event struct {
	id, name string
	data     json.RawMessage
}

// events reads the stream of one connection after the frame with the id last, "" for from the
// first. It returns nil when the server ended it.
func (c *Client) events(ctx context.Context, r request, last string, each func(event) error) error {
	r.accept = "text/event-stream"
	r.header = http.Header{}
	if last != "" {
		r.header.Set("Last-Event-ID", last)
	}
	resp, err := c.once(ctx, r, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	if resp.StatusCode == http.StatusNoContent {
		return ErrFinished
	}
	return frames(resp.Body, each)
}

// frames reads the text/event-stream format, as far as the server uses it: one data line per
// frame, comments as heartbeats. A frame that was cut before its empty line is dropped, as the
// format says; nil at the end of r.
func frames(r io.Reader, each func(event) error) error {
	// A line may be of any length: an output may be 1 MiB.
	in := bufio.NewReader(r)
	var e event
	for {
		line, err := in.ReadString('\n')
		// The server ended the stream, whether or not the run has ended.
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return &UnreachableError{err}
		}
		field, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		// An empty line ends a frame; one behind a comment ends none.
		case field == "" && value == "" && e.name != "":
			if err := each(e); err != nil {
				return err
			}
			// The next frame must not have this one's fields.
			e = event{}
		case field == "id":
			e.id = value
		case field == "event":
			e.name = value
		case field == "data":
			e.data = json.RawMessage(value)
		}
	}
}

// Export opens an export: a line of JSON for each workflow, as they come. The caller closes it; an
// error while it is read means that what came is not complete.
func (s *WorkflowService) Export(ctx context.Context, q ExportQuery, opts ...CallOption) (io.ReadCloser, error) {
	return s.c.open(ctx, request{method: http.MethodGet, path: "/api/workflows/export", query: queryOf(q)}, opts)
}

// ExportQuery selects the workflows of an export, all that the key may view unless some are named.
type ExportQuery struct {
	Workflows []string `query:"id"`
	// IDs writes the ids too, so that an import into another database keeps them.
	IDs bool `query:"ids"`
}

// Import sends the lines of an export, once. What was stored is returned also beside an *Error, as
// far as the server said so. onConflict is "", skip or rename.
func (s *WorkflowService) Import(ctx context.Context, lines io.Reader, onConflict string, opts ...CallOption) (Import, error) {
	r := request{method: http.MethodPost, path: "/api/workflows/import", lines: lines}
	if onConflict != "" {
		r.query = url.Values{"on_conflict": {onConflict}}
	}
	var done Import
	body, err := s.c.read(ctx, r, opts)
	// A refusal of a line has the same two lists beside its error.
	if e, ok := errors.AsType[*Error](err); ok {
		_ = json.Unmarshal(e.Body, &done) // a refusal of the whole has none
		return done, err
	}
	if err != nil {
		return done, err
	}
	if err := json.Unmarshal(body, &done); err != nil {
		return done, fmt.Errorf("decode what was imported: %w", err)
	}
	return done, nil
}

// Source returns the text of a workflow's definition in YAML, as its author wrote it where that is
// kept, of the version that is named or, for "", of the active one.
func (s *VersionService) Source(ctx context.Context, id, version string, opts ...CallOption) (string, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/{id}/versions/{version}", id, version), accept: "application/yaml"}
	if version == "" {
		r.path = pathOf("/api/workflows/{id}", id)
	}
	text, err := s.c.read(ctx, r, opts)
	return string(text), err
}

// Add stores a definition, any value that encodes as JSON, under an optional slug, active at once,
// and returns the workflow's id. A slug that is taken is an *Error with the code slug_taken.
func (s *WorkflowService) Add(ctx context.Context, definition any, slug string, opts ...CallOption) (string, error) {
	text, err := json.Marshal(definition)
	if err != nil {
		return "", fmt.Errorf("encode the definition: %w", err)
	}
	w, err := s.Create(ctx, CreateWorkflow{Definition: text, Slug: slug, Status: "active"}, opts...)
	if err != nil {
		return "", err
	}
	return w.ID, nil
}

// StartWith starts a run with an input, any value that encodes as JSON, and returns its id. A nil
// input is left out, and key is the Idempotency-Key, "" for none.
func (s *RunService) StartWith(ctx context.Context, workflow string, input any, key string) (string, error) {
	var in StartRun
	if input != nil {
		text, err := json.Marshal(input)
		if err != nil {
			return "", fmt.Errorf("encode the input: %w", err)
		}
		in.InputData = text
	}
	return s.Start(ctx, workflow, in, IdempotencyKey(key))
}
