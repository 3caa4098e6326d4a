package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

// preparedStatements holds the statements of group commits, prepared once on
// the writer's connection: parsing them costs more than executing them. It is
// read-only once made.
type preparedStatements struct {
	pool *sql.DB
	// byText finds a statement by its text.
	byText map[string]*sql.Stmt
}

// The texts of group commits.
const (
	// epochSQL is 0 before any node has had the lease.
	epochSQL = "SELECT coalesce(max(epoch), 0) FROM leases WHERE name = ?"
	// liveWorkflowSQL needs no lock: the transaction is immediate.
	liveWorkflowSQL = "SELECT revision, status FROM workflows WHERE id = ? AND deleted = 0"
	// stateSQL reads the state that a run has before it changes.
	stateSQL = "SELECT state FROM runs WHERE id = ? AND seq = ?"
	// updateRunSQL advances a run from the expected seq. Input and what
	// identifies the run are written at its insertion only.
	updateRunSQL = "UPDATE runs SET version = ?, hash = ?, state = ?, seq = ?, started_at = ?, completed_at = ?, updated_at = ?, wake_at = ?, output = ?, error = ?, tokens = ?, cost_micro_usd = ?, versions = ?, error_code = ?, waiting = ?, steps = ? WHERE id = ? AND seq = ?"
	// updateRunInPlaceSQL is updateRunSQL for the common case that nothing changes which
	// an index holds: as version, state, times and error_code stay out of the SET, no
	// index is touched.
	updateRunInPlaceSQL = "UPDATE runs SET hash = ?, seq = ?, updated_at = ?, output = ?, error = ?, tokens = ?, cost_micro_usd = ?, versions = ?, waiting = ?, steps = ? WHERE id = ? AND seq = ? AND version = ? AND state = ? AND started_at = ? AND completed_at = ? AND wake_at = ? AND error_code = ?"
)

