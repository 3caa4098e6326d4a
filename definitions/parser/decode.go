package parser

import (
	"encoding/json"
	"fmt"
	"heddle/definitions"
	"heddle/definitions/advice"
	"heddle/definitions/source"
	"heddle/internal/exactjson"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// decoder fills Go values from nodes and reports whatever does not fit. A field
// that does not fit keeps its zero value, its node becomes Bad, and the rest is
// decoded. It serves one Parse.
type decoder struct {
	finds  *source.Diagnostics // of the scan as well
	doc    *Document
	shapes shapes                        // of this parse
	around map[*source.Node]*source.Node // from the configs that are decoded here to their steps
	steps  int                           // in all lists so far; bounded by MaxSteps
}

// object decodes n into the struct v. what names the object in messages: "the
// definition", "step 'a'", "'retry' in step 'a'". Unknown members are reported
// first, because they often explain what is missing.
func (d *decoder) object(n *source.Node, v reflect.Value, what string) {
	if n.Kind != source.Object {
		d.wrong(n, what, "an object")
		return
	}
	s := d.shapes.of(v.Type())
	for i, key := range n.Keys {
		f, ok := s.field(key)
		if !ok {
			if !d.finds.Skip(source.UnknownField) {
				place, step := placeOf(v.Type(), n)
				d.doc.Explain(n, advice.UnknownField(d.finds, n.Kids[i], key, what, place, step, s.names))
			}
			continue
		}
		d.value(n.Kids[i], v.Field(f.at), f, what)
	}
	// A field may be absent because its name is misspelt, or because it
	// stands beside the config that it belongs in; the unknown field's
	// message says so.
	for _, f := range s.fields {
		if f.rule.required && n.Member(f.name) == nil && !d.doc.Explains(n, f.name) && !d.doc.Explains(d.around[n], "config."+f.name) && !d.finds.Skip(source.MissingField) {
			d.missing(n, v.Type(), f.name, what)
		}
	}
}

// missing reports the absence of the required field name, with what to write
// where the rest of the object shows it: an id made from the name, a type that
// the config has the fields of.
func (d *decoder) missing(n *source.Node, t reflect.Type, name, what string) {
	f := d.finds.Error(source.MissingField, n, "Field '%s' is missing in %s", name, what)
	if t == reflect.TypeFor[definitions.Definition]() && !f.Unlisted {
		f.Message += ". " + map[string]string{"name": "Write name: what people call the workflow", "steps": "Write steps: " + advice.Examples["steps"]}[name]
		return
	}
	// Beyond the definition and its steps, the field's name is all that can
	// be said.
	if t != reflect.TypeFor[definitions.Step]() || f.Unlisted {
		return
	}
	switch {
	case name == "id" && source.TextOf(n.Member("name")) != "":
		if id := advice.IDFrom(source.TextOf(n.Member("name"))); id != "" {
			f.WithSuggestion("id: " + id).Message += ". Write id: " + id
		}
	case name == "id" && len(n.Keys) == 1 && n.Kids[0].Member("type") != nil:
		f.WithSuggestion("id: " + n.Keys[0]).Message += ". Steps are a list of {id: " + source.Clip(n.Keys[0]) + ", type: …}, not of names with what they do"
		d.doc.Explain(n, []string{"type"})
	case name == "id":
		f.Message += ". Write id: a word that no other step has"
	case name == "type" && typeOfConfig(n.Member("config")) != "":
		f.WithSuggestion(typeOfConfig(n.Member("config"))).Message += ". Write type: " + f.Suggestion
	case name == "type":
		f.Message += ". Write type: agent_task, condition, http_request, loop, script, wait or webhook"
	}
}

// typeOfConfig returns the step type that has one of config's members and is the
// most likely one, "" when no member is known. payload comes before url, since a
// webhook has both.
func typeOfConfig(config *source.Node) string {
	for _, only := range []struct{ field, of string }{
		{"payload", "webhook"},
		{"event", "webhook"},
		{"url", "http_request"},
		{"script", "script"},
		{"goal", "agent_task"},
		{"agent_id", "agent_task"},
		{"expression", "condition"},
		{"cases", "condition"},
		{"items", "loop"},
		{"while", "loop"},
		{"seconds", "wait"},
		{"until", "wait"},
		{"signal", "wait"},
	} {
		if config.Member(only.field) != nil {
			return only.of
		}
	}
	return ""
}

// wrong reports a value that is not what is wanted (want, with its article) and
// makes it Bad. A value that is Bad was reported before.
func (d *decoder) wrong(n *source.Node, what, want string) {
	if n.Kind == source.Bad {
		return
	}
	// It still becomes Bad, or later checks would report it in words of their
	// own.
	if d.finds.Skip(source.WrongType) {
		n.Kind = source.Bad
		return
	}
	f := d.finds.Error(source.WrongType, n, "%s must be %s, not %s", source.Capitalize(what), want, n.Kind)
	had := n.Kind
	// SuggestFix looks at the members of an object; any other value is Bad for it
	// already.
	n.Kind = source.Object // for its members
	if had != source.Object {
		n.Kind = source.Bad
	}
	advice.SuggestFix(f, n, had, advice.FieldOf(what), want)
	n.Kind = source.Bad
	if strings.HasPrefix(what, "step ") && want == "an object" {
		f.Message += ". Write {id: a, type: script, config: {script: …}}"
	}
	// Booleans of other conventions, and numbers in quotes, have an obvious
	// right form.
	if want == "a boolean" && n.Text != "" {
		switch strings.ToLower(n.Text) {
		case "yes", "on", "true", "1":
			f.WithSuggestion("true")
		case "no", "off", "false", "0":
			f.WithSuggestion("false")
		}
	}
	if want == "a number" && exactjson.IsNumber(n.Text) {
		f.WithSuggestion(n.Text)
	}
}

// notExpression reports a value that is not text in the place of an expression,
// with the text that stands for it: true as "true", a list as its JSON.
func (d *decoder) notExpression(n *source.Node, what string) {
	if n.Kind == source.Bad {
		return
	}
	f := d.finds.Error(source.WrongType, n, "%s must be text that is an expression, not %s", source.Capitalize(what), n.Kind)
	// A longer value is not worth quoting, and null was not meant as an
	// expression.
	if n.Kind != source.Null && n.To-n.From <= 200 {
		write := string(d.doc.Raw(n))
		f.WithSuggestion(write).Message += fmt.Sprintf(". Put it in quotes: \"%s\"", source.Clip(write))
	}
	n.Kind = source.Bad
}

// value decodes n into v, the field f of the object that owner names. It panics
// on a Go type that no definition has.
func (d *decoder) value(n *source.Node, v reflect.Value, f field, owner string) {
	what := fmt.Sprintf("'%s' in %s", f.name, owner)
	if v.Type() == reflect.TypeFor[json.RawMessage]() {
		d.rawValue(n, v, f, what)
		return
	}
	switch v.Kind() {
	case reflect.String:
		d.text(n, v, f.rule, what)
	case reflect.Bool:
		if n.Kind != source.Boolean {
			d.wrong(n, what, "a boolean")
			return
		}
		v.SetBool(n.Text == "true")
	case reflect.Int:
		d.integer(n, v, f.rule, what)
	case reflect.Float64:
		d.float(n, v, f.rule, what)
	// A pointer tells absent from zero; a value that does not fit leaves it
	// nil.
	case reflect.Pointer:
		fresh := reflect.New(v.Type().Elem())
		d.value(n, fresh.Elem(), f, owner)
		if n.Kind != source.Bad {
			v.Set(fresh)
		}
	case reflect.Slice:
		d.list(n, v, f, what)
	case reflect.Struct:
		d.object(n, v, what)
	default:
		panic("definitions: cannot decode into " + v.Type().String())
	}
}

// rawValue stores the canonical text of n, which is not copied.
func (d *decoder) rawValue(n *source.Node, v reflect.Value, f field, what string) {
	if n.Kind == source.Bad {
		return
	}
	if f.rule.object && n.Kind != source.Object {
		d.wrong(n, what, "an object")
		return
	}
	v.SetBytes(d.doc.Raw(n))
}

// text decodes a string and checks it against its rule. A refused string is
// stored all the same, so that other checks know what was written, but its node
// becomes Bad.
func (d *decoder) text(n *source.Node, v reflect.Value, r rule, what string) {
	if n.Kind != source.String {
		if r.expression {
			d.notExpression(n, what)
			return
		}
		d.wrong(n, what, "text")
		return
	}
	v.SetString(n.Text)
	// Characters, not bytes: limits are the same in every language.
	length := utf8.RuneCountInString(n.Text)
	switch {
	case len(r.enum) > 0 && !slices.Contains(r.enum, n.Text):
		advice.NotAllowed(d.finds, n, source.Capitalize(what), r.name, r.enum)
	case r.pattern != nil && !r.pattern.MatchString(n.Text):
		d.finds.Error(source.InvalidValue, n, "%s is '%s', but must be %s", source.Capitalize(what), source.Clip(n.Text), r.patternSay)
	case r.expression && strings.TrimSpace(n.Text) == "":
		d.finds.Error(source.InvalidValue, n, "%s is empty; write an expression or leave the field out", source.Capitalize(what))
	case r.expression && len(n.Text) > definitions.MaxExpressionBytes:
		d.finds.Error(source.LimitExceeded, n, "%s is longer than %d bytes; move parts of it into steps of their own", source.Capitalize(what), definitions.MaxExpressionBytes)
	case length < r.minLength:
		d.finds.Error(source.InvalidValue, n, "%s must not be empty", source.Capitalize(what))
	case r.maxLength > 0 && length > r.maxLength:
		d.finds.Error(source.InvalidValue, n, "%s has %d characters; %d are allowed", source.Capitalize(what), length, r.maxLength)
	default:
		return
	}
	n.Kind = source.Bad
}

// float decodes a number.
func (d *decoder) float(n *source.Node, v reflect.Value, r rule, what string) {
	if n.Kind != source.Number {
		d.wrong(n, what, "a number")
		return
	}
	f, err := strconv.ParseFloat(n.Text, 64)
	if err != nil || !d.inRange(n, f, r, what) {
		if n.Kind != source.Bad {
			d.outOfRange(n, r, what)
		}
		return
	}
	v.SetFloat(f)
}

// integer decodes a whole number, however it is written: 3, 3.0, 30e-1. Beyond
// 2^53 a float64 does not hold every integer; no range reaches that far.
func (d *decoder) integer(n *source.Node, v reflect.Value, r rule, what string) {
	if n.Kind != source.Number {
		d.wrong(n, what, "a whole number")
		return
	}
	f, err := strconv.ParseFloat(n.Text, 64)
	// ParseFloat fails only beyond the range of float64.
	if err != nil || math.Abs(f) >= 1<<53 {
		d.outOfRange(n, r, what)
		return
	}
	// The float of 2.9999999999999999999 is 3; only the text shows the fraction.
	if f != math.Trunc(f) || !exactjson.IsWhole(n.Text) {
		d.finds.Error(source.WrongType, n, "%s must be a whole number, not %s", source.Capitalize(what), source.Clip(n.Text))
		n.Kind = source.Bad
		return
	}
	if d.inRange(n, f, r, what) {
		v.SetInt(int64(f))
	}
}

// inRange reports whether f is within its rule, and reports it to the author
// otherwise.
func (d *decoder) inRange(n *source.Node, f float64, r rule, what string) bool {
	if r.minimum != nil && f < *r.minimum || r.maximum != nil && f > *r.maximum {
		d.outOfRange(n, r, what)
		return false
	}
	return true
}

// outOfRange reports a number beyond its rule, with both bounds.
func (d *decoder) outOfRange(n *source.Node, r rule, what string) {
	var want []string
	if r.minimum != nil {
		want = append(want, "at least "+strconv.FormatFloat(*r.minimum, 'f', -1, 64))
	}
	if r.maximum != nil {
		want = append(want, "at most "+strconv.FormatFloat(*r.maximum, 'f', -1, 64))
	}
	d.finds.Error(source.InvalidValue, n, "%s is %s, but must be %s", source.Capitalize(what), source.Clip(n.Text), strings.Join(want, " and "))
	n.Kind = source.Bad
}

// list decodes a list into the slice v. Items that do not fit keep their zero
// value, so indexes in v are those in the text.
func (d *decoder) list(n *source.Node, v reflect.Value, f field, what string) {
	if n.Kind != source.Array {
		d.wrong(n, what, "a list")
		return
	}
	if len(n.Kids) < f.rule.minLength {
		d.finds.Error(source.InvalidValue, n, "%s is empty; at least %d is needed", source.Capitalize(what), f.rule.minLength)
	}
	if f.rule.maxLength > 0 && len(n.Kids) > f.rule.maxLength {
		d.finds.Error(source.LimitExceeded, n, "%s has %d items; %d are allowed", source.Capitalize(what), len(n.Kids), f.rule.maxLength)
		d.tooMany(n, v)
		return
	}
	// Steps are counted over all lists before any of this one is decoded.
	if v.Type().Elem() == reflect.TypeFor[definitions.Step]() && !d.room(n) {
		d.tooMany(n, v)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Kids), len(n.Kids)))
	for i, kid := range n.Kids {
		item := v.Index(i)
		switch {
		case item.Type() == reflect.TypeFor[definitions.Step]():
			d.step(kid, item.Addr().Interface().(*definitions.Step), i, what)
		case item.Kind() == reflect.Struct:
			d.object(kid, item, fmt.Sprintf("item %d of %s", i, what))
		// Most lists are of ids: no message is prepared for an item that cannot
		// be wrong.
		case kid.Kind == source.String && f.rule.anyText():
			item.SetString(kid.Text)
		case kid.Kind != source.String && kid.Kind != source.Bad && d.finds.Skip(source.WrongType):
			kid.Kind = source.Bad
		default:
			d.text(kid, item, f.rule.items(), fmt.Sprintf("item %d of %s", i, what))
		}
	}
}

