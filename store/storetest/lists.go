package storetest

import (
	"encoding/json"
	"fmt"
	"heddle/definitions/workflows"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/store"
	"slices"
	"strings"
	"testing"
)

// listTests hold what lists promise: no gap and no repeat between pages, exact
// filters, and cursors of their own list only.
var listTests = map[string]func(*testing.T, *store.DB){
	"run list pages without gap or repeat":                     testRunPages,
	"run list filters":                                         testRunFilters,
	"run list with every combination of filters":               testRunFilterCombinations,
	"run list with random filters":                             RunFilters,
	"rows have what lists show":                                testRunRowDetails,
	"run list pages by start":                                  testRunPagesByStart,
	"run list refuses foreign cursors":                         testRunCursors,
	"workflow list pages without gap or repeat":                testWorkflowPages,
	"workflow list filters":                                    testWorkflowFilters,
	"workflow filters without an index, and the order by name": testWorkflowWalks,
	"workflow search":                                          testWorkflowSearch,
	"workflow list refuses foreign cursors":                    testWorkflowCursors,
}

// runIDs returns the ids of a page, in its order; never nil.
func runIDs(page executor.RunPage) []string {
	ids := []string{}
	for _, r := range page.Runs {
		ids = append(ids, r.RunID)
	}
	return ids
}

// testRunPages: pages hold every run once, newest first, though several runs share a
// millisecond and newer ones arrive between the pages.
func testRunPages(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	states := []machine.State{machine.Queued, machine.Running, machine.Completed}
	var want []string
	for i := range 25 {
		c := newRun(w, fmt.Sprintf("run_%02d", i), i/4)
		c.Row.State = states[i%3]
		commit(t, db, c)
		want = append(want, c.Row.RunID)
	}
	slices.Reverse(want)
	for name, q := range map[string]executor.RunQuery{
		"all":          {TenantID: "t1", Limit: 4},
		"workflow":     {TenantID: "t1", Workflows: []string{"wf_1"}, Limit: 4},
		"three states": {TenantID: "t1", States: states, Limit: 4},
	} {
		var got []string
		for page := 0; ; page++ {
			p, err := db.Runs(ctx, q)
			must(t, err)
			same(t, "total", p.Total, -1)
			got = append(got, runIDs(p)...)
			if p.Next == "" {
				break
			}
			q.Cursor = p.Next
			// A run that arrives between two pages is newer than the cursor, and not listed.
			commit(t, db, newRun(w, fmt.Sprintf("run_new_%s_%d", name, page), 1000+page))
		}
		got = slices.DeleteFunc(got, func(id string) bool { return len(id) > 6 })
		same(t, name, got, want)
	}
	// Nothing matches: a total of 0, and no cursor.
	q := executor.RunQuery{TenantID: "t1", States: states[:1], Limit: 3, Offset: 2, WantTotal: true, StartedBefore: at(0)}
	p, err := db.Runs(ctx, q)
	must(t, err)
	same(t, "nothing started", p, executor.RunPage{Runs: []executor.Record{}})
}

