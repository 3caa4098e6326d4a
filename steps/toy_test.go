package steps

import (
	"context"
	"encoding/json"
	"heddle/definitions"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What follows is the file that docs/checklists/step-type.md walks through: a
// type that repeats a text.

// toyConfig is the config of toy; its tags are its JSON Schema.
type toyConfig struct {
	Text  string `json:"text" minLength:"1" doc:"What to repeat."`
	Times int    `json:"times,omitempty" minimum:"1" maximum:"10" default:"2" doc:"How often."`
	Frame string `json:"frame,omitempty" doc:"What stands around the text, braces included."`
}

func toyType() *stepType {
	return &stepType{
		name:   "toy",
		config: schemaOf[toyConfig](),
		output: constantSchema(json.RawMessage(`{"type":"object","required":["text"],"additionalProperties":false,"properties":{"text":{"type":"string"}}}`)),
		check:  checkToy,
		run:    withConfig(runToy),
		traits: definitions.Traits{
			LiteralFields: []string{"frame"},
			DefaultRetry:  &definitions.Retry{MaxAttempts: 2},
		},
	}
}

// checkToy returns the diagnostics that the schema cannot express.
func checkToy(c fields) []fault.Issue {
	if text, ok := c.literal("text"); ok && strings.TrimSpace(text) == "" {
		return []fault.Issue{problem("invalid_value", "/text", "text is nothing but white space")}
	}
	return nil
}

func runToy(ctx context.Context, call executor.Call, cfg *toyConfig) (executor.Result, error) {
	if ctx.Err() != nil {
		return executor.Result{}, stopped(ctx)
	}
	times := cfg.Times
	if times == 0 {
		times = 2
	}
	if len(cfg.Text)*times > 100 {
		return executor.Result{}, permanent("toy_too_long", "The text is longer than 100 bytes.")
	}
	logLine(call, executor.LogInfo, "toy", cfg.Text, nil)
	return executor.Result{Output: object("text", cfg.Frame+strings.Repeat(cfg.Text, times)+cfg.Frame)}, nil
}

// withToy returns the registry with one line more, that of toy.
func withToy(t *testing.T) *Registry {
	r := Default(Deps{})
	t.Cleanup(r.Close)
	for _, added := range []*stepType{
		toyType(),
	} {
		r.types[added.name] = added
	}
	return r
}

// A type that was added by the checklist is validated, published, typed and performed
// without a change anywhere else.
func TestATypeIsOneFileAndOneLine(t *testing.T) {
	r := withToy(t)
	text := func(config string) []byte {
		return []byte(`{"name":"T","steps":[{"id":"a","type":"toy","config":` + config + `},
			{"id":"b","type":"toy","depends_on":["a"],"config":{"text":"{{ steps.a.output.text }}"}}]}`)
	}
	for config, want := range map[string]string{
		`{"text":"x","times":3}`:  "",
		`{"text":"  "}`:           "invalid_value /steps/0/config/text",
		`{"times":3}`:             "missing_field /steps/0/config",
		`{"text":"x","times":99}`: "invalid_value /steps/0/config/times",
		`{"txt":"x","text":"y"}`:  "unknown_field /steps/0/config/txt",
	} {
		_, found := validation.Check(text(config), source.JSON, r)
		got := ""
		for _, d := range found {
			got += d.Code + " " + d.Pointer
		}
		if got != want {
			t.Errorf("%s: %q, want %q", config, got, want)
		}
	}
	if _, found := validation.Check([]byte(strings.Replace(string(text(`{"text":"x"}`)), "output.text", "output.txt", 1)), source.JSON, r); validation.Valid(found) {
		t.Error("a field that its output has not is not found")
	}
	if schema := string(parser.Schema(r)); !strings.Contains(schema, `"toy"`) || !strings.Contains(schema, "What to repeat.") {
		t.Error("the published schema does not know it")
	}
	res, err := r.Run(t.Context(), executor.Call{Type: "toy", Config: json.RawMessage(`{"text":"ab","times":3}`)})
	if err != nil || string(res.Output) != `{"text":"ababab"}` {
		t.Errorf("output %s, %v", res.Output, err)
	}
	_, err = r.Run(t.Context(), executor.Call{Type: "toy", Config: json.RawMessage(`{"text":"` + strings.Repeat("x", 99) + `"}`)})
	if f, ok := machine.AsFailure(err); !ok || f.Code != "toy_too_long" || !f.Permanent {
		t.Errorf("failure %v", err)
	}
}

// A type's traits hold when a run performs it: its literal field keeps its braces, and a
// step without a retry is retried as the type declares.
func TestATypeDeclaresItsLiteralFieldsAndItsRetry(t *testing.T) {
	r := withToy(t)
	doc, found := validation.Check([]byte(`{"name":"T","steps":[{"id":"a","type":"toy","config":{"text":"{{ input.t }}","frame":"{{ input.t }}"}}]}`), source.JSON, r)
	if len(found) != 1 || found[0].Code != "template_in_script" || found[0].Pointer != "/steps/0/config/frame" {
		t.Errorf("found %+v", found)
	}
	plan, err := machine.Compile(doc.Definition, r.Traits)
	if err != nil {
		t.Fatal(err)
	}
	now := time.UnixMilli(1_000_000)
	c, err := machine.Apply(machine.New(plan, machine.Header{RunID: "run_1", Input: json.RawMessage(`{"t":"x"}`)}, now).Run, machine.Begin{}, now)
	if err != nil || len(c.Effects) == 0 {
		t.Fatalf("effects %+v, %v", c.Effects, err)
	}
	x, ok := c.Effects[0].(machine.Execute)
	if !ok {
		t.Fatalf("effect %+v", c.Effects[0])
	}
	config, err := x.Config.Render(x.Scope)
	if err != nil || string(config) != `{"frame":"{{ input.t }}","text":"x"}` {
		t.Errorf("config %s, %v", config, err)
	}
	failed := machine.StepEnded{Ref: x.Ref, Attempt: 1, Failure: &machine.Failure{Error: machine.Error{Code: "busy"}}}
	if c, err = machine.Apply(c.Run, failed, now); err != nil {
		t.Fatal(err)
	}
	if next := c.Run.StepRuns()[0]; next.Status != machine.StepRetrying {
		t.Errorf("after one failure the step is %s", next.Status)
	}
}

// The built-in types keep to the checklist: each constructor stands in its own file and
// on one line of the registry.
func TestEachTypeIsOneFileAndOneLine(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for name, constructor := range map[string]string{
		"http_request": "httpRequestType(", "script": "scriptType(", "agent_task": "agentTaskType(", "webhook": "webhookType(",
		"condition": "conditionType(", "loop": "loopType(", "wait": "waitType(",
	} {
		found := map[string]int{}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(text), constructor); n > 0 && !strings.HasSuffix(file, "_test.go") {
				found[file] = n
			}
		}
		if len(found) != 2 || found["registry.go"] != 1 || found[name+".go"] != 1 {
			t.Errorf("%s stands in %v", constructor, found)
		}
	}
}