// tooMany leaves a list unread that is longer than any may be: what is wrong with
// its items does not matter before it is shorter. A list of steps that is not
// read makes the document Partial, so that validation does not judge a graph
// without them.
func (d *decoder) tooMany(n *source.Node, v reflect.Value) {
	d.doc.Partial = d.doc.Partial || v.Type().Elem() == reflect.TypeFor[definitions.Step]()
	n.Kind, n.Kids = source.Bad, nil
}

// room counts the steps of a list, and reports whether the definition may have as
// many in all. The first list beyond MaxSteps is reported.
func (d *decoder) room(n *source.Node) bool {
	d.steps += len(n.Kids)
	if d.steps <= definitions.MaxSteps {
		return true
	}
	// Reported once, whichever list it was.
	if !d.doc.Partial {
		d.finds.Error(source.LimitExceeded, d.doc.Root.Pick("steps"), "The definition has more than %d steps in all its lists; %d are allowed", definitions.MaxSteps, definitions.MaxSteps)
	}
	return false
}

// anyText reports whether the rule accepts every text as an item of a list.
func (r rule) anyText() bool {
	return r.pattern == nil && len(r.enum) == 0 && !r.expression
}

// items returns the rule of a list's items: all of r but the length, which is the
// list's.
func (r rule) items() rule {
	r.minLength, r.maxLength = 0, 0
	return r
}

