package expressions

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Want is the type that the place of an expression asks for.
type Want uint8

// The wants. A value whose type is not known before it runs fits each of them.
const (
	WantAny    Want = iota
	WantBool        // a condition
	WantItems       // a list, or a count
	WantTime        // a time, or text that holds one
	WantNumber      // a number
)

// The severities of a Problem.
const (
	SeverityError   = "error"
	SeverityWarning = "warning"
)

// Problem is something that Check found.
type Problem struct {
	Code       string
	Severity   string // SeverityError or SeverityWarning
	Message    string
	Suggestion string // what to write instead; empty: none is near
	Column     int    // in characters from 1
	Pointer    string // RFC 6901, of a template's string inside the config
}

// Check finds what is wrong with one bare expression before it runs; one
// enclosing {{ }} is tolerated. Unknown names and members are all found, of
// the type errors the first.
func Check(source string, env Env, want Want) []Problem {
	inner, shift := bare(source)
	return check(inner, shift, env, want, true)
}

// CheckTemplate is Check for every template in a config; see CompileTemplate.
func CheckTemplate(config json.RawMessage, env Env, literalFields ...string) []Problem {
	if !json.Valid(config) || tooDeep(config) {
		return nil
	}
	var all []Problem
	for _, s := range templateStrings(config, literalFields) {
		cuts, err := cutTemplates(s.text)
		var found []Problem
		for _, c := range cuts {
			if c.template {
				found = append(found, check(c.text, c.column+1, env, WantAny, false)...)
			}
		}
		if err != nil && !env.Budget.spent() {
			found = append(found, problemOf(err))
			env.Budget.found(1)
		}
		for i := range found {
			found[i].Pointer = s.pointer
		}
		all = append(all, found...)
	}
	return all
}

func problemOf(err *Error) Problem {
	return Problem{Code: err.Code, Severity: SeverityError, Message: err.Message, Suggestion: err.Suggestion, Column: max(1, err.Column)}
}

func check(source string, shift int, env Env, want Want, bare bool) []Problem {
	if env.Budget.spent() {
		return nil
	}
	if env.known == nil {
		env.known = NewEnv().known
	}
	tree, a, err := parse(source, env.Secrets)
	if err == nil {
		var p *Program
		if p, err = compile(source, 0, env.Secrets); err == nil && !env.Budget.patterns(p.patterns) {
			err = failAt(CodeLimit, 1, "the patterns of all expressions together are too large; use fewer of them, or smaller repetitions")
		}
	}
	if err != nil {
		p := problemOf(err)
		p.Column += shift
		env.Budget.found(1)
		return []Problem{p}
	}
	c := &checking{source: source, env: env, refs: a.refs}
	for _, p := range a.paths {
		c.path(p)
	}
	c.types(tree, want)
	c.suspicions(tree.Node, bare)
	for i := range c.problems {
		c.problems[i].Column += shift
	}
	env.Budget.found(len(c.problems))
	return c.problems
}

// checking gathers the problems of one expression.
type checking struct {
	source   string
	env      Env
	refs     References
	problems []Problem
	covered  int // up to this column a problem explains the names
}

func (c *checking) add(code string, column int, suggestion, format string, args ...any) {
	c.problems = append(c.problems, Problem{
		Code: code, Severity: SeverityError,
		Message: fmt.Sprintf(format, args...), Suggestion: suggestion, Column: column,
	})
}

func (c *checking) failed() bool {
	for _, p := range c.problems {
		if p.Severity == SeverityError {
			return true
		}
	}
	return false
}

// path checks a constant path against what is known.
func (c *checking) path(p path) {
	if p.column < c.covered {
		return
	}
	switch p.root {
	case nameSignals, nameSecrets:
		return
	case nameSteps:
		c.stepPath(p)
		return
	}
	s, ok := c.env.value(p.root)
	if !ok {
		c.unknownName(p)
		return
	}
	c.members(p, 0, s)
}

func (c *checking) unknownName(p path) {
	near := nearest(p.root, c.env.names())
	switch p.root {
	case "item", "index", "last":
		c.add(CodeUnknown, p.column, "", "%s is visible inside loops only", p.root)
		return
	case "probe":
		c.add(CodeUnknown, p.column, "", "probe is visible in the condition of a wait that has one")
		return
	}
	if visible, _ := c.env.step(p.root); visible == StepVisible {
		c.add(CodeUnknown, p.column, "steps."+p.root, "there is no name %s here; did you mean steps.%s?", p.root, p.root)
		return
	}
	if w, ok := nameWords().find(p.root); ok {
		c.foreignName(p, w)
		return
	}
	if near == "" && len(p.hops) == 0 {
		quoted := "'" + p.root + "'"
		c.add(CodeUnknown, p.column, quoted, "there is no name %s here; text stands in quotes: %s", p.root, quoted)
		return
	}
	if near == "" {
		c.add(CodeUnknown, p.column, "", "there is no name %s here; expressions see input, steps, run and signals", p.root)
		return
	}
	c.add(CodeUnknown, p.column, near, "there is no name %s here%s", p.root, orElse(near))
}

