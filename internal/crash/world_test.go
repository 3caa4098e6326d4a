package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/client"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// world is the clients' side of the test: who started, follows and cancels
// what, across all lives of the server.
type world struct {
	clock    *ticker
	receiver *receiver
	wg       sync.WaitGroup

	mu       sync.Mutex
	workflow string
	current  *client.Client // nil while no server is up
	changed  chan struct{}  // closed at each change of current
	runs     map[string]*observed
	starts   int
	resumes  int
	faults   []string
}

// observed is what the clients know of one acknowledged run. It belongs to its
// follower until that has ended.
type observed struct {
	id        string
	script    bool
	frames    []seen
	cancelled string // the status that a cancel was answered with; "" without
}

// seen is a frame and when it came.
type seen struct {
	client.Frame
	At int64
}

func newWorld(clock *ticker, r *receiver) *world {
	return &world{clock: clock, receiver: r, changed: make(chan struct{}), runs: make(map[string]*observed)}
}

// serveAt tells the clients where the server is; nil: nowhere.
func (w *world) serveAt(c *client.Client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.current = c
	close(w.changed)
	w.changed = make(chan struct{})
}

// insist calls f on the server that is up, until f says that it is done or ctx
// ends. Between calls it waits for another server, or a little.
func (w *world) insist(ctx context.Context, f func(*client.Client) (done bool)) {
	for ctx.Err() == nil {
		w.mu.Lock()
		c, changed := w.current, w.changed
		w.mu.Unlock()
		if c != nil && f(c) {
			return
		}
		again := time.After(20 * time.Millisecond)
		if c == nil {
			again = nil
		}
		select {
		case <-changed:
		case <-again:
		case <-ctx.Done():
		}
	}
}

// fault notes a broken promise.
func (w *world) fault(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.faults) < 100 {
		w.faults = append(w.faults, fmt.Sprintf(format, args...))
	}
}

// start begins one more run, however often the server dies meanwhile, and
// follows it to its end. key is the Idempotency-Key of a start that was tried
// before; "" is one of its own.
func (w *world) start(ctx context.Context, key string, cancelAfter time.Duration) {
	w.mu.Lock()
	w.starts++
	n, workflow := w.starts, w.workflow
	w.mu.Unlock()
	if key == "" {
		key = fmt.Sprintf("start-%d", n)
	}
	w.wg.Go(func() {
		o := &observed{script: n%4 == 0}
		w.insist(ctx, func(c *client.Client) bool {
			id, err := c.Runs.StartWith(ctx, workflow, map[string]any{"script": o.script}, key)
			o.id = id
			return err == nil || w.refused("start", err)
		})
		if o.id == "" {
			return
		}
		w.mu.Lock()
		w.runs[o.id] = o
		w.mu.Unlock()
		if cancelAfter > 0 {
			w.wg.Go(func() { w.cancel(ctx, o, cancelAfter) })
		}
		w.follow(ctx, o)
	})
}

// refused notes an answer that no crash explains and says whether it was one.
func (w *world) refused(deed string, err error) bool {
	var answer *client.Error
	if !errors.As(err, &answer) || answer.Status == http.StatusServiceUnavailable {
		return false
	}
	w.fault("%s was refused: %v", deed, err)
	return true
}

// cancel asks for a run's end after a while and keeps what was answered.
func (w *world) cancel(ctx context.Context, o *observed, after time.Duration) {
	select {
	case <-time.After(after):
	case <-ctx.Done():
		return
	}
	w.insist(ctx, func(c *client.Client) bool {
		status, err := cancelled(c.Runs.Cancel(ctx, o.id, ""))
		if err == nil {
			w.mu.Lock()
			o.cancelled = status
			w.mu.Unlock()
			return true
		}
		return w.refused("cancel of "+o.id, err)
	})
}

// follow reads a run's stream to its end, resuming after each crash.
func (w *world) follow(ctx context.Context, o *observed) {
	var last client.Frame
	first := true
	w.insist(ctx, func(c *client.Client) bool {
		if !first && last.ID > 0 {
			w.mu.Lock()
			w.resumes++
			w.mu.Unlock()
		}
		first = false
		err := c.Runs.Follow(ctx, o.id, last.ID, func(f client.Frame) error {
			if f.ID <= last.ID {
				w.fault("%s: frame %d (%s) came after frame %d", o.id, f.ID, f.Event, last.ID)
			}
			if last.Terminal() {
				w.fault("%s: frame %d (%s) came after %s", o.id, f.ID, f.Event, last.Event)
			}
			last = f
			o.frames = append(o.frames, seen{Frame: f, At: w.clock.next()})
			return nil
		})

		if err == nil || errors.Is(err, client.ErrFinished) {
			return last.Terminal()
		}
		return w.refused(fmt.Sprintf("stream of %s after frame %d", o.id, last.ID), err)
	})
}

// settle waits for all clients to see the end of what they do.
func (w *world) settle(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		w.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the clients are still waiting: %w", ctx.Err())
	}
}

// points are the places at which the binary can be told to die.
var points = []string{"before_commit", "after_commit", "effect_sent", "effect_done", "timer_due", "terminal_write"}

// death is how one life of the server ends: at the n-th passing of a point, or
// after a while.
type death struct {
	Point string // "" at a random moment
	Pass  int
	After time.Duration
}

func plan(r *rand.Rand) death {
	d := death{After: time.Duration(r.IntN(250)) * time.Millisecond}
	if r.IntN(2) == 0 {
		d.Point, d.Pass = points[r.IntN(len(points))], 1+r.IntN(12)
		d.After = time.Second
	}
	return d
}

// create stores the workflow, once.
func (w *world) create(ctx context.Context, c *client.Client) error {
	id, err := c.Workflows.Add(ctx, json.RawMessage(workflow(w.receiver.addr)), "")
	w.mu.Lock()
	defer w.mu.Unlock()
	w.workflow = id
	return err
}

// cancelled returns the status that a cancel was answered.
func cancelled(r *client.SteeredRun, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return r.Status, nil
}
