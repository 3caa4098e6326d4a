package expressions

import (
	"bytes"
	"encoding/json"
	"errors"
	"heddle/internal/exactjson"
	"slices"
	"strings"
)

// Template is a compiled JSON value whose strings may hold {{ expressions }}. It
// never changes and may be rendered by any number of goroutines at a time.
//
// A string that is one {{ }} and nothing else becomes the expression's value, with
// its type; a plain path yields the stored bytes. In any other string the values
// are printed into the text: strings as they are, null as nothing, numbers as
// written, objects and lists as JSON. Keys are never templates. All bytes outside
// of strings with templates stay as they are. {{ "{{" }} writes two braces. With 3
// as input.n:
//
//	{"n": "{{ input.n }}", "text": "n is {{ input.n }}"}
//	{"n": 3, "text": "n is 3"}
type Template struct {
	pieces []piece // in the order of the text; together they are the whole config
}

// piece is a run of bytes to copy, or a string value to render.
type piece struct {
	raw     []byte // of the config; nil for a string
	pointer string // of a string, RFC 6901
	parts   []part // of a string; none: raw is copied
	whole   bool   // the one part is an expression, and its value takes the string's place
}

// part is literal text, or an expression.
type part struct {
	text    string   // without JSON's quotes and escapes
	program *Program // nil: text is meant
}

