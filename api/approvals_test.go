package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// consent asks one of two people, with what they need to know.
const consent = `{"name":"Consent","steps":[{"id":"ask","name":"Ask","type":"wait","config":{"timeout_seconds":3600,"on_timeout":"continue","signal":{"name":"ok","prompt":"Pay {{ input.sum }}?",` +
	`"context":{"sum":"{{ input.sum }}","by":"run {{ run.id }}"},"choices":["yes","no"],"assignees":["{{ input.boss }}"]}}}]}`

const approvalsPath = "/api/workflows/approvals"

// approval waits until an approval of the run has a status, and returns it.
func (s *stack) approval(runID, status string) response {
	s.t.Helper()
	id := ""
	s.eventually("an approval of "+runID+" is "+status, func() bool {
		list := s.get(approvalsPath+"?q="+runID+"&status="+status).want(s.t, http.StatusOK)
		if len(list.field(s.t, "approvals").([]any)) > 0 {
			id = list.text(s.t, "approvals", 0, "id")
		}
		return id != ""
	})
	return s.get(approvalsPath+"/"+id).want(s.t, http.StatusOK)
}

// grantee makes a key without a role that is granted actions on a workflow.
func (s *stack) grantee(name, workflow, actions string) string {
	s.t.Helper()
	made := s.post("/v1/keys", `{"name":"`+name+`","role":"none"}`).want(s.t, http.StatusCreated)
	s.do(request{method: "PUT", path: "/v1/grants", body: `{"key_id":"` + made.text(s.t, "id") + `","workflow":"` + workflow + `","actions":[` + actions + `]}`}).want(s.t, http.StatusOK)
	return made.text(s.t, "key")
}

// An approver needs the action answer alone: it sees what it is asked, answers once, and the
// run goes on with its answer.
func TestAnApproverAnswersAndSeesNothingElse(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		wf := s.create(consent, `"slug":"consent"`)
		run := s.start(wf, `{"input_data":{"sum":9007199254740993,"boss":"ann"}}`)
		open := s.approval(run, "open")
		id := open.text(t, "approval", "id")
		for _, want := range []string{
			`"context":{"by":"run ` + run + `","sum":9007199254740993}`, `"choices":["yes","no"]`, `"assignees":["ann"]`, `"prompt":"Pay 9007199254740993?"`, `"on_timeout":"continue"`,
			`"schema":{"enum":["yes","no"]}`, `"step_name":"Ask"`, `"can_answer":true`,
		} {
			if !strings.Contains(open.body, want) {
				t.Errorf("the approval lacks %s: %s", want, open.body)
			}
		}
		ann, bob := s.grantee("ann", wf, `"answer"`), s.grantee("bob", wf, `"answer"`)
		as := func(key, method, path, body string) response {
			return s.do(request{method: method, path: path, body: body, key: key})
		}
		as(ann, "GET", "/api/workflows/runs/"+run, "").wantCode(t, http.StatusForbidden, "acl_denied")
		for key, want := range map[string]string{ann: `{"open":1,"mine":1,"mine_capped":false}`, bob: `{"open":1,"mine":0,"mine_capped":false}`} {
			if got := as(key, "GET", approvalsPath+"/count", ""); strings.TrimSpace(got.body) != want {
				t.Errorf("counted %s, want %s", got.body, want)
			}
		}
		if got := as(bob, "GET", approvalsPath+"?mine=true", ""); got.field(t, "total_open") != jsonNumber(1) || len(got.field(t, "approvals").([]any)) != 0 {
			t.Errorf("bob is asked %s", got.body)
		}
		path := approvalsPath + "/" + id + "/answer"
		as(bob, "POST", path, `{"payload":"yes"}`).wantCode(t, http.StatusForbidden, "not_assigned")
		as(s.grantee("eve", wf, `"view"`), "POST", path, `{"payload":"yes"}`).wantCode(t, http.StatusForbidden, "acl_denied")
		as(s.tenant("other"), "POST", path, `{"payload":"yes"}`).wantCode(t, http.StatusNotFound, "approval_not_found")
		bad := as(ann, "POST", path, `{"payload":"maybe"}`).wantCode(t, http.StatusUnprocessableEntity, "invalid_payload")
		if len(bad.field(t, "diagnostics").([]any)) == 0 {
			t.Errorf("no places: %s", bad.body)
		}
		first := s.do(request{method: "POST", path: path, body: `{"payload":"yes","comment":"Seen."}`, key: ann, header: map[string]string{"Idempotency-Key": "k1"}}).want(t, http.StatusOK)
		again := s.do(request{method: "POST", path: path, body: `{"comment":"Seen.","payload":"yes"}`, key: ann, header: map[string]string{"Idempotency-Key": "k1"}}).want(t, http.StatusOK)
		if again.header.Get("Idempotency-Replayed") != "true" || first.header.Get("Idempotency-Replayed") != "" {
			t.Errorf("replayed: %q, %q", first.header, again.header)
		}
		if first.text(t, "approval", "answered_by", "name") != "ann" || first.text(t, "approval", "comment") != "Seen." || first.text(t, "approval", "payload") != "yes" {
			t.Errorf("answered: %s", first.body)
		}
		late := s.post(path, `{"payload":"no"}`).wantCode(t, http.StatusConflict, "approval_closed")
		if late.text(t, "answered_by", "name") != "ann" {
			t.Errorf("too late: %s", late.body)
		}
		if got := s.until(run, "completed"); !strings.Contains(got.body, `"payload":"yes"`) {
			t.Errorf("the run has %s", got.body)
		}
		if audit := s.get("/v1/audit?action=approval.answer").want(t, http.StatusOK); len(audit.field(t, "entries").([]any)) != 1 || audit.text(t, "entries", 0, "reason") != "Seen." {
			t.Errorf("audited %s", audit.body)
		}
	})
}

