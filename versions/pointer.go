package versions

import (
	"heddle/internal/exactjson"
	"strconv"
	"strings"
)

// pointerError says why a JSON pointer (RFC 6901) leads nowhere, as the end of
// a sentence whose subject is the pointer.
type pointerError string

// Error returns the end of the sentence.
func (e pointerError) Error() string { return string(e) }

// lookUpPointer returns the value that the unescaped tokens of a pointer lead
// to; the error is a pointerError. The value is a part of root.
func lookUpPointer(root any, tokens []string) (any, error) {
	for _, token := range tokens {
		var err error
		if root, err = member(root, token); err != nil {
			return nil, err
		}
	}
	return root, nil
}

// member returns the member or element of a value that a token names; the error
// is a pointerError.
func member(v any, token string) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		child, ok := v[token]
		if !ok {
			return nil, pointerError("names a member that is not there")
		}
		return child, nil
	case []any:
		i, err := listIndex(token, len(v))
		if err != nil {
			return nil, err
		}
		return v[i], nil
	}
	return nil, pointerError("names a member of a value that is neither list nor object")
}

// listIndex reads a token as the index of one of n elements. Leading zeros and
// signs are not allowed (RFC 6901, section 4), nor is the - for the end of a
// list.
func listIndex(token string, n int) (int, error) {
	i, err := strconv.Atoi(token)
	if err != nil || strconv.Itoa(i) != token || i < 0 {
		return 0, pointerError("names a place in a list by something that is not a number")
	}
	if i >= n {
		return 0, pointerError("names a place beyond the end of a list")
	}
	return i, nil
}

// parsePointer returns the unescaped tokens of a JSON pointer; "" has none and
// stands for the whole document. The error is a pointerError.
func parsePointer(pointer string) ([]string, error) {
	if pointer == "" {
		return nil, nil
	}
	if pointer[0] != '/' {
		return nil, pointerError("does not begin with /")
	}
	tokens := strings.Split(pointer[1:], "/")
	for i, token := range tokens {
		bare := strings.ReplaceAll(strings.ReplaceAll(token, "~0", ""), "~1", "")
		if strings.Contains(bare, "~") {
			return nil, pointerError("has a ~ that is neither ~0 nor ~1")
		}
		tokens[i] = exactjson.UnescapeToken(token)
	}
	return tokens, nil
}
