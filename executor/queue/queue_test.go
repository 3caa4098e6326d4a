package queue_test

import (
	"fmt"
	"heddle/executor/queue"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// script plays the lines of a file on a queue. A blank line expects the queue to be idle.
type script struct {
	t    *testing.T
	q    *queue.Queue
	read queue.Read // the last that Next asked for
	line int
}

func (s *script) fatalf(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("line %d: "+format, append([]any{s.line}, args...)...)
}

func workflow(name string) queue.Workflow {
	tenant, id, _ := strings.Cut(name, "/")
	return queue.Workflow{TenantID: tenant, ID: id}
}

func at(ms string) time.Time {
	n, _ := strconv.ParseInt(ms, 10, 64)
	return time.UnixMilli(n)
}

func (s *script) play(words []string) {
	switch words[0] {
	case "add":
		s.q.Add(queue.Run{ID: words[2], Workflow: workflow(words[1]), Class: queue.Queued, CreatedAt: at(words[3])})
	case "admit":
		s.q.Add(queue.Run{ID: words[2], Workflow: workflow(words[1]), Class: queue.Admitted})
	case "wake":
		s.q.Add(queue.Run{ID: words[2], Workflow: workflow(words[1]), Class: queue.Woken})
	case "offer":
		r := queue.Run{ID: words[2], Workflow: workflow(words[1]), Class: queue.Queued, CreatedAt: at(words[3])}
		if got := s.q.Offer(r); got != (words[4] == "yes") {
			s.fatalf("offered: %t", got)
		}
	case "remove":
		if got := s.q.Remove(words[1]); got != (words[2] == "yes") {
			s.fatalf("removed: %t", got)
		}
	case "unread":
		s.q.MarkUnread(workflow(words[1]))
	case "stale":
		s.q.MarkStale(workflow(words[1]))
	case "fill":
		var runs []queue.Run
		for i := 2; i < len(words); i += 2 {
			runs = append(runs, queue.Run{ID: words[i], Workflow: s.read.Workflow, Class: queue.Queued, CreatedAt: at(words[i+1])})
		}
		s.q.Fill(s.read, runs, words[1] == "more")
	case "next":
		s.next(words[1:])
	default:
		s.fatalf("no command %q", words[0])
	}
}

func (s *script) next(want []string) {
	step := s.q.Next()
	got := "-"
	switch {
	case step.Begin != nil:
		got = step.Begin.ID
	case step.Read != nil:
		s.read = *step.Read
		got = fmt.Sprintf("read %s/%s", s.read.Workflow.TenantID, s.read.Workflow.ID)
	}
	if got != strings.Join(want, " ") {
		s.fatalf("next is %s, want %s", got, strings.Join(want, " "))
	}
}

func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			limits := queue.Limits{PerWorkflow: 100, InAll: 100}
			_, _ = fmt.Sscanf(string(text), "# limits %d %d", &limits.PerWorkflow, &limits.InAll)
			s := &script{t: t, q: queue.New(limits)}
			for i, line := range strings.Split(string(text), "\n") {
				s.line = i + 1
				switch words := strings.Fields(line); {
				case len(words) == 0:
					if !s.q.Idle() {
						s.fatalf("the queue is not idle")
					}
				case words[0] != "#":
					s.play(words)
				}
			}
		})
	}
}

// BenchmarkTurn: 100,000 runs wait in 10,000 workflows of 100 tenants; each turn takes one
// and adds another.
func BenchmarkTurn(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			q := queue.New(queue.Limits{PerWorkflow: n, InAll: 2 * n})
			for i := range n {
				w := i % (n / 10)
				q.Add(queue.Run{
					ID: strconv.Itoa(i), Workflow: queue.Workflow{TenantID: strconv.Itoa(w % 100), ID: strconv.Itoa(w)},
					Class: queue.Queued, CreatedAt: time.UnixMilli(int64(i)),
				})
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r := q.Next().Begin
				r.ID, r.CreatedAt = strconv.Itoa(n+i), time.UnixMilli(int64(n+i))
				q.Offer(*r)
			}
		})
	}
}
