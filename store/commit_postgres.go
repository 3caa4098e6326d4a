package store

import (
	"context"
	"heddle/definitions/workflows"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// groupTimeout bounds a group commit on PostgreSQL, in case the server has
// disappeared without an answer.
const groupTimeout = 20 * time.Second

// postgresGroup is a group's transaction on PostgreSQL: one statement per
// table, with the rows as arrays. Statements whose results decide nothing wait
// in pending for the next one that is sent, so that a group of any size takes
// few round trips: BEGIN goes out with the first statement, and the insertions
// with COMMIT. It implements groupTx and is used by one goroutine.
type postgresGroup struct {
	// ctx ends groupTimeout after the beginning and not with the caller's: a
	// transaction is not abandoned halfway.
	ctx     context.Context //nolint:containedctx // the context of one transaction, which ends with it
	cancel  context.CancelFunc
	conn    *pgxpool.Conn
	pending *pgx.Batch // never nil
	begun   bool       // BEGIN was sent
	// byLeader is set when the lease's epoch was checked: the node that drives
	// runs need not be notified of new ones.
	byLeader bool
	// changed are the runs of which other nodes are notified after the commit, and
	// work that there is something for the one that drives runs.
	notices *notifier
	changed []string
	work    bool
}

// beginPostgres waits for a connection as long as ctx lasts. From then on the
// end of ctx does not abandon the transaction halfway; groupTimeout does. The
// isolation is READ COMMITTED: what is read is locked, or checked by the WHERE
// of the statement that writes.
func beginPostgres(ctx context.Context, pool *pgxpool.Pool, notices *notifier) (groupTx, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	own, cancel := context.WithTimeout(context.WithoutCancel(ctx), groupTimeout)
	g := &postgresGroup{ctx: own, cancel: cancel, conn: conn, pending: &pgx.Batch{}, notices: notices}
	g.pending.Queue("BEGIN")
	return g, nil
}

// send sends what is pending in one round trip and calls its functions with the
// results, in order. The first error ends it; the server has then executed
// nothing of what came behind.
func (g *postgresGroup) send() error {
	batch := g.pending
	g.pending, g.begun = &pgx.Batch{}, true
	return g.conn.SendBatch(g.ctx, batch).Close()
}

// epoch takes leaseLock shared, so that group commits do not wait for each
// other but a takeover waits for all of them.
func (g *postgresGroup) epoch() (int64, error) {
	// Two statements: the second's snapshot must be taken with the lock held.
	g.pending.Queue("SELECT pg_advisory_xact_lock_shared($1)", int64(leaseLock))
	g.byLeader = true
	var epoch int64
	g.pending.Queue("SELECT coalesce(max(epoch), 0) FROM leases WHERE name = $1", executorLease).QueryRow(func(row pgx.Row) error {
		return row.Scan(&epoch)
	})
	return epoch, g.send()
}

// liveWorkflows locks the rows FOR KEY SHARE, in the order of their ids:
// deletions wait, other changes and other groups do not.
func (g *postgresGroup) liveWorkflows(ids []string) (map[string]workflowHead, error) {
	there := make(map[string]workflowHead, len(ids))
	g.pending.Queue("SELECT id, revision, status FROM workflows WHERE id = ANY($1) AND deleted = 0 ORDER BY id FOR KEY SHARE", ids).Query(func(rows pgx.Rows) error {
		var id, status string
		var revision int64
		_, err := pgx.ForEachRow(rows, []any{&id, &revision, &status}, func() error {
			there[id] = workflowHead{revision, workflows.Status(status)}
			return nil
		})
		return err
	})
	return there, g.send()
}

// updateRuns updates all runs with one statement. The WHERE names the expected
// seq; under READ COMMITTED a row that another transaction is changing is
// waited for and checked again, so a run advances from one seq only once. The row
// as it was is joined for its state: with the same seq it is the same row.
func (g *postgresGroup) updateRuns(writes []*write) ([]bool, error) {
	rows := runArrays{}
	expected := make([]int64, len(writes))
	for i, w := range writes {
		rows.add(&w.row)
		expected[i] = w.expected
	}
	before := make(map[string]string, len(writes)) // states, by run
	g.pending.Queue(`UPDATE runs AS r SET version = u.version, hash = u.hash, state = u.state, seq = u.seq,
  started_at = u.started_at, completed_at = u.completed_at, updated_at = u.updated_at, wake_at = u.wake_at,
  output = u.output, error = u.error, tokens = u.tokens, cost_micro_usd = u.cost_micro_usd, versions = u.versions,
  error_code = u.error_code, waiting = u.waiting, steps = u.steps
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::bigint[], $14::bigint[], $15::text[], $16::text[], $17::text[], $18::text[])
  AS u(id, expected, version, hash, state, seq, started_at, completed_at, updated_at, wake_at, output, error, tokens, cost_micro_usd, versions, error_code, waiting, steps)
  JOIN runs AS b ON b.id = u.id AND b.seq = u.expected
WHERE r.id = u.id AND r.seq = u.expected RETURNING r.id, b.state`,
		rows.id, expected, rows.version, rows.hash, rows.state, rows.seq, rows.startedAt, rows.completedAt, rows.updatedAt,
		rows.wakeAt, rows.output, rows.failure, rows.tokens, rows.cost, rows.versions, rows.errorCode, rows.waiting, rows.steps).Query(func(rows pgx.Rows) error {
		var id, state string
		_, err := pgx.ForEachRow(rows, []any{&id, &state}, func() error {
			before[id] = state
			return nil
		})
		return err
	})
	if err := g.send(); err != nil {
		return nil, err
	}
	// RETURNING has no order, so winners are matched by id.
	won := make([]bool, len(writes))
	for i, w := range writes {
		w.stateBefore, won[i] = before[w.row.ID]
	}
	return won, nil
}

// insert leaves everything pending: an error of it is that of the next
// statement, usually of commit. Nodes that follow the runs are notified of grown
// journals, and the one that drives runs of new ones.
func (g *postgresGroup) insert(runs, all []*write, counts []statement) error {
	batch := g.pending
	if len(runs) > 0 {
		rows := runArrays{}
		for _, w := range runs {
			rows.add(&w.row)
			if w.input != "" {
				batch.Queue(insertInputSQL.postgres, w.row.ID, w.input)
			}
		}
		batch.Queue("INSERT INTO runs ("+runColumns+") SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::text[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::bigint[], $21::text[], $22::text[], $23::bigint[], $24::bigint[], $25::text[], $26::text[], $27::text[], $28::bigint[], $29::text[], $30::text[], $31::text[])",
			rows.id, rows.tenant, rows.workflow, rows.slug, rows.version, rows.hash, rows.trigger, rows.input, rows.createdAt, rows.state, rows.seq, rows.startedAt, rows.completedAt, rows.updatedAt, rows.output, rows.startedBy, rows.steps,
			rows.traceParent, rows.traceState, rows.wakeAt, rows.failure, rows.errorCode, rows.tokens, rows.cost, rows.versions, rows.concurrencyKey, rows.schedule, rows.dueAt, rows.starter, rows.labels, rows.waiting)
		for _, s := range labelStatements(runs) {
			batch.Queue(s.text.postgres, s.args...)
		}
	}
	journal := eventArrays{}
	for _, w := range all {
		g.changed = append(g.changed, w.row.ID)
		for at := range w.events {
			journal.add(&w.events[at])
		}
		if s := w.snapshot; s != nil {
			batch.Queue(snapshotSQL.postgres, s.RunID, s.Seq, s.Data)
		}
	}
	if len(journal.run) > 0 {
		batch.Queue("INSERT INTO run_events ("+eventColumns+") SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::text[])",
			journal.run, journal.seq, journal.kind, journal.step, journal.iteration, journal.attempt, journal.at, journal.data)
	}
	for _, count := range counts {
		batch.Queue(count.text.postgres, count.args...)
	}
	g.work = g.work || len(runs) > 0 && !g.byLeader
	return nil
}

// notify notes the runs for one notification after the commit.
func (g *postgresGroup) notify(runIDs []string) error {
	g.changed = append(g.changed, runIDs...)
	return nil
}

// commit ends the transaction, and executes what is pending before. The server
// executes nothing behind a statement that failed, COMMIT included, and says so;
// any other failure is outcome_unknown.
func (g *postgresGroup) commit() error {
	defer g.end()
	g.pending.Queue("COMMIT").Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != "COMMIT" {
			return pgx.ErrTxCommitRollback
		}
		return nil
	})
	if err := g.send(); err != nil {
		g.undo()
		return commitError(err)
	}
	g.notices.add(g.changed, g.work)
	return nil
}

// rollback undoes the transaction and returns the connection.
func (g *postgresGroup) rollback() {
	defer g.end()
	g.undo()
}

// undo ends a transaction that was begun.
func (g *postgresGroup) undo() {
	if g.begun && g.conn.Conn().PgConn().TxStatus() != 'I' {
		_, _ = g.conn.Exec(g.ctx, "ROLLBACK") // a broken connection is dropped by the pool
	}
}

// end returns the connection; the pool closes it if the transaction is not
// over. It is called exactly once, after which g must not be used.
func (g *postgresGroup) end() {
	g.conn.Release()
	g.cancel()
}
