package cli

import (
	"context"
	"fmt"
	"heddle/client"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// follow shows a run until it ends: as a tree that is drawn again and again on a terminal, as lines
// elsewhere. A run that did not complete is ErrAnswered.
func (s *session) follow(id string) error {
	t := newTree(id)
	if s.terminal && s.output == "table" {
		return s.drawn(t)
	}
	for frame, err := range s.c.Runs.Stream(s.ctx, id, 0) {
		if err != nil {
			return err
		}
		e, err := frame.Decode()
		if err != nil {
			return err
		}
		t.apply(frame.Event, e)
		switch {
		case s.quiet || s.output == "name":
		case s.output == "json" || s.output == "yaml":
			fmt.Fprintf(s.Out, `{"event":%q,"data":%s}`+"\n", frame.Event, frame.Data)
		default:
			if line := eventLine(frame.Event, e); line != "" {
				fmt.Fprintf(s.Out, "%s  %s\n", s.clock(e.Timestamp), line)
			}
		}
	}
	return t.outcome()
}

// clock prints the time of day.
func (s *session) clock(t time.Time) string {
	if s.utc {
		return t.UTC().Format("15:04:05")
	}
	return t.Local().Format("15:04:05")
}

// eventLine prints an event in one line; "" for those that say nothing new to a person.
func eventLine(name string, e client.RunEvent) string {
	what := strings.ReplaceAll(name, "_", " ")
	subject := e.StepID
	if e.Iteration != "" {
		subject = strings.TrimSuffix(e.Iteration+"."+e.StepID, ".")
	}
	detail := ""
	switch {
	case e.Error != nil:
		detail = failure(e.Error)
	case name == "run_completed":
		detail = string(e.Output)
	case name == "step_completed" && e.DurationSeconds != nil:
		detail = seconds(e.DurationSeconds)
	case e.Reason != "":
		detail = e.Reason
	case e.Name != "":
		detail = e.Name
	}
	return strings.TrimRight(fmt.Sprintf("%-15s  %-12s  %s", what, subject, visible(detail)), " ")
}

// frameInterval is how often the tree is drawn.
const frameInterval = 100 * time.Millisecond

// drawn draws the tree on a terminal until the run ends. Events and log lines come from goroutines
// of their own, which end with it.
func (s *session) drawn(t *tree) error {
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	if steps, err := s.c.Steps.List(ctx, t.run, client.StepQuery{}); err == nil { // pending ones are a service
		t.expect(steps.Items)
	}
	ended := make(chan error, 1)
	var readers sync.WaitGroup
	readers.Go(func() { ended <- s.events(ctx, t) })
	readers.Go(func() {
		for line, err := range s.c.Runs.StreamLogs(ctx, t.run, client.LogStreamQuery{}) {
			if err != nil {
				return // the events say how the run ends
			}
			t.say(line)
		}
	})
	defer readers.Wait()
	defer stop()
	lines := 24
	if f, ok := s.Out.(*os.File); ok {
		lines = linesOf(f)
	}
	drawn := 0
	for tick := 0; ; tick++ {
		var err error
		over := false
		select {
		case err = <-ended:
			over = true
		default:
		}
		text := t.render(s.Now(), tick, s.width, lines-1, s.colours())
		if drawn > 0 {
			fmt.Fprintf(s.Out, "\x1b[%dA", drawn)
		}
		fmt.Fprint(s.Out, "\x1b[J"+text)
		drawn = strings.Count(text, "\n")
		if over {
			if err != nil {
				return err
			}
			return t.outcome()
		}
		timer := time.NewTimer(frameInterval)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
}

// events reads a run's events into the tree until the run ends.
func (s *session) events(ctx context.Context, t *tree) error {
	for frame, err := range s.c.Runs.Stream(ctx, t.run, 0) {
		if err != nil {
			return err
		}
		e, err := frame.Decode()
		if err != nil {
			return err
		}
		t.apply(frame.Event, e)
	}
	return nil
}

// tree is a run as it is shown: its steps in the order in which they began, pending ones last. It
// is safe for concurrent use.
type tree struct {
	run string

	mu     sync.Mutex
	status string
	cause  *client.Failure
	began  time.Time
	ended  time.Time
	steps  []*treeStep // by mu
}

// treeStep is one step of a tree.
type treeStep struct {
	id, status   string
	depth        int // how many loops it is in
	attempt      int
	began, ended time.Time
	said         string // its last line, or its error
}

func newTree(run string) *tree { return &tree{run: run, status: "queued"} }

// expect adds the steps that have not begun.
func (t *tree) expect(steps []client.ListedStep) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, x := range steps {
		t.step(x.StepID, "").status = "pending"
	}
}

// step returns the step of that name, which it adds where it is new. The caller holds mu.
func (t *tree) step(id, iteration string) *treeStep {
	depth := 0
	if iteration != "" {
		depth = strings.Count(iteration, "[")
		id = strings.TrimSuffix(iteration+"."+id, ".")
	}
	at := slices.IndexFunc(t.steps, func(x *treeStep) bool { return x.id == id })
	if at >= 0 {
		return t.steps[at]
	}
	x := &treeStep{id: id, depth: depth}
	at = len(t.steps)
	if loop := strings.LastIndex(iteration, "["); loop > 0 { // below its loop, and what that has so far
		for i, other := range t.steps {
			if other.id == iteration[:loop] || strings.HasPrefix(other.id, iteration[:loop]+"[") {
				at = i + 1
			}
		}
	}
	t.steps = slices.Insert(t.steps, at, x)
	return x
}

// apply changes the tree as an event says.
func (t *tree) apply(name string, e client.RunEvent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	what, is, _ := strings.Cut(name, "_")
	switch what {
	case "run":
		t.status = is
		if is == "started" || is == "resumed" {
			t.status = "running"
		}
		if t.began.IsZero() {
			t.began = e.Timestamp
		}
		t.cause, t.ended = e.Error, e.Timestamp
	case "step", "iteration":
		x := t.step(e.StepID, e.Iteration)
		if x.status == "waiting" { // what it waited for is over
			x.said = ""
		}
		x.status, x.ended = is, time.Time{}
		switch is {
		case "started":
			x.status, x.began = "running", e.Timestamp
		case "completed", "failed", "skipped", "cancelled", "interrupted":
			x.ended = e.Timestamp
		}
		if e.Attempt > 0 {
			x.attempt = e.Attempt
		}
		if e.Error != nil {
			x.said = failure(e.Error)
		} else if is == "skipped" || is == "waiting" {
			x.said = firstOf(e.Reason, e.Name, e.Kind)
		}
	}
}

// say keeps a line as the last one of its step.
func (t *tree) say(l client.LogLine) {
	t.mu.Lock()
	defer t.mu.Unlock()
	iteration := ""
	if l.Iteration != nil {
		iteration = *l.Iteration
	}
	t.step(l.StepID, iteration).said = strings.TrimSpace(l.Message)
}

// outcome returns nil for a run that completed, or has not ended, and ErrAnswered for any other.
func (t *tree) outcome() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.status == "failed" || t.status == "cancelled" {
		return ErrAnswered
	}
	return nil
}

