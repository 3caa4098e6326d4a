package workflows

import (
	"encoding/json"
	"errors"
	"heddle/ids"
	"heddle/internal/exactjson"
	"strconv"
	"strings"
)

// VersionRef names a version in a body: 3, "3", "v3" or a label; "" is the active one. Whether
// there is such a version is for the service to say.
type VersionRef string

// UnmarshalJSON takes a whole number or text; null and "" leave v as it is. What ids.Valid refuses
// is an error.
func (v *VersionRef) UnmarshalJSON(text []byte) error {
	s := string(text)
	switch {
	case s == "null" || s == `""`:
		return nil
	case text[0] == '"':
		if err := json.Unmarshal(text, &s); err != nil {
			return err
		}
	case strings.Trim(s, "0123456789") != "": // as in 3.0
		number, ok := exactjson.Int(s)
		if !ok || number < 0 {
			return errVersionRef
		}
		s = strconv.FormatInt(number, 10)
	}
	if !ids.Valid(s) {
		return errVersionRef
	}
	*v = VersionRef(s)
	return nil
}

// JSONSchema describes what UnmarshalJSON takes. It has alternatives rather than a list of types,
// of which generators of typed clients make code that does not compile.
func (VersionRef) JSONSchema() map[string]any {
	return map[string]any{
		"oneOf":       []any{map[string]any{"type": "integer", "minimum": 1}, map[string]any{"type": "string"}},
		"description": "A number from 1, such as 3 or \"v3\", or a label; the active version without it.",
	}
}

// errVersionRef is shown to the caller behind the field's name.
var errVersionRef = errors.New("a version is a number from 1, such as 3, \"3\" or \"v3\", or a label")
