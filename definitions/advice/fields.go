package advice

import (
	"cmp"
	"heddle/definitions"
	"heddle/definitions/source"
	regexp "heddle/internal/lazyregexp"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Replacement is what to write in the place of a word that Heddle does not
// have: a field, a type or a value of another product, or of another
// convention. Words are compared by their letters and digits alone
// (continueOnError, continue-on-error and continue_on_error are one). Write
// and Suggest may both be set; with Suggest alone the message is "Did you
// mean".
type Replacement struct {
	words   string // as others write them, separated by spaces
	of      string // whose words they are; "": of several
	Write   string // what to write: one sentence, without a full stop
	Suggest string // the name that takes the word's place, or "" (a path where the value moves: config.url)
	stands  string // the fields that need not be reported missing, separated by spaces
}

// advices are the tables of words by place, as the lookups need them.
type advices map[string]wordList

// wordList has the replacements of a word, by its letters, in the order of
// the table.
type wordList map[string][]*Replacement

// first returns the first replacement whose suggestion is among names, or
// that has none or moves the value elsewhere; nil when there is none.
func (l wordList) first(word string, names []string) *Replacement {
	for _, a := range l[word] {
		if a.Suggest == "" || strings.Contains(a.Suggest, ".") || slices.Contains(names, a.Suggest) {
			return a
		}
	}
	return nil
}

// wordTables returns the tables of fields and of values, which are read at
// the first call and never change.
var wordTables = sync.OnceValues(func() (fields, values advices) {
	return readWords(foreignFields()), readWords(foreignValues())
})

// readWords turns tables into the form of the lookups. The replacements are
// shared, not copied.
func readWords(tables map[string][]Replacement) advices {
	all := make(advices, len(tables))
	for place, list := range tables {
		words := wordList{}
		for i := range list {
			for w := range strings.FieldsSeq(list[i].words) {
				words[Letters(w)] = append(words[Letters(w)], &list[i])
			}
		}
		all[place] = words
	}
	return all
}

// Letters returns a word in small letters and without the marks by which
// conventions differ. A plural is another word. Most words need no change,
// and then no memory.
func Letters(word string) string {
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

// meant returns what was meant by a field of an object that may have the
// given names; nil: nothing is known of the word. place says which kind of
// object it is; one such as "config:wait" falls back on the words of
// "config", a longer one on nothing.
func meant(place, word string, names []string) *Replacement {
	if len(word) > 64 {
		return nil
	}
	plain := Letters(word)
	// Another convention of a right name is certain; the tables are only
	// likely.
	for _, name := range names {
		if Letters(name) == plain {
			return &Replacement{Suggest: name}
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

// UnknownField reports a field that an object cannot have, with what was
// probably meant, and returns the names whose absence this explains. at is
// the member's value, key its name, what and place the object in words and
// for the tables; step is the id of the step around it, "" where there is
// none; names are what the object may have.
func UnknownField(f *source.Diagnostics, at *source.Node, key, what, place, step string, names []string) (explained []string) {
	d := f.Error(source.UnknownField, at, "Unknown field '%s' in %s", source.Clip(key), what).AtKey()
	if d.Unlisted {
		return nil
	}
	// A name that is there already was not meant by the unknown one, unless
	// nothing else fits.
	free := absent(at.Parent, names)
	found := meant(place, key, free)
	taken := found == nil
	if taken {
		found = meant(place, key, names)
	}
	if place == "definition" && at.Kind == source.Object {
		found = outsideOf(at, free, found)
	}
	switch {
	case found == nil:
		near := source.Nearest(key, free)
		switch d.DidYouMean(near); {
		case near != "":
			f.NoteReplacement(at)
			return []string{near}
		case len(free) < len(names) && source.Nearest(key, names) != "":
			d.DidYouMean(source.Nearest(key, names)).Message += thereAlready
		case len(names) > 0 && len(names) <= 12:
			d.Message += ". Known are " + strings.Join(names, ", ")
		}
		return nil
	// The object has the right name as well: one of the two is too many.
	case taken && found.Write == "":
		d.DidYouMean(found.Suggest).Message += thereAlready
		return nil
	case found.Write == "":
		f.NoteReplacement(at)
		d.DidYouMean(found.Suggest)
		return []string{found.Suggest}
	case !taken && (found.Suggest != "" || found.stands != ""):
		f.NoteReplacement(at)
	}
	d.Suggestion = found.Suggest
	d.Message += ". " + source.Capitalize(fill(found.Write, step, at))
	// The product is named, so that the reader sees where the habit comes
	// from.
	if found.of != "" {
		d.Message += " ('" + source.Clip(key) + "' is the word of " + found.of + ")"
	}
	return append(strings.Fields(found.stands), found.Suggest)
}

// thereAlready continues a suggestion of a member that the object has.
const thereAlready = " It is there already: keep one of them"

// absent returns the names of members that an object does not have; all of
// them for nil.
func absent(n *source.Node, names []string) []string {
	if n == nil {
		return names
	}
	free := make([]string, 0, len(names))
	for _, name := range names {
		if n.Member(name) == nil {
			free = append(free, name)
		}
	}
	return free
}

// outsideOf returns the advice on an object that stands in a definition and
// holds what belongs to the definition itself; orElse where it holds none of
// it.
func outsideOf(at *source.Node, free []string, orElse *Replacement) *Replacement {
	if at.Member("steps") != nil || at.Member("tasks") != nil || at.Member("nodes") != nil {
		return &Replacement{Write: "a definition is not wrapped: move what stands below it one level up, where name and steps stand", stands: "name steps"}
	}
	// An object such as metadata: {name: x} with which other products begin.
	if name := source.TextOf(at.Member("name")); name != "" && slices.Contains(free, "name") {
		return &Replacement{Suggest: "name", Write: "write name: " + source.Clip(name) + " at the top; beside name, description describes a definition, and tags stand beside it in the request"}
	}
	return orElse
}

// ValueMeant returns what was meant by a value that is not among the allowed
// ones of the field at a place; nil: unknown.
func ValueMeant(place, value string, allowed []string) *Replacement {
	if len(value) > 64 {
		return nil
	}
	_, values := wordTables()
	return values[place].first(Letters(value), allowed)
}

// fill puts what was written into an advice: {id} is the step's id, {value}
// the value, {list} the value as a list, {seconds} and {minutes} the value as
// seconds, {more} one more than the value (retries do not count the first
// attempt, max_attempts does), {slug} the value as an id. What the value does
// not fit is put in as an example.
func fill(write, step string, at *source.Node) string {
	if !strings.Contains(write, "{") {
		return write
	}
	value := ""
	switch {
	case at.Kind == source.String || at.Kind == source.Number || at.Kind == source.Boolean:
		value = source.Clip(at.Text)
	// A list of one text is that text where one is wanted.
	case at.Kind == source.Array && len(at.Kids) == 1 && at.Kids[0].Kind == source.String:
		value = source.Clip(at.Kids[0].Text)
	}
	for name, put := range map[string]func() string{
		"{id}":      func() string { return cmp.Or(step, "its id") },
		"{value}":   func() string { return cmp.Or(value, "…") },
		"{list}":    func() string { return idList(at) },
		"{seconds}": func() string { return inSeconds(value, 1, "300") },
		"{minutes}": func() string { return inSeconds(value, 60, "1800") },
		"{more}":    func() string { return oneMore(value) },
		"{slug}":    func() string { return cmp.Or(IDFrom(value), "…") },
	} {
		if strings.Contains(write, name) {
			write = strings.ReplaceAll(write, name, put())
		}
	}
	return write
}

// idList returns the value as a list of ids, or words for one.
func idList(at *source.Node) string {
	switch {
	case at.Kind == source.String && at.Text != "" && !strings.ContainsAny(at.Text, " {&|"):
		return "[" + source.Clip(at.Text) + "]"
	case at.Kind != source.Array || len(at.Kids) == 0 || len(at.Kids) > 5:
		return "[ids of the steps before it]"
	}
	var ids []string
	for _, kid := range at.Kids {
		if kid.Kind != source.String {
			return "[ids of the steps before it]"
		}
		ids = append(ids, source.Clip(kid.Text))
	}
	return "[" + strings.Join(ids, ", ") + "]"
}

// inSeconds reads a number of units of so many seconds, or a duration such as
// 5m, and returns whole seconds; orElse for anything else.
func inSeconds(value string, unit float64, orElse string) string {
	// Rounded up: a time-out must not become shorter by its translation.
	if n, err := strconv.ParseFloat(value, 64); err == nil && n >= 0 && n <= definitions.MaxSeconds {
		return strconv.FormatFloat(math.Ceil(n*unit), 'f', -1, 64)
	}
	if d, err := time.ParseDuration(value); err == nil && d >= 0 {
		return strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
	}
	return orElse
}

// oneMore returns a count and one, "3" where the value is not a count.
func oneMore(value string) string {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > 999_999 {
		return "3"
	}
	return strconv.Itoa(n + 1)
}

// NotAllowed reports a value that is not among the allowed ones of a field,
// with the one that was probably meant. what names the field, place finds its
// words.
func NotAllowed(f *source.Diagnostics, at *source.Node, what, place string, allowed []string) {
	d := f.Error(source.InvalidValue, at, "%s is %s, but must be one of %s", what, source.Clip(at.Show()), strings.Join(allowed, ", "))
	if d.Unlisted {
		return
	}
	found := ValueMeant(place, at.Text, allowed)
	switch {
	case found == nil:
		d.DidYouMean(source.Nearest(at.Text, allowed))
	case found.Write == "":
		d.DidYouMean(found.Suggest)
	default:
		d.WithSuggestion(found.Suggest).Message += ". " + source.Capitalize(found.Write)
	}
}

// IDFrom returns an id of a step made of a name, "" where too little of it is
// left.
func IDFrom(name string) string {
	id := strings.Trim(notInID.ReplaceAllString(strings.ToLower(name), "_"), "_")
	// The cut may leave a _ at the end.
	if len(id) > 64 {
		id = strings.TrimRight(id[:64], "_")
	}
	if !definitions.IDPattern.MatchString(id) {
		return ""
	}
	return id
}

// notInID matches what no id of IDFrom has.
var notInID = regexp.MustCompile(`[^A-Za-z0-9_]+`)
