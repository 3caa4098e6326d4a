package crash

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/client"
	"heddle/internal/await"
	"heddle/store/storetest"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// nodes are several servers on one PostgreSQL database.
type nodes struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // the test's, for helpers that would all take it
	bin string
	url string
	// receiver is where runs may send requests.
	receiver string
}

func newNodes(t *testing.T, bin string) *nodes {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), await.Patience)
	t.Cleanup(cancel)
	return &nodes{t, ctx, bin, storetest.Postgres(t), "127.0.0.1:1"}
}

// launch starts one more node, with a point at which it dies, "" none.
func (n *nodes) launch(point string) (*server, *client.Client) {
	n.t.Helper()
	env := environment(n.url, n.receiver)
	if point != "" {
		env = append(env, "HEDDLE_TEST_CRASH="+point)
	}
	s, err := launch(n.ctx, n.bin, env)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(s.kill)
	return s, client.New(s.base, adminKey, client.WithAttempts(1))
}

// lease is the executor's lease as the database has it.
type lease struct {
	epoch           int64
	beacon, process string
}

func (n *nodes) lease(db *sql.DB) (l lease, err error) {
	err = db.QueryRowContext(n.ctx, "SELECT epoch, beacon, process FROM leases WHERE name = 'executor'").Scan(&l.epoch, &l.beacon, &l.process)
	return l, err
}

// database opens the database with the store's driver.
func (n *nodes) database() *sql.DB {
	n.t.Helper()
	db, err := sql.Open("pgx", n.url)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = db.Close() })
	return db
}

// until looks at the lease again and again until it is as wanted.
func (n *nodes) until(what string, holds func(lease) bool) lease {
	n.t.Helper()
	db := n.database()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		l, err := n.lease(db)
		if err == nil && holds(l) {
			return l
		}
		select {
		case <-again.C:
		case <-n.ctx.Done():
			n.t.Fatalf("never %s: %+v, %v", what, l, err)
		}
	}
}

// leads waits until the node holds the lease.
func (n *nodes) leads(s *server) lease {
	n.t.Helper()
	return n.until("does the node lead", func(l lease) bool {
		f := strings.Fields(l.process)
		return len(f) == 4 && f[2] == strconv.Itoa(s.cmd.Process.Pid)
	})
}