// testRunFilters: each filter selects exactly its runs, of the tenant alone; the total
// counts the whole list, whatever the offset. An empty list of workflows is none,
// a nil one all.
func testRunFilters(t *testing.T, db *store.DB) {
	one := create(t, db, revision("t1", "wf_1", "one", 1))
	two := create(t, db, revision("t1", "wf_2", "two", 1))
	other := create(t, db, revision("t2", "wf_3", "one", 1))
	a, b, c, d := newRun(one, "run_a", 1), newRun(one, "run_b", 2), newRun(two, "run_c", 3), newRun(other, "run_d", 4)
	b.Row.Trigger = "api"
	b.Row.StartedAt = at(10)
	c.Row.StartedAt = at(20)
	// a has not started, b has, c has started later and failed; d is another tenant's.
	c.Row.State = machine.Failed
	commit(t, db, a, b, c, d)
	for name, test := range map[string]struct {
		q    executor.RunQuery
		want []string
	}{
		"all":             {executor.RunQuery{}, []string{"run_c", "run_b", "run_a"}},
		"workflow":        {executor.RunQuery{Workflows: []string{"wf_1"}}, []string{"run_b", "run_a"}},
		"visible":         {executor.RunQuery{WorkflowIDs: []string{"wf_2", "wf_9"}}, []string{"run_c"}},
		"nothing visible": {executor.RunQuery{WorkflowIDs: []string{}}, []string{}},
		"state":           {executor.RunQuery{States: []machine.State{machine.Failed}}, []string{"run_c"}},
		"states":          {executor.RunQuery{States: []machine.State{machine.Failed, machine.Queued}}, []string{"run_c", "run_b", "run_a"}},
		"trigger":         {executor.RunQuery{Triggers: []string{"api"}}, []string{"run_b"}},
		"started after":   {executor.RunQuery{StartedAfter: at(10)}, []string{"run_c"}},
		"started before":  {executor.RunQuery{StartedBefore: at(20)}, []string{"run_b"}},
		"offset":          {executor.RunQuery{Offset: 1}, []string{"run_b", "run_a"}},
		"offset, states":  {executor.RunQuery{Offset: 1, States: []machine.State{machine.Failed, machine.Queued}}, []string{"run_b", "run_a"}},
	} {
		test.q.TenantID, test.q.Limit, test.q.WantTotal = "t1", 10, true
		p, err := db.Runs(ctx, test.q)
		must(t, err)
		same(t, name, append([]string{}, runIDs(p)...), test.want)
		same(t, name+": total", p.Total, len(test.want)+test.q.Offset)
		same(t, name+": next", p.Next, "")
	}
}

// testRunCursors: a cursor of another list, of another filter or none at all is
// invalid_request; another page size is the same list.
func testRunCursors(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	commit(t, db, newRun(w, "run_1", 1), newRun(w, "run_2", 2), newRun(w, "run_3", 3))
	p, err := db.Runs(ctx, executor.RunQuery{TenantID: "t1", Limit: 1})
	must(t, err)
	_, err = db.Runs(ctx, executor.RunQuery{TenantID: "t1", Limit: 2, Cursor: p.Next})
	must(t, err) // another page size is the same list
	for name, q := range map[string]executor.RunQuery{
		"junk":           {TenantID: "t1", Cursor: "?"},
		"not ours":       {TenantID: "t1", Cursor: "e30"},
		"other tenant's": {TenantID: "t2", Cursor: p.Next},
		"other filter's": {TenantID: "t1", Cursor: p.Next, Triggers: []string{"api"}},
		"other workflow": {TenantID: "t1", Cursor: p.Next, Workflows: []string{"wf_1"}},
		"cut":            {TenantID: "t1", Cursor: p.Next[:len(p.Next)-2]},
	} {
		q.Limit = 10
		_, err := db.Runs(ctx, q)
		if err == nil {
			t.Fatalf("%s: the cursor is accepted", name)
		}
		wantFault(t, err, fault.Malformed, "invalid_request")
	}
}

// slugs returns the slugs of a page, in its order; never nil.
func slugs(p workflows.Page) []string {
	list := []string{}
	for _, w := range p.Workflows {
		list = append(list, w.Slug)
	}
	return list
}

// testWorkflowPages: pages hold every workflow once, last changed first, with a tag
// and with a search, while newer ones arrive.
func testWorkflowPages(t *testing.T, db *store.DB) {
	var want []string
	for i := range 11 {
		rev := revision("t1", fmt.Sprintf("wf_%02d", i), fmt.Sprintf("s%02d", i), i/3)
		rev.Workflow.Tags = []string{"x", "y"}
		create(t, db, rev)
		want = append(want, rev.Workflow.Slug)
	}
	slices.Reverse(want)
	for name, q := range map[string]workflows.Query{
		"all": {TenantID: "t1", Limit: 3}, "tag": {TenantID: "t1", Tag: "x", Limit: 3}, "text": {TenantID: "t1", Text: "NAME OF s", Limit: 3},
	} {
		got := []string{}
		for page := 0; ; page++ {
			p, err := db.Workflows(ctx, q)
			must(t, err)
			got = append(got, slugs(p)...)
			if p.Next == "" {
				break
			}
			q.Cursor = p.Next
			// A workflow that arrives between two pages is before the cursor, and not listed.
			create(t, db, revision("t1", fmt.Sprintf("wf_new_%s_%d", name, page), fmt.Sprintf("new-%s-%d", name, page), 1000+page))
		}
		got = slices.DeleteFunc(got, func(slug string) bool { return len(slug) > 3 })
		same(t, name, got, want)
	}
}

