package expressions

import (
	"slices"
	"strconv"
)

// Forms remembers what checks found nothing wrong with, so that expressions which differ
// only in the steps that they read are checked once. A large definition says the same of
// many steps:
//
//	steps.fetch_eu.output.status_code == 200
//	steps.fetch_us.output.status_code == 200
//
// Both have the form "steps.0.output.status_code == 200". Where the output of the two
// steps has the same Shape, and both are visible, nothing can be wrong with the second
// that was not wrong with the first. An expression in which something was found is always
// checked itself. The zero value is empty. Not safe for concurrent use.
type Forms struct {
	sound map[string][]soundForm
	text  []byte   // the form that was made last; the memory is used again
	ids   []string // its steps, each once
}

// maxVariants bounds the kinds of types for which one form is remembered.
const maxVariants = 8

// soundForm is one kind of types with which a form was checked, and what that took from
// the budget.
type soundForm struct {
	names             []nameShape
	steps             []stepRead
	members, patterns int
}

// nameShape is a root name and what was known of it.
type nameShape struct {
	name  string
	shape *Shape
}

// stepRead is a step that an expression reads, and its output.
type stepRead struct {
	number int    // in the form; -1: the form names the step by id
	id     string // of such a step
	output *Shape
}

// maxFormSource is the length in bytes of an expression beyond which it has no form. Each
// with a form is far below MaxSource, however long the ids are that it is used with.
const maxFormSource = 512

// take makes the form of an expression, in f.text and f.ids; false where it has none.
// It has one only if it is plain: no let, whose names could be those of the scope, no
// comment, no escape and no character beyond ASCII.
func (f *Forms) take(source string, env Env, want Want, bare bool) bool {
	// What is said of run.error goes by the text.
	if f == nil || len(source) > maxFormSource || env.Completed || env.Budget.short() {
		return false
	}
	f.text, f.ids = append(f.text[:0], byte(want), flag(bare), flag(env.Secrets)), f.ids[:0]
	behindDot := false // the last token was a dot
	for at := 0; at < len(source); {
		c := source[at]
		end := at + 1
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			f.text = append(f.text, c)
			at = end
			continue
		case c == '\'' || c == '"':
			if end = plainText(source, at); end < 0 {
				return false
			}
		case c < ' ' || c > '~' || c == '`' || c == '\\' || c == '/' && end < len(source) && (source[end] == '/' || source[end] == '*'):
			return false
		case asciiWord(c):
			for end < len(source) && asciiWord(source[end]) {
				end++
			}
			switch word := source[at:end]; {
			case word == "let":
				return false
			case word == nameSteps && !behindDot && end < len(source) && source[end] == '.':
				last, ok := f.step(source, end+1)
				if !ok {
					return false
				}
				at, behindDot = last, false
				continue
			}
		}
		f.text = append(f.text, source[at:end]...)
		at, behindDot = end, c == '.'
	}
	return true
}

// step appends the number of the step whose id begins at a byte of source, behind its
// "steps.", and returns where the id ends. It returns false where the word could be more
// than an id.
func (f *Forms) step(source string, at int) (end int, ok bool) {
	for end = at; end < len(source) && asciiWord(source[end]); {
		end++
	}
	id := source[at:end]
	// A word of the language may be read as one, and a call is of a method.
	if !identifier(id) || id[0] == '$' || keywords[id] || id == "run" || end < len(source) && source[end] == '(' {
		return 0, false
	}
	number := slices.Index(f.ids, id)
	if number < 0 {
		number = len(f.ids)
		f.ids = append(f.ids, id)
	}
	// A number cannot follow a dot, so that no expression is its own form by chance.
	f.text = append(f.text, nameSteps...)
	f.text = append(f.text, '.')
	f.text = strconv.AppendInt(f.text, int64(number), 10)
	return end, true
}

// plainText returns the end of the quoted text that begins at a byte of source; -1 where
// it has an escape, a character beyond ASCII or no end.
func plainText(source string, at int) int {
	for end := at + 1; end < len(source); end++ {
		switch c := source[end]; {
		case c == source[at]:
			return end + 1
		case c < ' ' || c > '~' || c == '\\':
			return -1
		}
	}
	return -1
}

// asciiWord is wordRune for ASCII.
func asciiWord(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// flag returns 1 for true and 0 for false.
func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// known reports whether the form that was taken last was found sound with the types of
// env, and takes from the budget what its check took.
func (f *Forms) known(env Env) bool {
	for _, s := range f.sound[string(f.text)] {
		if f.fits(s, env) {
			return env.Budget.again(s.members, s.patterns)
		}
	}
	return false
}

// fits reports whether all that the form reads is of the types of s.
func (f *Forms) fits(s soundForm, env Env) bool {
	for _, n := range s.names {
		if shape, visible := env.value(n.name); !visible || shape != n.shape {
			return false
		}
	}
	for _, read := range s.steps {
		id := read.id
		if read.number >= 0 {
			id = f.ids[read.number]
		}
		if visibility, output := env.step(id); visibility != StepVisible || output != read.output {
			return false
		}
	}
	return true
}

// remember records that nothing was found in the form that was taken last. refs is what
// the expression reads, before what the budget had when its check began.
func (f *Forms) remember(env Env, refs References, before Budget) {
	form := soundForm{}
	form.members, form.patterns = env.Budget.taken(before)
	for _, r := range refs.Names {
		shape, _ := env.value(r.Name)
		form.names = append(form.names, nameShape{r.Name, shape})
	}
	numbered := 0
	for _, r := range refs.Steps {
		read := stepRead{number: slices.Index(f.ids, r.Name)}
		if read.number < 0 {
			read.id = r.Name
		} else {
			numbered++
		}
		_, read.output = env.step(r.Name)
		form.steps = append(form.steps, read)
	}
	// What looked like a step's id may have been something else.
	known := f.sound[string(f.text)]
	if numbered < len(f.ids) || len(known) >= maxVariants {
		return
	}
	if f.sound == nil {
		f.sound = map[string][]soundForm{}
	}
	f.sound[string(f.text)] = append(known, form)
}
