package store_test

import (
	"heddle/access"
	"heddle/audit"
	"heddle/store"
	"slices"
	"strings"
	"testing"
	"time"
)

// auditPages reads all pages of a query, and returns their entries and how many pages there
// were. It fails where a page reads otherwise than by a range of an index in its order.
func auditPages(t *testing.T, db *store.DB, q access.AuditQuery) (all []audit.Entry, pages int) {
	t.Helper()
	for {
		for _, text := range db.Reads(func() { _, _, _ = db.Audit(t.Context(), q) }) {
			plan := db.Plan(t, text)
			for _, bad := range []string{"SCAN audit", "Seq Scan", "Sort", "TEMP B-TREE", "Filter:"} {
				if strings.Contains(plan, bad) && !strings.Contains(text, "object_slug = ") {
					t.Errorf("%+v reads more than it lists by\n%s\n%s", q, text, plan)
				}
			}
		}
		page, next, err := db.Audit(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if all, pages = append(all, page...), pages+1; next == "" {
			return all, pages
		}
		q.Cursor = next
	}
}

// A page of the trail reads ranges of an index, or looks at a bounded number of entries,
// and its pages together have what matches, each once.
func TestPagesOfTheTrailLookAtABoundedNumberOfEntries(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.DB) {
		trail, pages := auditPages(t, db, access.AuditQuery{TenantID: "tn_1", Limit: 200})
		if len(trail) != 2500 || pages != 13 {
			t.Fatalf("%d entries on %d pages", len(trail), pages)
		}
		for name, c := range map[string]struct {
			query access.AuditQuery
			keeps func(audit.Entry) bool
			pages int
		}{
			"text of one entry, the oldest": {access.AuditQuery{Text: "STRASSE"}, func(e audit.Entry) bool { return e.Reason == "Straße" }, 3},
			"text of none":                  {access.AuditQuery{Text: "nowhere"}, func(audit.Entry) bool { return false }, 3},
			"prefix":                        {access.AuditQuery{ObjectPrefix: "run:"}, func(e audit.Entry) bool { return strings.HasPrefix(e.Object, "run:") }, 3},
			"prefix that is a pattern":      {access.AuditQuery{ObjectPrefix: "run%"}, func(audit.Entry) bool { return false }, 3},
			"actor and action": {access.AuditQuery{Actor: "ann", Action: "run.cancel"}, func(e audit.Entry) bool {
				return e.Actor == "ann" && e.Action == "run.cancel"
			}, 1},
			"object": {access.AuditQuery{Object: "workflow:wf_3"}, func(e audit.Entry) bool { return e.Object == "workflow:wf_3" }, 1},
			"object and text": {access.AuditQuery{Object: "workflow:wf_3", Text: "ann"}, func(e audit.Entry) bool {
				return e.Object == "workflow:wf_3" && e.Actor == "ann"
			}, 1},
			"times": {access.AuditQuery{From: listEpoch.Add(time.Second), To: listEpoch.Add(2 * time.Second)}, func(e audit.Entry) bool {
				return !e.At.Before(listEpoch.Add(time.Second)) && e.At.Before(listEpoch.Add(2*time.Second))
			}, 1},
		} {
			q := c.query
			q.TenantID, q.Limit = "tn_1", 600
			want := slices.DeleteFunc(slices.Clone(trail), func(e audit.Entry) bool { return !c.keeps(e) })
			got, pages := auditPages(t, db, q)
			if !slices.EqualFunc(got, want, func(a, b audit.Entry) bool { return a.ID == b.ID }) || pages != c.pages {
				t.Errorf("%s: %d entries on %d pages, want %d on %d", name, len(got), pages, len(want), c.pages)
			}
			q.Limit = 1
			if got, _ := auditPages(t, db, q); len(want) < 200 && len(got) != len(want) {
				t.Errorf("%s, one by one: %d entries, want %d", name, len(got), len(want))
			}
		}
	})
}