// testWorkflowFilters: each filter selects exactly its workflows; the characters that
// LIKE knows stand for themselves.
func testWorkflowFilters(t *testing.T, db *store.DB) {
	for i, slug := range []string{"alpha", "beta_x", "betaxx"} {
		rev := revision("t1", "wf_"+slug, slug, i)
		rev.Workflow.Tags = []string{"all", slug}
		rev.Workflow.Description = "100% of " + slug
		// The one in the middle differs in status and trigger.
		if i == 1 {
			rev.Workflow.Status, rev.Workflow.TriggerType = workflows.Draft, "api"
		}
		create(t, db, rev)
	}
	create(t, db, revision("t2", "wf_z", "alpha", 9))
	for name, test := range map[string]struct {
		q    workflows.Query
		want []string
	}{
		"all":             {workflows.Query{}, []string{"betaxx", "beta_x", "alpha"}},
		"status":          {workflows.Query{Status: workflows.Draft}, []string{"beta_x"}},
		"trigger":         {workflows.Query{TriggerType: "api"}, []string{"beta_x"}},
		"tag":             {workflows.Query{Tag: "alpha"}, []string{"alpha"}},
		"tag and status":  {workflows.Query{Tag: "all", Status: workflows.Active}, []string{"betaxx", "alpha"}},
		"unknown tag":     {workflows.Query{Tag: "al"}, []string{}},
		"underscore":      {workflows.Query{Text: "a_x"}, []string{"beta_x"}},
		"percent":         {workflows.Query{Text: "0% of B"}, []string{"betaxx", "beta_x"}},
		"backslash":       {workflows.Query{Text: `\`}, []string{}},
		"visible":         {workflows.Query{IDs: []string{"wf_alpha", "wf_z"}}, []string{"alpha"}},
		"nothing visible": {workflows.Query{IDs: []string{}}, []string{}},
		"offset":          {workflows.Query{Offset: 2}, []string{"alpha"}},
	} {
		test.q.TenantID, test.q.Limit, test.q.WantTotal = "t1", 10, true
		p, err := db.Workflows(ctx, test.q)
		must(t, err)
		same(t, name, slugs(p), test.want)
		same(t, name+": total", p.Total, len(test.want)+test.q.Offset)
	}
}

// testWorkflowWalks: further tags, the template, health and the order by name select and order, with
// the other filters and over several pages.
func testWorkflowWalks(t *testing.T, db *store.DB) {
	for i, slug := range []string{"delta", "Alpha", "charlie", "bravo", "bravo2"} {
		rev := revision("t1", "wf_"+fmt.Sprint(i), strings.ToLower(slug), i)
		rev.Workflow.Name, rev.Workflow.Tags = slug, []string{"all"}
		if i%2 == 0 {
			rev.Workflow.Tags = append(rev.Workflow.Tags, "even")
		}
		if i == 4 {
			rev.Workflow.Name, rev.Workflow.Status = "BRAVO", workflows.Draft
		}
		if i < 2 {
			rev.Origin = &workflows.Origin{TemplateID: "tpl_1", Version: 1, Name: "T", Parameters: json.RawMessage(`{}`), Definition: json.RawMessage(`{}`)}
		}
		w := create(t, db, rev)
		c := started(newRun(w, "run_"+fmt.Sprint(i), 10))
		commit(t, db, c)
		if i == 1 || i == 3 {
			commit(t, db, ending(c, events.RunFailed, machine.Failed, 20))
		} else {
			commit(t, db, ending(c, events.RunCompleted, machine.Completed, 20))
		}
	}
	for _, test := range []struct {
		want string
		q    workflows.Query
	}{
		{"13420", workflows.Query{Order: workflows.ByName}},
		{"1320", workflows.Query{Order: workflows.ByName, Status: workflows.Active}},
		{"420", workflows.Query{Tag: "all", AlsoTags: []string{"even"}}},
		{"", workflows.Query{Tag: "all", AlsoTags: []string{"even", "none"}}},
		{"42", workflows.Query{Order: workflows.ByName, Tag: "even", IDs: []string{"wf_2", "wf_3", "wf_4"}}},
		{"10", workflows.Query{TemplateID: "tpl_1"}},
		{"10", workflows.Query{TemplateID: "tpl_1", Order: workflows.ByName}},
		{"0", workflows.Query{TemplateID: "tpl_1", Tag: "even"}},
		{"", workflows.Query{TemplateID: "tpl_2"}},
		{"31", workflows.Query{Health: workflows.Failing}},
		{"13", workflows.Query{Health: workflows.Failing, Order: workflows.ByName}},
		{"3", workflows.Query{Health: workflows.Failing, Text: "BRAVO"}},
		{"34", workflows.Query{Order: workflows.ByName, Text: "bravo"}},
	} {
		var got strings.Builder
		for test.q.TenantID, test.q.Limit = "t1", 2; ; {
			p, err := db.Workflows(ctx, test.q)
			must(t, err)
			for _, w := range p.Workflows {
				got.WriteString(w.ID[len("wf_"):])
			}
			if test.q.Cursor = p.Next; p.Next == "" {
				break
			}
		}
		same(t, fmt.Sprintf("%+v", test.q), got.String(), test.want)
	}
	p, err := db.Workflows(ctx, workflows.Query{TenantID: "t1", Order: workflows.ByName, Limit: 2, Offset: 1, WantTotal: true})
	must(t, err)
	same(t, "by offset", fmt.Sprint(slugs(p), p.Total), "[bravo bravo2] 5")
	_, err = db.Workflows(ctx, workflows.Query{TenantID: "t1", Health: workflows.Failing, Limit: 2, Offset: 1})
	wantFault(t, err, fault.Malformed, "invalid_request")
}

// testWorkflowSearch holds what a search finds, in any script and case.
func testWorkflowSearch(t *testing.T, db *store.DB) {
	texts := map[string]string{
		"strasse": "Straße 100%", "odysseus": "ΟΔΥΣΣΕΥΣ", "moscow": "МОСКВА и Ёлка", "istanbul": "İstanbul", "cafe": "Cafe\u0301 CRÈME", "ascii": "Plain_Text",
	}
	for i, slug := range []string{"strasse", "odysseus", "moscow", "istanbul", "cafe", "ascii"} {
		rev := revision("t1", "wf_"+slug, "s-"+slug, i)
		rev.Workflow.Name, rev.Workflow.Description = texts[slug], "of "+texts[slug]
		create(t, db, rev)
	}
	for q, want := range map[string]string{
		"STRASSE": "strasse", "straße": "strasse", "STRAẞE": "strasse", "0%": "strasse", "οδυσσευς": "odysseus", "ΔΥΣ": "odysseus", "οδυσσευσ": "odysseus",
		"москва": "moscow", "Москва И": "moscow", "ёлка": "moscow", "İSTANBUL": "istanbul", "i\u0307stanbul": "istanbul", "CAFÉ": "cafe", "cafe\u0301": "cafe",
		"crème": "cafe", "PLAIN_t": "ascii", "plainxt": "", "S-ASCII": "ascii", "cafe c": "",
	} {
		p, err := db.Workflows(ctx, workflows.Query{TenantID: "t1", Text: q, Limit: 10})
		must(t, err)
		found := slugs(p)
		if want == "" && len(found) != 0 || want != "" && (len(found) != 1 || found[0] != "s-"+want) {
			t.Errorf("q=%s finds %v, want %q", q, found, want)
		}
	}
}

// testWorkflowCursors: a cursor of another list is invalid_request.
func testWorkflowCursors(t *testing.T, db *store.DB) {
	create(t, db, revision("t1", "wf_1", "one", 1))
	create(t, db, revision("t1", "wf_2", "two", 2))
	p, err := db.Workflows(ctx, workflows.Query{TenantID: "t1", Limit: 1})
	must(t, err)
	for _, q := range []workflows.Query{
		{TenantID: "t1", Cursor: "x"}, {TenantID: "t2", Cursor: p.Next}, {TenantID: "t1", Cursor: p.Next, Tag: "x"},
	} {
		q.Limit = 10
		_, err := db.Workflows(ctx, q)
		wantFault(t, err, fault.Malformed, "invalid_request")
	}
}
