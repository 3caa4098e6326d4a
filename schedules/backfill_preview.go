package schedules

import (
	"context"
	"time"
)

// maxBackfillLines bounds the lines of the ledger that a preview of a backfill reads.
const maxBackfillLines = 10 * MaxBackfill

// BackfillDue is a due time that a backfill would run. Line is what the ledger has of it, one
// with a run before others; nil: nothing.
type BackfillDue struct {
	At   time.Time // in the schedule's zone
	Line *Slot
}

// BackfillPreview is what a backfill would run, in order, and the runs that the ledger names, by
// id.
type BackfillPreview struct {
	Due  []BackfillDue
	Runs map[string]SlotRun
}

// PreviewBackfill returns what Backfill would run, and which of that ran already. It stores
// nothing. The errors are those of Backfill.
func (s *Service) PreviewBackfill(ctx context.Context, req BackfillRequest) (BackfillPreview, error) {
	req, err := req.checked(s.now())
	if err != nil {
		return BackfillPreview{}, err
	}
	sc, err := s.store.Schedule(ctx, req.TenantID, req.ScheduleID)
	if err != nil {
		return BackfillPreview{}, err
	}
	dues, err := s.dueTimes(sc, req)
	if err != nil || len(dues) == 0 {
		return BackfillPreview{}, err
	}
	page, err := s.store.Slots(ctx, SlotQuery{
		TenantID: req.TenantID, ScheduleID: sc.ID, From: dues[0], To: dues[len(dues)-1].Add(time.Millisecond), Limit: maxBackfillLines,
	})
	if err != nil {
		return BackfillPreview{}, err
	}
	p := BackfillPreview{Due: make([]BackfillDue, len(dues)), Runs: page.Runs}
	at := make(map[int64]*BackfillDue, len(dues))
	for i, due := range dues {
		p.Due[i].At = due
		at[due.UnixMilli()] = &p.Due[i]
	}
	for i := range page.Slots {
		line := &page.Slots[i]
		if line.Count == 1 {
			if d := at[line.Due.UnixMilli()]; d != nil && (d.Line == nil || d.Line.RunID == "") {
				d.Line = line
			}
			continue
		}
		for k := range p.Due {
			if d := &p.Due[k]; d.Line == nil && !d.At.Before(line.Due) && !d.At.After(line.Until) {
				d.Line = line
			}
		}
	}
	return p, nil
}