// foreignName reports a root name of another product. Where a step's id
// follows, its output is suggested.
func (c *checking) foreignName(p path, w word) {
	say, suggest := w.say, w.suggest
	if first, ok := p.first(); ok && (suggest == nameSteps || suggest == "") {
		if visible, _ := c.env.step(first); visible == StepVisible {
			suggest = "steps." + first + ".output"
			say = "write " + suggest
		} else if first == "input" || first == "inputs" || first == "parameters" || first == "params" {
			suggest, say = "input", "the input of the run is input: write input.name"
		}
	}
	if suggest == nameSteps {
		suggest = ""
	}
	if len(p.hops) == 0 && w.suggest != "nil" && w.suggest != "true" && w.suggest != "false" {
		say += "; text stands in quotes"
	}
	c.add(CodeUnknown, p.column, suggest, "there is no name %s here: %s", p.root, say)
}

func orElse(near string) string {
	if near == "" {
		return ""
	}
	return "; did you mean " + near + "?"
}

func (c *checking) stepPath(p path) {
	id, ok := p.first()
	if !ok {
		return
	}
	visibility, output := c.env.step(id)
	if visibility == StepVisible {
		c.members(p, 1, stepShape(output))
		return
	}
	if c.dashed(p, id) {
		return
	}
	column := p.hops[0].column
	if loop, inside := c.env.loopOf(id); inside && visibility == StepHidden {
		results := "steps." + loop + ".output.results"
		c.add(CodeHidden, column, results, "the step %s is in the body of the loop %s, which runs it many times; write collect: \"steps.%s.output\" in the loop, and read %s", id, loop, id, results)
		return
	}
	if why := c.env.whyHidden(id); visibility == StepHidden && why != "" {
		c.add(CodeHidden, column, "", "%s", why)
		return
	}
	if visibility == StepHidden {
		c.add(CodeHidden, column, "", "the step %s does not run before this one; add it to depends_on to use its output", id)
		return
	}
	near := nearest(id, c.env.ids())
	c.add(CodeUnknown, column, near, "there is no step %s%s", id, orElse(near))
}

// dashed recognises steps.my-step, which the grammar reads as a subtraction.
func (c *checking) dashed(p path, id string) bool {
	start := offset(c.source, p.hops[0].column)
	if !strings.HasPrefix(c.source[start:], id+"-") {
		return false
	}
	end := start
	for end < len(c.source) && (c.source[end] == '-' || wordRune(rune(c.source[end]))) {
		end++
	}
	whole := c.source[start:end]
	if visibility, _ := c.env.step(whole); visibility == StepAbsent {
		return false
	}
	fix := fmt.Sprintf("steps[%q]", whole)
	c.add(CodeUnknown, p.hops[0].column, fix, "the - in steps.%s is a minus sign here; write %s", whole, fix)
	c.covered = p.hops[0].column + len(whole)
	return true
}

// offset is the byte at which a column begins.
func offset(s string, column int) int {
	at := 0
	for n := 1; n < column && at < len(s); n++ {
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return at
}

// members follows a path's hops through a shape.
func (c *checking) members(p path, from int, s *Shape) {
	for _, h := range p.hops[from:] {
		switch {
		case h.ends:
			continue
		case h.numeric:
			s = s.element()
			continue
		}
		if s.notObject() {
			c.notObject(h, s)
			return
		}
		next, missing := s.member(h.key)
		if missing != lackNothing {
			c.missing(h, s, missing)
			return
		}
		s = next
	}
}

func (c *checking) missing(h hop, s *Shape, how lack) {
	var names []string
	if c.env.Budget.members(nameCost * s.size()) {
		names = s.fieldNames()
	}
	near := nearMember(h.key, names)
	switch {
	case how == lackAllowed && names == nil && s.size() > 0:
		c.add(CodeUnknown, h.column, "", "there is no member %s", h.key)
		return
	case how == lackAllowed:
		c.add(CodeUnknown, h.column, near, "there is no member %s%s; there are %s", h.key, orElse(near), strings.Join(firstNames(names), ", "))
		return
	}
	c.problems = append(c.problems, Problem{
		Code: CodeUnknown, Severity: SeverityWarning, Column: h.column, Suggestion: near,
		Message: fmt.Sprintf("the schema does not list %s, so it may be missing%s", h.key, orElse(near)),
	})
}

// nameCost is what sorting and comparing a name costs, beside typing it.
const nameCost = 10

func firstNames(names []string) []string {
	if len(names) == 0 {
		return []string{"none"}
	}
	if len(names) > 10 {
		return append(append([]string{}, names[:10]...), "…")
	}
	return names
}
