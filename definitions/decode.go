package definitions

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
)

// decoder fills Go values from nodes and reports whatever does not fit. A
// field that does not fit keeps its zero value and the rest is decoded.
type decoder struct {
	finds  *findings
	doc    *Document
	shapes shapes
	around map[*node]*node // the steps of configs that are decoded here
	steps  int             // in all lists so far
}

// object decodes into a struct. what names the object in messages.
func (d *decoder) object(n *node, v reflect.Value, what string) {
	if n.kind != object {
		d.wrong(n, what, "an object")
		return
	}
	s := d.shapes.of(v.Type())
	for i, key := range n.keys {
		f, ok := s.field(key)
		if !ok {
			if !d.finds.skip(UnknownField) {
				place, step := placeOf(v.Type(), n)
				d.doc.explain(n, d.finds.unknown(n.kids[i], key, what, place, step, s.names))
			}
			continue
		}
		d.value(n.kids[i], v.Field(f.at), f, what)
	}
	for _, f := range s.fields {
		if f.rule.required && n.member(f.name) == nil && !d.doc.explains(n, f.name) && !d.doc.explains(d.around[n], "config."+f.name) && !d.finds.skip(MissingField) {
			d.missing(n, v.Type(), f.name, what)
		}
	}
}

// missing reports a field that is needed, with what to write where that is
// known.
func (d *decoder) missing(n *node, t reflect.Type, name, what string) {
	f := d.finds.error(MissingField, n, "Field '%s' is missing in %s", name, what)
	if t == reflect.TypeFor[Definition]() && !f.left {
		f.Message += ". " + map[string]string{"name": "Write name: what people call the workflow", "steps": "Write steps: " + examples["steps"]}[name]
		return
	}
	if t != reflect.TypeFor[Step]() || f.left {
		return
	}
	switch {
	case name == "id" && textOf(n.member("name")) != "":
		if id := idFrom(textOf(n.member("name"))); id != "" {
			f.hint("id: " + id).Message += ". Write id: " + id
		}
	case name == "id" && len(n.keys) == 1 && n.kids[0].member("type") != nil:
		f.hint("id: " + n.keys[0]).Message += ". Steps are a list of {id: " + clip(n.keys[0]) + ", type: …}, not of names with what they do"
		d.doc.explain(n, []string{"type"})
	case name == "id":
		f.Message += ". Write id: a word that no other step has"
	case name == "type" && typeOfConfig(n.member("config")) != "":
		f.hint(typeOfConfig(n.member("config"))).Message += ". Write type: " + f.Suggestion
	case name == "type":
		f.Message += ". Write type: agent_task, condition, http_request, loop, script, wait or webhook"
	}
}

// typeOfConfig is the type that a config without one is of; "": more than one
// may be, or none.
func typeOfConfig(config *node) string {
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
		if config.member(only.field) != nil {
			return only.of
		}
	}
	return ""
}

// wrong reports a type that does not fit; what is bad was reported before.
func (d *decoder) wrong(n *node, what, want string) {
	if n.kind == bad {
		return
	}
	if d.finds.skip(WrongType) {
		n.kind = bad
		return
	}
	f := d.finds.error(WrongType, n, "%s must be %s, not %s", sentence(what), want, n.kind)
	had := n.kind
	n.kind = object // for its members
	if had != object {
		n.kind = bad
	}
	f.mend(n, had, fieldOf(what), want)
	n.kind = bad
	if strings.HasPrefix(what, "step ") && want == "an object" {
		f.Message += ". Write {id: a, type: script, config: {script: …}}"
	}
	if want == "a boolean" && n.text != "" {
		switch strings.ToLower(n.text) {
		case "yes", "on", "true", "1":
			f.hint("true")
		case "no", "off", "false", "0":
			f.hint("false")
		}
	}
	if want == "a number" && isNumber(n.text) {
		f.hint(n.text)
	}
}

// notExpression reports a value in the place of an expression, with the text
// that stands for it.
func (d *decoder) notExpression(n *node, what string) {
	if n.kind == bad {
		return
	}
	f := d.finds.error(WrongType, n, "%s must be text that is an expression, not %s", sentence(what), n.kind)
	if n.kind != null && n.to-n.from <= 200 {
		write := string(d.doc.raw(n))
		f.hint(write).Message += fmt.Sprintf(". Put it in quotes: \"%s\"", clip(write))
	}
	n.kind = bad
}

