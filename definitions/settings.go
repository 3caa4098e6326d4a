package definitions

import (
	"strconv"
	"strings"
	"time"

	regexp "heddle/internal/lazyregexp"
)

// settings checks what a step's own fields say together.
func (v *validator) settings() {
	for _, e := range v.graph.entries {
		v.retry(e)
		v.handler(e)
		switch {
		case e.step.Condition != nil:
			v.condition(e)
		case e.step.Loop != nil:
			v.loop(e)
		case e.step.Wait != nil:
			v.wait(e)
		}
	}
}

// explained reports whether a finding said already where one of the fields of
// a config is.
func (v *validator) explained(e *entry, config *node, fields ...string) bool {
	for _, name := range fields {
		if v.doc.explains(config, name) || v.doc.explains(e.node, "config."+name) {
			return true
		}
	}
	return false
}

// condition checks the form and the branches.
func (v *validator) condition(e *entry) {
	c, at := e.step.Condition, e.node.member("config")
	if at == nil || at.kind != object {
		return
	}
	switch {
	case at.member("cases") == nil && at.member("expression") == nil:
		if v.explained(e, at, "expression", "cases") {
			break
		}
		v.finds.error(MissingField, at, "Condition '%s' needs expression, or cases", e.name())
	case at.member("cases") != nil && at.member("cases").kind == bad:
	case at.member("cases") != nil && at.member("expression") != nil:
		v.finds.error(InvalidValue, at.member("cases"), "Condition '%s' has both expression and cases; keep one", e.name())
	case at.member("cases") != nil && at.member("then") != nil:
		v.finds.error(InvalidValue, at.member("then"), "Condition '%s' has cases, which have a then each; remove this one", e.name())
	}
	v.branch(e, c.Then, at.member("then"))
	v.branch(e, c.Else, at.member("else"))
	for i := range c.Cases {
		v.branch(e, c.Cases[i].Then, at.member("cases").at(i).member("then"))
	}
}

// branch checks that listed steps exist beside the condition and wait for it.
func (v *validator) branch(e *entry, ids []string, at *node) {
	for i, id := range ids {
		item := at.at(i)
		if item == nil || item.kind == bad {
			continue
		}
		to, ok := v.graph.find(id, e.list)
		if !ok {
			v.finds.error(UnknownReference, item, "Condition '%s' lists step '%s' which doesn't exist in the same list of steps", e.name(), clip(id)).
				suggest(v.nearest(id, func() []string { return v.graph.siblings(e.list) }))
			continue
		}
		if to == e || !v.ancestry.has(to.place, e.place) {
			v.finds.error(BranchNotDependent, item, "Step '%s' is in a branch of condition '%s' but doesn't depend on it; add '%s' to its depends_on", clip(id), e.name(), e.name()).
				relate(to.node)
		}
	}
}

func (v *validator) loop(e *entry) {
	l, at := e.step.Loop, e.node.member("config")
	if at == nil || at.kind != object {
		return
	}
	switch {
	case at.member("items") == nil && at.member("while") == nil:
		if v.explained(e, at, "items", "while") {
			break
		}
		v.finds.error(MissingField, at, "Loop '%s' needs items, or while", e.name())
	case at.member("items") != nil && at.member("while") != nil:
		v.finds.error(InvalidValue, at.member("while"), "Loop '%s' has both items and while; keep one", e.name())
	}
	if as := at.member("as"); as != nil && reserved(l.As) {
		v.finds.error(InvalidValue, as, "'%s' has a meaning of its own in expressions; choose another name for the item", l.As)
	}
	if at.member("while") != nil && l.Concurrency > 1 {
		v.finds.error(InvalidValue, at.member("concurrency"), "Loop '%s' has while, which is evaluated before each iteration; concurrency must be 1", e.name())
	}
	v.tolerance(e, at)
}

// reserved tells whether a name already means something in expressions.
func reserved(name string) bool {
	return contains([]string{"input", "steps", "run", "signals", "secrets", "index", "last", "probe", "true", "false", "nil", "null", "not", "in", "and", "or", "let"}, name)
}

