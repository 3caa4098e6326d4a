package templates

import (
	"fmt"
	"heddle/definitions/source"
	"heddle/fault"
	"heddle/internal/exactjson"
	"strings"

	regexp "heddle/internal/lazyregexp"
)

// placeholder matches a place for a parameter: ${{ params.name }} stands for
// its value, ${{ json(params.name) }} for the value as JSON text. A further $
// in front escapes it. Run-time expressions have no name params, so a
// placeholder is never mistaken for one. Group 1 is the name in the first form,
// group 3 in the second, where group 2 is set.
var placeholder = regexp.MustCompile(`\$?\$\{\{\s*(?:params\.([A-Za-z_][A-Za-z0-9_]*)|(json)\(\s*params\.([A-Za-z_][A-Za-z0-9_]*)\s*\))\s*\}\}`)

// substituter replaces placeholders by values and collects what is wrong with
// them. It is used for one definition, by one goroutine.
type substituter struct {
	values    map[string]any  // of the parameters that have one
	declared  map[string]bool // all parameters of the template
	missing   map[string]bool // used, declared and without a value
	issues    []fault.Issue   // pointers start at the definition
	remaining int             // bytes that may still be placed
	tooLarge  bool            // a value did not fit remaining; none is substituted after it
}

// newSubstituter returns a substituter for one definition, whose substituted
// values may have source.MaxBytes altogether. Both maps are kept and not
// changed.
func newSubstituter(declared map[string]bool, values map[string]any) *substituter {
	return &substituter{values: values, declared: declared, missing: map[string]bool{}, remaining: source.MaxBytes}
}

// value returns a copy of v with the placeholders in its strings replaced. Keys
// are left as they are. pointer is where v is in the definition, for issues;
// values that were substituted are not searched again, and may be shared.
func (p *substituter) value(v any, pointer string) any {
	switch v := v.(type) {
	case string:
		return p.text(v, pointer)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = p.value(item, elementPointer(pointer, i))
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for _, key := range exactjson.Names(v) {
			object[key] = p.value(v[key], memberPointer(pointer, key))
		}
		return object
	}
	return v
}

// text replaces the placeholders of one string. A string that is one placeholder and
// nothing else becomes the value with its type; otherwise the result is a string.
func (p *substituter) text(s, pointer string) any {
	if !strings.Contains(s, "${{") {
		return s
	}
	found := placeholder.FindAllStringSubmatchIndex(s, -1)
	if found == nil {
		return s
	}
	if len(found) == 1 && found[0][0] == 0 && found[0][1] == len(s) && found[0][2] >= 0 && s[1] != '$' {
		return p.typedValue(s[found[0][2]:found[0][3]], pointer)
	}
	var b strings.Builder
	end := 0
	for _, at := range found {
		b.WriteString(s[end:at[0]])
		end = at[1]
		b.WriteString(p.embeddedText(s, at, pointer))
	}
	b.WriteString(s[end:])
	return b.String()
}

// typedValue returns a parameter's value with its type; nil where there is
// none, which is recorded.
func (p *substituter) typedValue(name, pointer string) any {
	v, ok := p.lookUp(name, pointer)
	if !ok || !p.reserve(len(exactjson.Canonical(v))) {
		return nil
	}
	return v
}

// embeddedText returns the text for a placeholder inside a longer string: a
// string as it is, any other value as JSON. at holds the indexes of the match
// and its groups. An escaped placeholder loses its first $.
func (p *substituter) embeddedText(s string, at []int, pointer string) string {
	if s[at[0]+1] == '$' {
		return s[at[0]+1 : at[1]]
	}
	asJSON := at[4] >= 0
	name := at[2:4]
	if asJSON {
		name = at[6:8]
	}
	v, ok := p.lookUp(s[name[0]:name[1]], pointer)
	if !ok {
		return ""
	}
	text, plain := v.(string)
	if asJSON || !plain {
		text = string(exactjson.Canonical(v))
	}
	if !p.reserve(len(text)) {
		return ""
	}
	return text
}

// lookUp returns a parameter's value; where there is none it records why: a
// missing value once per parameter, an unknown parameter at each place that
// names it.
func (p *substituter) lookUp(name, pointer string) (any, bool) {
	if v, ok := p.values[name]; ok {
		return v, true
	}
	if p.declared[name] {
		p.missing[name] = true
		return nil, false
	}
	p.issues = append(p.issues, fault.Issue{
		Code: "unknown_parameter", Severity: "error", Pointer: pointer,
		Message: fmt.Sprintf("The definition names parameter '%s', which parameters does not declare; add it to its properties, or write $${{ for plain text", name),
	})
	return nil, false
}

// reserve counts n substituted bytes and reports whether they are within the limit,
// so that a few short placeholders cannot yield a huge definition.
func (p *substituter) reserve(n int) bool {
	if p.tooLarge = p.tooLarge || n > p.remaining; p.tooLarge {
		return false
	}
	p.remaining -= n
	return true
}