// spinner turns while a step runs.
var spinner = []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")

// render returns the tree as lines, at most so many and each within the width.
func (t *tree) render(now time.Time, tick, width, lines int, colours bool) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	head := fmt.Sprintf("%s  %s", t.run, t.status)
	if !t.began.IsZero() {
		end := now
		if t.status == "completed" || t.status == "failed" || t.status == "cancelled" {
			end = t.ended
		}
		head += "  " + spell(max(end.Sub(t.began), 0))
	}
	if t.cause != nil {
		head += "  " + failure(t.cause)
	}
	out := []string{fitted(visible(head), width)}
	shown := t.steps
	if more := len(shown) - (lines - 2); more > 0 { // the newest are of interest
		out = append(out, fmt.Sprintf("  … %d more", more))
		shown = shown[more:]
	}
	for _, x := range shown {
		out = append(out, x.line(now, tick, width, colours))
	}
	return strings.Join(out, "\n") + "\n"
}

// line returns one step as a line.
func (x *treeStep) line(now time.Time, tick, width int, colours bool) string {
	mark, colour := "·", ""
	switch x.status {
	case "running":
		mark, colour = string(spinner[tick%len(spinner)]), "\x1b[36m"
	case "completed":
		mark, colour = "✓", "\x1b[32m"
	case "failed", "cancelled":
		mark, colour = "✗", "\x1b[31m"
	case "skipped":
		mark = "-"
	case "waiting", "retrying", "interrupted":
		mark, colour = "…", "\x1b[33m"
	}
	took := ""
	if !x.began.IsZero() {
		end := x.ended
		if end.Before(x.began) {
			end = now
		}
		took = spell(max(end.Sub(x.began), 0))
	}
	text := fmt.Sprintf("%s%s  %-20s  %-9s  %7s", strings.Repeat("  ", x.depth+1), mark, x.id, x.status, took)
	if x.attempt > 1 {
		text += fmt.Sprintf("  attempt %d", x.attempt)
	}
	if x.said != "" {
		text += "  " + x.said
	}
	text = fitted(strings.TrimRight(visible(text), " "), width)
	if !colours || colour == "" {
		return text
	}
	return strings.Replace(text, mark, colour+mark+"\x1b[0m", 1)
}

// Follow shows a run of a server until it ends, as runs watch does. A run that did not complete is
// ErrAnswered.
func Follow(ctx context.Context, p *Process, c *client.Client, run string) error {
	if p.Now == nil {
		p.Now = time.Now
	}
	s := &session{Process: p, options: options{output: "table"}, ctx: ctx, c: c}
	s.width, s.terminal = terminalWidth(p.Out)
	return s.follow(run)
}

// started follows a run that was started, or prints its id.
func (s *session) started(run string, watch bool) error {
	if watch {
		return s.follow(run)
	}
	if s.output == "json" || s.output == "yaml" {
		return s.print(map[string]string{"run_id": run})
	}
	_, err := fmt.Fprintln(s.Out, run)
	return err
}