// Of many answers at once one counts; everyone else is told whose.
func TestOneOfManyAnswersCounts(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		run := s.start(s.create(asks, ""), "")
		path := approvalsPath + "/" + s.approval(run, "open").text(t, "approval", "id") + "/answer"
		got := make(chan response, 8)
		for range cap(got) {
			go func() { got <- s.post(path, `{"payload":{"approved":true}}`) }()
		}
		won := 0
		for range cap(got) {
			if r := <-got; r.status == http.StatusOK {
				won++
			} else {
				r.wantCode(t, http.StatusConflict, "approval_closed")
			}
		}
		if won != 1 {
			t.Errorf("%d answers won", won)
		}
	})
}

// Whatever ends a wait closes its approval: another dialect's signal with its sender, a
// cancelled run, the time that is over; and a paused run's is closed by the answer itself.
func TestEveryEndOfAWaitClosesItsApproval(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(asks, `"slug":"asks"`)
		s.create(`{"name":"Late","steps":[{"id":"ask","type":"wait","config":{"signal":{"name":"go"},"timeout_seconds":0.01}}]}`, `"slug":"late"`)
		s.approval(s.start("late", ""), "expired")

		run := s.start("asks", "")
		s.approval(run, "open")
		s.do(request{method: "POST", path: "/v1/runs/" + run + "/signals/approve", body: `{"payload":{"approved":true}}`, key: s.key("operator")}).want(t, http.StatusAccepted)
		if got := s.approval(run, "answered"); got.text(t, "approval", "answered_by", "name") != "operator key" {
			t.Errorf("answered by a signal: %s", got.body)
		}

		run = s.start("asks", "")
		id := s.approval(run, "open").text(t, "approval", "id")
		s.post("/api/workflows/runs/"+run+"/cancel", "").want(t, http.StatusOK)
		s.approval(run, "cancelled")
		s.post(approvalsPath+"/"+id+"/answer", `{"payload":{"approved":true}}`).wantCode(t, http.StatusConflict, "approval_closed")

		run = s.start("asks", "")
		id = s.approval(run, "open").text(t, "approval", "id")
		s.post("/api/workflows/runs/"+run+"/pause", "").want(t, http.StatusAccepted)
		s.until(run, "paused")
		s.post(approvalsPath+"/"+id+"/answer", `{"payload":{"approved":false}}`).want(t, http.StatusOK)
		s.post(approvalsPath+"/"+id+"/answer", `{"payload":{"approved":true}}`).wantCode(t, http.StatusConflict, "approval_closed")
		s.post("/api/workflows/runs/"+run+"/resume", "").want(t, http.StatusAccepted)
		if got := s.until(run, "completed"); !strings.Contains(got.body, `"approved":false`) {
			t.Errorf("the run has %s", got.body)
		}
		if n, err := s.db.WrongApprovalCounts(t.Context()); n != 0 || err != nil {
			t.Errorf("%d counters are wrong, %v", n, err)
		}
		if got := s.get(approvalsPath + "/count"); !strings.HasPrefix(got.body, `{"open":0,"mine":0`) {
			t.Errorf("left open: %s", got.body)
		}
	})
}

// What a definition shows an approver is redacted like every output.
func TestTheContextOfAnApprovalHoldsNoSecret(t *testing.T) {
	s := newStack(t)
	s.do(request{method: "PUT", path: "/v1/secrets/TOKEN", body: `{"value":"a value of a secret"}`}).want(t, http.StatusNoContent)
	s.post("/api/workflows", `{"definition":{"name":"Leak","steps":[{"id":"ask","type":"wait","config":{"signal":{"name":"ok","context":{"t":"{{ secrets.TOKEN }}"}}}}]}}`).
		wantCode(t, http.StatusUnprocessableEntity, "invalid_definition")
}

// Filters that cannot be are refused.
func TestAListOfApprovalsRefusesWhatItDoesNotKnow(t *testing.T) {
	s := newStack(t)
	for _, query := range []string{"status=waiting", "order=closed", "mine=1", "q=apr_1", "cursor=x", "stat=open"} {
		s.get(approvalsPath+"?"+query).wantCode(t, http.StatusBadRequest, "invalid_request")
	}
	s.get(approvalsPath+"?workflow=none").wantCode(t, http.StatusNotFound, "workflow_not_found")
}
