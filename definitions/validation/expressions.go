package validation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"heddle/definitions"
	"heddle/definitions/source"
	"heddle/expressions"
	"strings"

	regexp "heddle/internal/lazyregexp"
)

// expressionValidator checks expressions and templates, and warns of texts that
// were meant to be templates.
type expressionValidator struct {
	*pass
	visible *visibility
	typing  *typing
}

// check checks every expression and template against what is known at
// its place. what names the place in messages: "step 'a'".
func (v *expressionValidator) check() {
	for _, e := range v.graph.entries {
		what := "step '" + e.name() + "'"
		// What decides something is a bare expression; configs and texts are templates.
		v.expression(e.node.Member("if"), "'if' of "+what, of(e), expressions.WantBool)
		switch {
		case e.step.Condition != nil:
			v.condition(e, what)
		case e.step.Loop != nil:
			v.loop(e, what)
		case e.step.Wait != nil:
			v.wait(e, what)
		default:
			v.template(e.node.Member("config"), "config", what, of(e).withSecrets(), v.types.literal(e.step.Type)...)
		}
		if c := e.step.Compensate; c != nil {
			// A compensation runs after its step has completed, so it can
			// read that step's output.
			s := of(e).withSecrets()
			s.self = true
			v.template(e.node.Member("compensate").Member("config"), "config", "the compensation of "+what, s, v.types.literal(c.Type)...)
		}
	}
	// The output is rendered when the main steps have ended; the key of
	// concurrency before any has begun.
	end := scope{list: 0, at: none}
	v.template(v.doc.Root.Member("output"), "output", "the definition", end)
	end.blind = true
	v.template(v.doc.Root.Pick("concurrency").Member("key"), "key", "concurrency", end)
	if v.budget.Over() { // those beyond were not checked
		v.finds.Error(source.LimitExceeded, v.doc.Root, "The definition has more than %d expressions; move parts of it into workflows of their own", definitions.MaxExpressions)
	}
}

// condition checks a condition's expression and those of its
// cases.
func (v *expressionValidator) condition(e *entry, what string) {
	at := e.node.Member("config")
	v.expression(at.Member("expression"), "'expression' of "+what, of(e), expressions.WantBool)
	for i := range e.step.Condition.Cases {
		v.expression(at.Member("cases").Item(i).Member("when"), fmt.Sprintf("'when' of case %d of %s", i, what), of(e), expressions.WantBool)
	}
}

// loop checks a loop's own expressions. While sees the names of an
// iteration, collect what has run in the body, and items neither.
func (v *expressionValidator) loop(e *entry, what string) {
	at := e.node.Member("config")
	v.expression(at.Member("items"), "'items' of "+what, of(e), expressions.WantItems)
	while := of(e)
	while.next = e
	v.expression(at.Member("while"), "'while' of "+what, while, expressions.WantBool)
	if body, ok := v.graph.body(e); ok {
		v.expression(at.Member("collect"), "'collect' of "+what, scope{list: body, at: none}, expressions.WantAny)
	}
}

// wait checks what a wait waits for, its probe and its signal.
// Only the condition sees the probe's output.
func (v *expressionValidator) wait(e *entry, what string) {
	w, at := e.step.Wait, e.node.Member("config")
	if n := at.Member("seconds"); n != nil && n.Kind == source.String && isTemplate(n.Text) {
		v.expression(n, "'seconds' of "+what, of(e), expressions.WantNumber)
	}
	// What begins like a time is checked as one by until.
	if !looksLikeTime.MatchString(w.Until) {
		v.expression(at.Member("until"), "'until' of "+what, of(e), expressions.WantTime)
	}
	s := of(e)
	if w.Probe != nil {
		s.probe = true
		// Of a type that was refused no output is known.
		if at.Pick("probe", "type").Kind == source.String {
			s.shape = v.typing.shape(v.types.output(w.Probe.Type, w.Probe.Config))
		}
		v.template(at.Pick("probe").Member("config"), "config", "the probe of "+what, of(e).withSecrets(), v.types.literal(w.Probe.Type)...)
	}
	v.expression(at.Member("condition"), "'condition' of "+what, s, expressions.WantBool)
	v.frozen(e, at.Member("condition"))
	if w.Signal != nil {
		v.template(at.Pick("signal").Member("name"), "name", "the signal of "+what, of(e))
		for _, name := range []string{"prompt", "context", "assignees"} {
			v.template(at.Pick("signal").Member(name), name, "the signal of "+what, of(e))
		}
	}
}

