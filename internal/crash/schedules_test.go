package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/client"
	"heddle/internal/await"
	"heddle/store/storetest"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// These kill servers that fire schedules: every due time has one line in the
// ledger, every line that fired has one run, and no run is in no line.

func TestCrashSchedulesSQLite(t *testing.T) {
	t.Parallel()
	surviveSchedules(t, "sqlite://"+filepath.Join(t.TempDir(), "heddle.db"), 1)
}

func TestCrashSchedulesPostgres(t *testing.T) {
	t.Parallel()
	surviveSchedules(t, storetest.Postgres(t), 1)
}

// Three nodes on one database; the one that drives runs is killed.
func TestCrashSchedulesLeader(t *testing.T) {
	t.Parallel()
	surviveSchedules(t, storetest.Postgres(t), 3)
}

func surviveSchedules(t *testing.T, database string, nodes int) {
	t.Helper()
	n := kills(t)
	ctx, cancel := context.WithTimeout(t.Context(), await.Patience+time.Duration(n)*20*time.Second)
	defer cancel()
	r := newReceiver(t, &ticker{})
	seed := uint64(time.Now().UnixNano())
	f := &fleet{
		bin: build(t), env: environment(database, r.addr), servers: make([]*server, nodes),
		random: rand.New(rand.NewPCG(seed, 1)), deaths: map[string]int{},
	}
	defer f.killAll()
	if err := f.fill(ctx); err != nil {
		t.Fatal(err)
	}
	table, err := newTimetable(ctx, f.client(), r.addr)
	if err != nil {
		t.Fatal(err)
	}
	// Deaths among due times: n of them may be over before the first is due.
	busy := table.begins().Add(4 * time.Second)
	died := 0
	for ; died < n || time.Now().Before(busy); died++ {
		if err := f.oneDies(ctx); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	if err := f.last(ctx); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	until := time.Now()
	if err := table.settle(ctx, f.client(), until); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	table.verify(ctx, t, f.client(), until, r)
	if t.Failed() {
		t.Logf("seed %d", seed)
	}
	t.Logf("seed %d: %d nodes, %d kills %v; %s", seed, nodes, died, f.deaths, table.figures)
}

// fleet is servers on one database; one is killed at a time and replaced.
type fleet struct {
	bin     string
	env     []string
	servers []*server
	random  *rand.Rand
	next    death // of a lone server
	deaths  map[string]int
}

// fill starts what is not there. A lone server is told where to die.
func (f *fleet) fill(ctx context.Context) error {
	for i, s := range f.servers {
		for s == nil {
			env := f.env
			if len(f.servers) == 1 && f.deaths["random"] > 0 { // the first life sees the schedules made
				if f.next = plan(f.random); f.next.Point != "" {
					env = append(slices.Clone(env), fmt.Sprintf("HEDDLE_TEST_CRASH=%s:%d", f.next.Point, f.next.Pass))
				}
			}
			born, err := launch(ctx, f.bin, env)
			switch {
			case err == nil:
				s, f.servers[i] = born, born
			case f.next.Point == "" || born == nil || ctx.Err() != nil:
				return err
			default:
				f.deaths[f.next.Point]++ // in recovery
			}
		}
	}
	return nil
}

func (f *fleet) client() *client.Client {
	return client.New(f.servers[0].base, adminKey, client.WithAttempts(1))
}

func (f *fleet) killAll() {
	for _, s := range f.servers {
		if s != nil {
			s.kill()
		}
	}
}

// oneDies lets one server die and replaces it: a lone one at a named point or
// at random, of several the one that drives runs.
func (f *fleet) oneDies(ctx context.Context) error {
	if len(f.servers) > 1 {
		return f.leaderDies(ctx)
	}
	how := f.next.Point
	select {
	case <-f.servers[0].dead:
	case <-time.After(time.Duration(200+f.random.IntN(1000)) * time.Millisecond):
		how = ""
		f.servers[0].kill()
	}
	if how == "" {
		how = "random"
	}
	f.deaths[how]++
	f.servers[0] = nil
	return f.fill(ctx)
}

// last starts servers that live on.
func (f *fleet) last(ctx context.Context) error {
	if len(f.servers) > 1 {
		return nil
	}
	f.servers[0].kill()
	s, err := launch(ctx, f.bin, f.env)
	f.servers[0] = s
	return err
}

func (f *fleet) leaderDies(ctx context.Context) error {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		for i, s := range f.servers {
			if !leads(ctx, s) {
				continue
			}
			select {
			case <-time.After(time.Duration(f.random.IntN(500)) * time.Millisecond):
			case <-ctx.Done():
			}
			s.kill()
			f.deaths["leader"]++
			f.servers[i] = nil
			return f.fill(ctx)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return errors.New("nobody leads")
		}
	}
}