// TestSessionsThatBreakMoveNothing: the database ends every session while a
// step is in flight. Both nodes live, so the one that drives goes on: it renews
// its lease with another session, and nothing runs twice.
func TestSessionsThatBreakMoveNothing(t *testing.T) {
	t.Parallel()
	storetest.Postgres(t)
	g := newGate(t)
	n := newNodes(t, build(t))
	n.receiver = g.addr
	leader, c := n.launch("")
	before := n.leads(leader)
	_, other := n.launch("")
	workflow, err := c.Workflows.Add(n.ctx, map[string]any{"name": "One", "steps": []any{
		map[string]any{"id": "one", "type": "http_request", "config": map[string]any{"url": "http://" + g.addr}},
	}}, "")
	if err != nil {
		t.Fatal(err)
	}
	run, err := c.Runs.StartWith(n.ctx, workflow, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-g.entered:
	case <-n.ctx.Done():
		t.Fatal("the step never came into action")
	}
	_, err = n.database().ExecContext(n.ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	if err != nil {
		t.Fatal(err)
	}
	after := n.until("renewed", func(l lease) bool { return l.beacon != before.beacon })
	if after.epoch != before.epoch || after.process != before.process {
		t.Errorf("the lease went from %+v to %+v", before, after)
	}
	close(g.open)
	if seen := n.frames(other, run, "run_completed"); seen["step_started"] != 1 || g.passed() != 1 {
		t.Errorf("the run saw %v, the receiver %d requests", seen, g.passed())
	}
}

const asksTwice = `{"name": "Asks", "steps": [
  {"id": "first", "type": "wait", "config": {"signal": {"name": "go"}}},
  {"id": "second", "type": "wait", "depends_on": ["first"], "config": {"signal": {"name": "go"}}}]}`

// asked starts a run of asksTwice and follows it on the node until it waits.
func (n *nodes) asked(c *client.Client) string {
	n.t.Helper()
	workflow, err := c.Workflows.Add(n.ctx, json.RawMessage(asksTwice), "")
	if err != nil {
		n.t.Fatal(err)
	}
	run, err := c.Runs.StartWith(n.ctx, workflow, nil, "")
	if err != nil {
		n.t.Fatal(err)
	}
	n.frames(c, run, "step_waiting")
	return run
}

var errSeen = errors.New("seen")

// frames reads a run's stream up to the first event of that name and counts
// the events.
func (n *nodes) frames(c *client.Client, run, until string) map[string]int {
	n.t.Helper()
	seen := make(map[string]int)
	err := c.Runs.Follow(n.ctx, run, 0, func(f client.Frame) error {
		seen[f.Event]++
		if f.Event == until {
			return errSeen
		}
		return nil
	})

	if !errors.Is(err, errSeen) {
		n.t.Fatalf("%s was not seen: %v, %v", until, seen, err)
	}
	return seen
}

func deliver(ctx context.Context, c *client.Client, run, request string, payload int) error {
	body := map[string]any{"payload": payload}
	if request != "" {
		body["request_id"] = request
	}
	return c.Do(ctx, client.Request{Method: http.MethodPost, Path: "/v1/runs/" + run + "/signals/go", Body: body}, nil)
}

// TestTheLeaderDiesOverWhatAStandbyStored: wherever the node that drives runs
// dies between an input's row and its effect, the other one takes over, takes
// the input once and answers the caller who still waits.
func TestTheLeaderDiesOverWhatAStandbyStored(t *testing.T) {
	t.Parallel()
	storetest.Postgres(t)
	bin := build(t)
	for _, point := range []string{"inbox_read:1", "before_commit:2", "after_commit:2", "terminal_write:1"} {
		t.Run(point, func(t *testing.T) {
			n := newNodes(t, bin)
			leader, _ := n.launch(point)
			n.leads(leader)
			_, standby := n.launch("")
			run := n.asked(standby)
			if point == "terminal_write:1" {
				status, err := cancelled(standby.Runs.Cancel(n.ctx, run, ""))
				if err != nil || status != "cancelled" {
					t.Fatalf("the cancel was answered %q, %v", status, err)
				}
			} else if err := deliver(n.ctx, standby, run, "", 1); err != nil {
				t.Fatalf("the signal was answered %v", err)
			}
			select {
			case <-leader.dead:
			case <-n.ctx.Done():
				t.Fatal("the leader did not die")
			}
			if point == "terminal_write:1" {
				n.frames(standby, run, "run_cancelled")
				return
			}
			n.frames(standby, run, "signal_received")
			n.checkApprovals(standby, run)
			if err := deliver(n.ctx, standby, run, "last", 2); err != nil {
				t.Fatal(err)
			}
			defer n.checkApprovals(standby, run)
			if seen := n.frames(standby, run, "run_completed"); seen["signal_received"] != 2 || seen["step_completed"] != 2 {
				t.Errorf("the run saw %v", seen)
			}
		})
	}
}

// TestAStandbyDiesAfterItStored: what its caller was never answered is taken
// all the same, since it was durable.
func TestAStandbyDiesAfterItStored(t *testing.T) {
	t.Parallel()
	storetest.Postgres(t)
	n := newNodes(t, build(t))
	leader, c := n.launch("")
	n.leads(leader)
	run := n.asked(c)
	_, standby := n.launch("posted:1")
	if err := deliver(n.ctx, standby, run, "k", 1); err == nil {
		t.Fatal("a node that died answered")
	}
	n.frames(c, run, "signal_received")
	if err := deliver(n.ctx, c, run, "k", 1); err != nil { // the caller tries again elsewhere
		t.Fatal(err)
	}
	if err := deliver(n.ctx, c, run, "last", 2); err != nil {
		t.Fatal(err)
	}
	if seen := n.frames(c, run, "run_completed"); seen["signal_received"] != 2 {
		t.Errorf("the run saw %v", seen)
	}
}

// TestSignalsWhileLeadersDie sends signals to both of two nodes while the one
// that leads is killed again and again: each that was acknowledged is in the
// journal once, and none is there twice.
func TestSignalsWhileLeadersDie(t *testing.T) {
	t.Parallel()
	storetest.Postgres(t)
	n := newNodes(t, build(t))
	leader, c := n.launch("")
	n.leads(leader)
	standby, other := n.launch("")
	workflow, err := c.Workflows.Add(n.ctx, json.RawMessage(`{"name": "Never", "steps": [{"id": "w", "type": "wait", "config": {"signal": {"name": "never"}}}]}`), "")
	if err != nil {
		t.Fatal(err)
	}
	run, err := c.Runs.StartWith(n.ctx, workflow, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	s := senders{run: run, acknowledged: make(map[int]bool)}
	s.clients.Store(&[]*client.Client{c, other})
	sending, enough := context.WithCancel(n.ctx)
	for range 4 {
		s.wg.Go(func() { s.send(sending) })
	}
	for range min(kills(t), 10) / 2 {
		leader.kill()
		n.leads(standby)
		leader = standby
		standby, c = n.launch("")
		s.clients.Store(&[]*client.Client{other, c})
		other = c
	}
	enough()
	s.wg.Wait()
	s.check(n, other)
}

// checkApprovals compares the open approvals of a run with the signals that it waits for: one
// row for each, whatever died while it was written.
func (n *nodes) checkApprovals(c *client.Client, run string) {
	n.t.Helper()
	await.True(n.t, "the open approvals are the open waits", func() bool {
		var list struct {
			Approvals []struct {
				ID string `json:"id"`
			} `json:"approvals"`
		}
		var shown struct {
			Current []struct {
				Wait *struct {
					RequestID string `json:"request_id"`
				} `json:"wait"`
			} `json:"current"`
		}
		err := errors.Join(c.Do(n.ctx, client.Request{Method: http.MethodGet, Path: "/api/workflows/approvals?status=open&q=" + run}, &list),
			c.Do(n.ctx, client.Request{Method: http.MethodGet, Path: "/v1/runs/" + run}, &shown))
		if err != nil {
			n.t.Fatal(err)
		}
		var open, waits []string
		for _, a := range list.Approvals {
			open = append(open, a.ID)
		}
		for _, s := range shown.Current {
			if s.Wait != nil && s.Wait.RequestID != "" {
				waits = append(waits, s.Wait.RequestID)
			}
		}
		slices.Sort(open)
		slices.Sort(waits)
		return slices.Equal(open, waits)
	})
}

// senders send numbered signals to whichever nodes there are.
type senders struct {
	run     string
	clients atomic.Pointer[[]*client.Client]
	next    atomic.Int64
	wg      sync.WaitGroup

	mu           sync.Mutex
	acknowledged map[int]bool
}

// send tries an odd number, which has a request id, until it is acknowledged,
// and an even one once.
func (s *senders) send(ctx context.Context) {
	for ctx.Err() == nil {
		number := int(s.next.Add(1))
		request := ""
		if number%2 == 1 {
			request = fmt.Sprint("r", number)
		}
		for try := 0; ctx.Err() == nil; try++ {
			nodes := *s.clients.Load()
			err := deliver(ctx, nodes[(number/2+try)%len(nodes)], s.run, request, number)
			if err == nil {
				s.mu.Lock()
				s.acknowledged[number] = true
				s.mu.Unlock()
			}
			if err == nil || request == "" {
				break
			}
		}
	}
}

func (s *senders) check(n *nodes, c *client.Client) {
	n.t.Helper()
	if _, err := c.Runs.Cancel(n.ctx, s.run, ""); err != nil {
		n.t.Fatal(err)
	}
	there := make(map[int]int)
	err := c.Runs.Follow(n.ctx, s.run, 0, func(f client.Frame) error {
		if f.Event != "signal_received" {
			return nil
		}
		var data struct {
			Payload int `json:"payload"`
		}
		err := json.Unmarshal(f.Data, &data)
		there[data.Payload]++
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	for number := range s.acknowledged {
		if there[number] == 0 {
			n.t.Errorf("signal %d was acknowledged and is lost", number)
		}
	}
	for number, times := range there {
		if times != 1 {
			n.t.Errorf("signal %d was taken %d times", number, times)
		}
	}
	if len(s.acknowledged) == 0 {
		n.t.Error("no signal was acknowledged")
	}
	n.t.Logf("%d signals sent, %d acknowledged, %d in the journal", s.next.Load(), len(s.acknowledged), len(there))
}