// frozen warns of a condition that nothing can change while the step waits.
// What input and finished steps hold is fixed by then; a probe or a signal
// may change it.
func (v *expressionValidator) frozen(e *entry, n *source.Node) {
	if n == nil || n.Kind != source.String || e.step.Wait.Probe != nil {
		return
	}
	program, err := expressions.Compile(n.Text)
	if err != nil {
		return
	}
	if refs := program.References(); len(refs.Signals) > 0 || refs.AllSignals {
		return
	}
	v.finds.Warn(source.NeverChanges, n, "The condition of wait '%s' can never change while it waits: it reads no signal, and there is no probe", e.name())
}

// expression checks one bare expression; nil and what is not text are
// skipped, since decoding has reported them.
func (v *expressionValidator) expression(n *source.Node, what string, s scope, want expressions.Want) {
	if n == nil || n.Kind != source.String {
		return
	}
	for _, p := range expressions.Check(n.Text, v.visible.env(s), want) {
		v.problem(p, n, source.Capitalize(what))
	}
}

// template checks every {{ }} in a value of any depth, and warns of texts
// that were meant to hold one. field names the value in messages, literal its
// fields that are not expanded.
func (v *expressionValidator) template(n *source.Node, field, what string, s scope, literal ...string) {
	if n == nil || n.Kind == source.Bad {
		return
	}
	v.unexpanded(n, what, literal)
	// The canonical text is searched first: most configs have no template.
	raw := v.doc.Raw(n)
	if !bytes.Contains(raw, []byte("{{")) {
		return
	}
	for _, p := range expressions.CheckTemplate(raw, v.visible.env(s), literal...) {
		// A pointer reads as a path: config.headers.Accept.
		name := field + strings.ReplaceAll(p.Pointer, "/", ".")
		v.problem(p, n.Follow(p.Pointer), fmt.Sprintf("'%s' of %s", name, what))
	}
}

// problem reports what package expressions found, with its column in the
// source where the source shows the text as it was decoded.
func (v *expressionValidator) problem(p expressions.Problem, at *source.Node, what string) {
	if at.Kind == source.Bad {
		return
	}
	d := v.finds.Add(p.Severity, problemCode(p.Code), at, "%s, column %d: %s", what, p.Column, p.Message).WithSuggestion(p.Suggestion)
	d.Pos = v.doc.Text.Inside(at, p.Column)
}

// problemCode returns the code of a diagnostic for that of a problem of
// expressions; most are the same.
func problemCode(code string) source.Code {
	switch code {
	case expressions.CodeFailed:
		return source.ExpressionSyntax
	case expressions.CodeLarge:
		return source.LimitExceeded
	}
	return source.Code(code)
}

// constant evaluates a bool expression that reads nothing; ok is false for
// every other one. Texts of more than 64 bytes are not tried: constants that
// people write are short.
func constant(source string) (value, ok bool) {
	if len(source) > 64 || readsPlainly(source) {
		return false, false
	}
	program, err := expressions.Compile(source)
	if err != nil {
		return false, false
	}
	// What an expression reads may have any value.
	refs := program.References()
	if len(refs.Names)+len(refs.Steps)+len(refs.Signals)+len(refs.Secrets) > 0 || refs.AllSteps || refs.AllSignals {
		return false, false
	}
	value, err = program.EvalBool(emptyScope{})
	return value, err == nil
}

// readsPlainly reports whether an expression reads the input or a step for certain, without
// parsing it: it names a member of one of them, and nothing in it is text or a comment.
func readsPlainly(source string) bool {
	return !strings.ContainsAny(source, "'\"`#/") && plainRead.MatchString(source)
}

// plainRead finds input.name and steps.name where they are not themselves members.
var plainRead = regexp.MustCompile(`(^|[^\w.?])(input|steps)\.\w`)

// emptyScope is a scope (expressions.Scope) without values, steps, signals
// and secrets.
type emptyScope struct{}

func (emptyScope) Value(string) (json.RawMessage, bool)      { return nil, false }
func (emptyScope) Step(string) (expressions.StepValue, bool) { return expressions.StepValue{}, false }
func (emptyScope) StepIDs() []string                         { return nil }
func (emptyScope) Signal(string) (json.RawMessage, bool)     { return nil, false }
func (emptyScope) SignalNames() []string                     { return nil }
func (emptyScope) Secret(string) (string, bool)              { return "", false }