// leads reads a server's measures.
func leads(ctx context.Context, s *server) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/metrics", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return err == nil && strings.Contains(string(body), "\nheddle_lease_held 1\n")
}

// perMinute is how many schedules there are, each due once a minute.
const perMinute = 360

// timetable is schedules whose due times are spread over each minute. Every
// other one's run has an effect outside; the rest need no slot.
type timetable struct {
	workflows [2]string
	first     map[string]time.Time // the first due time, by schedule
	effects   map[string]bool      // schedules whose runs have one
	figures   string
}

func newTimetable(ctx context.Context, c *client.Client, receiver string) (*timetable, error) {
	t := &timetable{first: map[string]time.Time{}, effects: map[string]bool{}}
	for i, definition := range []string{
		`{"name":"Look","steps":[{"id":"look","type":"condition","config":{"expression":"true"}}]}`,
		`{"name":"Act","steps":[{"id":"act","type":"http_request","config":{"method":"POST","url":"http://` + receiver + `/effect?run={{ run.id }}&step=act"}}]}`,
	} {
		id, err := c.Workflows.Add(ctx, json.RawMessage(definition), "")
		if err != nil {
			return nil, err
		}
		t.workflows[i] = id
	}
	begin := time.Now().Truncate(time.Second).Add(time.Second)
	for i := range perMinute {
		due := begin.Add(time.Duration(i*60/perMinute) * time.Second)
		for !due.After(time.Now().Add(2 * time.Second)) {
			due = due.Add(time.Minute)
		}
		var made struct {
			ID string `json:"schedule_id"`
		}
		err := c.Do(ctx, client.Request{Method: http.MethodPost, Path: "/api/workflows/" + t.workflows[i%2] + "/schedules", Body: map[string]any{
			"cron_expression": "@every 1m", "starts_at": due, "overlap_policy": "allow", "catch_up": map[string]any{"policy": "all"},
		}}, &made)
		if err != nil {
			return nil, err
		}
		t.first[made.ID], t.effects[made.ID] = due, i%2 == 1
	}
	return t, nil
}

