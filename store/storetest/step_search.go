package storetest

import (
	"encoding/json"
	"heddle/definitions/validation"
	"heddle/definitions/workflows"
	"heddle/store"
	"strings"
	"testing"
)

// stepSearchTests hold by what steps are found.
var stepSearchTests = map[string]func(*testing.T, *store.DB){
	"steps are found in active versions alone":  testFindSteps,
	"steps of earlier workflows are filled in":  testFillSteps,
	"steps are found within what may be viewed": testFindViewableSteps,
	"steps that many words find are found once": testFindStepsOnce,
}

// withSteps is a definition whose steps have these ids, each with the name behind a colon.
func withSteps(steps string) json.RawMessage {
	var list []string
	for step := range strings.SplitSeq(steps, ",") {
		id, name, _ := strings.Cut(step, ":")
		list = append(list, `{"id":"`+id+`","name":"`+name+`","type":"wait"}`)
	}
	return json.RawMessage(`{"name":"N","steps":[` + strings.Join(list, ",") + `]}`)
}

// stepping makes a workflow whose first version has these steps.
func stepping(tenant, id, steps string) workflows.Revision {
	rev := revision(tenant, id, "slug-"+id, 1)
	rev.Version.Definition = withSteps(steps)
	return rev
}

// stepsBy returns the steps that a text finds, as "workflow step".
func stepsBy(t *testing.T, db *store.DB, tenant, text string, viewable []string, limit int) string {
	t.Helper()
	found, err := db.FindSteps(ctx, tenant, text, viewable, limit)
	must(t, err)
	var list []string
	for _, s := range found {
		list = append(list, strings.TrimPrefix(s.Slug, "slug-")+" "+s.ID)
	}
	return strings.Join(list, ", ")
}

// testFindSteps: a publication and a rollback change which steps are found; an inactive version's
// are not, nor those of a deleted workflow.
func testFindSteps(t *testing.T, db *store.DB) {
	by := func(text string) string { return stepsBy(t, db, "t1", text, nil, 9) }
	create(t, db, stepping("t1", "wf_1", "send_mail:Tell Ann,pay"))
	create(t, db, stepping("t2", "wf_2", "send_mail"))
	same(t, "by id", by("send"), "wf_1 send_mail")
	same(t, "by a later word of the id", by("MAIL"), "wf_1 send_mail")
	same(t, "by name", by("ann"), "wf_1 send_mail")
	same(t, "inside of a word", by("end"), "")
	save := func(number int, steps string, active int) {
		t.Helper()
		_, err := db.Change(ctx, "t1", "wf_1", func(c workflows.Current) (workflows.Revision, error) {
			c.Workflow.ActiveVersion = active
			rev := workflows.Revision{Workflow: c.Workflow}
			if number > 0 {
				rev.Workflow.LatestVersion = number
				rev.Version = &workflows.NewVersion{Number: number, Definition: withSteps(steps), Hash: steps, CreatedAt: at(number)}
			}
			return rev, nil
		})
		must(t, err)
	}
	save(2, "send_mail:Tell Bob,refund", 1)
	same(t, "a version that is not active", by("refund"), "")
	save(0, "", 2)
	same(t, "after a publication", by("refund"), "wf_1 refund")
	same(t, "what is gone", by("pay")+by("ann"), "")
	same(t, "what has another name", by("bob"), "wf_1 send_mail")
	save(0, "", 1)
	same(t, "after a rollback", by("pay")+by("refund"), "wf_1 pay")
	must(t, db.DeleteWorkflow(ctx, "t1", "wf_1", func(workflows.Workflow, bool) error { return nil }))
	same(t, "after its end", by("send"), "")
}

// testFillSteps: the steps of workflows that wait are found once they are filled in.
func testFillSteps(t *testing.T, db *store.DB) {
	create(t, db, stepping("t1", "wf_1", "send_mail"))
	must(t, db.ForgetSteps(ctx))
	must(t, db.AwaitUses(ctx))
	same(t, "before", stepsBy(t, db, "t1", "send", nil, 9), "")
	db.KeepUses(func(json.RawMessage) []validation.Use { return nil })
	must(t, db.FillUses(ctx))
	must(t, db.FillUses(ctx))
	same(t, "after", stepsBy(t, db, "t1", "send", nil, 9), "wf_1 send_mail")
}

// testFindViewableSteps: a list of workflows restricts, and another tenant's are not among them.
func testFindViewableSteps(t *testing.T, db *store.DB) {
	for _, id := range []string{"wf_1", "wf_2", "wf_3"} {
		create(t, db, stepping("t1", id, "send"))
	}
	create(t, db, stepping("t2", "wf_4", "send"))
	same(t, "all", stepsBy(t, db, "t1", "send", nil, 9), "wf_1 send, wf_2 send, wf_3 send")
	same(t, "a page", stepsBy(t, db, "t1", "send", nil, 2), "wf_1 send, wf_2 send")
	same(t, "some", stepsBy(t, db, "t1", "se", []string{"wf_3", "wf_4", "wf_1"}, 9), "wf_1 send, wf_3 send")
	same(t, "none", stepsBy(t, db, "t1", "send", []string{}, 9), "")
}

// testFindStepsOnce: of steps that several words find, as many are found as are wanted.
func testFindStepsOnce(t *testing.T, db *store.DB) {
	create(t, db, stepping("t1", "wf_1", "a_a1_a2_a3_a4:A b a c a d a e,a_b:A c a d"))
	same(t, "once", stepsBy(t, db, "t1", "a", nil, 2), "wf_1 a_a1_a2_a3_a4, wf_1 a_b")
}
