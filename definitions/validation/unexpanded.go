package validation

import (
	"fmt"
	"heddle/definitions/source"
	"slices"
	"strings"

	regexp "heddle/internal/lazyregexp"
)

// marks are the ways in which other products write values into texts; what
// they hold is handed on as it is written here. Patterns name a known root
// (input, steps, …) where the mark alone means something in shells or other
// languages.
var marks = []struct {
	pattern *regexp.Regexp
	with    string // what to write, for the pattern's groups; empty: no suggestion
	whose   string
}{
	{regexp.MustCompile(`\$\{\{\s*(.*?)\s*\}\}`), "{{ $1 }}", "${{ }} is GitHub Actions'; the $ stays in the text"},
	{regexp.MustCompile(`^=\{\{\s*(.*?)\s*\}\}$`), "{{ $1 }}", "={{ }} is n8n's; the = stays in the text"},
	{regexp.MustCompile(`[$#@%]\{\s*((?:input|steps|run|signals|item|secrets|workflow|inputs|outputs|params|vars|env|states|\.)\b?[^{}]*?)\s*\}`), "{{ $1 }}", "another product's way to write a value into a text"},
	{regexp.MustCompile(`\{%.*?%\}`), "", "{% %} is Jinja's, and is not carried out; {{ a ? b : c }} chooses"},
	{regexp.MustCompile(`<%=?\s*(.*?)\s*%>`), "{{ $1 }}", "<% %> is another product's way to write a value into a text"},
	{regexp.MustCompile(`^\$(?:\$|states)?\.([A-Za-z_][\w.\[\]]*)$`), "{{ input.$1 }}", "$. is JSONPath's; the input is input.…, a step's output is steps.ID.output.…"},
	{regexp.MustCompile(`\$\(\s*((?:input|inputs|params|tasks|steps|run|workflow|context|parameters)\.[A-Za-z_][\w.\[\]-]*)\s*\)`), "{{ $1 }}", "$( ) is Tekton's way to write a value into a text"},
	{regexp.MustCompile(`<<\s*((?:input|inputs|parameters|pipeline|matrix|steps)\.[A-Za-z_][\w.\[\]]*)\s*>>`), "{{ $1 }}", "<< >> is CircleCI's way to write a value into a text"},
	{regexp.MustCompile(`\[\[\s*((?:input|steps|run|item|secrets)\.[A-Za-z_][\w.\[\]]*)\s*\]\]`), "{{ $1 }}", "[[ ]] is plain text"},
	{regexp.MustCompile(`\{ \{\s*((?:input|steps|run|item|secrets)\.[^{}]+?)\s*\} \}`), "{{ $1 }}", "the braces stand apart"},
	{regexp.MustCompile(`%((?:input|steps)\.[A-Za-z_][\w.\[\]]*)%`), "{{ $1 }}", "%…% is plain text"},
	{regexp.MustCompile(`\{((?:input|steps)\.[A-Za-z_][\w.\[\]]*)\}`), "{{ $1 }}", "one pair of braces is plain text"},
	{regexp.MustCompile(`^\$(?:json|node|input|vars)\b.*$`), "", "that is n8n's; write {{ input.… }} or {{ steps.ID.output.… }}"},
}

// marksAroundTemplates is the number of marks, from the first, that enclose a
// template of ours; the others count only outside of templates.
const marksAroundTemplates = 2

// templatesInText matches the templates in a text.
var templatesInText = regexp.MustCompile(`\{\{.*?\}\}`)

var (
	// A path of a step's output, status or error, and one of the input,
	// without braces.
	stepPath  = regexp.MustCompile(`^steps(?:\.([A-Za-z_]\w*)|\[["']([A-Za-z_][\w-]*)["']\])\.(?:output|status|error)\b[\w.\[\]"'?-]*$`)
	inputPath = regexp.MustCompile(`^input\.([A-Za-z_]\w*)[\w.\[\]"'?]*$`)
)

// maxUnexpandedText bounds the texts that are looked at, in bytes: longer
// ones are data.
const maxUnexpandedText = 4 << 10

// unexpanded warns of texts in a value, at any depth, that were meant to be
// templates. what names the value in messages; literal are its fields that
// hold scripts and the like, where such marks are right.
func (v *expressionValidator) unexpanded(n *source.Node, what string, literal []string) {
	for i, kid := range n.Kids {
		// literal names fields of the config itself and nothing deeper.
		if n.Kind == source.Object && slices.Contains(literal, n.Keys[i]) {
			continue
		}
		if kid.Kind == source.String || kid.Kind == source.Object || kid.Kind == source.Array {
			v.unexpanded(kid, what, nil)
		}
	}
	if n.Kind != source.String || len(n.Text) > maxUnexpandedText {
		return
	}
	why, write := v.meantAsTemplate(n.Text)
	if why == "" {
		return
	}
	message := fmt.Sprintf("'%s' of %s is handed on as it is written: %s", source.Clip(n.Text), what, why)
	if write != "" {
		message += "; write " + source.Clip(write)
	}
	v.finds.Warn(source.Unexpanded, n, "%s", message).WithSuggestion(write)
}

// meantAsTemplate returns why a text looks like a template that it is not,
// and how it would be one ("": unknown); why is "" for other texts. A bare
// path counts only where the step or the input's field exists, so that a text
// that happens to look like one is left alone.
func (v *expressionValidator) meantAsTemplate(s string) (why, write string) {
	// A cheap look first: a definition has many texts, and most hold none of
	// these.
	if strings.ContainsAny(s, "$#@%") || strings.HasPrefix(s, "=") || strings.Contains(s, "{input.") || strings.Contains(s, "{steps.") || strings.Contains(s, "<<") || strings.Contains(s, "[[") || strings.Contains(s, "{ {") {
		outside := templatesInText.ReplaceAllString(s, "")
		for i, m := range marks {
			if !m.pattern.MatchString(s) || i >= marksAroundTemplates && !m.pattern.MatchString(outside) {
				continue
			}
			if m.with != "" {
				write = m.pattern.ReplaceAllString(s, m.with)
			}
			return m.whose, write
		}
	}
	trimmed := strings.TrimSpace(s)
	if m := stepPath.FindStringSubmatch(trimmed); m != nil {
		if _, known := v.graph.byID[m[1]+m[2]]; known {
			return "a path is read inside of {{ }} alone", "{{ " + trimmed + " }}"
		}
	}
	if m := inputPath.FindStringSubmatch(trimmed); m != nil && v.inputHas(m[1]) {
		return "a path is read inside of {{ }} alone", "{{ " + trimmed + " }}"
	}
	return "", ""
}

// inputHas reports whether the input's schema lists a member.
func (v *expressionValidator) inputHas(name string) bool {
	return v.doc.Root.Member("input").Member("properties").Member(name) != nil
}
