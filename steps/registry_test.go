package steps_test

import (
	"encoding/json"
	"fmt"
	"heddle/definitions"
	"heddle/definitions/schemas"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/executor"
	"heddle/fault"
	"heddle/steps"
	"strings"
	"testing"
)

var (
	_ definitions.Catalog = (*steps.Registry)(nil)
	_ executor.Runner     = (*steps.Registry)(nil)
)

// machinePerforms are the types whose configs definitions declares.
var machinePerforms = map[string]bool{"condition": true, "loop": true, "wait": true}

func TestRegistryHasTheSevenTypes(t *testing.T) {
	r := open(t, "")
	if got := strings.Join(r.Names(), " "); got != "agent_task condition http_request loop script wait webhook" {
		t.Errorf("names %s", got)
	}
	for _, name := range r.Names() {
		st, ok := r.StepType(name)
		if !ok {
			t.Fatalf("%s is not there", name)
		}
		if raw := st.ConfigSchema(); machinePerforms[name] != (raw == nil) {
			t.Errorf("%s: config schema %s", name, raw)
		} else if _, err := schemas.NewChecker(raw); raw != nil && err != nil {
			t.Errorf("%s: config schema: %v", name, err)
		}
		if _, err := schemas.NewChecker(st.OutputSchema(json.RawMessage("{}"))); err != nil {
			t.Errorf("%s: output schema: %v", name, err)
		}
	}
	if _, ok := r.StepType("teleport"); ok {
		t.Error("a type that is none was found")
	}
}

func TestOutputsMeetTheirSchemas(t *testing.T) {
	url, _ := receiver(t, 200)
	_, r := withModel(t, `{"sum":4}`)
	for name, config := range map[string]string{
		"http_request": `{"url":` + quoted(url) + `}`,
		"webhook":      `{"url":` + quoted(url) + `,"event":"e"}`,
		"script":       `{"script":"echo 1"}`,
		"agent_task":   sumTask,
	} {
		res, f := attempt(t, r, name, config)
		if f != nil {
			t.Errorf("%s: %+v", name, f)
			continue
		}
		st, _ := r.StepType(name)
		checker, err := schemas.NewChecker(st.OutputSchema(json.RawMessage(config)))
		if err != nil {
			t.Fatal(err)
		}
		if issues := checker.Check(res.Output); len(issues) > 0 {
			t.Errorf("%s: %s: %v", name, res.Output, issues)
		}
	}
}

func TestRunRefusesWhatItCannotPerform(t *testing.T) {
	r := open(t, "")
	for _, name := range []string{"condition", "loop", "wait"} {
		fail(t, r, name, `{}`, "not_performable", true)
	}
	fail(t, r, "teleport", `{}`, "unknown_step_type", true)
	for name, config := range map[string]string{
		"http_request": `{"url":"http://example.com","colour":1}`,
		"script":       `{"script":7}`,
		"webhook":      `[]`,
		"agent_task":   `{"agent_id":"a","max_tokens":"many"}`,
	} {
		fail(t, r, name, config, "invalid_config", true)
	}
	fail(t, r, "http_request", `{"url":"http://example.com","body":1,"raw":"x"}`, "invalid_config", true)
	fail(t, r, "http_request", `{"url":"http://example.com","headers":{"Content-Length":"1"}}`, "invalid_config", true)
	fail(t, r, "http_request", `{"url":"http://example.com","headers":{"X-A":"a\nb"}}`, "invalid_config", true)
	fail(t, r, "http_request", `{"url":"http://example.com","method":"TRACE"}`, "invalid_config", true)
}

// validate checks a definition of one step.
func validate(t *testing.T, typeName, config string) []fault.Issue {
	t.Helper()
	src := fmt.Sprintf(`{"name":"n","input":{"type":"object"},"steps":[{"id":"s","type":%q,"config":%s}]}`, typeName, config)
	_, found := validation.Check([]byte(src), source.JSON, open(t, ""))
	return found
}