// The texts that both dialects execute, worded alike.
var (
	insertAnswerSQL = inBothDialects("INSERT INTO idempotency_answers (tenant_id, scope, key, body_hash, status, header, response, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
	insertInputSQL  = inBothDialects("INSERT INTO run_inputs (run_id, input) VALUES (?, ?)")
	// snapshotSQL keeps one snapshot per run, the newest.
	snapshotSQL = inBothDialects("INSERT INTO run_snapshots (run_id, seq, data) VALUES (?, ?, ?) ON CONFLICT (run_id) DO UPDATE SET seq = excluded.seq, data = excluded.data")
)

// prepareStatements prepares the statements on pool; the tables must exist.
func prepareStatements(ctx context.Context, pool *sql.DB) (*preparedStatements, error) {
	h := &preparedStatements{pool: pool, byText: map[string]*sql.Stmt{}}
	texts := []string{epochSQL, liveWorkflowSQL, insertAnswerSQL.sqlite, stateSQL, countSQL.sqlite, startedSQL.sqlite, endedSQL.sqlite, recentSQL.sqlite, updateRunSQL, updateRunInPlaceSQL, insertInputSQL.sqlite, insertLabelSQL.sqlite, snapshotSQL.sqlite}
	for _, table := range []table{runTable, usualRunTable, eventTable} {
		texts = append(texts, table.texts[:]...)
	}
	for _, text := range texts {
		s, err := pool.PrepareContext(ctx, text)
		if err != nil {
			return nil, errors.Join(err, h.close())
		}
		h.byText[text] = s
	}
	return h, nil
}

// close closes the statements and joins their errors. Those of a failed
// prepareStatements are closed likewise.
func (h *preparedStatements) close() error {
	var errs []error
	for _, s := range h.byText {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// begin waits for the writer. From then on ctx does not interrupt the
// transaction: the driver would spend a goroutine per statement on it, and a
// group takes milliseconds.
func (h *preparedStatements) begin(ctx context.Context) (groupTx, error) {
	conn, err := h.pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	tx, err := conn.BeginTx(context.Background(), nil) //nolint:contextcheck // see above: a group is not interrupted
	if err != nil {
		discard(conn)
		_ = conn.Close()
		return nil, err
	}
	return &sqliteGroup{prepared: h, conn: conn, tx: tx}, nil
}

// sqliteGroup is a group's transaction on SQLite. It is immediate, so what it
// reads stays true until it ends, and no lock needs to be taken.
type sqliteGroup struct {
	prepared *preparedStatements
	conn     *sql.Conn
	tx       *sql.Tx
}

// exec executes a text, by its prepared statement where there is one, and returns
// how many rows it changed.
func (g *sqliteGroup) exec(text string, args ...any) (int64, error) {
	var res sql.Result
	var err error
	if s := g.prepared.byText[text]; s != nil {
		res, err = g.tx.Stmt(s).Exec(args...)
	} else {
		res, err = g.tx.Exec(text, args...)
	}
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// epoch reads the lease. The transaction is immediate, so the epoch stays until
// its end.
func (g *sqliteGroup) epoch() (int64, error) {
	var epoch int64
	err := g.tx.Stmt(g.prepared.byText[epochSQL]).QueryRow(executorLease).Scan(&epoch)
	return epoch, err
}

// liveWorkflows looks each workflow up by its primary key, with a prepared
// statement.
func (g *sqliteGroup) liveWorkflows(ids []string) (map[string]workflowHead, error) {
	there := make(map[string]workflowHead, len(ids))
	for _, id := range ids {
		var w workflowHead
		switch err := g.tx.Stmt(g.prepared.byText[liveWorkflowSQL]).QueryRow(id).Scan(&w.revision, &w.status); {
		case err == nil:
			there[id] = w
		case !errors.Is(err, sql.ErrNoRows):
			return nil, err
		}
	}
	return there, nil
}

// updateRuns updates one run after another: without round trips, more than one
// row per statement would save nothing.
func (g *sqliteGroup) updateRuns(writes []*write) ([]bool, error) {
	won := make([]bool, len(writes))
	for i, w := range writes {
		n, err := g.updateRun(w)
		if err != nil {
			return nil, err
		}
		won[i] = n > 0
	}
	return won, nil
}

// updateRun updates one run if its seq is the expected one, and returns 1, else 0. It
// tries the statement that touches no index first.
func (g *sqliteGroup) updateRun(w *write) (int64, error) {
	r := &w.row
	w.stateBefore = r.State
	n, err := g.exec(updateRunInPlaceSQL, r.Hash, r.Seq, r.UpdatedAt, r.Output, r.Error, r.Tokens, r.CostMicroUsd, r.Versions, r.Waiting, r.Steps,
		r.ID, w.expected, int64(r.Version), r.State, r.StartedAt, r.CompletedAt, r.WakeAt, r.ErrorCode)
	if n > 0 || err != nil {
		return n, err
	}
	err = g.tx.Stmt(g.prepared.byText[stateSQL]).QueryRow(r.ID, w.expected).Scan(&w.stateBefore)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return g.exec(updateRunSQL, int64(r.Version), r.Hash, r.State, r.Seq, r.StartedAt, r.CompletedAt, r.UpdatedAt, r.WakeAt,
		r.Output, r.Error, r.Tokens, r.CostMicroUsd, r.Versions, r.ErrorCode, r.Waiting, r.Steps, r.ID, w.expected)
}

// insert writes the runs, then all events, as many per statement as bulkSizes
// allows, then the snapshots, one row per run, and the counters.
func (g *sqliteGroup) insert(runs, all []*write, counts []statement) error {
	if err := g.insertRuns(runs); err != nil {
		return err
	}
	insertEvent := newInserter(g, eventTable)
	for _, w := range all {
		for i := range w.events {
			e := &w.events[i]
			err := insertEvent.add(e.RunID, e.Seq, string(e.Kind), e.StepID, e.Iteration, int64(e.Attempt), millis(e.At), string(e.Data))
			if err != nil {
				return err
			}
		}
	}
	if err := insertEvent.flush(); err != nil {
		return err
	}
	for _, w := range all {
		if w.snapshot == nil {
			continue
		}
		_, err := g.exec(snapshotSQL.sqlite, w.snapshot.RunID, w.snapshot.Seq, w.snapshot.Data)
		if err != nil {
			return err
		}
	}
	_, err := execStatements(g, counts)
	return err
}

// insertRuns inserts the new runs, and inputs that have a row of their own.
func (g *sqliteGroup) insertRuns(runs []*write) error {
	rows, usual := newInserter(g, runTable), newInserter(g, usualRunTable)
	for _, w := range runs {
		values, to := w.row.values(), rows
		if len(values) == usualRunTable.width {
			to = usual
		}
		if err := to.add(values...); err != nil {
			return err
		}
		if w.input == "" {
			continue
		}
		if _, err := g.exec(insertInputSQL.sqlite, w.row.ID, w.input); err != nil {
			return err
		}
	}
	if err := errors.Join(rows.flush(), usual.flush()); err != nil {
		return err
	}
	_, err := execStatements(g, labelStatements(runs))
	return err
}

// notify does nothing: a SQLite file has one node.
func (g *sqliteGroup) notify([]string) error { return nil } // there is no other node

// commit ends the transaction and returns the connection. After a failed COMMIT
// the connection may still be inside the transaction and is discarded; whether
// the group is written is what commitError says.
func (g *sqliteGroup) commit() error {
	defer g.conn.Close() //nolint:errcheck // gives the connection back
	if err := g.tx.Commit(); err != nil {
		discard(g.conn)
		return commitError(err)
	}
	return nil
}

// rollback ends the transaction and returns the connection, which is discarded
// if even that fails.
func (g *sqliteGroup) rollback() {
	if err := g.tx.Rollback(); err != nil {
		discard(g.conn)
	}
	_ = g.conn.Close()
}

const (
	// runColumns are written when a run is inserted, by both dialects and in
	// this order: runRow.values, runRow.fields and runArrays follow it.
	runColumns = usualRunColumns + ", " + seldomRunColumns
	// usualRunColumns have a value in every run.
	usualRunColumns = "id, tenant_id, workflow_id, slug, version, hash, trigger_kind, input, created_at, state, seq, started_at, completed_at, updated_at, output, started_by, steps"
	// seldomRunColumns are empty in most runs, when they are inserted.
	seldomRunColumns = "trace_parent, trace_state, wake_at, error, error_code, tokens, cost_micro_usd, versions, concurrency_key, schedule_id, due_at, starter_id, labels, waiting"
	// seldomEmpty are their values then.
	seldomEmpty = ", '', '', 0, '', '', 0, 0, '', '', '', 0, '', '', ''"
	// eventColumns are those of an event, likewise.
	eventColumns = "run_id, seq, kind, step_id, iteration, attempt, at, data"
)

// values returns a row's fields in the order of usualRunColumns, and behind them, unless
// they are all empty, in that of seldomRunColumns.
func (r *runRow) values() []any {
	list := []any{
		r.ID, r.TenantID, r.WorkflowID, r.Slug, int64(r.Version), r.Hash, r.TriggerKind, r.Input, r.CreatedAt, r.State, r.Seq,
		r.StartedAt, r.CompletedAt, r.UpdatedAt, r.Output, r.StartedBy, r.Steps,
	}
	seldom := [...]any{
		r.TraceParent, r.TraceState, r.WakeAt, r.Error, r.ErrorCode, r.Tokens, r.CostMicroUsd, r.Versions, r.ConcurrencyKey,
		r.ScheduleID, r.DueAt, r.StarterID, r.Labels, r.Waiting,
	}
	for _, value := range seldom {
		if value != "" && value != int64(0) {
			return append(list, seldom[:]...)
		}
	}
	return list
}

// table is what an inserter inserts into.
type table struct {
	// texts are the statements for each of bulkSizes, in its order.
	texts [len(bulkSizes)]string
	// width is the number of columns that each row has values for.
	width int
}

var (
	// The widths repeat what runColumns and eventColumns list, so that no statement
	// is made by counting commas.
	runTable      = newTable("runs", runColumns, 31, "")
	usualRunTable = newTable("runs", runColumns, 17, seldomEmpty)
	eventTable    = newTable("run_events", eventColumns, 8, "")
)

// bulkSizes are the numbers of rows that one statement inserts, largest first.
// A group is split greedily; each size has its prepared statement. The last one
// must be 1, so that every number can be split.
var bulkSizes = [...]int{32, 8, 1}

// newTable returns the table of that name, with so many columns and behind them the same
// values in each row: what is in the text need not be bound, which costs a third of a
// microsecond for each value. OR FAIL spares SQLite a journal per statement: after an
// error the whole group is rolled back anyway.
func newTable(name, columns string, width int, constants string) table {
	t := table{width: width}
	row := "(?" + strings.Repeat(", ?", width-1) + constants + ")"
	for i, rows := range bulkSizes {
		t.texts[i] = "INSERT OR FAIL INTO " + name + " (" + columns + ") VALUES " + row + strings.Repeat(", "+row, rows-1)
	}
	return t
}

// inserter collects rows of one table and inserts many of them with one statement.
// Its user calls flush at the end; rows that were only added are not inserted
// yet. After an error it must not be used again.
type inserter struct {
	g     *sqliteGroup
	table table
	// args are the values of the rows that were collected, row by row.
	args []any
}

// newInserter returns an empty inserter for rows of the table, within the group's
// transaction.
func newInserter(g *sqliteGroup, t table) *inserter {
	return &inserter{g: g, table: t}
}

// add collects a row; with the last of a full batch it inserts them. values are
// in the order of the table's columns and are kept until they are inserted.
func (b *inserter) add(values ...any) error {
	b.args = append(b.args, values...)
	if len(b.args) < bulkSizes[0]*b.table.width {
		return nil
	}
	return b.flush()
}

// flush inserts what was collected, in the order of the calls of add: 45 rows
// are one statement of 32, one of 8 and five of 1.
func (b *inserter) flush() error {
	rest := b.args
	for i, rows := range bulkSizes {
		for n := rows * b.table.width; len(rest) >= n; rest = rest[n:] {
			if _, err := b.g.exec(b.table.texts[i], rest[:n]...); err != nil {
				return err
			}
		}
	}
	b.args = b.args[:0]
	return nil
}
