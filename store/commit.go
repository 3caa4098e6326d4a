package store

import (
	"context"
	"errors"
	"heddle/audit"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/fault"
	"slices"
)

// Commit writes a group of changes in one transaction and returns one error per
// member, nil where the member is durable. It is the executor's hot path: one
// fsync serves the whole group.
//
// Members that lose are left out while the rest is written: executor.ErrFenced
// where the run's seq is not the expected one, executor.ErrDuplicateKey where
// the idempotency key is taken, executor.ErrNameTaken, executor.ErrStale where
// the workflow changed since the start was decided, workflow_not_found where it
// is gone.
//
// Any other error rolls the group back and its members are committed one by
// one, so that one bad member does not fail the rest. That is pointless, and
// not done, where the database is unavailable or the whole group is fenced. An
// epoch other than 0 must be the lease's, or all members get
// executor.ErrFenced; checking it keeps the lease from changing hands until the
// transaction ends.
func (db *DB) Commit(ctx context.Context, epoch int64, group []executor.Commit) []error {
	errs := make([]error, len(group))
	if len(group) == 0 {
		return errs
	}
	p := planGroup(group, errs)
	err := db.commitPlan(ctx, epoch, p)
	if err == nil {
		return errs
	}
	unavailable := fault.KindOf(translate(err)) == fault.Unavailable && !isDeadlock(err)
	if len(p.writes) == 1 || unavailable || errors.Is(err, executor.ErrFenced) {
		// What was rolled back decided nothing: a member that lost its key to
		// another of the group may try again, as that one may.
		p.reset()
		p.failRemaining(memberError(err))
		return errs
	}
	// What the failed attempt found out was rolled back with it, so each write
	// is judged anew in a transaction of its own.
	for _, w := range p.writes {
		one := &plan{writes: []*write{w}, errs: errs}
		one.reset()
		if err := db.commitPlan(ctx, epoch, one); err != nil {
			one.failRemaining(memberError(err))
		}
	}
	return errs
}

// memberError returns the error of a member that was written alone: a row that
// exists already, a successor that came apart from its run, a command that was
// taken before and a blob that is gone all mean that another node drives the run
// or did, and are executor.ErrFenced. Every other error is translated.
func memberError(err error) error {
	if runExists(err) || errors.Is(err, errSeparated) || errors.Is(err, errAlreadyTaken) || errors.Is(err, errBlobGone) {
		return executor.ErrFenced
	}
	return translate(err)
}

// groupTx is one transaction of a group commit, in the wording of a dialect. It
// is used by one goroutine. After an error nothing but rollback may be called;
// commit and rollback return the connection, and exactly one of them must be
// called.
type groupTx interface {
	// epoch returns the lease's epoch and keeps the lease's holder from
	// changing until the transaction ends.
	epoch() (int64, error)
	// liveWorkflows returns revision and status of those of the workflows that
	// exist and are not deleted, and keeps these from being deleted until the
	// transaction ends.
	liveWorkflows(workflowIDs []string) (map[string]workflowHead, error)
	// updateRuns updates the runs whose seq is still the expected one and
	// reports, per write, whether it did. It sets stateBefore of those.
	updateRuns(writes []*write) ([]bool, error)
	// insert stores the new runs, then events and snapshots of all writes, and
	// executes the statements that count them. Its error may be that of commit.
	insert(runs, all []*write, counts []statement) error
	// execAll executes statements in order and returns how many rows each
	// changed. Callers go through execStatements.
	execAll(list []statement) ([]int64, error)
	// notify notifies other nodes, once committed, that the runs have changed.
	notify(runIDs []string) error
	// commit makes everything durable; outcome_unknown where that is not known.
	commit() error
	// rollback undoes everything. It has no error: what is not committed is
	// undone by the database anyway.
	rollback()
}

// beginGroup begins a transaction on a connection of its own, for which it
// waits as long as ctx lasts. From then on ctx does not interrupt it.
func (db *DB) beginGroup(ctx context.Context) (groupTx, error) {
	if db.postgres() {
		return beginPostgres(ctx, db.pool, db.notices)
	}
	return db.prepared.begin(ctx)
}

// commitPlan writes what remains in the plan in one transaction. Losers are
// marked in the plan and have their error; an error that is returned means that
// nothing was written.
func (db *DB) commitPlan(ctx context.Context, epoch int64, p *plan) error {
	if len(p.remaining()) == 0 {
		return nil
	}
	tx, err := db.beginGroup(ctx)
	if err != nil {
		return err
	}
	if err := writePlan(tx, epoch, p); err != nil {
		tx.rollback()
		return err
	}
	if len(p.remaining()) == 0 {
		tx.rollback()
		return nil
	}
	return tx.commit()
}