func TestConfigsAreChecked(t *testing.T) {
	tests := []struct{ typeName, config, code, pointer string }{
		{"http_request", `{"url":"https://example.com/{{ input.a }}"}`, "", ""},
		{"http_request", `{"url":"{{ input.url }}","expect_status":"{{ input.s }}","follow_redirects":"{{ input.f }}"}`, "", ""},
		{"http_request", `{"url":"example.com"}`, "invalid_value", "/url"},
		{"http_request", `{"url":"http://x.example/","auth":{"type":"bearer","token":"t","username":"u"}}`, "invalid_value", "/auth/username"},
		{"http_request", `{"url":"http://x.example/","auth":{"type":"basic","username":"u","password":"p","token":"t"}}`, "invalid_value", "/auth/token"},
		{"http_request", `{"url":"http://x.example/","auth":{"type":"header","name":"X-A","value":"v","password":"p"}}`, "invalid_value", "/auth/password"},
		{"http_request", `{"url":"http://x.example/","auth":{"type":"bearer","token":"Bearer {{ secrets.A }}"}}`, "invalid_value", "/auth/token"},
		{"http_request", `{"url":"http://x.example/","headers":{"X-A":"a\u0001b"}}`, "invalid_value", "/headers/X-A"},
		{"http_request", `{"url":"http://x.example/","headers":{"X-A":"a\u007f"}}`, "invalid_value", "/headers/X-A"},
		{"http_request", `{"url":"http://x.example/","headers":{"X-A":"a\tb"}}`, "", ""},
		{"http_request", `{"url":"http://x.example/","headers":{"":"x"}}`, "invalid_value", "/headers/"},
		{"http_request", `{"url":"http://x.example/","method":"POST","form":{"a":"1"},"headers":{"content-type":"application/json"}}`, "invalid_value", "/form"},
		{"http_request", `{"url":"http://x.example/","method":"POST","form":{"a":"1"},"headers":{"content-type":"application/x-www-form-urlencoded; charset=utf-8"}}`, "", ""},
		{"script", `{"script":"#!/bin/bash\necho","language":"python"}`, "invalid_value", "/script"},
		{"script", `{"script":"#!/usr/bin/env python3\nprint()","language":"bash"}`, "invalid_value", "/script"},
		{"script", `{"script":"#!/usr/bin/env -S python3 -u\nprint()","language":"python"}`, "", ""},
		{"script", `{"script":"#!/bin/sh\necho","language":"bash"}`, "", ""},
		{"script", `{"script":"\n#!/bin/bash\necho"}`, "invalid_value", "/script"},
		{"script", `{"script":"# a\n#!/bin/bash\necho"}`, "", ""},
		{"http_request", `{"url":"ftp://example.com/{{ input.a }}"}`, "invalid_value", "/url"},
		{"http_request", `{"url":"http://"}`, "invalid_value", "/url"},
		{"http_request", `{"url":"http://u:p@example.com"}`, "invalid_value", "/url"},
		{"http_request", `{}`, "missing_field", ""},
		{"http_request", `{"url":"http://example.com","metod":"GET"}`, "unknown_field", "/metod"},
		{"http_request", `{"url":"http://example.com","method":"FETCH"}`, "invalid_value", "/method"},
		{"http_request", `{"url":"http://example.com","expect_status":"2xx"}`, "invalid_value", "/expect_status"},
		{"http_request", `{"url":"http://example.com","expect_status":[200,"300-200"]}`, "invalid_value", "/expect_status"},
		{"http_request", `{"url":"http://example.com","expect_status":[200,"300-302"]}`, "", ""},
		{"http_request", `{"url":"http://example.com","body":{},"form":{}}`, "invalid_value", "/form"},
		{"http_request", `{"url":"http://example.com","auth":{"type":"bearer"}}`, "missing_field", "/auth"},
		{"http_request", `{"url":"http://example.com","headers":{"Host":"x"}}`, "invalid_value", "/headers/Host"},
		{"http_request", `{"url":"http://example.com","headers":{"a b":"x"}}`, "invalid_value", "/headers/a b"},
		{"http_request", `{"url":"http://example.com","headers":{"X-A":"1","x-a":"2"}}`, "invalid_value", "/headers/x-a"},
		{"http_request", `{"url":"http://example.com","headers":{"X-A":"{{ input.a }}","X-B":"1","x-A":null}}`, "invalid_value", "/headers/x-A"},
		{"http_request", `{"url":"http://example.com","headers":{"X-A":"one\ntwo"}}`, "invalid_value", "/headers/X-A"},
		{"http_request", `{"url":"http://example.com","headers":{"X-A":"Bearer {{ input.a }}\n"}}`, "invalid_value", "/headers/X-A"},
		{"http_request", `{"url":"http://example.com","headers":{"X-A":"{{ input.a\n  }} b"}}`, "", ""},
		{"http_request", `{"url":"http://example.com/\n{{ input.a }}"}`, "invalid_value", "/url"},
		{"http_request", `{"url":" http://example.com/a b\n"}`, "", ""},
		{"http_request", `{"url":"http://example.com","auth":{"type":"basic","username":"a:b","password":"p"}}`, "invalid_value", "/auth/username"},
		{"http_request", `{"url":"http://example.com","auth":{"type":"basic","username":"{{ input.a }}:","password":"p"}}`, "invalid_value", "/auth/username"},
		{"http_request", `{"url":"http://example.com","auth":{"type":"basic","username":"{{ input.a ? 'b' : 'c' }}","password":"p:q"}}`, "", ""},
		{"http_request", `{"url":"http://example.com","auth":{"type":"basic","username":"","password":"p"}}`, "", ""},
		{"http_request", `{"url":"http://example.com","auth":{"type":"bearer","token":""}}`, "invalid_value", "/auth/token"},
		{"http_request", `{"url":"http://example.com","auth":{"type":"bearer","token":"{{ secrets.A }}\n"}}`, "invalid_value", "/auth/token"},
		{"http_request", `{"url":"http://example.com","auth":{"type":"header","name":"X-Key","value":""}}`, "invalid_value", "/auth/value"},
		{"http_request", `{"url":"http://example.com","auth":{"type":"bearer","token":"{{ secrets.A }}"},"headers":{"authorization":"b"}}`, "invalid_value", "/headers/authorization"},
		{"http_request", `{"url":"http://example.com","auth":{"type":"basic","username":"u","password":"{{ secrets.A }}"},"headers":{"AUTHORIZATION":"{{ secrets.B }}"}}`, "invalid_value", "/headers/AUTHORIZATION"},
		{"http_request", `{"url":"http://example.com","auth":{"type":"header","name":"X-Key","value":"{{ secrets.A }}"},"headers":{"x-key":"b"}}`, "invalid_value", "/headers/x-key"},
		{"http_request", `{"url":"http://example.com","auth":{"type":"header","name":"X-Key","value":"{{ secrets.A }}"},"headers":{"Authorization":"b"}}`, "", ""},
		{"http_request", `{"url":"http://example.com","auth":{"type":"bearer","token":"{{ secrets.A }}"},"headers":{"Authorization":""}}`, "", ""},
		{"http_request", `{"url":"http://example.com","multipart":[{"name":"a","value":"b"}],"headers":{"content-type":"multipart/form-data"}}`, "invalid_value", "/headers/content-type"},
		{"script", `{"script":"echo"}`, "", ""},
		{"script", `{"script":"echo","language":"pyton"}`, "invalid_value", "/language"},
		{"script", `{"script":"echo","env":{"A=B":"x"}}`, "invalid_value", "/env/A=B"},
		{"script", `{"script":"#!bash\necho"}`, "invalid_value", "/script"},
		{"script", `{"script":"echo {{ input.a }}"}`, "template_in_script", "/script"},
		{"webhook", `{"url":"http://example.com","event":"e","payload":[1]}`, "", ""},
		{"webhook", `{"url":"http://example.com"}`, "missing_field", ""},
		{"webhook", `{"url":"http://example.com","event":"e","secret":"whsec_%"}`, "invalid_value", "/secret"},
		{"webhook", `{"url":"http://example.com","event":"e","secret":""}`, "invalid_value", "/secret"},
		{"webhook", `{"url":"http://example.com","event":"e","secret":null}`, "", ""},
		{"webhook", `{"url":"http://example.com","event":"e","headers":{"Webhook-ID":"1"}}`, "invalid_value", "/headers/Webhook-ID"},
		{"webhook", `{"url":"http://example.com","event":"e","headers":{"content-type":"text/xml"}}`, "invalid_value", "/headers/content-type"},
		{"webhook", `{"url":"http://example.com","event":"e","headers":{"content-type":"application/cloudevents+json"}}`, "", ""},
		{"webhook", `{"url":"http://example.com","event":"e","headers":{"X-A":"1","X-a":"1"}}`, "invalid_value", "/headers/X-a"},
		{"webhook", `{"url":"http://example.com","event":"e","secret":"plainly"}`, "secret_in_definition", "/secret"},
		{"agent_task", `{"agent_id":"a","goal":"g","output_schema":{"type":"no"}}`, "schema_invalid", "/output_schema"},
		{"agent_task", `{"agent_id":"a","goal":"g","max_tokens":0}`, "invalid_value", "/max_tokens"},
		{"wait", `{"seconds":1}`, "", ""},
		{"wait", `{}`, "missing_field", ""},
		{"wait", `{"seconds":1,"until":"2026-01-01T00:00:00Z"}`, "invalid_value", "*"},
	}
	for _, tt := range tests {
		found := validate(t, tt.typeName, tt.config)
		if tt.code == "" {
			if len(found) > 0 {
				t.Errorf("%s %s: %+v", tt.typeName, tt.config, found)
			}
			continue
		}
		if len(found) != 1 || found[0].Code != tt.code || tt.pointer != "*" && found[0].Pointer != "/steps/0/config"+tt.pointer {
			t.Errorf("%s %s: %+v; want %s at %s", tt.typeName, tt.config, found, tt.code, tt.pointer)
		}
	}
}