// begins is the first due time of all.
func (t *timetable) begins() time.Time {
	var first time.Time
	for _, at := range t.first {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// slot is a line of a ledger.
type slot struct {
	Due     time.Time `json:"due_at"`
	Until   time.Time `json:"until"`
	Count   int       `json:"count"`
	Outcome string    `json:"outcome"`
	RunID   string    `json:"run_id"`
}

// pages reads a list to its end.
func pages(ctx context.Context, c *client.Client, path string, add func(page json.RawMessage) error) error {
	for cursor := ""; ; {
		var page json.RawMessage
		if err := c.Do(ctx, client.Request{Method: http.MethodGet, Path: path + "?limit=200&cursor=" + url.QueryEscape(cursor)}, &page); err != nil {
			return err
		}
		var next struct {
			Cursor string `json:"next_cursor"`
		}
		if err := errors.Join(add(page), json.Unmarshal(page, &next)); err != nil {
			return err
		}
		if cursor = next.Cursor; cursor == "" {
			return nil
		}
	}
}

// settle waits until nothing that was due by then is left to do.
func (t *timetable) settle(ctx context.Context, c *client.Client, until time.Time) error {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		open := 0
		err := pages(ctx, c, "/api/workflows/schedules", func(page json.RawMessage) error {
			var list struct {
				Schedules []struct {
					Next time.Time `json:"next_run_at"`
				}
			}
			err := json.Unmarshal(page, &list)
			for _, s := range list.Schedules {
				if !s.Next.After(until) {
					open++
				}
			}
			return err
		})
		for _, w := range t.workflows {
			for _, status := range []string{"queued", "running", "waiting"} {
				var list struct{ Total int }
				err = errors.Join(err, c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/api/workflows/" + w + "/runs?limit=1&offset=0&status=" + status}, &list))
				open += list.Total
			}
		}
		if err != nil || open == 0 {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("%d schedules and runs are still open", open)
		}
	}
}

// verify holds the ledgers against the times, the runs and the effects.
func (t *timetable) verify(ctx context.Context, tt *testing.T, c *client.Client, until time.Time, r *receiver) {
	tt.Helper()
	runs := map[string]string{} // run: status
	for _, w := range t.workflows {
		err := pages(ctx, c, "/api/workflows/"+w+"/runs", func(page json.RawMessage) error {
			var list struct{ Runs []struct{ ID, Status string } }
			err := json.Unmarshal(page, &list)
			for _, run := range list.Runs {
				runs[run.ID] = run.Status
			}
			return err
		})
		if err != nil {
			tt.Fatal(err)
		}
	}
	acted := map[string]map[string]bool{} // run: keys
	for p, list := range r.byPlace() {
		acted[p.Run] = map[string]bool{}
		for _, e := range list {
			acted[p.Run][e.Key] = true
		}
	}
	owner, dues, quarantined, outcomes := map[string]string{}, 0, 0, map[string]int{}
	for id, first := range t.first {
		slots, err := readSlots(ctx, c, id)
		if err != nil {
			tt.Fatal(err)
		}
		for due := first; !due.After(until); due = due.Add(time.Minute) {
			dues++
			var found []slot
			for _, s := range slots {
				if s.Due.Equal(due) {
					found = append(found, s)
				}
			}
			if len(found) != 1 || found[0].Count != 1 || found[0].RunID == "" {
				tt.Errorf("%s at %s: %+v", id, due, found)
				continue
			}
			s := found[0]
			outcomes[s.Outcome]++
			if other, used := owner[s.RunID]; used {
				tt.Errorf("%s and %s have the run %s", id, other, s.RunID)
			}
			owner[s.RunID] = id
			if runs[s.RunID] != "completed" {
				run, err := c.Runs.Get(ctx, s.RunID)
				if err == nil && run.Error != nil && run.Error.Code == "run_quarantined" {
					quarantined++ // innocent, but it was there too often
					continue
				}
				tt.Errorf("%s at %s: the run %s is %q: %+v, %v", id, due, s.RunID, runs[s.RunID], run.Error, err)
			}
			if want := t.effects[id]; (len(acted[s.RunID]) == 1) != want || len(acted[s.RunID]) > 1 {
				tt.Errorf("%s at %s: effects with the keys %v", id, due, acted[s.RunID])
			}
		}
		for _, s := range slots { // what came due since may be there as well
			if s.Due.After(until) && s.RunID != "" {
				owner[s.RunID] = id
			} else if !s.Due.After(until) && (s.Due.Before(first) || s.Due.Sub(first)%time.Minute != 0) {
				tt.Errorf("%s has a line at %s; it was never due then", id, s.Due)
			}
		}
	}
	for run := range runs {
		if owner[run] == "" {
			tt.Errorf("%s is in no ledger", run)
		}
	}
	if dues == 0 {
		tt.Error("nothing was due")
	}
	t.figures = fmt.Sprintf("%d due times %v, %d runs, %d of them with an effect, %d quarantined", dues, outcomes, len(runs), len(acted), quarantined)
}

func readSlots(ctx context.Context, c *client.Client, id string) ([]slot, error) {
	var all []slot
	err := pages(ctx, c, "/api/workflows/schedules/"+id+"/slots", func(page json.RawMessage) error {
		var list struct{ Slots []slot }
		err := json.Unmarshal(page, &list)
		all = append(all, list.Slots...)
		return err
	})
	return all, err
}
