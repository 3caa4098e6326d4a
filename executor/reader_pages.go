package executor

import (
	"cmp"
	"context"
	"heddle/events"
	"heddle/executor/machine"
	"math"
	"slices"
)

// JournalHead is how many events of a journal are read whole for a page of it. Only what
// comes behind them is in an index, so that short runs cost the index nothing. The store's
// partial indexes have this number in them.
const JournalHead = 2000

// How much one page reads of a long journal: events that are passed over while
// its first ones are looked for, and events of its steps.
const (
	pageScan  = 10_000
	pageBatch = 500
	pageSteps = 20_000
)

// PageStore reads parts of journals by index.
type PageStore interface {
	// EventsBefore reads at most limit events before seq, the last one first.
	EventsBefore(ctx context.Context, runID string, before int64, limit int) ([]events.Event, error)
	// StepEvents reads events behind JournalHead of steps and iterations, at
	// most limit of each hundred.
	StepEvents(ctx context.Context, runID string, refs []machine.Ref, limit int) ([]events.Event, error)
	// KindEvents reads events of one kind behind JournalHead.
	KindEvents(ctx context.Context, q KindQuery) ([]events.Event, error)
}

// KindQuery asks for the events of one kind between After and Before, both
// exclusive: StateChanged, SignalReceived, InputResolved or HandlersStarted. Newest: in falling
// order.
type KindQuery struct {
	RunID         string
	Kind          events.Kind
	After, Before int64
	Newest        bool
	Limit         int
}

// JournalPageQuery asks for a page of a journal: what begins after From in rising order
// (0: from the first), or with Newest before From in falling order (0: from the
// last).
type JournalPageQuery struct {
	TenantID, RunID string
	From            int64
	Newest          bool
	Limit           int
}

// JournalPage is a page: the events that belong to it, in rising order. Next is where
// the next page goes on, 0 on the last one. A page may have fewer items than
// were requested although there are more.
type JournalPage struct {
	Run    Record
	Events []events.Event
	Next   int64
}

// begins reports whether an event can be a node's first.
func begins(e events.Event) bool {
	return e.StepID != "" && (e.Kind == events.StepStarted || e.Kind == events.StepSkipped)
}

// refOf returns the step and iteration that an event is about.
func refOf(e events.Event) machine.Ref { return machine.Ref{StepID: e.StepID, Iteration: e.Iteration} }

// NodeEvents reads all events of a page of nodes: steps, and in loop bodies their
// iterations, in the order in which they first started or were skipped. It
// costs in proportion to the page, however long the journal is. Another
// tenant's run is fault.NotFound.
func (s *Reader) NodeEvents(ctx context.Context, q JournalPageQuery) (JournalPage, error) {
	p := nodesPage{s: s, q: q, nodes: map[machine.Ref][]events.Event{}, first: map[machine.Ref]int64{}}
	if err := p.read(ctx); err != nil {
		return JournalPage{}, err
	}
	part := JournalPage{Run: p.row, Next: p.next}
	for _, list := range p.nodes {
		part.Events = append(part.Events, list...)
	}
	for _, e := range p.head {
		if _, ours := p.nodes[refOf(e)]; ours && e.StepID != "" {
			part.Events = append(part.Events, e)
		}
	}
	slices.SortFunc(part.Events, bySeq)
	return part, nil
}

// bySeq orders events by their seq.
func bySeq(a, b events.Event) int { return cmp.Compare(a.Seq, b.Seq) }

// nodesPage is a page of nodes while it is read.
type nodesPage struct {
	s     *Reader // whose store is read
	q     JournalPageQuery
	row   Record                         // the run, as it was when the page was begun
	head  []events.Event                 // the first JournalHead events of the journal
	first map[machine.Ref]int64          // of nodes that began in the head
	nodes map[machine.Ref][]events.Event // of the page, with their events behind the head
	last  int64                          // where the page's last node began
	next  int64                          // JournalPage.Next
}

