package parser

import (
	"encoding/json"
	"heddle/definitions"
	"heddle/definitions/advice"
	"heddle/definitions/source"
	"reflect"
)

// decoder fills Go values from nodes and reports whatever does not fit. A field
// that does not fit keeps its zero value, its node becomes Bad, and the rest is
// decoded. It serves one Parse.
type decoder struct {
	finds  *source.Diagnostics // of the scan as well
	doc    *Document
	shapes shapes // of this parse
	steps  int    // in all lists so far; bounded by MaxSteps
}

// object decodes n into the struct v. what names the object in messages. Unknown members
// are reported first, because they often explain what is missing: those of step, which is
// nil unless n is its config, explain what the config lacks.
func (d *decoder) object(n, step *source.Node, v reflect.Value, what *subject) {
	if n.Kind != source.Object {
		d.wrong(n, what, "an object")
		return
	}
	s := d.shapes.of(v.Type())
	for i, key := range n.Keys {
		f := s.field(key)
		if f == nil {
			if !d.finds.Skip(source.UnknownField) {
				place, step := placeOf(v.Type(), n)
				d.doc.Explain(n, advice.UnknownField(d.finds, n.Kids[i], key, what.String(), place, step, s.names))
			}
			continue
		}
		d.value(n.Kids[i], v.Field(f.at), f, what)
	}
	// A field may be absent because its name is misspelt, or because it
	// stands beside the config that it belongs in; the unknown field's
	// message says so.
	for i := range s.fields {
		f := &s.fields[i]
		if f.rule.required && n.Member(f.name) == nil && !d.doc.Explains(n, f.name) && !d.doc.Explains(step, "config."+f.name) && !d.finds.Skip(source.MissingField) {
			d.missing(n, v.Type(), f.name, what)
		}
	}
}

// value decodes n into v, the field f of the object that owner names. It panics
// on a Go type that no definition has.
func (d *decoder) value(n *source.Node, v reflect.Value, f *field, owner *subject) {
	what := &subject{kind: member, owner: owner, text: f.name}
	if v.Type() == reflect.TypeFor[json.RawMessage]() {
		d.rawValue(n, v, f, what)
		return
	}
	switch v.Kind() {
	case reflect.String:
		d.text(n, v, &f.rule, what)
	case reflect.Bool:
		if n.Kind != source.Boolean {
			d.wrong(n, what, "a boolean")
			return
		}
		v.SetBool(n.Text == "true")
	case reflect.Int:
		d.integer(n, v, &f.rule, what)
	case reflect.Float64:
		d.float(n, v, &f.rule, what)
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
		d.object(n, nil, v, what)
	default:
		panic("definitions: cannot decode into " + v.Type().String())
	}
}

// list decodes a list into the slice v. Items that do not fit keep their zero
// value, so indexes in v are those in the text.
func (d *decoder) list(n *source.Node, v reflect.Value, f *field, what *subject) {
	if n.Kind != source.Array {
		d.wrong(n, what, "a list")
		return
	}
	if len(n.Kids) < f.rule.minLength {
		d.finds.Error(source.InvalidValue, n, "%s is empty; at least %d is needed", what.capitalized(), f.rule.minLength)
	}
	if f.rule.maxLength > 0 && len(n.Kids) > f.rule.maxLength {
		d.finds.Error(source.LimitExceeded, n, "%s has %d items; %d are allowed", what.capitalized(), len(n.Kids), f.rule.maxLength)
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
			d.object(kid, nil, item, &subject{kind: listItem, owner: what, item: i})
		// Most lists are of ids: no message is prepared for an item that cannot
		// be wrong.
		case kid.Kind == source.String && f.rule.anyText():
			item.SetString(kid.Text)
		case kid.Kind != source.String && kid.Kind != source.Bad && d.finds.Skip(source.WrongType):
			kid.Kind = source.Bad
		default:
			rule := f.rule.items()
			d.text(kid, item, &rule, &subject{kind: listItem, owner: what, item: i})
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

// step decodes the i-th step of a list (from 0), and the config of the types that
// the machine performs itself. list names the list that it stands in. Messages
// name a step by its id where it has one, and otherwise by its index and list.
func (d *decoder) step(n *source.Node, s *definitions.Step, i int, list *subject) {
	what := &subject{kind: stepOf, owner: list, item: i}
	if id := n.Member("id"); id != nil && id.Kind == source.String {
		what = &subject{kind: stepNamed, text: id.Text}
	}
	d.object(n, nil, reflect.ValueOf(s).Elem(), what)
	own := ownConfig(s)
	// Other types' configs stay raw: the catalog knows their form.
	if own == nil || n.Kind != source.Object {
		return
	}
	config := n.Member("config")
	if config == nil {
		if !d.doc.Explains(n, "config") {
			d.finds.Error(source.MissingField, n, "Field 'config' is missing in %s. Write config: %s", what.String(), advice.ConfigExamples[s.Type])
		}
		return
	}
	d.object(config, n, reflect.ValueOf(own).Elem(), &subject{kind: configOf, owner: what})
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
