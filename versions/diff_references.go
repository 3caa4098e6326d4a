package versions

import (
	"heddle/internal/elements"
	"strings"

	regexp "heddle/internal/lazyregexp"
)

// idRewriter returns the id that replaces a step's id, wherever it is written;
// false keeps it. Its methods copy what they change and leave their argument as
// it is; parts without ids are shared. They know where a definition names
// steps, and must be extended with each field that does.
type idRewriter func(id string) (string, bool)

// id returns the id that replaces id, or id itself.
func (f idRewriter) id(id string) string {
	if to, ok := f(id); ok {
		return to
	}
	return id
}

// step returns a copy of a step with every id in it rewritten: its own, its
// dependencies and fallback, branches, references in expressions and templates, and
// those of the steps of its body.
func (f idRewriter) step(step map[string]any) map[string]any {
	out := make(map[string]any, len(step))
	for field, v := range step {
		switch field {
		case "id", "fallback_step":
			out[field] = f.name(v)
		case "depends_on":
			out[field] = f.names(v)
		case "if":
			out[field] = f.expression(v)
		case "config":
			// The type decides which fields of config name steps.
			kind, _ := step["type"].(string)
			out[field] = f.config(kind, v)
		case "compensate":
			out[field] = f.templates(v)
		default:
			out[field] = v
		}
	}
	return out
}

// config rewrites a step's config. Which fields hold ids or expressions depends
// on the type; all others may hold templates, except a script's text. A config
// that is not an object is a template.
func (f idRewriter) config(kind string, v any) any {
	config, ok := v.(map[string]any)
	if !ok {
		return f.templates(v)
	}
	out := make(map[string]any, len(config))
	for field, v := range config {
		switch kind + "." + field {
		case "condition.then", "condition.else":
			out[field] = f.names(v)
		case "condition.cases":
			out[field] = f.each(v, f.branch)
		case "condition.expression", "loop.items", "loop.while", "loop.collect", "wait.condition", "wait.until":
			out[field] = f.expression(v)
		case "loop.steps":
			out[field] = f.each(v, f.step)
		case "script.script":
			out[field] = v // literal
		default:
			out[field] = f.templates(v)
		}
	}
	return out
}

// branch rewrites one case of a condition: its expression and the steps that it
// leads to.
func (f idRewriter) branch(branch map[string]any) map[string]any {
	out := make(map[string]any, len(branch))
	for field, v := range branch {
		switch field {
		case "when":
			out[field] = f.expression(v)
		case "then":
			out[field] = f.names(v)
		default:
			out[field] = v
		}
	}
	return out
}

// each returns a copy of a list with every object in it changed by change;
// other elements stay.
func (f idRewriter) each(v any, change func(map[string]any) map[string]any) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	out := make([]any, len(list))
	for i, element := range list {
		out[i] = element
		if object, ok := element.(map[string]any); ok {
			out[i] = change(object)
		}
	}
	return out
}

// name rewrites a value that is an id; anything else stays, as it does in the
// methods below: what is compared need not be a valid definition.
func (f idRewriter) name(v any) any {
	if id, ok := v.(string); ok {
		return f.id(id)
	}
	return v
}

// names rewrites a list of ids.
func (f idRewriter) names(v any) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	return elements.Map(list, f.name)
}

// templates rewrites inside {{ }} in every string of a value.
func (f idRewriter) templates(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, member := range v {
			out[key] = f.templates(member)
		}
		return out
	case []any:
		return elements.Map(v, f.templates)
	case string:
		return f.template(v)
	}
	return v
}

// template rewrites the expressions inside {{ }} of one string. It goes by the
// braces alone: a }} inside a string literal ends the template here, which only
// affects what the comparison takes for equal.
func (f idRewriter) template(s string) string {
	if !strings.Contains(s, "{{") {
		return s
	}
	var b strings.Builder
	for {
		literal, rest, open := strings.Cut(s, "{{")
		b.WriteString(literal)
		if !open {
			return b.String()
		}
		inside, after, closed := strings.Cut(rest, "}}")
		b.WriteString("{{")
		b.WriteString(f.references(inside))
		if !closed {
			return b.String()
		}
		b.WriteString("}}")
		s = after
	}
}

// expression rewrites a value that is an expression.
func (f idRewriter) expression(v any) any {
	if s, ok := v.(string); ok {
		return f.references(s)
	}
	return v
}

// stepReference finds steps.id, steps["id"] and steps['id']. Ids with escapes
// are not found, and such a reference is kept as it is.
var stepReference = regexp.MustCompile(`\bsteps(?:\.([A-Za-z_][A-Za-z0-9_]*)|\[\s*(?:"([^"\\]*)"|'([^'\\]*)')\s*\])`)

// references rewrites the references in an expression. A rewritten one is written
// as steps["id"], whichever form it had, so that both sides of a comparison write
// it the same.
func (f idRewriter) references(source string) string {
	if !strings.Contains(source, "steps") {
		return source
	}
	var b strings.Builder
	end := 0
	for _, m := range stepReference.FindAllStringSubmatchIndex(source, -1) {
		// As in input.steps.a.
		if m[0] > 0 && source[m[0]-1] == '.' {
			continue // a field called steps
		}
		id := ""
		// One group for each form of a reference; one of them matched.
		for group := 2; group < len(m); group += 2 {
			if m[group] >= 0 {
				id = source[m[group]:m[group+1]]
			}
		}
		if to, ok := f(id); ok {
			b.WriteString(source[end:m[0]])
			b.WriteString(`steps["` + to + `"]`)
			end = m[1]
		}
	}
	b.WriteString(source[end:])
	return b.String()
}
