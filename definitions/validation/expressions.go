package validation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"heddle/definitions/source"
	"heddle/expressions"
	"strings"
)

// expressions checks every expression and template against what is known at
// its place.
func (v *validator) expressions() {
	for _, e := range v.graph.entries {
		what := "step '" + e.name() + "'"
		v.expression(e.node.Member("if"), "'if' of "+what, of(e), expressions.WantBool)
		switch {
		case e.step.Condition != nil:
			v.conditionExpressions(e, what)
		case e.step.Loop != nil:
			v.loopExpressions(e, what)
		case e.step.Wait != nil:
			v.waitExpressions(e, what)
		default:
			v.template(e.node.Member("config"), "config", what, of(e).withSecrets(), v.literal(e.step.Type)...)
		}
		if c := e.step.Compensate; c != nil {
			s := of(e).withSecrets()
			s.self = true
			v.template(e.node.Member("compensate").Member("config"), "config", "the compensation of "+what, s, v.literal(c.Type)...)
		}
	}
	end := scope{list: 0, at: none}
	v.template(v.doc.Root.Member("output"), "output", "the definition", end)
	end.blind = true
	v.template(v.doc.Root.Pick("concurrency").Member("key"), "key", "concurrency", end)
}

func (v *validator) literal(name string) []string {
	if known := v.stepType(name); known != nil {
		return known.stepType.Traits().LiteralFields
	}
	return nil
}

func (v *validator) conditionExpressions(e *entry, what string) {
	at := e.node.Member("config")
	v.expression(at.Member("expression"), "'expression' of "+what, of(e), expressions.WantBool)
	for i := range e.step.Condition.Cases {
		v.expression(at.Member("cases").Item(i).Member("when"), fmt.Sprintf("'when' of case %d of %s", i, what), of(e), expressions.WantBool)
	}
}

func (v *validator) loopExpressions(e *entry, what string) {
	at := e.node.Member("config")
	v.expression(at.Member("items"), "'items' of "+what, of(e), expressions.WantItems)
	while := of(e)
	while.next = e
	v.expression(at.Member("while"), "'while' of "+what, while, expressions.WantBool)
	if body, ok := v.graph.body(e); ok {
		v.expression(at.Member("collect"), "'collect' of "+what, scope{list: body, at: none}, expressions.WantAny)
	}
}

func (v *validator) waitExpressions(e *entry, what string) {
	w, at := e.step.Wait, e.node.Member("config")
	if n := at.Member("seconds"); n != nil && n.Kind == source.String && isTemplate(n.Text) {
		v.expression(n, "'seconds' of "+what, of(e), expressions.WantNumber)
	}
	if !looksLikeTime.MatchString(w.Until) {
		v.expression(at.Member("until"), "'until' of "+what, of(e), expressions.WantTime)
	}
	s := of(e)
	if w.Probe != nil {
		s.probe = true
		if at.Pick("probe", "type").Kind == source.String {
			s.shape = v.typing.shape(v.catalogOutput(w.Probe.Type, w.Probe.Config))
		}
		v.template(at.Pick("probe").Member("config"), "config", "the probe of "+what, of(e).withSecrets(), v.literal(w.Probe.Type)...)
	}
	v.expression(at.Member("condition"), "'condition' of "+what, s, expressions.WantBool)
	v.frozen(e, at.Member("condition"))
	if w.Signal != nil {
		v.template(at.Pick("signal").Member("name"), "name", "the signal of "+what, of(e))
		v.template(at.Pick("signal").Member("prompt"), "prompt", "the signal of "+what, of(e))
	}
}

// frozen warns of a condition that nothing can change while the step waits.
func (v *validator) frozen(e *entry, n *source.Node) {
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

// expression checks one bare expression.
func (v *validator) expression(n *source.Node, what string, s scope, want expressions.Want) {
	if n == nil || n.Kind != source.String {
		return
	}
	for _, p := range expressions.Check(n.Text, v.env(s), want) {
		v.problem(p, n, source.Capitalize(what))
	}
}

// template checks every {{ }} in a value.
func (v *validator) template(n *source.Node, field, what string, s scope, literal ...string) {
	if n == nil || n.Kind == source.Bad {
		return
	}
	v.unexpanded(n, what, literal)
	raw := v.doc.Raw(n)
	if !bytes.Contains(raw, []byte("{{")) {
		return
	}
	for _, p := range expressions.CheckTemplate(raw, v.env(s), literal...) {
		name := field + strings.ReplaceAll(p.Pointer, "/", ".")
		v.problem(p, n.Follow(p.Pointer), fmt.Sprintf("'%s' of %s", name, what))
	}
}

// problem reports what expressions found, with its column in the source where
// the source shows the text as it is.
func (v *validator) problem(p expressions.Problem, at *source.Node, what string) {
	if at.Kind == source.Bad {
		return
	}
	d := v.finds.Add(p.Severity, problemCode(p.Code), at, "%s, column %d: %s", what, p.Column, p.Message).WithSuggestion(p.Suggestion)
	d.Pos = v.doc.Text.Inside(at, p.Column)
}

// problemCode gives the code of a diagnostic for that of expressions.
func problemCode(code string) source.Code {
	switch code {
	case expressions.CodeFailed:
		return source.ExpressionSyntax
	case expressions.CodeLarge:
		return source.LimitExceeded
	}
	return source.Code(code)
}

// constant evaluates a bool expression that reads nothing. False: it is none.
func constant(source string) (value, ok bool) {
	if len(source) > 64 {
		return false, false
	}
	program, err := expressions.Compile(source)
	if err != nil {
		return false, false
	}
	refs := program.References()
	if len(refs.Names)+len(refs.Steps)+len(refs.Signals)+len(refs.Secrets) > 0 || refs.AllSteps || refs.AllSignals {
		return false, false
	}
	value, err = program.EvalBool(emptyScope{})
	return value, err == nil
}

// emptyScope shows nothing.
type emptyScope struct{}

func (emptyScope) Value(string) (json.RawMessage, bool)      { return nil, false }
func (emptyScope) Step(string) (expressions.StepValue, bool) { return expressions.StepValue{}, false }
func (emptyScope) StepIDs() []string                         { return nil }
func (emptyScope) Signal(string) (json.RawMessage, bool)     { return nil, false }
func (emptyScope) SignalNames() []string                     { return nil }
func (emptyScope) Secret(string) (string, bool)              { return "", false }
