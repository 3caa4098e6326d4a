package definitions

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
)

// advice is what to write in the place of a word that Heddle does not have: a
// field, a type or a value of another product, or of another convention.
// Words are compared by their letters and digits alone (continueOnError,
// continue-on-error and continue_on_error are one).
type advice struct {
	words   string // as others write them, separated by spaces
	of      string // whose words they are; empty: of several
	write   string // what to write: one sentence, without a full stop
	suggest string // the name that takes the word's place; a path (config.url) where the value moves
	stands  string // the fields that need not be reported missing, separated by spaces
}

// advices are the tables of words by place, as the lookups need them.
type advices map[string]wordList

// wordList has the advices on a word, by its letters.
type wordList map[string][]*advice

// first is the first advice whose suggestion the object can take.
func (l wordList) first(word string, names []string) *advice {
	for _, a := range l[word] {
		if a.suggest == "" || strings.Contains(a.suggest, ".") || contains(names, a.suggest) {
			return a
		}
	}
	return nil
}

// wordTables is read once: the tables never change.
var wordTables = sync.OnceValues(func() (fields, values advices) {
	return readWords(foreignFields()), readWords(foreignValues())
})

func readWords(tables map[string][]advice) advices {
	all := make(advices, len(tables))
	for place, list := range tables {
		words := wordList{}
		for i := range list {
			for w := range strings.FieldsSeq(list[i].words) {
				words[letters(w)] = append(words[letters(w)], &list[i])
			}
		}
		all[place] = words
	}
	return all
}

// letters is a word without the marks by which conventions differ. A plural is
// another word.
func letters(word string) string {
	plain := true
	for i := range len(word) {
		if c := word[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			plain = false
			break
		}
	}
	if plain {
		return word
	}
	return strings.Map(func(r rune) rune {
		switch r {
		case '-', '_', ' ', '.', '$', '@', ':':
			return -1
		}
		return r
	}, strings.ToLower(word))
}

// meant finds what was meant by a field of an object, which may have the names.
// place says which kind of object it is. Nil: nothing is known of the word.
func meant(place, word string, names []string) *advice {
	if len(word) > 64 {
		return nil
	}
	plain := letters(word)
	for _, name := range names {
		if letters(name) == plain {
			return &advice{suggest: name}
		}
	}
	fields, _ := wordTables()
	if found := fields[place].first(plain, names); found != nil {
		return found
	}
	general, kind, _ := strings.Cut(place, ":")
	if strings.Contains(kind, ":") {
		return nil
	}
	return fields[general].first(plain, names)
}

// unknown reports a field that an object cannot have, and gives the names whose
// absence this explains. step is the id of the step around it, where there is
// one.
func (f *findings) unknown(at *node, key, what, place, step string, names []string) (explained []string) {
	d := f.error(UnknownField, at, "Unknown field '%s' in %s", clip(key), what).onKey()
	if d.left {
		return nil
	}
	free := absent(at.parent, names)
	found := meant(place, key, free)
	taken := found == nil
	if taken {
		found = meant(place, key, names)
	}
	if place == "definition" && at.kind == object {
		found = outsideOf(at, free, found)
	}
	switch {
	case found == nil:
		near := nearest(key, free)
		switch d.suggest(near); {
		case near != "":
			f.behind(at)
			return []string{near}
		case len(free) < len(names) && nearest(key, names) != "":
			d.suggest(nearest(key, names)).Message += thereAlready
		case len(names) > 0 && len(names) <= 12:
			d.Message += ". Known are " + strings.Join(names, ", ")
		}
		return nil
	case taken && found.write == "":
		d.suggest(found.suggest).Message += thereAlready
		return nil
	case found.write == "":
		f.behind(at)
		d.suggest(found.suggest)
		return []string{found.suggest}
	case !taken && (found.suggest != "" || found.stands != ""):
		f.behind(at)
	}
	d.Suggestion = found.suggest
	d.Message += ". " + sentence(fill(found.write, step, at))
	if found.of != "" {
		d.Message += " ('" + clip(key) + "' is the word of " + found.of + ")"
	}
	return append(strings.Fields(found.stands), found.suggest)
}

// thereAlready goes on after a suggestion of a member that the object has.
const thereAlready = " It is there already: keep one of them"

// absent are the names of members that an object does not have.
func absent(n *node, names []string) []string {
	if n == nil {
		return names
	}
	free := make([]string, 0, len(names))
	for _, name := range names {
		if n.member(name) == nil {
			free = append(free, name)
		}
	}
	return free
}

// outsideOf is the advice on an object that stands in a definition and holds
// what belongs to the definition itself; orElse where it holds none of it.
func outsideOf(at *node, free []string, orElse *advice) *advice {
	if at.member("steps") != nil || at.member("tasks") != nil || at.member("nodes") != nil {
		return &advice{write: "a definition is not wrapped: move what stands below it one level up, where name and steps stand", stands: "name steps"}
	}
	if name := textOf(at.member("name")); name != "" && contains(free, "name") {
		return &advice{suggest: "name", write: "write name: " + clip(name) + " at the top; beside name, description describes a definition, and tags stand beside it in the request"}
	}
	return orElse
}