func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func (d *decoder) value(n *node, v reflect.Value, f field, owner string) {
	what := fmt.Sprintf("'%s' in %s", f.name, owner)
	if v.Type() == reflect.TypeFor[json.RawMessage]() {
		d.rawValue(n, v, f, what)
		return
	}
	switch v.Kind() {
	case reflect.String:
		d.text(n, v, f.rule, what)
	case reflect.Bool:
		if n.kind != boolean {
			d.wrong(n, what, "a boolean")
			return
		}
		v.SetBool(n.text == "true")
	case reflect.Int:
		d.integer(n, v, f.rule, what)
	case reflect.Float64:
		d.float(n, v, f.rule, what)
	case reflect.Pointer:
		fresh := reflect.New(v.Type().Elem())
		d.value(n, fresh.Elem(), f, owner)
		if n.kind != bad {
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

func (d *decoder) rawValue(n *node, v reflect.Value, f field, what string) {
	if n.kind == bad {
		return
	}
	if f.rule.object && n.kind != object {
		d.wrong(n, what, "an object")
		return
	}
	v.SetBytes(d.doc.raw(n))
}

func (d *decoder) text(n *node, v reflect.Value, r rule, what string) {
	if n.kind != text {
		if r.expression {
			d.notExpression(n, what)
			return
		}
		d.wrong(n, what, "text")
		return
	}
	v.SetString(n.text)
	length := runes(n.text)
	switch {
	case len(r.enum) > 0 && !contains(r.enum, n.text):
		d.finds.notAllowed(n, sentence(what), r.name, r.enum)
	case r.pattern != nil && !r.pattern.MatchString(n.text):
		d.finds.error(InvalidValue, n, "%s is '%s', but must be %s", sentence(what), clip(n.text), r.patternSay)
	case r.expression && strings.TrimSpace(n.text) == "":
		d.finds.error(InvalidValue, n, "%s is empty; write an expression or leave the field out", sentence(what))
	case r.expression && len(n.text) > MaxExpressionBytes:
		d.finds.error(LimitExceeded, n, "%s is longer than %d bytes; move parts of it into steps of their own", sentence(what), MaxExpressionBytes)
	case length < r.minLength:
		d.finds.error(InvalidValue, n, "%s must not be empty", sentence(what))
	case r.maxLength > 0 && length > r.maxLength:
		d.finds.error(InvalidValue, n, "%s has %d characters; %d are allowed", sentence(what), length, r.maxLength)
	default:
		return
	}
	n.kind = bad
}

func (d *decoder) float(n *node, v reflect.Value, r rule, what string) {
	if n.kind != number {
		d.wrong(n, what, "a number")
		return
	}
	f, err := strconv.ParseFloat(n.text, 64)
	if err != nil || !d.inRange(n, f, r, what) {
		if n.kind != bad {
			d.outOfRange(n, r, what)
		}
		return
	}
	v.SetFloat(f)
}

// hasFraction reports whether a JSON number is no whole one, however small or
// close to one it is.
func hasFraction(text string) bool {
	if !strings.ContainsAny(text, ".eE") {
		return false
	}
	r, ok := new(big.Rat).SetString(text)
	return !ok || !r.IsInt()
}

func (d *decoder) integer(n *node, v reflect.Value, r rule, what string) {
	if n.kind != number {
		d.wrong(n, what, "a whole number")
		return
	}
	f, err := strconv.ParseFloat(n.text, 64)
	if err != nil || math.Abs(f) >= 1<<53 {
		d.outOfRange(n, r, what)
		return
	}
	if f != math.Trunc(f) || hasFraction(n.text) {
		d.finds.error(WrongType, n, "%s must be a whole number, not %s", sentence(what), clip(n.text))
		n.kind = bad
		return
	}
	if d.inRange(n, f, r, what) {
		v.SetInt(int64(f))
	}
}

func (d *decoder) inRange(n *node, f float64, r rule, what string) bool {
	if r.minimum != nil && f < *r.minimum || r.maximum != nil && f > *r.maximum {
		d.outOfRange(n, r, what)
		return false
	}
	return true
}

func (d *decoder) outOfRange(n *node, r rule, what string) {
	var want []string
	if r.minimum != nil {
		want = append(want, "at least "+strconv.FormatFloat(*r.minimum, 'f', -1, 64))
	}
	if r.maximum != nil {
		want = append(want, "at most "+strconv.FormatFloat(*r.maximum, 'f', -1, 64))
	}
	d.finds.error(InvalidValue, n, "%s is %s, but must be %s", sentence(what), clip(n.text), strings.Join(want, " and "))
	n.kind = bad
}

func (d *decoder) list(n *node, v reflect.Value, f field, what string) {
	if n.kind != array {
		d.wrong(n, what, "a list")
		return
	}
	if len(n.kids) < f.rule.minLength {
		d.finds.error(InvalidValue, n, "%s is empty; at least %d is needed", sentence(what), f.rule.minLength)
	}
	if f.rule.maxLength > 0 && len(n.kids) > f.rule.maxLength {
		d.finds.error(LimitExceeded, n, "%s has %d items; %d are allowed", sentence(what), len(n.kids), f.rule.maxLength)
		d.tooMany(n, v)
		return
	}
	if v.Type().Elem() == reflect.TypeFor[Step]() && !d.room(n) {
		d.tooMany(n, v)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.kids), len(n.kids)))
	for i, kid := range n.kids {
		item := v.Index(i)
		switch {
		case item.Type() == reflect.TypeFor[Step]():
			d.step(kid, item.Addr().Interface().(*Step), i, what)
		case item.Kind() == reflect.Struct:
			d.object(kid, item, fmt.Sprintf("item %d of %s", i, what))
		case kid.kind == text && f.rule.anyText():
			item.SetString(kid.text)
		case kid.kind != text && kid.kind != bad && d.finds.skip(WrongType):
			kid.kind = bad
		default:
			d.text(kid, item, f.rule.items(), fmt.Sprintf("item %d of %s", i, what))
		}
	}
}

// tooMany leaves a list unread that is longer than any may be: what is wrong
// with its items does not matter before it is shorter.
func (d *decoder) tooMany(n *node, v reflect.Value) {
	d.doc.partial = d.doc.partial || v.Type().Elem() == reflect.TypeFor[Step]()
	n.kind, n.kids = bad, nil
}

// room counts the steps of a list, and reports whether the definition may
// have as many.
func (d *decoder) room(n *node) bool {
	d.steps += len(n.kids)
	if d.steps <= MaxSteps {
		return true
	}
	if !d.doc.partial {
		d.finds.error(LimitExceeded, d.doc.root.pick("steps"), "The definition has more than %d steps in all its lists; %d are allowed", MaxSteps, MaxSteps)
	}
	return false
}

// anyText reports whether every text is a good item of a list.
func (r rule) anyText() bool {
	return r.pattern == nil && len(r.enum) == 0 && !r.expression
}

// items is the rule of a list's items: they keep all but the length.
func (r rule) items() rule {
	r.minLength, r.maxLength = 0, 0
	return r
}

// step decodes one step, and the config of the types that the machine
// performs itself. list names the list that it stands in.
func (d *decoder) step(n *node, s *Step, i int, list string) {
	what := "step " + strconv.Itoa(i)
	switch name, in, _ := strings.Cut(strings.TrimPrefix(list, "'"), "' in "); {
	case in != "the definition":
		what += " of the body of " + strings.TrimPrefix(in, "the config of ")
	case name != "steps":
		what += " of " + name
	}
	if id := n.member("id"); id != nil && id.kind == text {
		what = fmt.Sprintf("step '%s'", clip(id.text))
	}
	d.object(n, reflect.ValueOf(s).Elem(), what)
	own := ownConfig(s)
	if own == nil || n.kind != object {
		return
	}
	config := n.member("config")
	if config == nil {
		if !d.doc.explains(n, "config") {
			d.finds.error(MissingField, n, "Field 'config' is missing in %s. Write config: %s", what, configExamples[s.Type])
		}
		return
	}
	d.around[config] = n
	d.object(config, reflect.ValueOf(own).Elem(), "the config of "+what)
}

// ownConfig makes the decoded config of the three types that need one.
func ownConfig(s *Step) any {
	switch s.Type {
	case "condition":
		s.Condition = &ConditionConfig{}
		return s.Condition
	case "loop":
		s.Loop = &LoopConfig{}
		return s.Loop
	case "wait":
		s.Wait = &WaitConfig{}
		return s.Wait
	}
	return nil
}
