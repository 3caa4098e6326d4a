package crash

import (
	"context"
	"errors"
	"fmt"
	"heddle/client"
	"heddle/internal/await"
	"heddle/store"
	"heddle/store/storetest"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestCrashSQLite(t *testing.T) {
	t.Parallel()
	survive(t, scenario{database: "sqlite://" + filepath.Join(t.TempDir(), "heddle.db")})
}

func TestCrashPostgres(t *testing.T) {
	t.Parallel()
	survive(t, scenario{database: storetest.Postgres(t)})
}

// scenario is one crash test: where the data is and what else the server is
// told.
type scenario struct {
	database string
	env      []string
	kills    int
	after    func() error  // called after each death; nil: nothing
	patience time.Duration // for the runs to end at last; 0: as long as the test may take
}

func survive(t *testing.T, s scenario) {
	t.Helper()
	s.kills = kills(t)
	w, report := s.play(t)
	for _, f := range w.faults {
		t.Error(f)
	}
	t.Log(report)
}

func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("HEDDLE_CRASH_KILLS")
	if text == "" {
		return 6
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("HEDDLE_CRASH_KILLS is %q, not a number from 1", text)
	}
	return n
}

// play kills the server again and again under load, lets the rest finish and
// verifies.
func (s scenario) play(t *testing.T) (w *world, report string) {
	t.Helper()
	clock := &ticker{}
	w = newWorld(clock, newReceiver(t, clock))
	bin := build(t)
	env := append(environment(s.database, w.receiver.addr), s.env...)
	ctx, cancel := context.WithTimeout(t.Context(), await.Patience+time.Duration(s.kills)*10*time.Second)
	defer cancel()

	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	clients, cancelClients := context.WithCancel(ctx)
	defer cancelClients()
	lives := lives{bin: bin, env: env, deaths: make(map[string]int)}
	for range s.kills {
		if err := lives.one(ctx, clients, w, random); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if s.after == nil {
			continue
		}
		if err := s.after(); err != nil {
			t.Fatal(err)
		}
	}
	last, err := launch(ctx, bin, env)
	if err != nil {
		t.Fatalf("seed %d: the last start: %v", seed, err)
	}
	defer last.kill()
	c := client.New(last.base, adminKey, client.WithAttempts(1))
	w.serveAt(c)
	settling, enough := ctx, func() {}
	if s.patience > 0 {
		settling, enough = context.WithTimeout(ctx, s.patience)
	}
	defer enough()
	if err := w.settle(settling); err != nil {
		w.fault("%v\n%s", err, last.log)
		cancelClients()
		w.wg.Wait()
	}
	f := w.verify(ctx, c)
	if err := last.stop(); err != nil {
		w.fault("SIGTERM: %v", err)
	}
	w.checkLog(last)
	w.checkCounts(ctx, s.database)
	return w, fmt.Sprintf("seed %d: %d kills %v, slowest start %s; %s", seed, s.kills, lives.deaths, lives.slowest.Round(time.Millisecond), f)
}

// checkLog notes a fault where a server found counters of runs wrong: it sets them right,
// and checkCounts would not see them.
func (w *world) checkLog(s *server) {
	if strings.Contains(fmt.Sprint(s.log), "counters of runs were wrong") {
		w.fault("counters of runs were wrong at a start:\n%s", s.log)
	}
}

// checkCounts notes a fault where the counters of runs, as the last server has left them,
// do not say what the rows do.
func (w *world) checkCounts(ctx context.Context, database string) {
	db, err := store.Open(ctx, database)
	if err != nil {
		w.fault("open the database: %v", err)
		return
	}
	if wrong, err := db.WrongApprovalCounts(ctx); err != nil || wrong > 0 {
		w.fault("%d counters of approvals were not the rows (%v)", wrong, err)
	}
	wrong, err := db.RecountRuns(ctx)
	hours, err2 := db.WrongStats(ctx)
	if err := errors.Join(err, err2, db.Close()); err != nil {
		w.fault("compare the counters of runs: %v", err)
	}
	if wrong > 0 {
		w.fault("%d counters of runs were not the rows", wrong)
	}
	if hours > 0 {
		w.fault("%d hours of runs were not counted as they happened", hours)
	}
}

// environment is what every server of these tests is told.
func environment(database, receiver string) []string {
	return []string{
		"HEDDLE_LISTEN=127.0.0.1:0", "HEDDLE_DATABASE_URL=" + database, "HEDDLE_BOOTSTRAP_KEY=" + adminKey,
		"HEDDLE_SECRET_KEY=" + adminKey, "HEDDLE_EGRESS_ALLOW=" + receiver, "HEDDLE_LOG_LEVEL=warn",
		"HEDDLE_SCRIPTS=unconfined",
	}
}

// lives counts how the server died.
type lives struct {
	bin     string
	env     []string
	deaths  map[string]int
	slowest time.Duration
}

// one starts the server, gives it work, and sees it die.
func (l *lives) one(ctx, clients context.Context, w *world, random *rand.Rand) error {
	d := plan(random)
	env := l.env
	if d.Point != "" {
		env = append(slices.Clip(env), fmt.Sprintf("HEDDLE_TEST_CRASH=%s:%d", d.Point, d.Pass))
	}
	s, err := launch(ctx, l.bin, env)
	if err != nil {
		if d.Point == "" || s == nil || ctx.Err() != nil {
			return err
		}
		l.deaths[d.Point]++
		return nil
	}
	l.slowest = max(l.slowest, s.started)
	c := client.New(s.base, adminKey, client.WithAttempts(1))
	if w.workflow == "" {
		if err := w.create(ctx, c); err != nil {
			s.kill()
			if d.Point == "" {
				return err
			}
		}
	}
	w.serveAt(c)
	if w.workflow != "" {
		for range 4 {
			var cancelAfter time.Duration
			if random.IntN(8) == 0 {
				cancelAfter = time.Duration(1+random.IntN(400)) * time.Millisecond
			}
			w.start(clients, "", cancelAfter)
		}
	}
	select {
	case <-s.dead:
		l.deaths[d.Point]++
	case <-time.After(d.After):
		l.deaths["random"]++
		s.kill()
	}
	w.serveAt(nil)
	w.checkLog(s)
	return nil
}
