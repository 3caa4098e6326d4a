package parser

import (
	"fmt"
	"heddle/definitions"
	"heddle/definitions/advice"
	"heddle/definitions/source"
	"heddle/internal/exactjson"
	"reflect"
	"strings"
)

// missing reports the absence of the required field name, with what to write
// where the rest of the object shows it: an id made from the name, a type that
// the config has the fields of.
func (d *decoder) missing(n *source.Node, t reflect.Type, name string, what *subject) {
	f := d.finds.Error(source.MissingField, n, "Field '%s' is missing in %s", name, what.String())
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
func (d *decoder) wrong(n *source.Node, what *subject, want string) {
	if n.Kind == source.Bad {
		return
	}
	// It still becomes Bad, or later checks would report it in words of their
	// own.
	if d.finds.Skip(source.WrongType) {
		n.Kind = source.Bad
		return
	}
	f := d.finds.Error(source.WrongType, n, "%s must be %s, not %s", what.capitalized(), want, n.Kind)
	had := n.Kind
	// SuggestFix looks at the members of an object; any other value is Bad for it
	// already.
	n.Kind = source.Object // for its members
	if had != source.Object {
		n.Kind = source.Bad
	}
	advice.SuggestFix(f, n, had, advice.FieldOf(what.String()), want)
	n.Kind = source.Bad
	if strings.HasPrefix(what.String(), "step ") && want == "an object" {
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
func (d *decoder) notExpression(n *source.Node, what *subject) {
	if n.Kind == source.Bad {
		return
	}
	f := d.finds.Error(source.WrongType, n, "%s must be text that is an expression, not %s", what.capitalized(), n.Kind)
	// A longer value is not worth quoting, and null was not meant as an
	// expression.
	if n.Kind != source.Null && n.To-n.From <= 200 {
		write := string(d.doc.Raw(n))
		f.WithSuggestion(write).Message += fmt.Sprintf(". Put it in quotes: \"%s\"", source.Clip(write))
	}
	n.Kind = source.Bad
}
