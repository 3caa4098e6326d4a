package steps

import (
	"bytes"
	"encoding/json"
	"heddle/definitions/schemas"
	"heddle/internal/exactjson"
	"slices"
	"strings"

	regexp "heddle/internal/lazyregexp"
)

// structured returns an answer as JSON that meets a schema. The JSON may also follow a
// block of reasoning, stand in a code fence, or have prose around it. Where none meets
// the schema, wrong says why the likeliest does not, in words for the model; it is ""
// otherwise.
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

// breaches describes in which way a value breaks a schema, at most five breaches; ""
// where it meets it.
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

// Bounds of the search in an answer that is not JSON as a whole. They keep the work
// linear in the answer, whatever a model writes.
const (
	maxProse  = 1 << 20 // bytes; a longer answer is only tried as a whole
	maxFences = 8       // the last ones
	maxValues = 16      // the longest ones
	// maxScanned bounds the bytes read to find where values end.
	maxScanned = 8 << 20
)

// candidates returns the parts of an answer that may be the JSON that was asked for, the
// likeliest first: all of it, what follows the reasoning, code fences from the last to
// the first, objects and lists in the prose from the longest to the shortest.
func candidates(answer string) []string {
	whole := strings.TrimSpace(answer)
	list := []string{whole}
	// To search a longer text for values could take long, and no answer in prose is that
	// long.
	if len(whole) > maxProse {
		return list
	}
	if spoken := strings.TrimSpace(withoutThoughts(whole)); spoken != whole {
		list, whole = append(list, spoken), spoken
	}
	list = append(list, fenced(whole)...)
	return append(list, valuesIn(whole)...)
}

// thoughts matches the blocks in which models write their reasoning.
var thoughts = regexp.MustCompile(`(?is)<(think|thinking|thought|reasoning)>.*?</(think|thinking|thought|reasoning)>`)

// withoutThoughts removes the blocks of reasoning. Some servers keep only the end mark
// of a block; then everything before it is removed.
func withoutThoughts(s string) string {
	s = thoughts.ReplaceAllString(s, "")
	for _, end := range []string{"</think>", "</thinking>", "</thought>", "</reasoning>"} {
		if i := strings.LastIndex(s, end); i >= 0 {
			s = s[i+len(end):]
		}
	}
	return s
}

// fenced returns what stands in Markdown code fences, the last first, at most maxFences.
// A fence that does not end extends to the end of the text. A first line that names a
// language is left out.
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

// valuesIn returns the objects and lists that stand in a text and not inside each other,
// the longest first, at most maxValues.
func valuesIn(text string) []string {
	var list []string
	s := []byte(text)
	for work := 0; work < maxScanned; {
		i := bytes.IndexAny(s, "{[")
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
		list, s = append(list, string(s[:n])), s[n:]
	}
	slices.SortStableFunc(list, func(a, b string) int { return len(b) - len(a) })
	return list[:min(len(list), maxValues)]
}

// valueEnd returns the length of the bracketed value with which a text begins; 0 where
// it does not end. It counts brackets outside of strings and does not check that they
// match.
func valueEnd(text []byte) int {
	for s := exactjson.ScannerOf(text); s.Next(); {
		if s.Depth == 0 {
			return s.End
		}
	}
	return 0
}
