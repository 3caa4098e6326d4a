package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/definitions/workflows"
	"heddle/store"
	"heddle/store/storetest"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// searchWords are what the texts of the tests are made of: words that fold into each
// other, marks that LIKE takes for patterns, and characters of several bytes.
var searchWords = []string{"Straße", "STRASSE", "ß", "İstanbul", "istanbul", "ΣΑΣ", "σας", "é", "e\u0301", "100%", "a_b", `c\d`, "x", "日本", "Flow"}

// pick returns one of the values.
func pick[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

// searchWriter changes workflows of two tenants at random, as another node does.
type searchWriter struct {
	db    *store.DB
	r     *rand.Rand
	ids   [2][]string
	made  int
	clock int64
}

// text returns up to three words.
func (w *searchWriter) text() string {
	var words []string
	for range w.r.IntN(4) {
		words = append(words, pick(w.r, searchWords...))
	}
	return strings.Join(words, " ")
}

// change draws what can be searched and filtered by; several have the same time.
func (w *searchWriter) change(f *workflows.Workflow) {
	f.Name, f.Description = w.text(), w.text()
	f.Status, f.TriggerType = pick(w.r, workflows.Active, workflows.Paused), pick(w.r, "api", "manual")
	f.Tags = pick(w.r, nil, []string{"a"}, []string{"b", "a", "b"}, []string{"ß"})
	w.clock += w.r.Int64N(2)
	f.UpdatedAt = time.UnixMilli(1_700_000_000_000 + w.clock).UTC()
}

// step makes, changes or deletes a workflow.
func (w *searchWriter) step(ctx context.Context) error {
	t := w.r.IntN(2)
	tenant := fmt.Sprint("t", t)
	n := len(w.ids[t])
	if n < 5 || n < 40 && w.r.IntN(3) == 0 {
		w.made++
		f := workflows.Workflow{ID: fmt.Sprintf("wf_%d", w.made*7919%1000), TenantID: tenant, Slug: fmt.Sprint("slug-", w.made), LatestVersion: 1, ActiveVersion: 1, Revision: 1}
		w.change(&f)
		f.CreatedAt = f.UpdatedAt
		w.ids[t] = append(w.ids[t], f.ID)
		return w.db.CreateWorkflow(ctx, workflows.Revision{Workflow: f, Version: &workflows.NewVersion{Number: 1, Definition: json.RawMessage("{}"), Hash: "h", CreatedAt: f.CreatedAt}}, nil)
	}
	i := w.r.IntN(n)
	id := w.ids[t][i]
	if w.r.IntN(5) == 0 {
		w.ids[t] = append(w.ids[t][:i:i], w.ids[t][i+1:]...)
		return w.db.DeleteWorkflow(ctx, tenant, id, func(workflows.Workflow, bool) error { return nil })
	}
	_, err := w.db.Change(ctx, tenant, id, func(c workflows.Current) (workflows.Revision, error) {
		w.change(&c.Workflow)
		return workflows.Revision{Workflow: c.Workflow}, nil
	})
	return err
}

// searchQuery draws a query by text, with any of the filters.
func searchQuery(r *rand.Rand) workflows.Query {
	word := []rune(pick(r, append(searchWords, "slug-1", "\n", "none")...))
	q := workflows.Query{
		TenantID: pick(r, "t0", "t1", "t2"), Text: string(word[r.IntN(len(word)):]), Limit: 1 + r.IntN(5), Offset: pick(r, 0, 0, 1, 7), WantTotal: pick(r, true, false),
		Status: pick(r, "", workflows.Active), TriggerType: pick(r, "", "", "api"), Tag: pick(r, "", "", "a", "ß"),
	}
	if r.IntN(4) == 0 {
		for range r.IntN(20) {
			q.IDs = append(q.IDs, fmt.Sprintf("wf_%d", r.IntN(1000)))
		}
	}
	return q
}

// onTwoNodes runs a test with two handles of one database, as two nodes have them.
func onTwoNodes(t *testing.T, test func(t *testing.T, here, there *store.DB)) {
	t.Run("sqlite", func(t *testing.T) {
		url := "sqlite://" + filepath.Join(t.TempDir(), "heddle.db")
		test(t, open(t, url), open(t, url))
	})
	t.Run("postgres", func(t *testing.T) {
		url := storetest.Postgres(t)
		test(t, open(t, url), open(t, url))
	})
}

// A search by the index in memory finds what the tables have at the same moment, page by
// page, while another node changes workflows.
func TestSearchesInMemoryFindWhatTheTablesHave(t *testing.T) {
	onTwoNodes(t, func(t *testing.T, here, there *store.DB) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		w := &searchWriter{db: there, r: rand.New(rand.NewPCG(seed, 1))}
		ctx, cancel := context.WithCancel(t.Context())
		wrote := make(chan error, 1)
		go func() {
			for ctx.Err() == nil {
				if err := w.step(context.WithoutCancel(ctx)); err != nil {
					wrote <- err
					return
				}
			}
			wrote <- nil
		}()
		r := rand.New(rand.NewPCG(seed, 2))
		indexed, found := 0, 0
		for i := range 400 {
			if i%100 == 99 {
				here.LimitSearchMemory(64 << 20)
			}
			for q, pages := searchQuery(r), 0; pages < 4; pages++ {
				byIndex, byTables, ok, err := here.SearchTwice(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					continue
				}
				if indexed++; !reflect.DeepEqual(byIndex, byTables) {
					t.Fatalf("%+v:\n%+v by the index\n%+v by the tables", q, byIndex, byTables)
				}
				found += len(byIndex.Workflows)
				if q.Cursor = byIndex.Next; q.Cursor == "" {
					break
				}
			}
		}
		cancel()
		if err := <-wrote; err != nil {
			t.Fatal(err)
		}
		if indexed < 300 || found == 0 {
			t.Errorf("%d pages were searched in memory, with %d workflows", indexed, found)
		}
	})
}

