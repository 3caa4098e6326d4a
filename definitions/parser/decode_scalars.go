package parser

import (
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

// rawValue stores the canonical text of n, which is not copied.
func (d *decoder) rawValue(n *source.Node, v reflect.Value, f *field, what *subject) {
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
func (d *decoder) text(n *source.Node, v reflect.Value, r *rule, what *subject) {
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
		advice.NotAllowed(d.finds, n, what.capitalized(), r.name, r.enum)
	case r.pattern != nil && !r.pattern.MatchString(n.Text):
		d.finds.Error(source.InvalidValue, n, "%s is '%s', but must be %s", what.capitalized(), source.Clip(n.Text), r.patternSay)
	case r.expression && strings.TrimSpace(n.Text) == "":
		d.finds.Error(source.InvalidValue, n, "%s is empty; write an expression or leave the field out", what.capitalized())
	case r.expression && len(n.Text) > definitions.MaxExpressionBytes:
		d.finds.Error(source.LimitExceeded, n, "%s is longer than %d bytes; move parts of it into steps of their own", what.capitalized(), definitions.MaxExpressionBytes)
	case length < r.minLength:
		d.finds.Error(source.InvalidValue, n, "%s must not be empty", what.capitalized())
	case r.maxLength > 0 && length > r.maxLength:
		d.finds.Error(source.InvalidValue, n, "%s has %d characters; %d are allowed", what.capitalized(), length, r.maxLength)
	default:
		return
	}
	n.Kind = source.Bad
}

// float decodes a number.
func (d *decoder) float(n *source.Node, v reflect.Value, r *rule, what *subject) {
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
func (d *decoder) integer(n *source.Node, v reflect.Value, r *rule, what *subject) {
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
		d.finds.Error(source.WrongType, n, "%s must be a whole number, not %s", what.capitalized(), source.Clip(n.Text))
		n.Kind = source.Bad
		return
	}
	if d.inRange(n, f, r, what) {
		v.SetInt(int64(f))
	}
}

// inRange reports whether f is within its rule, and reports it to the author
// otherwise.
func (d *decoder) inRange(n *source.Node, f float64, r *rule, what *subject) bool {
	if r.minimum != nil && f < *r.minimum || r.maximum != nil && f > *r.maximum {
		d.outOfRange(n, r, what)
		return false
	}
	return true
}

// outOfRange reports a number beyond its rule, with both bounds.
func (d *decoder) outOfRange(n *source.Node, r *rule, what *subject) {
	var want []string
	if r.minimum != nil {
		want = append(want, "at least "+strconv.FormatFloat(*r.minimum, 'f', -1, 64))
	}
	if r.maximum != nil {
		want = append(want, "at most "+strconv.FormatFloat(*r.maximum, 'f', -1, 64))
	}
	d.finds.Error(source.InvalidValue, n, "%s is %s, but must be %s", what.capitalized(), source.Clip(n.Text), strings.Join(want, " and "))
	n.Kind = source.Bad
}

// anyText reports whether the rule accepts every text as an item of a list.
func (r *rule) anyText() bool {
	return r.pattern == nil && len(r.enum) == 0 && !r.expression
}

// items returns the rule of a list's items: all of r but the length, which is the
// list's.
func (r rule) items() rule {
	r.minLength, r.maxLength = 0, 0
	return r
}
