package versions

import "heddle/internal/exactjson"

// valuePair is one value before and after, decoded.
type valuePair struct{ a, b any }

// fieldList collects the changed fields of a step or of the settings. Objects
// are compared member by member; lists element by element where they have the
// same length and hold objects or lists only. Other lists, such as
// dependencies, are one value: people read them as a whole.
type fieldList []Field

// add adds a value that both sides have, as it is written.
func (l *fieldList) add(path string, a, b any) {
	*l = append(*l, Field{Path: path, Before: exactjson.Canonical(a), After: exactjson.Canonical(b)})
}

// values adds the differences of a pair of values. shown is the pair as it is
// reported; compared is the pair that decides, of the same shape but with
// references to renamed steps rewritten, so that a renaming is not a difference.
func (l *fieldList) values(path string, shown, compared valuePair) {
	if exactjson.Equal(compared.a, compared.b) {
		return
	}
	if _, _, both := objects(compared.a, compared.b); both {
		l.objects(path, shown, compared)
		return
	}
	if a, b, both := lists(compared.a, compared.b); both && len(a) == len(b) && nested(a) && nested(b) {
		// Rewriting keeps the shape, so shown has the same lengths.
		x, y, _ := lists(shown.a, shown.b)
		for i := range a {
			l.values(pointer(path, i), valuePair{x[i], y[i]}, valuePair{a[i], b[i]})
		}
		return
	}
	l.add(path, shown.a, shown.b)
}

// objects adds the differences of two objects, in the order of their keys. Both
// pairs are objects.
func (l *fieldList) objects(path string, shown, compared valuePair) {
	a, b, _ := objects(compared.a, compared.b)
	for _, key := range keysOfBoth(a, b) {
		l.member(path+"/"+exactjson.EscapeToken(key), key, shown, compared)
	}
}

// member adds the differences of one member of two objects.
func (l *fieldList) member(path, key string, shown, compared valuePair) {
	x, y, _ := objects(shown.a, shown.b)
	a, b, _ := objects(compared.a, compared.b)
	_, inA := a[key]
	_, inB := b[key]
	switch {
	case inA && inB:
		l.values(path, valuePair{x[key], y[key]}, valuePair{a[key], b[key]})
	case inA:
		*l = append(*l, Field{Path: path, Before: exactjson.Canonical(x[key])})
	case inB:
		*l = append(*l, Field{Path: path, After: exactjson.Canonical(y[key])})
	}
}

// nested reports whether all elements are lists or objects.
func nested(list []any) bool {
	for _, element := range list {
		switch element.(type) {
		case map[string]any, []any:
		default:
			return false
		}
	}
	return true
}
