package schedules_test

import (
	"context"
	"heddle/schedules"
	"heddle/store"
	"heddle/store/storetest"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"
)

// A year of 25 expressions in 15 zones, looked at at random times by processes
// that come and go, some of them away for days: every due time is in the ledger
// exactly once, and every run in one line.
func TestAYearOfSchedulesWithRestarts(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { aYear(t, openSQLite(t), 48*time.Hour) })
	t.Run("PostgreSQL", func(t *testing.T) { aYear(t, openAt(t, storetest.Postgres(t)), 8*24*time.Hour) })
}

func aYear(t *testing.T, db *store.DB, longest time.Duration) {
	t.Helper()
	expressions := []string{
		"0 2 * * *", "30 2 * * *", "0 0 * * *", "15 0 * * *", "30 1 * * *", "59 23 * * *", "0 9 * * 1-5", "0 9,17 * * *",
		"*/30 * * * *", "0 * * * *", "0 */6 * * *", "45 1 * * *", "15 2 * * *", "0 12 1 * *", "0 0 13 * 5", "0 0 1 1,7 *",
		"0 0 29 2 *", "@weekly", "@monthly", "@hourly", "@every 90m", "@every 24h", "5-7 3 * * 5-7", "0 3 * 3,4,9-11 *", "0,30 0-3 * * 0",
	}
	zones := []string{
		"UTC", "America/New_York", "America/Sao_Paulo", "America/Santiago", "America/Havana", "America/Nuuk", "Africa/Cairo", "Africa/Casablanca",
		"Asia/Beirut", "Asia/Kolkata", "Atlantic/Azores", "Australia/Lord_Howe", "Europe/Berlin", "Pacific/Apia", "Pacific/Chatham",
	}
	begin, end := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	draw := rand.New(rand.NewPCG(seed, 1))
	c := &clock{at: begin}
	n := newNode(t, db, c, true)
	w := n.workflow(quick)
	var list []schedules.Schedule
	for i, e := range expressions {
		s := schedules.Schedule{
			Expression: e, Timezone: zones[i%len(zones)], Jitter: time.Duration(i%3) * time.Minute,
			Gap: []schedules.Gap{schedules.Shift, schedules.Skip}[i/15%2], Repeat: []schedules.Repeat{schedules.First, schedules.Last, schedules.Both}[i/10%3],
			Overlap: []schedules.Overlap{schedules.OverlapSkip, schedules.OverlapQueue, schedules.OverlapAllow, schedules.OverlapCancelRunning}[i%4],
			CatchUp: schedules.CatchUp{Policy: []schedules.CatchUpPolicy{schedules.CatchUpLatest, schedules.CatchUpNone, schedules.CatchUpAll}[i%3]},
		}
		list = append(list, n.create(w, s))
	}
	if os.Getenv("HEDDLE_SWEEP") == "all" {
		longest = 8 * time.Hour
	}
	looks, restarts := 0, 0
	for at := begin; at.Before(end); looks++ {
		away := time.Duration(draw.Int64N(int64(longest)))
		switch draw.IntN(20) {
		case 0:
			away *= 4
			fallthrough
		case 1:
			n.stop()
			n = newNode(t, db, c, true)
			restarts++
		case 2:
			away = -time.Hour // the clock is set back
		case 3: // awake for a while
			for until := at.Add(8 * time.Hour); at.Before(until); looks++ {
				due, err := db.DueSchedules(t.Context(), until, schedules.DueSchedule{}, 1)
				if err != nil {
					t.Fatal(err)
				}
				if len(due) == 0 {
					break
				}
				if due[0].At.After(at) {
					at = due[0].At
				}
				n.tick(at)
			}
			continue
		}
		at = at.Add(away)
		n.tick(at)
	}
	n.tick(end.Add(time.Hour))
	total, owners, outcomes := 0, map[string]bool{}, map[schedules.Outcome]int{}
	for _, s := range list {
		total += accounted(t, n, s, end)
		for _, slot := range n.slots(s.ID) {
			outcomes[slot.Outcome] += slot.Count
			if slot.RunID != "" && owners[slot.RunID] {
				t.Errorf("the run %s is in two lines", slot.RunID)
			}
			owners[slot.RunID] = true
		}
	}
	delete(owners, "")
	runs := n.runs(w)
	for _, r := range runs {
		if !owners[r.RunID] {
			t.Errorf("the run %s is in no line", r.RunID)
		}
	}
	if len(runs) != len(owners) {
		t.Errorf("%d runs, %d in the ledgers", len(runs), len(owners))
	}
	t.Logf("%d schedules, %d looks, %d restarts, %d due times accounted for, %d runs; %v", len(list), looks, restarts, total, len(runs), outcomes)
}