// writePlan executes a plan within tx, in the same order for every group, against
// deadlocks between nodes: lease, workflows, keys, updated runs, series, blobs,
// inputs, approvals, audit trail, and last the inserts and the counters. What loses on the way has its error
// in the plan and is left out of all later steps. An error that is returned
// means that tx must be rolled back: it is executor.ErrFenced where the lease
// has another epoch; errSeparated, errAlreadyTaken, errBlobGone or
// executor.ErrNameTaken where a part cannot be left out alone; or the driver's. epoch 0 skips the check of the lease.
func writePlan(tx groupTx, epoch int64, p *plan) error {
	if epoch != 0 {
		current, err := tx.epoch()
		if err != nil {
			return err
		}
		if current != epoch {
			return executor.ErrFenced
		}
	}
	// The locks on workflows come first: a deletion takes its row before it
	// touches anything else, too.
	if err := checkWorkflows(tx, p); err != nil {
		return err
	}
	if err := reserveKeys(tx, p); err != nil {
		return err
	}
	// Only a write whose seq was still the expected one goes on. A run and its
	// successor are written together: where the successor's answer has been
	// kept already, losing undoes the transaction.
	updates := p.updates()
	if len(updates) > 0 {
		won, err := tx.updateRuns(updates)
		if err != nil {
			return err
		}
		for i, w := range updates {
			switch {
			case won[i]:
			case w.successor != nil && w.successor.answer != nil:
				return errSeparated // the answer must not stay
			default:
				p.fail(w, executor.ErrFenced)
			}
		}
	}
	// Names are taken after updates, since the end of a run and its successor
	// are one write.
	if err := joinSeries(tx, p); err != nil {
		return err
	}
	alive := p.remaining()
	if len(alive) == 0 {
		return nil
	}
	// From here on nothing loses any more: what remains is durable as a whole, or
	// the transaction is undone.
	if err := referenceBlobs(tx, alive); err != nil {
		return err
	}
	if err := takeInputs(tx, alive); err != nil {
		return err
	}
	requestCounts, err := writeRequests(tx, alive)
	if err != nil {
		return err
	}
	var lines []audit.Entry
	for _, w := range alive {
		lines = append(lines, w.audit...)
	}
	if err := insertAuditEntries(tx, lines); err != nil {
		return err
	}
	counts := append(countChanges(alive), statsChanges(alive)...)
	counts = append(append(counts, requestCounts...), agentCharges(alive)...)
	return tx.insert(p.inserts(), alive, append(counts, renderedStatements(alive)...))
}

// workflowHead is what a new run's start was decided on: the workflow must
// still be so when the run is written.
type workflowHead struct {
	revision int64
	status   workflows.Status
}

// checkWorkflows leaves out new runs of workflows that are gone
// (workflow_not_found), or that changed since their start was decided
// (executor.ErrStale: the caller decides again). It looks each workflow up once,
// and not at all where the plan makes no run. A successor in a series is a new
// run like any other.
func checkWorkflows(tx groupTx, p *plan) error {
	inserts := p.inserts()
	if len(inserts) == 0 {
		return nil
	}
	var ids []string
	seen := map[string]bool{}
	for _, w := range inserts {
		if !seen[w.row.WorkflowID] {
			seen[w.row.WorkflowID] = true
			ids = append(ids, w.row.WorkflowID)
		}
	}
	there, err := tx.liveWorkflows(ids)
	if err != nil {
		return err
	}
	for _, w := range inserts {
		current, exists := there[w.row.WorkflowID]
		switch {
		case w.revision != 0 && w.revision != current.revision, exists && w.status != "" && w.status != current.status:
			p.fail(w, executor.ErrStale)
		case !exists:
			p.fail(w, workflowNotFound(w.row.Slug))
		}
	}
	return nil
}

// reserveKeys keeps the answers of new runs under their idempotency keys, in
// the transaction that writes the runs, and leaves out runs whose key is taken
// (executor.ErrDuplicateKey). A run whose name turns out to be taken after this
// point undoes the whole transaction (joinSeries): its answer must not stay
// without it.
func reserveKeys(tx groupTx, p *plan) error {
	var holders []*write
	var answers []answerRow
	for _, w := range p.inserts() {
		if w.answer != nil {
			holders = append(holders, w)
		}
	}
	if len(holders) == 0 {
		return nil
	}
	// In one order everywhere, or two nodes could wait for each other's keys.
	slices.SortStableFunc(holders, func(a, b *write) int { return a.answer.compare(b.answer) })
	for _, w := range holders {
		answers = append(answers, *w.answer)
	}
	free, err := insertAnswers(tx, answers)
	if err != nil {
		return err
	}
	for i, w := range holders {
		if !free[i] {
			p.fail(w, executor.ErrDuplicateKey)
		}
	}
	return nil
}

// insertAnswers keeps answers for repeated requests and reports, per answer,
// whether its key was free. On PostgreSQL it waits for a transaction that is
// inserting the same key, so several answers must come in the order of
// answerRow.compare: two transactions then never wait for each other.
func insertAnswers(tx groupTx, answers []answerRow) ([]bool, error) {
	list := make([]statement, len(answers))
	for i, a := range answers {
		list[i] = statement{insertAnswerSQL, []any{a.TenantID, a.Scope, a.Key, a.BodyHash, int64(a.Status), a.Header, a.Response, a.CreatedAt}}
	}
	inserted, err := execStatements(tx, list)
	if err != nil {
		return nil, err
	}
	free := make([]bool, len(answers))
	for i, n := range inserted {
		free[i] = n > 0
	}
	return free, nil
}
