package definitions

import (
	"bytes"
	"encoding/json"
	"fmt"
	"heddle/expressions"
	"strings"
	"unicode/utf8"
)

// expressions checks every expression and template against what is known at
// its place.
func (v *validator) expressions() {
	for _, e := range v.graph.entries {
		what := "step '" + e.name() + "'"
		v.expression(e.node.member("if"), "'if' of "+what, of(e), expressions.WantBool)
		switch {
		case e.step.Condition != nil:
			v.conditionExpressions(e, what)
		case e.step.Loop != nil:
			v.loopExpressions(e, what)
		case e.step.Wait != nil:
			v.waitExpressions(e, what)
		default:
			v.template(e.node.member("config"), "config", what, of(e).withSecrets(), v.literal(e.step.Type)...)
		}
		if c := e.step.Compensate; c != nil {
			s := of(e).withSecrets()
			s.self = true
			v.template(e.node.member("compensate").member("config"), "config", "the compensation of "+what, s, v.literal(c.Type)...)
		}
	}
	end := scope{list: 0, at: none}
	v.template(v.doc.root.member("output"), "output", "the definition", end)
	end.blind = true
	v.template(v.doc.root.pick("concurrency").member("key"), "key", "concurrency", end)
}

func (v *validator) literal(name string) []string {
	if known := v.stepType(name); known != nil {
		return known.stepType.Traits().LiteralFields
	}
	return nil
}

func (v *validator) conditionExpressions(e *entry, what string) {
	at := e.node.member("config")
	v.expression(at.member("expression"), "'expression' of "+what, of(e), expressions.WantBool)
	for i := range e.step.Condition.Cases {
		v.expression(at.member("cases").at(i).member("when"), fmt.Sprintf("'when' of case %d of %s", i, what), of(e), expressions.WantBool)
	}
}

func (v *validator) loopExpressions(e *entry, what string) {
	at := e.node.member("config")
	v.expression(at.member("items"), "'items' of "+what, of(e), expressions.WantItems)
	while := of(e)
	while.next = e
	v.expression(at.member("while"), "'while' of "+what, while, expressions.WantBool)
	if body, ok := v.graph.body(e); ok {
		v.expression(at.member("collect"), "'collect' of "+what, scope{list: body, at: none}, expressions.WantAny)
	}
}

func (v *validator) waitExpressions(e *entry, what string) {
	w, at := e.step.Wait, e.node.member("config")
	if n := at.member("seconds"); n != nil && n.kind == text && isTemplate(n.text) {
		v.expression(n, "'seconds' of "+what, of(e), expressions.WantNumber)
	}
	if !looksLikeTime.MatchString(w.Until) {
		v.expression(at.member("until"), "'until' of "+what, of(e), expressions.WantTime)
	}
	s := of(e)
	if w.Probe != nil {
		s.probe = true
		if at.pick("probe", "type").kind == text {
			s.shape = v.typing.shape(v.catalogOutput(w.Probe.Type, w.Probe.Config))
		}
		v.template(at.pick("probe").member("config"), "config", "the probe of "+what, of(e).withSecrets(), v.literal(w.Probe.Type)...)
	}
	v.expression(at.member("condition"), "'condition' of "+what, s, expressions.WantBool)
	v.frozen(e, at.member("condition"))
	if w.Signal != nil {
		v.template(at.pick("signal").member("name"), "name", "the signal of "+what, of(e))
		v.template(at.pick("signal").member("prompt"), "prompt", "the signal of "+what, of(e))
	}
}

// frozen warns of a condition that nothing can change while the step waits.
func (v *validator) frozen(e *entry, n *node) {
	if n == nil || n.kind != text || e.step.Wait.Probe != nil {
		return
	}
	program, err := expressions.Compile(n.text)
	if err != nil {
		return
	}
	if refs := program.References(); len(refs.Signals) > 0 || refs.AllSignals {
		return
	}
	v.finds.warn(NeverChanges, n, "The condition of wait '%s' can never change while it waits: it reads no signal, and there is no probe", e.name())
}

// expression checks one bare expression.
func (v *validator) expression(n *node, what string, s scope, want expressions.Want) {
	if n == nil || n.kind != text {
		return
	}
	for _, p := range expressions.Check(n.text, v.env(s), want) {
		v.problem(p, n, sentence(what))
	}
}

// template checks every {{ }} in a value.
func (v *validator) template(n *node, field, what string, s scope, literal ...string) {
	if n == nil || n.kind == bad {
		return
	}
	v.unexpanded(n, what, literal)
	raw := v.doc.raw(n)
	if !bytes.Contains(raw, []byte("{{")) {
		return
	}
	for _, p := range expressions.CheckTemplate(raw, v.env(s), literal...) {
		name := field + strings.ReplaceAll(p.Pointer, "/", ".")
		v.problem(p, n.follow(p.Pointer), fmt.Sprintf("'%s' of %s", name, what))
	}
}

// problem reports what expressions found, with its column in the source where
// the source shows the text as it is.
func (v *validator) problem(p expressions.Problem, at *node, what string) {
	if at.kind == bad {
		return
	}
	d := v.finds.add(p.Severity, problemCode(p.Code), at, "%s, column %d: %s", what, p.Column, p.Message).hint(p.Suggestion)
	d.pos = v.doc.src.inside(at, p.Column)
}

// problemCode gives the code of a diagnostic for that of expressions.
func problemCode(code string) Code {
	switch code {
	case expressions.CodeFailed:
		return ExpressionSyntax
	case expressions.CodeLarge:
		return LimitExceeded
	}
	return Code(code)
}

// inside gives the place of a column of a text; nil where the source writes
// the text in another way (escapes, several lines).
func (s *source) inside(n *node, column int) *position {
	at := int(n.pos.offset)
	if n.pos.line > 0 {
		at = s.offset(int(n.pos.line), int(n.pos.column))
	}
	if at < 0 || at > len(s.text) || strings.ContainsRune(n.text, '\n') {
		return nil
	}
	rest := s.text[at:]
	if len(rest) > 0 && (rest[0] == '"' || rest[0] == '\'') {
		rest = rest[1:]
		at++
	}
	if !bytes.HasPrefix(rest, []byte(n.text)) {
		return nil
	}
	for i := range n.text {
		if column--; column == 0 {
			return s.positionAt(at + i)
		}
	}
	return s.positionAt(at + len(n.text))
}

// positionAt is the position of a byte.
func (s *source) positionAt(offset int) *position {
	line, column := s.place(position{offset: int32(offset)})
	return &position{line: int32(line), column: int32(column)}
}

// offset is the byte at a line and column, -1 when there is none.
func (s *source) offset(line, column int) int {
	if line < 1 || line > len(s.lines) {
		return -1
	}
	at := s.lines[line-1]
	for ; column > 1 && at < len(s.text); column-- {
		_, size := utf8.DecodeRune(s.text[at:])
		at += size
	}
	return at
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
