package steps

import (
	"encoding/json"
	"heddle/definitions/schemas"
	"slices"
	"strings"

	regexp "heddle/internal/lazyregexp"
)

// structured reads an answer as JSON that meets a schema, also where it stands
// after a block of thoughts, in a code fence, or with prose around it; else it
// says what is wrong.
func structured(schema *schemas.Checker, answer string) (out json.RawMessage, wrong string) {
	wrong = "it is not JSON"
	found := false
	for _, text := range candidates(answer) {
		raw, ok := jsonValue([]byte(text))
		if !ok {
			continue
		}
		breach := breaches(schema, raw)
		if breach == "" {
			return raw, ""
		}
		if !found {
			found, wrong = true, breach
		}
	}
	return nil, wrong
}

// breaches says in which way a value does not meet a schema; "" where it does.
func breaches(schema *schemas.Checker, raw json.RawMessage) string {
	issues := schema.Check(raw)
	words := make([]string, 0, 5)
	for _, issue := range issues[:min(len(issues), 5)] {
		where := issue.Pointer
		if where == "" {
			where = "the whole"
		}
		words = append(words, where+": "+issue.Message)
	}
	return strings.Join(words, "; ")
}

// Limits of what is looked for in an answer that is not JSON as a whole.
const (
	maxProse  = 1 << 20 // bytes
	maxFences = 8       // the last ones
	maxValues = 16      // the longest ones
	// maxScanned bounds the bytes read in search of the ends of values.
	maxScanned = 8 << 20
)

// candidates lists the parts of an answer that may be the JSON that was asked
// for, the likeliest first: all of it, what follows the thoughts, code fences
// from the last to the first, objects and lists in the prose from the longest
// to the shortest.
func candidates(answer string) []string {
	whole := strings.TrimSpace(answer)
	list := []string{whole}
	if len(whole) > maxProse {
		return list
	}
	if spoken := strings.TrimSpace(withoutThoughts(whole)); spoken != whole {
		list, whole = append(list, spoken), spoken
	}
	list = append(list, fenced(whole)...)
	return append(list, valuesIn(whole)...)
}

var thoughts = regexp.MustCompile(`(?is)<(think|thinking|thought|reasoning)>.*?</(think|thinking|thought|reasoning)>`)

// withoutThoughts drops the blocks in which models think aloud; of some the
// server keeps the end alone.
func withoutThoughts(s string) string {
	s = thoughts.ReplaceAllString(s, "")
	for _, end := range []string{"</think>", "</thinking>", "</thought>", "</reasoning>"} {
		if i := strings.LastIndex(s, end); i >= 0 {
			s = s[i+len(end):]
		}
	}
	return s
}

// fenced lists what stands in Markdown code fences, the last first. A fence that
// does not end goes to the end.
func fenced(s string) []string {
	var list []string
	for {
		_, rest, ok := strings.Cut(s, "```")
		if !ok {
			break
		}
		block, after, closed := strings.Cut(rest, "```")
		if first, more, ok := strings.Cut(block, "\n"); ok && !strings.ContainsAny(first, "{[\"") {
			block = more // the first line names the language
		}
		list = append(list, strings.TrimSpace(block))
		if !closed {
			break
		}
		s = after
	}
	slices.Reverse(list)
	return list[:min(len(list), maxFences)]
}

// valuesIn lists the objects and lists that stand in a text, not inside each
// other, the longest first.
func valuesIn(s string) []string {
	var list []string
	for work := 0; work < maxScanned; {
		i := strings.IndexAny(s, "{[")
		if i < 0 {
			break
		}
		s = s[i:]
		n := valueEnd(s)
		if n == 0 {
			work += len(s)
			s = s[1:]
			continue
		}
		work += n
		list, s = append(list, s[:n]), s[n:]
	}
	slices.SortStableFunc(list, func(a, b string) int { return len(b) - len(a) })
	return list[:min(len(list), maxValues)]
}

// valueEnd is how long the bracketed value is that a text begins with; 0: it
// does not end.
func valueEnd(s string) int {
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}
