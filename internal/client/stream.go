package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// ErrFinished is returned by Stream where the run is finished and nothing comes after the frame
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

// Stream follows a run's events after the frame with the number after (0: from the first), and
// calls each in order. It returns nil when the server ended the stream, ErrFinished where there
// is nothing more to come, an *Error where it was refused, the error of each, or what cut the
// connection. A caller that was cut off calls it again with the last id.
func (c *Client) Stream(ctx context.Context, runID string, after int64, each func(Frame) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Base+"/api/workflows/runs/"+runID+"/stream", nil)
	if err != nil {
		return err
	}
	// The server does not look at it; proxies may.
	req.Header.Set("Accept", "text/event-stream")
	// Without it the stream begins with the first event.
	if after > 0 {
		req.Header.Set("Last-Event-ID", strconv.FormatInt(after, 10))
	}
	resp, err := c.do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return frames(resp.Body, each)
	case http.StatusNoContent:
		return ErrFinished
	// Not a stream: the body is an envelope.
	default:
		body, _ := io.ReadAll(resp.Body)
		return refused(resp, body)
	}
}

// frames reads the text/event-stream format, as far as the server uses it: one data line per
// frame, comments as heartbeats. A frame that was cut before its empty line is dropped, as the
// format says; nil at the end of r.
func frames(r io.Reader, each func(Frame) error) error {
	// A line may be of any length: an output may be 1 MiB.
	in := bufio.NewReader(r)
	var f Frame
	for {
		line, err := in.ReadString('\n')
		// The server ended the stream, whether or not the run has ended.
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		field, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		// An empty line ends a frame; one behind a comment ends none.
		case field == "" && value == "" && f.Event != "":
			if err := each(f); err != nil {
				return err
			}
			// The next frame must not have this one's fields.
			f = Frame{}
		case field == "id":
			if f.ID, err = strconv.ParseInt(value, 10, 64); err != nil {
				return fmt.Errorf("a frame's id is %q", value)
			}
		case field == "event":
			f.Event = value
		case field == "data":
			f.Data = json.RawMessage(value)
		}
	}
}
