package store

import (
	"cmp"
	"encoding/json"
	"heddle/definitions/workflows"
	"slices"
	"strings"
	"unique"
)

// searchEntry is what a search knows of one workflow. It never changes.
type searchEntry struct {
	position // the time of its last change, and its id
	folded   string
	status   string
	trigger  string
	tags     []string
}

// entryOverhead is about what an entry takes beside its texts, in bytes.
const entryOverhead = 160

// newSearchEntry returns the entry of a row, of which the columns of searchColumns
// are read. Words that many workflows share are stored once.
func newSearchEntry(r workflowRow) (*searchEntry, error) {
	e := &searchEntry{
		position: position{r.UpdatedAt, r.ID}, folded: r.Folded,
		status: unique.Make(r.Status).Value(), trigger: unique.Make(r.TriggerType).Value(),
	}
	if r.Tags == "[]" {
		return e, nil
	}
	err := json.Unmarshal([]byte(r.Tags), &e.tags)
	for i, tag := range e.tags {
		e.tags[i] = unique.Make(tag).Value()
	}
	return e, err
}

// size returns about how many bytes the entry takes.
func (e *searchEntry) size() int { return entryOverhead + len(e.ID) + len(e.folded) + 16*len(e.tags) }

// compare orders entries as lists do: last changed first, and of one time by id.
func (p position) compare(other position) int {
	return cmp.Or(cmp.Compare(other.Key, p.Key), cmp.Compare(other.ID, p.ID))
}

// searchIndex is what searches know of a tenant's workflows as they were at one of its
// changes. It never changes, so that it may be read by any number of searches.
type searchIndex struct {
	change  int64 // the number of the tenant's last change that it has
	entries []*searchEntry
	bytes   int // about what it takes
}

// with returns the index with the rows that have changed since, of which those that are
// deleted are left out, as of a later change.
func (x *searchIndex) with(rows []workflowRow, change int64) (*searchIndex, error) {
	gone := make(map[string]bool, len(rows))
	var changed []*searchEntry
	for _, r := range rows {
		gone[r.ID] = true
		if r.Deleted != 0 {
			continue
		}
		e, err := newSearchEntry(r)
		if err != nil {
			return nil, err
		}
		changed = append(changed, e)
	}
	slices.SortFunc(changed, func(a, b *searchEntry) int { return a.compare(b.position) })
	next := &searchIndex{change: change, entries: make([]*searchEntry, 0, len(x.entries)+len(changed))}
	add := func(e *searchEntry) {
		next.entries = append(next.entries, e)
		next.bytes += e.size()
	}
	for _, e := range x.entries {
		if gone[e.ID] {
			continue
		}
		for len(changed) > 0 && changed[0].compare(e.position) < 0 {
			add(changed[0])
			changed = changed[1:]
		}
		add(e)
	}
	for _, e := range changed {
		add(e)
	}
	return next, nil
}

// find returns the places of the first workflows behind at (nil: from the first) that a
// query selects, at most limit after the offset, and how many it selects in all. It
// selects exactly what workflowFilter does.
func (x *searchIndex) find(q workflows.Query, at *position, offset, limit int) (places []position, total int) {
	text := searchText(q.Text)
	var allowed map[string]bool
	if q.IDs != nil {
		allowed = make(map[string]bool, len(q.IDs))
		for _, id := range q.IDs {
			allowed[id] = true
		}
	}
	for _, e := range x.entries {
		if q.Status != "" && e.status != string(q.Status) || q.TriggerType != "" && e.trigger != q.TriggerType ||
			q.Tag != "" && !slices.Contains(e.tags, q.Tag) || allowed != nil && !allowed[e.ID] || !strings.Contains(e.folded, text) {
			continue
		}
		total++
		if at != nil && e.compare(*at) <= 0 {
			continue
		}
		if offset > 0 {
			offset--
			continue
		}
		if len(places) < limit {
			places = append(places, e.position)
		} else if !q.WantTotal {
			break
		}
	}
	return places, total
}