// accounted compares a ledger with all due times of a schedule.
func accounted(t *testing.T, n *node, s schedules.Schedule, end time.Time) int {
	t.Helper()
	sp, loc := spec(t, s.Expression), zone(t, s.Timezone)
	rules := schedules.Rules{Gap: s.Gap, Repeat: s.Repeat, Anchor: s.CreatedAt}
	var want, got []int64
	for at, ok := sp.Next(s.CreatedAt, loc, rules); ok && at.Before(end); at, ok = sp.Next(at, loc, rules) {
		want = append(want, at.Unix())
	}
	for _, slot := range n.slots(s.ID) {
		count := 0
		for at := slot.Due.Add(-1); ; count++ {
			next, ok := sp.Next(at, loc, rules)
			if !ok || next.After(slot.Until) {
				break
			}
			if at = next; next.Before(end) {
				got = append(got, next.Unix())
			}
		}
		if count != slot.Count {
			t.Errorf("%s in %s: a line from %s to %s says %d, holds %d", s.Expression, s.Timezone, slot.Due, slot.Until, slot.Count, count)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s in %s: %d due times in the ledger, %d there are", s.Expression, s.Timezone, len(got), len(want))
	}
	return len(want)
}

// Three nodes on one database, killed in the middle of what they do: each due
// time has one line, and one run where it fired.
func TestNodesFireOnce(t *testing.T) {
	t.Run("PostgreSQL", func(t *testing.T) {
		url := storetest.Postgres(t)
		c := &clock{at: noon}
		nodes := []*node{newNode(t, openAt(t, url), c, false), newNode(t, openAt(t, url), c, false), newNode(t, openAt(t, url), c, false)}
		fireOnce(t, nodes)
	})
	t.Run("SQLite", func(t *testing.T) {
		c, db := &clock{at: noon}, openSQLite(t)
		fireOnce(t, []*node{newNode(t, db, c, false), newNode(t, db, c, false), newNode(t, db, c, false)})
	})
}

func fireOnce(t *testing.T, nodes []*node) {
	t.Helper()
	first := nodes[0]
	w := first.workflow(quick)
	var list []schedules.Schedule
	for i := range 30 {
		list = append(list, first.create(w, schedules.Schedule{
			Expression: "* * * * *", Overlap: schedules.OverlapAllow, CatchUp: schedules.CatchUp{Policy: schedules.CatchUpAll, Window: 4 * time.Hour},
			Jitter: time.Duration(i%2) * time.Second,
		}))
	}
	const last = 40
	for m := 1; m <= last; m++ {
		at := minutes(m).Add(2 * time.Second)
		if m == 20 {
			first.clock.set(at.Add(10 * time.Minute)) // a step forward, and back again
		} else {
			first.clock.set(at)
		}
		ctx, kill := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, n := range nodes {
			wg.Go(func() { n.svc.Tick(ctx) })
		}
		if m%3 == 0 {
			timer := time.AfterFunc(time.Duration(rand.IntN(15))*time.Millisecond, kill)
			wg.Wait()
			timer.Stop()
		}
		wg.Wait()
		kill()
	}
	first.svc.Tick(t.Context())
	runs := map[string]bool{}
	for _, r := range first.runs(w) {
		runs[r.RunID] = true
	}
	used := map[string]bool{}
	for _, s := range list {
		slots := first.slots(s.ID)
		if len(slots) != last {
			t.Fatalf("%d lines, want %d: %q", len(slots), last, first.ledger(s.ID))
		}
		for i, slot := range slots {
			if !slot.Due.Equal(minutes(i+1)) || slot.RunID == "" || used[slot.RunID] || !runs[slot.RunID] {
				t.Fatalf("line %d: %+v", i, slot)
			}
			used[slot.RunID] = true
		}
	}
	if len(runs) != len(used) {
		t.Errorf("%d runs, %d in the ledgers", len(runs), len(used))
	}
}