// read reads batches until the page is full, the journal ends, or pageScan events
// were looked at.
func (p *nodesPage) read(ctx context.Context) (err error) {
	store := p.s.cfg.Store
	if p.row, err = store.Run(ctx, p.q.TenantID, p.q.RunID); err != nil {
		return err
	}
	if p.head, err = store.Events(ctx, p.q.RunID, 0, JournalHead); err != nil {
		return err
	}
	for _, e := range p.head {
		if _, seen := p.first[refOf(e)]; begins(e) && !seen {
			p.first[refOf(e)] = e.Seq
		}
	}
	at := p.q.From
	if p.q.Newest && at == 0 {
		at = p.row.Seq + 1
	}
	for read := 0; ; {
		batch, err := p.batch(ctx, at)
		if err != nil || len(batch) == 0 {
			return err
		}
		full, err := p.take(ctx, batch)
		if err != nil || full {
			return err
		}
		at = batch[len(batch)-1].Seq
		if read += len(batch); read >= pageScan {
			p.next = at
			return nil
		}
	}
}

// batch reads the events that follow at in the page's order: of the head without a read, of
// what is behind it pageBatch at a time.
func (p *nodesPage) batch(ctx context.Context, at int64) ([]events.Event, error) {
	store, runID := p.s.cfg.Store, p.q.RunID
	inHead := int64(len(p.head))
	switch {
	case p.q.Newest && at <= inHead+1:
		list := slices.Clone(p.head[:max(at-1, 0)])
		slices.Reverse(list)
		return list, nil
	case p.q.Newest:
		return store.EventsBefore(ctx, runID, at, pageBatch)
	case at < inHead:
		return p.head[at:], nil
	}
	return store.Events(ctx, runID, at, pageBatch)
}

// take adds the nodes that begin in a batch, and reports whether the page is
// full and another node follows it.
func (p *nodesPage) take(ctx context.Context, batch []events.Event) (full bool, err error) {
	// One lookup serves as many candidates as are missing, and one that shows
	// whether there is more.
	for len(batch) > 0 {
		var candidates []events.Event
		var refs []machine.Ref
		missing := p.q.Limit + 1 - len(p.nodes)
		n := 0
		for ; n < len(batch) && len(candidates) < missing; n++ {
			e := batch[n]
			if _, ours := p.nodes[refOf(e)]; ours || !begins(e) || e.Attempt > 1 {
				continue
			}
			if in, seen := p.first[refOf(e)]; seen && in != e.Seq {
				continue
			}
			candidates, refs = append(candidates, e), append(refs, refOf(e))
		}
		batch = batch[n:]
		list, err := p.s.cfg.Store.StepEvents(ctx, p.q.RunID, refs, pageSteps)
		if err != nil {
			return false, err
		}
		if p.add(candidates, list) {
			return true, nil
		}
	}
	return false, nil
}

// add takes those candidates into the page with which their node begins; list are the
// events of their nodes behind the head. full: another node follows that does not fit.
func (p *nodesPage) add(candidates, list []events.Event) (full bool) {
	slices.SortFunc(list, bySeq)
	of, first := map[machine.Ref][]events.Event{}, map[machine.Ref]int64{}
	for _, e := range list {
		ref := refOf(e)
		of[ref] = append(of[ref], e)
		if _, seen := first[ref]; begins(e) && !seen {
			first[ref] = e.Seq
		}
	}
	for _, e := range candidates {
		ref := refOf(e)
		if _, inHead := p.first[ref]; !inHead && first[ref] != e.Seq {
			continue
		}
		if len(p.nodes) == p.q.Limit {
			p.next = p.last
			return true
		}
		p.nodes[ref], p.last = of[ref], e.Seq
	}
	return false
}