// step decodes the i-th step of a list (from 0), and the config of the types that
// the machine performs itself. list names the list that it stands in. Messages
// name a step by its id where it has one, and otherwise by its index and list.
func (d *decoder) step(n *source.Node, s *definitions.Step, i int, list string) {
	what := "step " + strconv.Itoa(i)
	switch name, in, _ := strings.Cut(strings.TrimPrefix(list, "'"), "' in "); {
	case in != "the definition":
		what += " of the body of " + strings.TrimPrefix(in, "the config of ")
	case name != "steps":
		what += " of " + name
	}
	if id := n.Member("id"); id != nil && id.Kind == source.String {
		what = fmt.Sprintf("step '%s'", source.Clip(id.Text))
	}
	d.object(n, reflect.ValueOf(s).Elem(), what)
	own := ownConfig(s)
	// Other types' configs stay raw: the catalog knows their form.
	if own == nil || n.Kind != source.Object {
		return
	}
	config := n.Member("config")
	if config == nil {
		if !d.doc.Explains(n, "config") {
			d.finds.Error(source.MissingField, n, "Field 'config' is missing in %s. Write config: %s", what, advice.ConfigExamples[s.Type])
		}
		return
	}
	// For the members of the config that the step has in their place, which
	// its unknown fields have explained.
	d.around[config] = n
	d.object(config, reflect.ValueOf(own).Elem(), "the config of "+what)
}

