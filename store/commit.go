package store

import (
	"context"
	"errors"
	"heddle/audit"
	"heddle/definitions"
	"heddle/executor"
	"heddle/fault"
	"slices"
)

// Commit writes a group in one transaction. Members that lose (fenced, key
// taken, workflow gone) are left out; an error that is not a member's own
// business rolls the group back and its members are committed singly, so that
// one bad member does not fail the rest. epoch 0 is not checked.
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
	away := fault.KindOf(translate(err)) == fault.Unavailable && !deadlock(err)
	if len(p.writes) == 1 || away || errors.Is(err, executor.ErrFenced) {
		// What was rolled back decided nothing: a member that lost its key to
		// another of the group may try again, as that one may.
		p.reset()
		p.failAll(single(err))
		return errs
	}
	for _, w := range p.writes {
		one := &plan{writes: []*write{w}, errs: errs}
		one.reset()
		if err := db.commitPlan(ctx, epoch, one); err != nil {
			one.failAll(single(err))
		}
	}
	return errs
}

// single words the error of a member that was written alone: a row that is
// there already means that the run is another's.
func single(err error) error {
	if lost(err) || errors.Is(err, errApart) || errors.Is(err, errTaken) {
		return executor.ErrFenced
	}
	return translate(err)
}

// groupTx is one transaction of a group commit, in the wording of a dialect.
// After an error nothing but rollback may be called.
type groupTx interface {
	// epoch reads the lease's epoch and keeps its holder from changing until
	// the transaction ends.
	epoch() (int64, error)
	// accepting gives revision and status of the workflows that exist, and keeps
	// these from being deleted until the transaction ends.
	accepting(workflowIDs []string) (map[string]accepted, error)
	// keep stores answers and tells which keys were free.
	keep(answers []answerRow) ([]bool, error)
	// advance updates runs whose seq is still the expected one and tells which.
	advance(writes []*write) ([]bool, error)
	// insert stores new runs, then everybody's events and snapshots.
	insert(runs, all []*write) error
	// statements runs further statements in order and tells how many rows each
	// changed.
	statements(list []statement) ([]int64, error)
	// tell lets other nodes know, once committed, that they look at runs again.
	tell(runIDs []string) error
	commit() error
	rollback()
}

func (db *DB) beginGroup(ctx context.Context) (groupTx, error) {
	if db.postgres() {
		return beginPostgres(ctx, db.pool)
	}
	return db.hot.begin(ctx)
}

// commitPlan writes what is alive in the plan. Losers are marked in it.
func (db *DB) commitPlan(ctx context.Context, epoch int64, p *plan) error {
	if len(p.alive()) == 0 {
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
	if len(p.alive()) == 0 {
		tx.rollback()
		return nil
	}
	return tx.commit()
}

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
	if err := admitRuns(tx, p); err != nil {
		return err
	}
	if err := keepAnswers(tx, p); err != nil {
		return err
	}
	if err := keepBlobs(tx, p); err != nil {
		return err
	}
	updates := p.updates()
	if len(updates) > 0 {
		won, err := tx.advance(updates)
		if err != nil {
			return err
		}
		for i, w := range updates {
			switch {
			case won[i]:
			case w.with != nil && w.with.answer != nil:
				return errApart // the answer must not stay
			default:
				p.fail(w, executor.ErrFenced)
			}
		}
	}
	if err := joinSeries(tx, p); err != nil {
		return err
	}
	alive := p.alive()
	if len(alive) == 0 {
		return nil
	}
	if err := takeAll(tx, alive); err != nil {
		return err
	}
	var lines []audit.Entry
	for _, w := range alive {
		lines = append(lines, w.audit...)
	}
	if err := auditAll(tx, lines); err != nil {
		return err
	}
	return tx.insert(p.inserts(), alive)
}

// accepted is a workflow that new runs are written for.
type accepted struct {
	revision int64
	status   definitions.Status
}

// admitRuns leaves out new runs of workflows that are gone, or that changed
// since their start was decided.
func admitRuns(tx groupTx, p *plan) error {
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
	there, err := tx.accepting(ids)
	if err != nil {
		return err
	}
	for _, w := range inserts {
		current, exists := there[w.row.WorkflowID]
		switch {
		case w.revision != 0 && w.revision != current.revision, exists && w.status != "" && w.status != current.status:
			p.fail(w, executor.ErrStale)
		case !exists:
			p.fail(w, noWorkflow(w.row.Slug))
		}
	}
	return nil
}

// keepAnswers leaves out new runs whose idempotency key is taken.
func keepAnswers(tx groupTx, p *plan) error {
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
	free, err := tx.keep(answers)
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
