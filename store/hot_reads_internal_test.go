package store

import (
	"fmt"
	"testing"
)

// A journal of several reads is that of the row, or none.
func TestReadsOfAJournalAreOfOneMoment(t *testing.T) {
	events := func(seqs ...int64) (list []eventRow) {
		for _, seq := range seqs {
			list = append(list, eventRow{Seq: seq})
		}
		return list
	}
	row := runRow{Seq: 5, CreatedAt: 7}
	for name, c := range map[string]struct {
		snapshot int64
		list     []eventRow
		created  int64
		want     string
	}{
		"as the row was":               {2, events(3, 4, 5), 7, "3 true"},
		"without a snapshot":           {0, events(1, 2, 3, 4, 5), 7, "5 true"},
		"a snapshot of the row":        {5, events(), 7, "0 true"},
		"events came later":            {2, events(3, 4, 5, 6, 7), 7, "3 true"},
		"the snapshot came later":      {6, events(7), 7, "0 false"},
		"events are gone":              {0, events(1, 2), 7, "0 false"},
		"the snapshot is gone":         {0, events(3, 4, 5, 6, 7), 7, "0 false"},
		"all of it is gone":            {0, events(), 0, "0 false"},
		"another run has the id":       {0, events(1, 2, 3, 4, 5), 8, "0 false"},
		"the run is deleted meanwhile": {2, events(3, 4, 5), 0, "0 false"},
	} {
		list, ok := upTo(row, c.snapshot, c.list, c.created)
		if got := fmt.Sprint(len(list), ok); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
