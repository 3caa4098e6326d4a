package versions

// sides is one value before and after.
type sides struct{ a, b any }

// fieldList gathers the changed fields of a step or of the settings. Objects
// are looked into; lists too where they have one length and hold objects or
// lists, otherwise they are shown whole, as a list of dependencies is.
type fieldList []Field

func (l *fieldList) add(path string, a, b any) {
	*l = append(*l, Field{Path: path, Before: text(a), After: text(b)})
}

// values lists what differs. shown is what is shown; judged, of the same
// shape, is what is compared: the same with references rewritten.
func (l *fieldList) values(path string, shown, judged sides) {
	if equal(judged.a, judged.b) {
		return
	}
	if _, _, both := objects(judged.a, judged.b); both {
		l.objects(path, shown, judged)
		return
	}
	if a, b, both := lists(judged.a, judged.b); both && len(a) == len(b) && nested(a) && nested(b) {
		x, y, _ := lists(shown.a, shown.b)
		for i := range a {
			l.values(place(path, i), sides{x[i], y[i]}, sides{a[i], b[i]})
		}
		return
	}
	l.add(path, shown.a, shown.b)
}

func (l *fieldList) objects(path string, shown, judged sides) {
	a, b, _ := objects(judged.a, judged.b)
	for _, key := range keysOfBoth(a, b) {
		l.member(path+"/"+escapeToken(key), key, shown, judged)
	}
}

// member lists what differs in one member of two objects.
func (l *fieldList) member(path, key string, shown, judged sides) {
	x, y, _ := objects(shown.a, shown.b)
	a, b, _ := objects(judged.a, judged.b)
	_, inA := a[key]
	_, inB := b[key]
	switch {
	case inA && inB:
		l.values(path, sides{x[key], y[key]}, sides{a[key], b[key]})
	case inA:
		*l = append(*l, Field{Path: path, Before: text(x[key])})
	case inB:
		*l = append(*l, Field{Path: path, After: text(y[key])})
	}
}

// nested tells whether all elements are lists or objects.
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