// valueMeant finds what was meant by a value that is not among the allowed ones.
func valueMeant(place, value string, allowed []string) *advice {
	if len(value) > 64 {
		return nil
	}
	_, values := wordTables()
	return values[place].first(letters(value), allowed)
}

// fill puts what was written into an advice: {id} is the step's id, {value} the
// value, {list} the value as a list, {seconds} and {minutes} the value as
// seconds, {more} one more than the value, {slug} the value as an id.
func fill(write, step string, at *node) string {
	if !strings.Contains(write, "{") {
		return write
	}
	value := ""
	switch {
	case at.kind == text || at.kind == number || at.kind == boolean:
		value = clip(at.text)
	case at.kind == array && len(at.kids) == 1 && at.kids[0].kind == text:
		value = clip(at.kids[0].text)
	}
	for name, put := range map[string]func() string{
		"{id}":      func() string { return orDefault(step, "its id") },
		"{value}":   func() string { return orDefault(value, "…") },
		"{list}":    func() string { return idList(at) },
		"{seconds}": func() string { return inSeconds(value, 1, "300") },
		"{minutes}": func() string { return inSeconds(value, 60, "1800") },
		"{more}":    func() string { return oneMore(value) },
		"{slug}":    func() string { return orDefault(idFrom(value), "…") },
	} {
		if strings.Contains(write, name) {
			write = strings.ReplaceAll(write, name, put())
		}
	}
	return write
}

// idList is the value as a list of ids.
func idList(at *node) string {
	switch {
	case at.kind == text && at.text != "" && !strings.ContainsAny(at.text, " {&|"):
		return "[" + clip(at.text) + "]"
	case at.kind != array || len(at.kids) == 0 || len(at.kids) > 5:
		return "[ids of the steps before it]"
	}
	var ids []string
	for _, kid := range at.kids {
		if kid.kind != text {
			return "[ids of the steps before it]"
		}
		ids = append(ids, clip(kid.text))
	}
	return "[" + strings.Join(ids, ", ") + "]"
}

// inSeconds reads a number of the unit, or a duration such as 5m.
func inSeconds(value string, unit float64, orElse string) string {
	if n, err := strconv.ParseFloat(value, 64); err == nil && n >= 0 && n <= maxSeconds {
		return strconv.FormatFloat(math.Ceil(n*unit), 'f', -1, 64)
	}
	if d, err := time.ParseDuration(value); err == nil && d >= 0 {
		return strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
	}
	return orElse
}

func oneMore(value string) string {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > 999_999 {
		return "3"
	}
	return strconv.Itoa(n + 1)
}

// notAllowed reports a value that is not among the allowed ones of a field.
func (f *findings) notAllowed(at *node, what, place string, allowed []string) {
	d := f.error(InvalidValue, at, "%s is %s, but must be one of %s", what, clip(at.show()), strings.Join(allowed, ", "))
	if d.left {
		return
	}
	found := valueMeant(place, at.text, allowed)
	switch {
	case found == nil:
		d.suggest(nearest(at.text, allowed))
	case found.write == "":
		d.suggest(found.suggest)
	default:
		d.hint(found.suggest).Message += ". " + sentence(found.write)
	}
}

// placeOf names the place of an object for the tables of words, and the step
// that it is.
func placeOf(t reflect.Type, n *node) (place, step string) {
	switch t {
	case reflect.TypeFor[Definition]():
		return "definition", ""
	case reflect.TypeFor[Step]():
		return "step:" + textOf(n.member("type")), clip(textOf(n.member("id")))
	case reflect.TypeFor[Compensation]():
		return "compensate", ""
	case reflect.TypeFor[Probe]():
		return "probe", ""
	case reflect.TypeFor[Retry]():
		return "retry", ""
	case reflect.TypeFor[Concurrency]():
		return "concurrency", ""
	case reflect.TypeFor[Case]():
		return "case", ""
	case reflect.TypeFor[SignalWait]():
		return "signal", ""
	case reflect.TypeFor[ConditionConfig]():
		return "config:condition", ""
	case reflect.TypeFor[LoopConfig]():
		return "config:loop", ""
	case reflect.TypeFor[WaitConfig]():
		return "config:wait", ""
	}
	return "", ""
}

// explain notes the fields of an object whose absence was explained.
func (d *Document) explain(at *node, fields []string) {
	for _, name := range fields {
		if name == "" {
			continue
		}
		if d.explained == nil {
			d.explained = map[*node]map[string]bool{}
		}
		if d.explained[at] == nil {
			d.explained[at] = map[string]bool{}
		}
		d.explained[at][name] = true
	}
}

// explains reports whether the absence of a field was explained already.
func (d *Document) explains(at *node, field string) bool {
	return at != nil && (at.partial || d.explained[at][field])
}