// ownConfig makes the decoded config of the types that the machine performs, sets
// it in the step and returns a pointer to it; nil for all other types.
func ownConfig(s *definitions.Step) any {
	switch s.Type {
	case "condition":
		s.Condition = &definitions.ConditionConfig{}
		return s.Condition
	case "loop":
		s.Loop = &definitions.LoopConfig{}
		return s.Loop
	case "wait":
		s.Wait = &definitions.WaitConfig{}
		return s.Wait
	}
	return nil
}

// placeOf returns the name of an object's place in the tables of words (package
// advice), and the id of the step that it is; "" for both where there is none.
func placeOf(t reflect.Type, n *source.Node) (place, step string) {
	switch t {
	case reflect.TypeFor[definitions.Definition]():
		return "definition", ""
	case reflect.TypeFor[definitions.Step]():
		return "step:" + source.TextOf(n.Member("type")), source.Clip(source.TextOf(n.Member("id")))
	case reflect.TypeFor[definitions.Compensation]():
		return "compensate", ""
	case reflect.TypeFor[definitions.Probe]():
		return "probe", ""
	case reflect.TypeFor[definitions.Retry]():
		return "retry", ""
	case reflect.TypeFor[definitions.Concurrency]():
		return "concurrency", ""
	case reflect.TypeFor[definitions.Case]():
		return "case", ""
	case reflect.TypeFor[definitions.SignalWait]():
		return "signal", ""
	case reflect.TypeFor[definitions.ConditionConfig]():
		return "config:condition", ""
	case reflect.TypeFor[definitions.LoopConfig]():
		return "config:loop", ""
	case reflect.TypeFor[definitions.WaitConfig]():
		return "config:wait", ""
	}
	return "", ""
}
