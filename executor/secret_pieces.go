package executor

import (
	"encoding/json"
	"heddle/executor/machine"
	"heddle/internal/exactjson"
	regexp "heddle/internal/lazyregexp"
	"strings"
	"unicode"
)

// pieceRunes is the length in characters from which a part of a secret's value is taken out
// of an error. Shorter parts would be found in ordinary words.
const pieceRunes = 6

// piece is a stretch of a secret's value, in lower case.
type piece [pieceRunes]rune

// usedSecrets are the values of secrets that went into one attempt. It belongs to the
// goroutine of the attempt; a nil one takes nothing. It is dropped with the attempt.
type usedSecrets struct{ values []string }

// note adds a value; an empty one has no pieces. It may be called on nil, which ignores it.
func (u *usedSecrets) note(value string) {
	if u != nil && value != "" {
		u.values = append(u.values, value)
	}
}

// notSecret is what a value holds because of its form: the lines round PEM, and
// a URL's scheme.
var notSecret = regexp.MustCompile(`-----(?:BEGIN|END) [A-Z0-9 ]+-----|^[a-zA-Z][a-zA-Z0-9+.-]*://`)

// pieces returns all stretches of pieceRunes characters of the values, as a set. O(length
// of the values).
func (u *usedSecrets) pieces() map[piece]bool {
	all := make(map[piece]bool)
	for _, value := range u.values {
		for part := range strings.SplitSeq(notSecret.ReplaceAllString(value, "\x00"), "\x00") {
			runes := folded(part)
			for i := 0; i+pieceRunes <= len(runes); i++ {
				all[piece(runes[i:i+pieceRunes])] = true
			}
		}
	}
	return all
}

// folded returns a text in lower case, rune by rune, so that it has as many runes as the
// text.
func folded(text string) []rune {
	runes := []rune(text)
	for i, r := range runes {
		runes[i] = unicode.ToLower(r)
	}
	return runes
}

// without takes the pieces out of a text, in whichever case they are written. Pieces that
// overlap or touch become one "***". A text without pieces is returned as it is.
func without(text string, pieces map[piece]bool) string {
	runes, lower := []rune(text), folded(text)
	var out strings.Builder
	copied, end := 0, 0 // what is between copied and end is left out
	for i := 0; i+pieceRunes <= len(lower); i++ {
		if !pieces[piece(lower[i:i+pieceRunes])] {
			continue
		}
		if i > end || end == 0 {
			out.WriteString(string(runes[copied:i]))
			out.WriteString("***")
		}
		end = i + pieceRunes
		copied = end
	}
	if copied == 0 {
		return text
	}
	out.WriteString(string(runes[copied:]))
	return out.String()
}

// withoutPieces returns a copy of a failure without any piece of the secrets that went into
// its attempt. A step may have cut a value, or changed its case, before it quoted it, so
// that the whole would not be found any more. Whole secrets of the tenant are taken out
// first, by the redactors. The code stays; details that cannot be encoded are dropped.
func (u *usedSecrets) withoutPieces(f *machine.Failure, redactors ...func(json.RawMessage) json.RawMessage) *machine.Failure {
	if f == nil || len(u.values) == 0 {
		return f
	}
	pieces := u.pieces()
	mask := func(text string) string {
		if clean := withoutAny(exactjson.Quote(text), redactors...); json.Unmarshal(clean, &text) != nil {
			return ""
		}
		return without(text, pieces)
	}
	clean := *f
	if f.MaskMessage != nil {
		clean.Message = f.MaskMessage(mask)
	} else {
		clean.Message = mask(f.Message)
	}
	if len(f.Details) == 0 {
		return &clean
	}
	var details map[string]any
	raw, err := json.Marshal(f.Details)
	if err == nil {
		err = exactjson.Decode(raw, &details) // pieces of secrets are found in numbers, too
	}
	if err != nil {
		details = nil
	}
	clean.Details, _ = masked(details, mask).(map[string]any)
	return &clean
}

// masked masks the texts and numbers of a decoded JSON value, in place where it is an
// object or a list, and returns it; the names of members stay. A number that holds a piece
// becomes a text.
func masked(value any, mask func(string) string) any {
	switch v := value.(type) {
	case string:
		return mask(v)
	case json.Number:
		if clean := mask(v.String()); clean != v.String() {
			return clean
		}
	case map[string]any:
		for name, member := range v {
			v[name] = masked(member, mask)
		}
	case []any:
		for i, member := range v {
			v[i] = masked(member, mask)
		}
	}
	return value
}