// SignalEvents reads a page of the signals that a run received, and what resolved
// waits from the first of them on.
func (s *Reader) SignalEvents(ctx context.Context, q JournalPageQuery) (JournalPage, error) {
	row, head, err := s.headOf(ctx, q)
	if err != nil {
		return JournalPage{}, err
	}
	after, before := q.From, int64(math.MaxInt64)
	if q.Newest {
		after = 0
		if q.From > 0 {
			before = q.From
		}
	}
	list := kindIn(head, events.SignalReceived, after, before)
	behind, err := s.cfg.Store.KindEvents(ctx, KindQuery{
		RunID: q.RunID, Kind: events.SignalReceived, After: after, Before: before, Newest: q.Newest, Limit: q.Limit + 1,
	})
	if err != nil {
		return JournalPage{}, err
	}
	list = append(list, behind...)
	slices.SortFunc(list, bySeq)
	part := JournalPage{Run: row}
	if len(list) > q.Limit {
		if q.Newest {
			list = list[len(list)-q.Limit:]
			part.Next = list[0].Seq
		} else {
			list = list[:q.Limit]
			part.Next = list[len(list)-1].Seq
		}
	}
	if len(list) == 0 {
		return part, nil
	}
	resolved, err := s.cfg.Store.KindEvents(ctx, KindQuery{
		RunID: q.RunID, Kind: events.InputResolved, After: list[0].Seq, Before: math.MaxInt64, Limit: pageSteps,
	})
	if err != nil {
		return JournalPage{}, err
	}
	part.Events = slices.Concat(list, kindIn(head, events.InputResolved, list[0].Seq, math.MaxInt64), resolved)
	slices.SortFunc(part.Events, bySeq)
	return part, nil
}

// headOf reads a run's row and the first JournalHead events of its journal.
func (s *Reader) headOf(ctx context.Context, q JournalPageQuery) (Record, []events.Event, error) {
	row, err := s.cfg.Store.Run(ctx, q.TenantID, q.RunID)
	if err != nil {
		return row, nil, err
	}
	head, err := s.cfg.Store.Events(ctx, q.RunID, 0, JournalHead)
	return row, head, err
}

// kindIn returns the events of one kind between after and before, both excluded.
func kindIn(list []events.Event, kind events.Kind, after, before int64) (found []events.Event) {
	for _, e := range list {
		if e.Kind == kind && e.Seq > after && e.Seq < before {
			found = append(found, e)
		}
	}
	return found
}

// EventsOfKind passes all events of one kind of a run to visit, in order, until visit
// returns an error: the kinds are those of KindQuery. It reads the head and, of what is
// behind it, only events of that kind.
func (s *Reader) EventsOfKind(ctx context.Context, tenantID, runID string, kind events.Kind, visit func(events.Event) error) error {
	_, head, err := s.headOf(ctx, JournalPageQuery{TenantID: tenantID, RunID: runID})
	if err != nil {
		return err
	}
	list, after := kindIn(head, kind, 0, math.MaxInt64), int64(0)
	for {
		for _, e := range list {
			if err := visit(e); err != nil {
				return err
			}
			after = e.Seq
		}
		list, err = s.cfg.Store.KindEvents(ctx, KindQuery{RunID: runID, Kind: kind, After: after, Before: math.MaxInt64, Limit: historyPage})
		if err != nil || len(list) == 0 {
			return err
		}
	}
}

// NewestEvents passes the events after seq to visit from the last one on, until it
// returns false, nothing is left, or pageScan events were read.
func (s *Reader) NewestEvents(ctx context.Context, tenantID, runID string, after int64, visit func(events.Event) (more bool)) (Record, error) {
	row, err := s.cfg.Store.Run(ctx, tenantID, runID)
	if err != nil {
		return row, err
	}
	at := row.Seq + 1
	for read := 0; at > after+1 && read < pageScan; {
		batch, err := s.cfg.Store.EventsBefore(ctx, runID, at, pageBatch)
		if err != nil || len(batch) == 0 {
			return row, err
		}
		for _, e := range batch {
			if at = e.Seq; at <= after || !visit(e) {
				return row, nil
			}
		}
		read += len(batch)
	}
	return row, nil
}