// What another node has written is found by the next search, and what it deleted is not.
func TestASearchSeesWhatAnotherNodeWrote(t *testing.T) {
	onTwoNodes(t, func(t *testing.T, here, there *store.DB) {
		w := &searchWriter{db: there, r: rand.New(rand.NewPCG(1, 1))}
		live := map[string]bool{}
		for range 60 {
			if err := w.step(t.Context()); err != nil {
				t.Fatal(err)
			}
			page, err := here.Workflows(t.Context(), workflows.Query{TenantID: "t0", Text: "SLUG-", Limit: 100, WantTotal: true})
			if err != nil {
				t.Fatal(err)
			}
			clear(live)
			for _, f := range page.Workflows {
				live[f.ID] = true
			}
			for _, id := range w.ids[0] {
				if !live[id] || page.Total != len(w.ids[0]) {
					t.Fatalf("%v are there, found %d: %v", w.ids[0], page.Total, live)
				}
			}
		}
	})
}

// The indexes of all tenants keep within their memory, and a tenant that does not fit is
// searched in the tables.
func TestSearchMemoryIsBounded(t *testing.T) {
	onTwoNodes(t, func(t *testing.T, here, there *store.DB) {
		w := &searchWriter{db: there, r: rand.New(rand.NewPCG(2, 2))}
		for range 100 {
			if err := w.step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		look := func(tenant string) bool {
			_, _, indexed, err := here.SearchTwice(t.Context(), workflows.Query{TenantID: tenant, Text: "slug", Limit: 5})
			if err != nil {
				t.Fatal(err)
			}
			return indexed
		}
		look("t0")
		look("t1")
		all, tenants := here.SearchMemory()
		if all == 0 || tenants != 2 {
			t.Fatalf("%d bytes of %d tenants", all, tenants)
		}
		here.LimitSearchMemory(all - 1)
		for _, tenant := range []string{"t0", "t1", "t0"} {
			if !look(tenant) {
				t.Errorf("%s alone does not fit", tenant)
			}
			if n, tenants := here.SearchMemory(); n <= 0 || n >= all || tenants != 1 {
				t.Errorf("%d bytes of %d tenants are kept within %d", n, tenants, all-1)
			}
		}
		here.LimitSearchMemory(100)
		for range 2 {
			page, err := here.Workflows(t.Context(), workflows.Query{TenantID: "t0", Text: "slug", Limit: 100})
			if look("t0") || err != nil || len(page.Workflows) != len(w.ids[0]) {
				t.Errorf("found %d of %d, %v", len(page.Workflows), len(w.ids[0]), err)
			}
		}
	})
}