var percent = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?)%$`)

// tolerance checks a count of failures, or a share of the items.
func (v *validator) tolerance(e *entry, at *node) {
	n := at.member("tolerate_failures")
	if n == nil || n.kind == bad {
		return
	}
	if n.kind == number {
		if _, ok := Count(n.text); !ok {
			v.finds.error(InvalidValue, n, "'tolerate_failures' is %s, but must be a count, 0 or more, or a share such as \"5%%\"", clip(n.text))
		}
		return
	}
	m := percent.FindStringSubmatch(n.text)
	if n.kind != text || m == nil {
		code := InvalidValue
		if n.kind != text {
			code = WrongType
		}
		v.finds.error(code, n, "'tolerate_failures' must be a count or a share such as \"5%%\"")
		return
	}
	if share, err := strconv.ParseFloat(m[1], 64); err != nil || share > 100 {
		v.finds.error(InvalidValue, n, "'tolerate_failures' is %s, but must be at most 100%%", clip(n.text))
		return
	}
	if at.member("while") != nil && at.member("items") == nil {
		v.finds.error(InvalidValue, n, "Loop '%s' has while, whose number of iterations is unknown; tolerate a count of failures instead of a share", e.name())
	}
}

// wait checks that there is one thing to wait for, and what belongs to it.
func (v *validator) wait(e *entry) {
	at := e.node.member("config")
	if at == nil || at.kind != object {
		return
	}
	var given []*node
	for _, name := range []string{"seconds", "until", "condition", "signal"} {
		if n := at.member(name); n != nil {
			given = append(given, n)
		}
	}
	switch {
	case len(given) == 0:
		if v.explained(e, at, "seconds", "until", "condition", "signal") {
			break
		}
		v.finds.error(MissingField, at, "Wait '%s' needs one of seconds, until, condition and signal", e.name())
	case len(given) > 1:
		v.finds.error(InvalidValue, at, "Wait '%s' has more than one of seconds, until, condition and signal; keep one", e.name()).relate(given...)
	}
	if at.member("condition") == nil {
		for _, name := range []string{"poll_seconds", "probe"} {
			if n := at.member(name); n != nil {
				v.finds.error(InvalidValue, n, "'%s' in wait '%s' belongs to condition; remove it", name, e.name())
			}
		}
	}
	v.seconds(e, at.member("seconds"))
	v.until(e, at.member("until"))
}

// seconds is a number, or text that is wholly one template.
func (v *validator) seconds(e *entry, n *node) {
	switch {
	case n == nil || n.kind == bad:
	case n.kind == number:
		if f, err := strconv.ParseFloat(n.text, 64); err != nil || f < 0 || f > maxSeconds {
			v.finds.error(InvalidValue, n, "'seconds' in wait '%s' is %s, but must be at least 0 and at most %d", e.name(), clip(n.text), int64(maxSeconds))
		}
	case n.kind != text || !isTemplate(n.text):
		v.finds.error(WrongType, n, "'seconds' in wait '%s' must be a number, or a template that gives one", e.name()).mend(n, n.kind, "seconds", "a number")
	}
}

var looksLikeTime = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}`)

// until is a time, where it begins like one; else an expression.
func (v *validator) until(e *entry, n *node) {
	if n == nil || n.kind != text || !looksLikeTime.MatchString(n.text) {
		return
	}
	if _, err := time.Parse(time.RFC3339, n.text); err != nil {
		v.finds.error(InvalidValue, n, "'until' in wait '%s' is '%s', which is no RFC 3339 time such as 2026-01-31T09:00:00Z", e.name(), clip(n.text))
	}
}

// isTemplate tells whether a text is wholly one {{ template }}.
func isTemplate(s string) bool {
	s = strings.TrimSpace(s)
	return strings.HasPrefix(s, "{{") && strings.HasSuffix(s, "}}") && strings.Count(s, "{{") == 1 && len(s) >= 4
}
