package expressions

import (
	"encoding/json"
	"fmt"
	"heddle/internal/exactjson"
	"strings"
	"unicode/utf8"
)

// Want is the type that the place of an expression requires.
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

// Problem is one finding of Check or CheckTemplate.
type Problem struct {
	Code       string // one of the Code constants
	Severity   string // SeverityError or SeverityWarning
	Message    string // for the author, without the place
	Suggestion string // what to write instead of what begins at Column; empty: none is known
	Column     int    // in characters from 1, in the text as given
	Pointer    string // RFC 6901, of a template's string inside the config; empty from Check
}

// Check finds what is wrong with one bare expression before it runs; one enclosing
// {{ }} is tolerated. A text that does not compile has one problem. Otherwise all
// unknown names and members are found, but only the first type error. It returns
// nil when nothing is wrong, or when env.Budget is spent.
func Check(source string, env Env, want Want) []Problem {
	inner, shift := bare(source)
	return check(inner, shift, env, want, true)
}

// CheckTemplate is Check for every template in a config, in the order of the text;
// see CompileTemplate for literalFields. Values of templates may have any type. A
// config that is not JSON has no problems here: that is reported where it is
// parsed.
func CheckTemplate(config json.RawMessage, env Env, literalFields ...string) []Problem {
	if !json.Valid(config) || exactjson.DeeperThan(config, maxJSONDeep) {
		return nil
	}
	var all []Problem
	for _, s := range templateStrings(config, literalFields) {
		// A {{ that is never closed does not keep the templates before it from
		// being checked.
		cuts, err := cutTemplates(s.text)
		var found []Problem
		for _, c := range cuts {
			if c.template {
				found = append(found, check(c.text, c.column+1, env, WantAny, false)...)
			}
		}
		// The unclosed rest counts as an expression.
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

// problemOf turns the error of a compilation into a problem. One without a column
// is shown at the beginning.
func problemOf(err *Error) Problem {
	return Problem{Code: err.Code, Severity: SeverityError, Message: err.Message, Suggestion: err.Suggestion, Column: max(1, err.Column)}
}

// check is the common part of Check and CheckTemplate. shift is the number of
// characters before source in the text as given; bare reports that source is not
// inside a template, where {{ }} in quotes is suspicious.
func check(source string, shift int, env Env, want Want, bare bool) []Problem {
	if env.Budget.spent() {
		return nil
	}
	// A zero Env knows what a new one knows.
	if env.known == nil {
		env.known = NewEnv().known
	}
	formed := env.Forms.take(source, env, want, bare)
	if formed && env.Forms.known(env) {
		return nil
	}
	before := env.Budget.now()
	tree, a, err := parse(source, env.Secrets)
	if err != nil {
		return env.refused(err, shift)
	}
	c := &checking{source: source, env: env, refs: a.refs}
	for _, p := range a.paths {
		c.path(p)
	}
	c.types(tree, want)
	c.suspicions(tree.Node, bare)
	// Last, because it rewrites the tree; what it finds is all that there is to say.
	p := &Program{source: source}
	if err := p.build(tree); err != nil {
		return env.refused(err, shift)
	}
	if !env.Budget.patterns(p.patterns) {
		return env.refused(failAt(CodeLimit, 1, "the patterns of all expressions together are too large; use fewer of them, or smaller repetitions"), shift)
	}
	if formed && len(c.problems) == 0 {
		env.Forms.remember(env, c.refs, before)
	}
	for i := range c.problems {
		c.problems[i].Column += shift
	}
	env.Budget.found(len(c.problems))
	return c.problems
}

// refused returns the error of an expression that cannot be compiled, as its only problem.
func (e Env) refused(err *Error, shift int) []Problem {
	p := problemOf(err)
	p.Column += shift
	e.Budget.found(1)
	return []Problem{p}
}

// checking gathers the problems of one expression. Columns are those in source
// until check shifts them.
type checking struct {
	source   string
	env      Env
	refs     References // what the expression reads
	problems []Problem  // in the order of discovery
	covered  int        // a problem found before explains all names before this column
}

// add appends a problem that is an error.
func (c *checking) add(code string, column int, suggestion, format string, args ...any) {
	c.problems = append(c.problems, Problem{
		Code: code, Severity: SeverityError,
		Message: fmt.Sprintf(format, args...), Suggestion: suggestion, Column: column,
	})
}

// failed reports whether a problem so far is an error, and not just a warning.
func (c *checking) failed() bool {
	for _, p := range c.problems {
		if p.Severity == SeverityError {
			return true
		}
	}
	return false
}

// path checks a constant path against what is known. Names of signals and secrets
// are not: they exist outside the definition.
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

// unknownName reports a root name that is not visible. The most specific
// explanation wins: a name of loops, a step whose id lacks its "steps.", a word of
// another product, an unquoted text, the nearest name.
func (c *checking) unknownName(p path) {
	// Used last, but also to tell a misspelt name from unquoted text.
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
	// A lone unknown word is most often a text without its quotes.
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

// foreignName reports a root name of another product. Where the id of a visible
// step follows, as in nodes.fetch, that step's output is suggested.
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
	// steps alone does not replace it: an id has to follow.
	if suggest == nameSteps {
		suggest = ""
	}
	if len(p.hops) == 0 && w.suggest != "nil" && w.suggest != "true" && w.suggest != "false" {
		say += "; text stands in quotes"
	}
	c.add(CodeUnknown, p.column, suggest, "there is no name %s here: %s", p.root, say)
}

// orElse is the end of a message that suggests near; empty for none.
func orElse(near string) string {
	if near == "" {
		return ""
	}
	return "; did you mean " + near + "?"
}

// stepPath checks steps.ID and what follows. For a step that exists and is not
// visible the reason is reported, and what would make it visible; for any other the
// nearest id is suggested.
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
	// Before the other reasons: no depends_on makes a step inside a loop
	// visible.
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

// dashed recognizes steps.my-step, which the grammar reads as a subtraction, and
// reports it where a step my-step exists. The words behind the minus sign then are
// no unknown names: covered leaves them out.
func (c *checking) dashed(p path, id string) bool {
	start := offset(c.source, p.hops[0].column)
	if !strings.HasPrefix(c.source[start:], id+"-") {
		return false
	}
	end := start
	for end < len(c.source) && (c.source[end] == '-' || wordRune(rune(c.source[end]))) {
		end++
	}
	// The longest name with dashes: it is the id, or nothing is.
	whole := c.source[start:end]
	if visibility, _ := c.env.step(whole); visibility == StepAbsent {
		return false
	}
	fix := fmt.Sprintf("steps[%q]", whole)
	c.add(CodeUnknown, p.hops[0].column, fix, "the - in steps.%s is a minus sign here; write %s", whole, fix)
	c.covered = p.hops[0].column + len(whole)
	return true
}

// offset returns the byte at which a column begins, at most len(s). It is the
// inverse of column.
func offset(s string, column int) int {
	at := 0
	for n := 1; n < column && at < len(s); n++ {
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return at
}

// members follows the hops of a path from index from on through a shape, and
// reports the first that the shape lacks. A nil shape has every member.
func (c *checking) members(p path, from int, s *Shape) {
	for _, h := range p.hops[from:] {
		switch {
		// The end of an optional chain reads nothing.
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

// missing reports a member that the schema lacks: an error where the schema is
// closed, a warning where it is open. With too little budget for the names, the
// error does not list them, and nothing is suggested.
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

// firstNames returns at most ten names for a message, and an ellipsis for the rest.
// The argument is not changed.
func firstNames(names []string) []string {
	if len(names) == 0 {
		return []string{"none"}
	}
	if len(names) > 10 {
		return append(append([]string{}, names[:10]...), "…")
	}
	return names
}
