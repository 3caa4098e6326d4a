package access_test

import (
	"heddle/access"
	"slices"
	"testing"
)

func TestCanByRole(t *testing.T) {
	all := []access.Action{access.View, access.Edit, access.Execute, access.Operate, access.Admin}
	for role, want := range map[access.Role]string{
		access.RoleViewer:   "+----",
		access.RoleEditor:   "+++--",
		access.RoleOperator: "+-++-",
		access.RoleAdmin:    "+++++",
		access.RoleNone:     "-----",
		"owner":             "-----",
		"":                  "-----",
	} {
		p := access.Principal{Role: role}
		for i, a := range all {
			if got := access.Can(p, a, "wf_1"); got != (want[i] == '+') {
				t.Errorf("role %q: Can(%s) = %v", role, a, got)
			}
		}
	}
}

func TestGrantsHoldForTheirWorkflowOnly(t *testing.T) {
	p := access.Principal{Role: access.RoleNone, Grants: []access.Grant{
		{WorkflowID: "wf_1", Actions: []access.Action{access.View, access.Execute}},
		{WorkflowID: "wf_2", Actions: []access.Action{access.Edit}},
	}}
	for _, c := range []struct {
		action   access.Action
		workflow string
		want     bool
	}{
		{access.View, "wf_1", true},
		{access.Execute, "wf_1", true},
		{access.Edit, "wf_1", false},
		{access.Edit, "wf_2", true},
		{access.View, "wf_2", false},
		{access.View, "wf_3", false},
		{access.View, "", false},
	} {
		if got := access.Can(p, c.action, c.workflow); got != c.want {
			t.Errorf("Can(%s, %q) = %v", c.action, c.workflow, got)
		}
	}
	if ids := access.ViewableWorkflows(p); len(ids) != 1 || ids[0] != "wf_1" {
		t.Errorf("Viewable = %v", ids)
	}
}

func TestViewable(t *testing.T) {
	if access.ViewableWorkflows(access.Principal{Role: access.RoleViewer}) != nil {
		t.Error("a viewer sees all: nil")
	}
	if ids := access.ViewableWorkflows(access.Principal{Role: access.RoleNone}); ids == nil || len(ids) != 0 {
		t.Errorf("no role and no grants see nothing: empty, not %v", ids)
	}
}

// TestWhoMayExecuteMayAnswer: the one action that another implies, by role and by grant; a grant of
// answer alone allows nothing else.
func TestWhoMayExecuteMayAnswer(t *testing.T) {
	p := access.Principal{Role: access.RoleNone, Grants: []access.Grant{
		{WorkflowID: "wf_1", Actions: []access.Action{access.Execute}}, {WorkflowID: "wf_2", Actions: []access.Action{access.Answer}}, {WorkflowID: "wf_3", Actions: []access.Action{access.View}},
	}}
	if !access.Can(p, access.Answer, "wf_1") || !access.Can(p, access.Answer, "wf_2") || access.Can(p, access.Answer, "wf_3") || access.Can(p, access.Execute, "wf_2") || access.Can(p, access.View, "wf_2") {
		t.Error("answer follows execute, and nothing follows answer")
	}
	if ids := access.WorkflowsFor(p, access.Answer); !slices.Equal(ids, []string{"wf_1", "wf_2"}) {
		t.Errorf("it may answer in %v", ids)
	}
	if access.WorkflowsFor(access.Principal{Role: access.RoleOperator}, access.View, access.Answer) != nil {
		t.Error("an operator may answer everywhere: nil")
	}
}

func TestDeniedNamesVerbAndObject(t *testing.T) {
	err := access.Denied(access.Execute, "workflow:checkout-flow")
	if err.Message != "Principal lacks execute on workflow:checkout-flow." || err.Code != "acl_denied" {
		t.Errorf("%v", err)
	}
}

// TestPermittedIsWhatCanAllows: the list that clients see and the decision of a request agree, for
// every role and grant.
func TestPermittedIsWhatCanAllows(t *testing.T) {
	grants := []access.Grant{
		{WorkflowID: "wf_1", Actions: []access.Action{access.Operate, access.Execute}},
		{WorkflowID: "wf_2", Actions: []access.Action{access.View}},
	}
	for _, role := range []access.Role{access.RoleViewer, access.RoleEditor, access.RoleOperator, access.RoleAdmin, access.RoleNone, "owner"} {
		p := access.Principal{Role: role, Grants: grants}
		for _, workflow := range []string{"wf_1", "wf_2", "wf_3", ""} {
			want := []access.Action{}
			for _, a := range []access.Action{access.View, access.Edit, access.Execute, access.Answer, access.Operate, access.Admin} {
				if access.Can(p, a, workflow) && (a != access.Admin || workflow == "") {
					want = append(want, a)
				}
			}
			if got := access.Permitted(p, workflow); got == nil || !slices.Equal(got, want) {
				t.Errorf("role %q on %q: %v, want %v", role, workflow, got, want)
			}
		}
	}
}
