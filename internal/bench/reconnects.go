package bench

import (
	"context"
	"errors"
	"fmt"
	"heddle/client"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// reconnectsCase follows one run, which receives signals all the time, with readers that
// disconnect after a few frames and reconnect with the last id (Last-Event-ID). It fails
// unless each of them saw exactly the frames that an undisturbed reader sees: a frame
// that is missing or comes twice is a defect at any speed.
func reconnectsCase(ctx context.Context, b *session) (err error) {
	const readers, signals = 20, 1000 // two frames a connection: 10,000 connections
	s, err := b.server(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	runs, err := s.startRuns(ctx, 1)
	if err != nil {
		return err
	}
	began := time.Now()
	var made atomic.Int64
	// Each reader writes its own element, so no lock is needed.
	seen := make([][]client.Frame, readers)
	// Room for an error of every goroutine, so that none blocks after the first.
	failed := make(chan error, readers+1)
	var wg sync.WaitGroup
	for i := range readers {
		wg.Go(func() {
			var err error
			if seen[i], err = s.readInPieces(ctx, runs[0], &made); err != nil {
				failed <- err
			}
		})
	}
	wg.Go(func() {
		if err := s.signalAll(ctx, runs[0], signals); err != nil {
			failed <- err
		}
	})
	// Readers end with the run, which signalAll ends.
	wg.Wait()
	took := time.Since(began)
	select {
	case err := <-failed:
		return err
	default:
	}
	if err := s.sameAsWhole(ctx, runs[0], seen); err != nil {
		return err
	}
	b.printf("%-10s %-14s %d connections of %d readers to a run of %d frames in %s: no gap, no repeat",
		"reconnects", perSecond(int(made.Load()), took), made.Load(), readers, len(seen[0]), took.Round(time.Millisecond))
	return nil
}

// signalAll sends n signals that no step waits for, and then the one that ends the run.
func (s *serverProcess) signalAll(ctx context.Context, run string, n int) error {
	// One after another: the figure is that of the readers, not of the signals.
	for i := range n + 1 {
		// No step waits for the name "other", so the signal is an event and nothing else.
		name := "other"
		if i == n {
			name = "go"
		}
		err := s.client.Do(ctx, client.Request{
			Method: http.MethodPost, Path: "/v1/runs/" + run + "/signals/" + name,
			Body: map[string]any{"request_id": strconv.Itoa(i), "payload": i},
		}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// errEnough ends a connection from the reader's side.
var errEnough = errors.New("enough for this connection")

// readInPieces reads the run's stream to its last frame, one to three frames per
// connection, and adds the number of connections to made as it goes. A connection that
// the server ends early is made again; only what is missing or repeated in the result is
// a defect (sameAsWhole).
func (s *serverProcess) readInPieces(ctx context.Context, run string, made *atomic.Int64) (all []client.Frame, err error) {
	after := int64(0)
	for n := 0; ; n++ {
		left := n%3 + 1 // so that connections end at every kind of frame
		made.Add(1)
		err := s.client.Runs.Follow(ctx, run, after, func(f client.Frame) error {
			all, after = append(all, f), f.ID
			if left--; left == 0 {
				return errEnough
			}
			return nil
		})

		switch {
		// The next connection goes on after the last frame that was seen.
		case errors.Is(err, errEnough):
		// The server says so only once the last frame was acknowledged by its id.
		case errors.Is(err, client.ErrFinished):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("after frame %d: %w", after, err)
		}
	}
}

// sameAsWhole returns an error unless each reader saw what one reading of the whole
// stream shows: the same ids, names and data in the same order.
func (s *serverProcess) sameAsWhole(ctx context.Context, run string, seen [][]client.Frame) error {
	var whole []client.Frame
	if err := s.client.Runs.Follow(ctx, run, 0, func(f client.Frame) error { whole = append(whole, f); return nil }); err != nil {
		return err
	}
	// Byte for byte: a frame that is sent again must be the same frame.
	same := func(a, b client.Frame) bool {
		return a.ID == b.ID && a.Event == b.Event && string(a.Data) == string(b.Data)
	}
	for i, frames := range seen {
		if !slices.EqualFunc(frames, whole, same) {
			return fmt.Errorf("reader %d saw %d frames, which are not the %d that there are", i, len(frames), len(whole))
		}
	}
	return nil
}
