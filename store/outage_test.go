package store_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"heddle/definitions/workflows"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/executor/queue"
	"heddle/fault"
	"heddle/idempotency"
	"heddle/store"
	"heddle/store/storetest"
	"strings"
	"testing"
	"time"
)

func workflow(t *testing.T, db *store.DB) {
	t.Helper()
	at := time.UnixMilli(1).UTC()
	err := db.CreateWorkflow(context.Background(), workflows.Revision{
		Workflow: workflows.Workflow{ID: "wf_1", TenantID: "t1", Slug: "one", Status: workflows.Active, ActiveVersion: 1, LatestVersion: 1, CreatedAt: at, UpdatedAt: at},
		Version:  &workflows.NewVersion{Number: 1, Definition: json.RawMessage(`{}`), CreatedAt: at},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
}

func insertion(id string) executor.Commit {
	at := time.UnixMilli(1).UTC()
	return executor.Commit{
		Row: executor.Record{
			Header: machine.Header{RunID: id, TenantID: "t1", WorkflowID: "wf_1", Input: json.RawMessage("null"), CreatedAt: at},
			State:  machine.Queued, Seq: 1, UpdatedAt: at,
		},
		Events: []events.Event{{RunID: id, Seq: 1, Kind: events.StateChanged, At: at}},
	}
}

func withKey(id string) executor.Commit {
	c := insertion(id)
	c.Answer = &idempotency.Answer{TenantID: "t1", Scope: "POST /x", Key: "k", BodyHash: "h", Status: 202, Response: []byte("{}"), CreatedAt: time.UnixMilli(1)}
	return c
}

func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Errorf("%s: %v, want code %s", what, err, code)
	}
}

// A server that stops and comes back: every call says so meanwhile, and
// the same DB works afterwards.
func TestPostgresOutage(t *testing.T) {
	server := storetest.NewServer(t, false)
	db := open(t, server.Database(t))
	workflow(t, db)
	ctx := context.Background()
	if err := db.Commit(ctx, 0, []executor.Commit{insertion("run_1")})[0]; err != nil {
		t.Fatal(err)
	}
	server.Stop(t)
	for range 3 { // the first meets the broken connection, the next ones no server
		for _, err := range db.Commit(ctx, 0, []executor.Commit{insertion("run_2"), insertion("run_3")}) {
			wantCode(t, "commit", err, "store_unavailable")
		}
		_, err := db.Run(ctx, "t1", "run_1")
		wantCode(t, "read", err, "store_unavailable")
		_, err = db.Target(ctx, "t1", "one", "")
		wantCode(t, "transaction", err, "store_unavailable")
		_, err = db.AcquireLease(ctx, "a", time.UnixMilli(1), time.Second)
		wantCode(t, "lease", err, "store_unavailable")
		wantCode(t, "ping", db.Ping(ctx), "store_unavailable")
	}
	server.Start(t)
	for _, err := range db.Commit(ctx, 0, []executor.Commit{insertion("run_1"), insertion("run_2")}) {
		if err != nil && !errors.Is(err, executor.ErrFenced) {
			t.Errorf("after the outage: %v", err)
		}
	}
	if _, err := db.Run(ctx, "t1", "run_2"); err != nil {
		t.Errorf("after the outage: %v", err)
	}
}

func TestClosed(t *testing.T) {
	for name, url := range map[string]string{"sqlite": "sqlite://:memory:", "postgres": storetest.Postgres(t)} {
		db, err := store.Open(context.Background(), url)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		wantCode(t, name, db.Ping(context.Background()), "store_unavailable")
		wantCode(t, name, db.Commit(context.Background(), 0, []executor.Commit{insertion("run_1")})[0], "store_unavailable")
		_, err = db.QueuedWorkflows(context.Background(), queue.Workflow{}, 1)
		wantCode(t, name, err, "store_unavailable")
	}
}

// A caller that left before the transaction began changes nothing.
func TestCancelled(t *testing.T) {
	schemas(t, func(t *testing.T, url string, _ *sql.DB) {
		db := open(t, url)
		workflow(t, db)
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		err := db.Commit(gone, 0, []executor.Commit{insertion("run_1")})[0]
		wantCode(t, "commit", err, "store_unavailable")
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the cause is hidden: %v", err)
		}
		_, err = db.Run(context.Background(), "t1", "run_1")
		wantCode(t, "run", err, "run_not_found")
	})
}

// Triggers make COMMIT itself fail: for one run of the group by an error of
// the statement, which rolls back, or by the end of the connection, after
// which the outcome is unknown.
func TestCommitFails(t *testing.T) {
	schemas(t, func(t *testing.T, url string, raw *sql.DB) {
		db := open(t, url)
		workflow(t, db)
		script := `CREATE TABLE parent (id TEXT PRIMARY KEY);
CREATE TABLE child (id TEXT REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
CREATE TRIGGER bad AFTER INSERT ON runs WHEN new.id = 'run_bad' BEGIN INSERT INTO child VALUES ('x'); END`
		if strings.HasPrefix(url, "postgres") {
			script = `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF new.id = 'run_bad' THEN RAISE EXCEPTION 'no'; END IF;
  IF new.id = 'run_cut' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
  RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON runs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()`
		}
		if _, err := raw.Exec(script); err != nil {
			t.Fatal(err)
		}
		errs := db.Commit(context.Background(), 0, []executor.Commit{insertion("run_1"), insertion("run_bad"), insertion("run_3")})
		for i, code := range []string{"", "internal", ""} {
			if code == "" && errs[i] == nil {
				continue
			}
			wantCode(t, "one bad member at COMMIT", errs[i], code)
		}
		if !strings.HasPrefix(url, "postgres") {
			return
		}
		for _, err := range db.Commit(context.Background(), 0, []executor.Commit{insertion("run_4"), insertion("run_cut")}) {
			wantCode(t, "connection cut at COMMIT", err, "outcome_unknown")
		}
		// Nothing is known of the first, so neither is the key of the second.
		for _, err := range db.Commit(context.Background(), 0, []executor.Commit{withKey("run_cut"), withKey("run_6")}) {
			wantCode(t, "key of a member whose COMMIT was cut", err, "outcome_unknown")
		}
		for _, id := range []string{"run_5", "run_6"} {
			if err := db.Commit(context.Background(), 0, []executor.Commit{withKey(id)})[0]; (err != nil) != (id == "run_6") {
				t.Errorf("afterwards %s: %v", id, err)
			}
		}
	})
}

// What reaches a caller holds no SQL and no value.
func TestMessagesHoldNoSQL(t *testing.T) {
	schemas(t, func(t *testing.T, url string, raw *sql.DB) {
		db := open(t, url)
		if _, err := raw.Exec("DROP TABLE runs"); err != nil {
			t.Fatal(err)
		}
		_, err := db.Run(context.Background(), "tenant", "run_secret")
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Internal {
			t.Fatalf("got %v", err)
		}
		for _, word := range []string{"SELECT", "runs", "secret"} {
			if strings.Contains(f.Message, word) {
				t.Errorf("the message says %q: %s", word, f.Message)
			}
		}
	})
}
