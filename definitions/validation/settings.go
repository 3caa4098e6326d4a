package validation

import (
	"heddle/definitions"
	"heddle/definitions/advice"
	"heddle/definitions/source"
	"heddle/internal/exactjson"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	regexp "heddle/internal/lazyregexp"
)

// settingsValidator checks the fields of a step that only together can be
// wrong.
type settingsValidator struct{ *pass }

// check checks what a step's own fields say together: their types and
// ranges are decoding's.
func (v *settingsValidator) check() {
	retries := &retryValidator{v.pass}
	for _, e := range v.graph.entries {
		retries.check(e)
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

// explained reports whether a diagnostic has said where one of the fields of
// a config is, or what it is called.
func (v *settingsValidator) explained(e *entry, config *source.Node, fields ...string) bool {
	for _, name := range fields {
		if v.doc.Explains(config, name) || v.doc.Explains(e.node, "config."+name) {
			return true
		}
	}
	return false
}

// condition checks a condition's form, expression or cases, and its branches.
func (v *settingsValidator) condition(e *entry) {
	c, at := e.step.Condition, e.node.Member("config")
	if at == nil || at.Kind != source.Object {
		return
	}
	switch {
	case at.Member("cases") == nil && at.Member("expression") == nil:
		if v.explained(e, at, "expression", "cases") {
			break
		}
		v.finds.Error(source.MissingField, at, "Condition '%s' needs expression, or cases", e.name())
	// Refused by decoding: nothing is known of its branches.
	case at.Member("cases") != nil && at.Member("cases").Kind == source.Bad:
	case at.Member("cases") != nil && at.Member("expression") != nil:
		v.finds.Error(source.InvalidValue, at.Member("cases"), "Condition '%s' has both expression and cases; keep one", e.name())
	case at.Member("cases") != nil && at.Member("then") != nil:
		v.finds.Error(source.InvalidValue, at.Member("then"), "Condition '%s' has cases, which have a then each; remove this one", e.name())
	}
	v.branch(e, c.Then, at.Member("then"))
	v.branch(e, c.Else, at.Member("else"))
	for i := range c.Cases {
		v.branch(e, c.Cases[i].Then, at.Member("cases").Item(i).Member("then"))
	}
}

// branch checks that the steps listed at a node exist beside the condition
// and wait for it: one that does not would run before the condition has
// chosen.
func (v *settingsValidator) branch(e *entry, ids []string, at *source.Node) {
	for i, id := range ids {
		item := at.Item(i)
		if item == nil || item.Kind == source.Bad {
			continue
		}
		to, ok := v.graph.find(id, e.list)
		if !ok {
			v.finds.Error(source.UnknownReference, item, "Condition '%s' lists step '%s' which doesn't exist in the same list of steps", e.name(), source.Clip(id)).
				DidYouMean(v.nearest(id, func() []string { return v.graph.siblings(e.list) }))
			continue
		}
		// A step may be in several branches and need not depend on the
		// condition directly.
		if to == e || !v.ancestry.has(to.place, e.place) {
			v.finds.Error(source.BranchNotDependent, item, "Step '%s' is in a branch of condition '%s' but doesn't depend on it; add '%s' to its depends_on", source.Clip(id), e.name(), e.name()).
				WithRelated(to.node)
		}
	}
}

// loop checks a loop's form, items or while, and what goes with each.
func (v *settingsValidator) loop(e *entry) {
	l, at := e.step.Loop, e.node.Member("config")
	if at == nil || at.Kind != source.Object {
		return
	}
	switch {
	case at.Member("items") == nil && at.Member("while") == nil:
		if v.explained(e, at, "items", "while") {
			break
		}
		v.finds.Error(source.MissingField, at, "Loop '%s' needs items, or while", e.name())
	case at.Member("items") != nil && at.Member("while") != nil:
		v.finds.Error(source.InvalidValue, at.Member("while"), "Loop '%s' has both items and while; keep one", e.name())
	}
	// A name that exists already would hide what it means.
	if as := at.Member("as"); as != nil && reserved(l.As) {
		v.finds.Error(source.InvalidValue, as, "'%s' has a meaning of its own in expressions; choose another name for the item", l.As)
	}
	// An absent concurrency is 1 and never reported.
	if at.Member("while") != nil && l.Concurrency > 1 {
		v.finds.Error(source.InvalidValue, at.Member("concurrency"), "Loop '%s' has while, which is evaluated before each iteration; concurrency must be 1", e.name())
	}
	v.tolerance(e, at)
}

// reserved reports whether a name already means something in expressions, so
// that no item may be called by it.
func reserved(name string) bool {
	return slices.Contains([]string{"input", "steps", "run", "signals", "secrets", "index", "last", "probe", "true", "false", "nil", "null", "not", "in", "and", "or", "let"}, name)
}

// tolerance checks tolerate_failures: a count, or a share of the items, whose
// number while does not know.
func (v *settingsValidator) tolerance(e *entry, at *source.Node) {
	n := at.Member("tolerate_failures")
	if n == nil || n.Kind == source.Bad {
		return
	}
	// A number is a count; a share is always text with a percent sign.
	if n.Kind == source.Number {
		if _, ok := exactjson.Count(n.Text); !ok {
			v.finds.Error(source.InvalidValue, n, "'tolerate_failures' is %s, but must be a count, 0 or more, or a share such as \"5%%\"", source.Clip(n.Text))
		}
		return
	}
	m := definitions.PercentPattern.FindStringSubmatch(n.Text)
	if n.Kind != source.String || m == nil {
		code := source.InvalidValue
		if n.Kind != source.String {
			code = source.WrongType
		}
		v.finds.Error(code, n, "'tolerate_failures' must be a count or a share such as \"5%%\"")
		return
	}
	// PercentPattern has no upper bound.
	if share, err := strconv.ParseFloat(m[1], 64); err != nil || share > 100 {
		v.finds.Error(source.InvalidValue, n, "'tolerate_failures' is %s, but must be at most 100%%", source.Clip(n.Text))
		return
	}
	if at.Member("while") != nil && at.Member("items") == nil {
		v.finds.Error(source.InvalidValue, n, "Loop '%s' has while, whose number of iterations is unknown; tolerate a count of failures instead of a share", e.name())
	}
}

// wait checks that there is exactly one thing to wait for, and only what
// belongs to it.
func (v *settingsValidator) wait(e *entry) {
	at := e.node.Member("config")
	if at == nil || at.Kind != source.Object {
		return
	}
	var given []*source.Node
	for _, name := range []string{"seconds", "until", "condition", "signal"} {
		if n := at.Member(name); n != nil {
			given = append(given, n)
		}
	}
	switch {
	case len(given) == 0:
		if v.explained(e, at, "seconds", "until", "condition", "signal") {
			break
		}
		v.finds.Error(source.MissingField, at, "Wait '%s' needs one of seconds, until, condition and signal", e.name())
	case len(given) > 1:
		v.finds.Error(source.InvalidValue, at, "Wait '%s' has more than one of seconds, until, condition and signal; keep one", e.name()).WithRelated(given...)
	}
	v.choices(e, at.Member("signal"))
	// Nothing else is evaluated again and again.
	if at.Member("condition") == nil {
		for _, name := range []string{"poll_seconds", "probe"} {
			if n := at.Member(name); n != nil {
				v.finds.Error(source.InvalidValue, n, "'%s' in wait '%s' belongs to condition; remove it", name, e.name())
			}
		}
	}
	if n := at.Member("on_timeout"); n != nil && slices.Contains([]string{"fail", "continue"}, n.Text) && at.Member("timeout_seconds") == nil && e.node.Member("timeout_seconds") == nil {
		v.finds.Warn(source.NeverTrue, n, "'on_timeout' of wait '%s' never applies, because the wait has no timeout; give it timeout_seconds", e.name())
	}
	v.seconds(e, at.Member("seconds"))
	v.until(e, at.Member("until"))
}

// seconds checks wait.seconds: a number, or text that is wholly one template,
// which a run renders.
func (v *settingsValidator) seconds(e *entry, n *source.Node) {
	switch {
	case n == nil || n.Kind == source.Bad:
	case n.Kind == source.Number:
		if f, err := strconv.ParseFloat(n.Text, 64); err != nil || f < 0 || f > definitions.MaxSeconds {
			v.finds.Error(source.InvalidValue, n, "'seconds' in wait '%s' is %s, but must be at least 0 and at most %d", e.name(), source.Clip(n.Text), int64(definitions.MaxSeconds))
		}
	case n.Kind != source.String || !isTemplate(n.Text):
		// Text such as "5m" is an obvious mistake, with an obvious number.
		d := v.finds.Error(source.WrongType, n, "'seconds' in wait '%s' must be a number, or a template that evaluates to one", e.name())
		advice.SuggestFix(d, n, n.Kind, "seconds", "a number")
	}
}

// looksLikeTime matches what begins like a date. As an expression it would be
// a subtraction, which is not a time.
var looksLikeTime = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}`)

// until checks wait.until where it begins like a time; else it is an
// expression.
func (v *settingsValidator) until(e *entry, n *source.Node) {
	if n == nil || n.Kind != source.String || !looksLikeTime.MatchString(n.Text) {
		return
	}
	if _, err := time.Parse(time.RFC3339, n.Text); err != nil {
		v.finds.Error(source.InvalidValue, n, "'until' in wait '%s' is '%s', which is not an RFC 3339 time such as 2026-01-31T09:00:00Z", e.name(), source.Clip(n.Text))
	}
}

// isTemplate reports whether a text is wholly one {{ template }}, spaces
// around it aside.
func isTemplate(s string) bool {
	s = strings.TrimSpace(s)
	return strings.HasPrefix(s, "{{") && strings.HasSuffix(s, "}}") && strings.Count(s, "{{") == 1 && len(s) >= 4
}

// choices checks those of a signal: texts that differ, in place of a schema.
func (v *settingsValidator) choices(e *entry, signal *source.Node) {
	if signal == nil || e.step.Wait.Signal == nil {
		return
	}
	at := signal.Member("choices")
	if at == nil {
		return
	}
	if schema := signal.Member("schema"); schema != nil {
		v.finds.Error(source.InvalidValue, at, "The signal of wait '%s' has both schema and choices; keep one", e.name()).WithRelated(schema)
	}
	seen := map[string]bool{}
	for i, choice := range e.step.Wait.Signal.Choices {
		n := at.Follow("/" + strconv.Itoa(i))
		switch {
		case choice == "" || utf8.RuneCountInString(choice) > 200:
			v.finds.Error(source.InvalidValue, n, "A choice has 1 to 200 characters")
		case seen[choice]:
			v.finds.Error(source.InvalidValue, n, "The choice '%s' stands there twice; remove one", source.Clip(choice))
		case strings.Contains(choice, "{{"):
			v.finds.Warn(source.Unexpanded, n, "The choice '%s' is taken as it is written: choices are no templates", source.Clip(choice))
		}
		seen[choice] = true
	}
}