// CompileTemplate compiles a config. It keeps the bytes: do not change them
// afterwards. No bytes are null. Strings directly under the names in literalFields
// at the top level are left as they are. The error is an *Error with the string's
// Pointer and the Column inside the decoded string; the codes are those of Compile,
// and CodeSyntax for a {{ without }} and for a config that is not JSON.
func CompileTemplate(config json.RawMessage, literalFields ...string) (*Template, error) {
	t, err := compileTemplate(config, literalFields)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// compileTemplate is CompileTemplate with an error of its own type.
func compileTemplate(config json.RawMessage, literalFields []string) (*Template, *Error) {
	if len(bytes.TrimSpace(config)) == 0 {
		return &Template{pieces: []piece{{raw: []byte("null")}}}, nil
	}
	if !json.Valid(config) || exactjson.DeeperThan(config, maxJSONDeep) {
		return nil, fail(CodeSyntax, "the config is not JSON, or nested more than %d deep", maxJSONDeep)
	}
	t := &Template{}
	copied := 0
	for _, s := range templateStrings(config, literalFields) {
		parts, err := parseParts(s.text)
		if err != nil {
			err.Pointer = s.pointer
			return nil, err
		}
		// s.start to s.end includes the quotes, which rendering writes anew.
		if copied < s.start {
			t.pieces = append(t.pieces, piece{raw: config[copied:s.start]})
		}
		// Blanks around the braces would make it text.
		whole := len(parts) == 1 && parts[0].program != nil
		t.pieces = append(t.pieces, piece{pointer: s.pointer, parts: parts, whole: whole})
		copied = s.end
	}
	if copied < len(config) {
		t.pieces = append(t.pieces, piece{raw: config[copied:]})
	}
	return t, nil
}

// parseParts compiles the templates of one string. Columns count from the string's
// beginning.
func parseParts(s string) ([]part, *Error) {
	cuts, err := cutTemplates(s)
	if err != nil {
		return nil, err
	}
	parts := make([]part, len(cuts))
	for i, c := range cuts {
		if !c.template {
			parts[i].text = c.text
			continue
		}
		// A cut's column is that of its first brace, from 1; the expression begins
		// two characters later.
		if parts[i].program, err = compile(c.text, c.column+1, true); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// constant reports whether the config holds no template.
func (t *Template) constant() bool {
	return !slices.ContainsFunc(t.pieces, func(p piece) bool { return len(p.parts) > 0 })
}

// programs calls visit for the expressions in the order of the text.
func (t *Template) programs(visit func(pointer string, p *Program)) {
	for _, piece := range t.pieces {
		for _, part := range piece.parts {
			if part.program != nil {
				visit(piece.pointer, part.program)
			}
		}
	}
}

// Secrets lists the names of the secrets that the templates use, each once; nil:
// they use none.
func (t *Template) Secrets() []string {
	var names []string
	for _, r := range t.References().Secrets {
		names = append(names, r.Name)
	}
	return names
}

// References lists what the templates read, each name once; a column is that inside
// the string of the first use. It is computed at each call.
func (t *Template) References() References {
	var all References
	t.programs(func(_ string, p *Program) { all.add(p.refs) })
	return all
}

// add appends what o has and r lacks.
func (r *References) add(o References) {
	r.Names = addReferences(r.Names, o.Names)
	r.Steps = addReferences(r.Steps, o.Steps)
	r.Signals = addReferences(r.Signals, o.Signals)
	r.Secrets = addReferences(r.Secrets, o.Secrets)
	r.AllSteps = r.AllSteps || o.AllSteps
	r.AllSignals = r.AllSignals || o.AllSignals
}

// addReferences appends the references whose names the list lacks.
func addReferences(list, more []Reference) []Reference {
	for _, r := range more {
		list = addReference(list, r.Name, r.Column)
	}
	return list
}

// Render returns the config with its templates evaluated. Each template is an
// evaluation with limits of its own. A config without templates is returned as it
// is, the same bytes at each call: do not change them. The error is an *Error with
// Pointer and Column, of the first template that fails; CodeLarge also means more
// than MaxRendered bytes in total, or a text of more than MaxString. Errors of
// templates that read secrets hold no values.
func (t *Template) Render(s Scope) (json.RawMessage, error) {
	// Most configs have no template; they are not copied.
	if len(t.pieces) == 1 && len(t.pieces[0].parts) == 0 {
		return t.pieces[0].raw, nil
	}
	var out []byte
	for _, p := range t.pieces {
		var err *Error
		if out, err = p.render(out, s); err == nil && len(out) > MaxRendered {
			err = fail(CodeLarge, "the rendered config is larger than %d bytes", MaxRendered)
		}
		if err != nil {
			c := *err
			c.Pointer = p.pointer
			return nil, &c
		}
	}
	return out, nil
}

// render appends the piece to out.
func (p piece) render(out []byte, s Scope) ([]byte, *Error) {
	if len(p.parts) == 0 {
		return append(out, p.raw...), nil
	}
	if p.whole {
		raw, err := p.parts[0].program.EvalJSON(s)
		if err != nil {
			return nil, p.parts[0].program.withoutValues(asError(err))
		}
		return append(out, raw...), nil
	}
	var b strings.Builder
	for _, part := range p.parts {
		printed := part.text
		if part.program != nil {
			var err *Error
			if printed, err = part.program.text(s); err != nil {
				return nil, part.program.withoutValues(err)
			}
		}
		// Before it is written: each value alone may have MaxResult bytes.
		if b.Len()+len(printed) > MaxString {
			return nil, fail(CodeLarge, "the text is larger than %d bytes; a template alone in its string may be larger", MaxString)
		}
		b.WriteString(printed)
	}
	return exactjson.AppendString(out, b.String()), nil
}

// withoutValues returns the error of a program that reads secrets, without what may
// quote a value that was computed from them. Redaction searches texts for the
// secrets themselves, and would not find one that was cut, encoded or joined.
func (p *Program) withoutValues(err *Error) *Error {
	if len(p.refs.Secrets) == 0 {
		return err
	}
	c := *err
	switch err.Code {
	case CodeType, CodeLimit: // kinds and limits, never values
		return err
	case CodeUnknown:
		c.Message = "a name is not visible here"
	case CodeLarge:
		c.Message = "the expression builds too much, or a list that is too long"
	default:
		switch err.Message {
		case "the text is not JSON", "the text is not base64", "the bytes are not UTF-8 text", "division by zero":
			return err
		}
		c.Message = "a function or an operator cannot take this value; it is not shown, since a secret went into it"
	}
	return &c
}

// asError returns an error as an *Error; one of another kind has CodeFailed and its
// text as the message.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return fail(CodeFailed, "%v", err)
}

// text returns the program's value as it is printed into a string.
func (p *Program) text(s Scope) (string, *Error) {
	raw, err := p.EvalJSON(s)
	if err != nil {
		return "", asError(err)
	}
	switch raw[0] {
	// The first byte of valid JSON determines its kind.
	case 'n':
		return "", nil
	case '"':
		v, err := decodeString(raw)
		if err != nil {
			return "", err
		}
		return v.(string), nil
	}
	return string(raw), nil
}
